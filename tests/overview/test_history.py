"""What a school's activity page shows of the record of changes, to whom, and what it leaves out for which reason."""

import ast
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from factories import PupilFactory, emergency, person

import handrail
from handrail.accounts.roles import Role
from handrail.core.audit import CLOCK
from handrail.core.models import ReadEntry
from handrail.core.reference import reference
from handrail.overview.history import NOT_SHOWN, SHOWN
from handrail.plans.versions import write_emergency
from handrail.records.actions import erase_child, place_hold
from handrail.schools.actions import change_pupil
from tenants.context import inside

ROOT = Path(handrail.__file__).parents[2]


def verbs() -> set[str]:
    """Every verb that the code writes. A function that takes a `verb` hands on what its callers say."""
    found: set[str] = set()
    for folder in ("src/handrail", "workflows", "tenants"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            tree = ast.parse(path.read_text())
            nodes = list(ast.walk(tree))
            takers = {"record": 0, "record_each": 0} | {
                each.name: place for each in nodes if (place := _verbs_place(each)) is not None
            }
            for call in (each for each in nodes if isinstance(each, ast.Call)):
                place = takers.get(getattr(call.func, "attr", getattr(call.func, "id", "")))
                if place is not None and len(call.args) > place:
                    found |= set(_said(call.args[place], nodes))
    return found


def _verbs_place(node: ast.AST) -> int | None:
    if not isinstance(node, ast.FunctionDef):
        return None
    names = [each.arg for each in node.args.args if each.arg != "self"]
    return names.index("verb") if "verb" in names else None


def _said(node: ast.expr, nodes: list[ast.AST]) -> Iterator[str]:
    """What an expression may be. Raises where that cannot be read from the text."""
    if isinstance(node, ast.Constant):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from (*_said(node.body, nodes), *_said(node.orelse, nodes))
    elif isinstance(node, ast.JoinedStr):
        yield from map("".join, product(*(list(_said(part, nodes)) for part in node.values)))
    elif isinstance(node, ast.FormattedValue | ast.Subscript):
        yield from _said(node.value, nodes)
    elif isinstance(node, ast.Dict):
        yield from (verb for value in node.values for verb in _said(value, nodes))
    elif isinstance(node, ast.Name):
        given = [each.value for each in nodes if isinstance(each, ast.Assign) and node.id in map(_name, each.targets)]
        assert given or node.id == "verb", f"say which verbs {ast.unparse(node)} may be"
        for value in given:
            yield from _said(value, nodes)
    else:
        raise AssertionError(f"say the verb in words, not {ast.unparse(node)}")


def _name(node: ast.AST) -> str:
    return getattr(node, "id", "")


def test_every_verb_is_shown_or_left_out_for_a_reason():
    shown = {verb for said in SHOWN.values() for verb in said}
    left_out = {verb for named in NOT_SHOWN.values() for verb in named}
    assert not shown & left_out
    assert verbs() == shown | left_out


@pytest.mark.django_db
class TestWhatHappenedToAChild:
    PAGE = "/schools/900001/activity/"
    DETAILS, EMERGENCY, HOLD = (
        "Changed a child’s details",
        "Wrote a child’s emergency plan",
        "Placed a legal hold on a child’s record",
    )

    @pytest.fixture
    def poppy(self, one, cast, at):
        with inside(one):
            child = PupilFactory(school=cast.oak, name="Poppy Canarywright")
            change_pupil(pupil=child, by=cast.head, at=at, class_name="Owls")
            write_emergency(pupil=child, says=emergency("Canary words"), based_on=0, by=cast.head, at=at)
            place_hold(pupil=child, reason="Canary reason", by=cast.head, at=at)
        return child

    def test_is_shown_to_the_lead_without_saying_which_child(self, one, cast, browse, poppy):
        client = browse()
        with inside(one):
            client.force_login(cast.head)
        for path in (self.PAGE, "/schools/900001/"):
            page = client.get(path).text
            assert all(words in page for words in (self.DETAILS, self.EMERGENCY, self.HOLD))
            for tells in (str(poppy.id), reference(poppy.id), "anary"):
                assert tells not in page
        with inside(one):
            assert not ReadEntry.objects.exists()

    def test_says_which_child_after_the_second_step_and_records_it(self, one, cast, browse, poppy):
        place = f"{self.PAGE}children/"
        assert f'href="{place}"' in browse(cast.head).get(self.PAGE).text
        client = browse()
        with inside(one):
            client.force_login(cast.head)
        assert client.get(place).status_code == 302
        with inside(one):
            assert not ReadEntry.objects.exists()
        page = browse(cast.head).get(place).text
        for words in (self.DETAILS, self.EMERGENCY, self.HOLD):
            assert f'href="/children/{poppy.id}/">{words}</a>' in page
        assert page.count("Poppy Canarywright") == 3
        assert "Canary words" not in page
        with inside(one):
            read = ReadEntry.objects.get()
            assert (read.child_ids, read.school_id, read.verb) == ([poppy.id], cast.oak.id, "list")

    def test_says_it_to_nobody_but_the_schools_leads(self, one, cast, browse, poppy):
        with inside(one):
            office = person("office@oak.example", Role.SCHOOL_ADMINISTRATOR, school=cast.oak)
        place = f"{self.PAGE}children/"
        statuses = [browse(each).get(place).status_code for each in (office, cast.officer, cast.neighbour)]
        assert statuses == [403, 403, 404]
        assert place not in browse(office).get(self.PAGE).text

    def test_is_shown_as_far_as_the_role_goes(self, one, cast, browse, poppy):
        with inside(one):
            office = person("office@oak.example", Role.SCHOOL_ADMINISTRATOR, school=cast.oak)
        page = browse(office).get(self.PAGE).text
        assert [words in page for words in (self.DETAILS, self.EMERGENCY, self.HOLD)] == [True, True, False]

    def test_is_kept_from_the_authority_who_could_count_them(self, one, cast, browse, poppy):
        with inside(one):
            dana = person("dana@barsetshire.example", Role.DATA_PROTECTION_LEAD)
        for who in (cast.officer, cast.admin, dana):
            for path in (self.PAGE, "/schools/900001/"):
                page = browse(who).get(path).text
                assert "child’s" not in page.partition("<main")[2].partition("</main>")[0]
                assert reference(poppy.id) not in page

    def test_stays_without_a_link_when_the_child_is_erased(self, one, cast, browse, at):
        with inside(one):
            child = PupilFactory(school=cast.oak)
            erase_child(pupil=child, by=cast.head, at=at)
        page = browse(cast.head).get(f"{self.PAGE}children/").text
        assert "Erased a child’s record" in page
        assert str(child.id) not in page

    @pytest.mark.parametrize("path", ["", "children/"])
    def test_asks_as_often_for_many_as_for_one(self, path, one, cast, browse, poppy, at, django_assert_max_num_queries):
        with inside(one):
            for number in range(20):
                change_pupil(pupil=PupilFactory(school=cast.oak), by=CLOCK, at=at, class_name=f"{number}")
        client = browse(cast.head)
        client.get(self.PAGE + path)
        with django_assert_max_num_queries(24):
            client.get(self.PAGE + path)
