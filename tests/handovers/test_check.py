"""Whether both sides remember the same: the command that asks each side, and says which differ."""

import json
from argparse import Namespace
from typing import Any

import pytest
from databases import as_superuser
from handovers.between import CHILD, Between

from handrail.handovers import post
from handrail.handovers.models import ErasedEnvelope, Message
from handrail.records.actions import erase_child
from handrail.schools.models import Pupil
from tenants.context import inside
from workflows.commands import handover_check


@pytest.fixture
def check(capsys: Any) -> Any:
    def run() -> tuple[int, dict[str, Any]]:
        code = handover_check.run(Namespace(json=True))
        return code, json.loads(capsys.readouterr().out)

    return run


def ways(found: dict[str, Any]) -> dict[str, Any]:
    return {f"{way['from']}-{way['to']}": way for way in found["ways"]}


class TestHandoverCheck:
    def test_says_that_both_sides_agree(self, between: Between, check: Any) -> None:
        between.sent()
        between.post()
        between.open()
        between.post()
        code, found = check()
        assert code == 0
        assert {name: (way["agrees"], way["sent"]["count"]) for name, way in ways(found).items()} == {
            "001-002": (True, 1),
            "002-001": (True, 1),
        }
        assert (found["differences"], found["not_asked"]) == ({}, [])

    def test_leaves_out_what_is_on_its_way(self, between: Between, check: Any) -> None:
        between.sent()
        with inside(between.one):
            post.deposit_owed(at=between.at)
        assert check() == (0, {"ways": [], "differences": {}, "not_asked": []})

    @pytest.mark.parametrize("what", ["lost", "changed"])
    def test_says_which_side_differs(self, between: Between, check: Any, what: str) -> None:
        between.sent()
        between.post()
        with inside(between.two):
            if what == "lost":
                Message.objects.all().delete()
            else:
                Message.objects.update(sha256="0" * 64)
        code, found = check()
        assert (code, ways(found)["001-002"]["agrees"]) == (1, False)
        assert list(found["differences"]) == ["002"]

    @pytest.mark.parametrize("side", ["one", "two"])
    def test_knows_envelopes_of_a_child_who_was_erased(self, between: Between, check: Any, side: str) -> None:
        between.sent()
        between.post()
        between.open()
        between.post()
        who = between.people["lead" if side == "one" else "hospital"]
        with inside(getattr(between, side)):
            erase_child(pupil=Pupil.objects.get(), by=who, at=between.at)
            assert not Message.objects.exists()
            assert {each.way for each in ErasedEnvelope.objects.all()} == {"in", "out"}
        if side == "one":
            between.move("accept")  # nobody has told the other side yet, and its answer comes too late
        between.post()
        code, found = check()
        assert (code, found["differences"]) == (0, {})
        assert {name: (way["agrees"], way["sent"]["count"]) for name, way in ways(found).items()} == {
            "001-002": (True, 2 if side == "one" else 1),
            "002-001": (True, 2),
        }
        with inside(getattr(between, side)):
            assert CHILD not in repr([vars(each) for each in ErasedEnvelope.objects.all()])

    def test_says_whom_it_could_not_ask(self, between: Between, check: Any, capsys: Any) -> None:
        between.sent()
        between.post()
        with as_superuser(between.database) as admin:
            admin.execute("UPDATE tenants_localauthority SET state = 'suspended' WHERE code = '002'")
        try:
            code, found = check()
            assert (code, ways(found)["001-002"]["agrees"], found["not_asked"]) == (0, None, ["002"])
            handover_check.run(Namespace(json=False))
        finally:
            with as_superuser(between.database) as admin:
                admin.execute("UPDATE tenants_localauthority SET state = 'active'")
        said = capsys.readouterr().out
        assert "001 to 002: only one side could be asked" in said
        assert CHILD not in said
