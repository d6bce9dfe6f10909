"""The evidence of one handover in a ZIP: the story on paper, every list behind it, and an index, as at a day."""

import csv
import hashlib
import io
import zipfile
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pypdf
import pytest
from django.test import Client
from factories import AT as CAST_AT
from factories import PupilFactory, person
from handovers.between import AT, CHILD, TODAY, Between

from handrail.absences.actions import make_return
from handrail.accounts.roles import Role
from handrail.core.evidence import write_pack
from handrail.core.models import AuditEntry, ReadEntry
from handrail.handovers import actions, reminders, steps
from handrail.handovers.lapsed import follow_up
from handrail.handovers.models import Handover, Setting
from handrail.records.evidence import evidence_pack
from handrail.records.handovers import Told
from tenants.context import inside

NAMES = [
    "handover.pdf", "moves.csv", "packs.csv", "readings.csv", "envelopes.csv", "messages.csv", "follow-up.csv",
    "changes.csv", "index.csv",
]  # fmt: skip
TOMORROW = AT + timedelta(days=1)
DAY_AFTER = TOMORROW.date()


def unpacked(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def files(between: Between, side: str, *, on: date = DAY_AFTER, knows: bool = True) -> dict[str, bytes]:
    """What the evidence of one side holds."""
    with inside(between.one if side == "home" else between.two):
        handover = Handover.objects.select_related("pupil__school", "setting").get(side=side)
        out = io.BytesIO()
        write_pack(out, Told(handover, on=on, authority="Barsetshire", printed="Made today.", knows=knows).files())
        return unpacked(out.getvalue())


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def text(content: bytes) -> str:
    found = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content)).pages)
    return " ".join(found.split())


@pytest.fixture
def taught(between: Between) -> Between:
    """A child whose handover was questioned, accepted, begun and reviewed."""
    between.sent()
    between.post()
    between.open()
    between.move("ask_for_more", said={"reason": "Which dose at night?"})
    between.post()
    with inside(between.one):
        actions.submit(handover=between.home_inside(), by=between.people["lead"], at=AT)
    between.post()
    between.open()
    between.move("accept", starts_on=TODAY)
    between.read_steps()
    between.move("begin", at=AT)
    between.post()
    between.move("review", at=TOMORROW, said={"decision": "All is well."})
    between.post(at=TOMORROW)
    return between


class TestTheFiles:
    def test_are_whole_and_the_index_tells_the_truth(self, taught: Between) -> None:
        found = files(taught, "home")
        assert list(found) == NAMES
        assert [(row["File"], int(row["Bytes"]), row["SHA-256"]) for row in rows(found["index.csv"])] == [
            (name, len(found[name]), hashlib.sha256(found[name]).hexdigest()) for name in NAMES[:-1]
        ]

    def test_say_who_did_what_and_what_was_said(self, taught: Between) -> None:
        told = rows(files(taught, "home")["moves.csv"])
        said = {row["Move"]: row["What was said"] for row in told}
        assert "What else is needed: Which dose at night?" in said["asked for more"]
        assert "First day: 23 November 2026" in said["accepted a handover"]
        assert "Hours a week: 10" in said["accepted a handover"]
        assert "Emergency steps: Version 1 read by" in said["taught the first session"]
        assert "First session: 23 November 2026" in said["taught the first session"]
        assert "What was decided: All is well." in said["reviewed a placement"]
        assert "Next review: 5 January 2027" in said["reviewed a placement"]
        opened = said["opened a pack"]
        assert "Who: " in opened and "Version of the plan: 1" in opened

    def test_name_each_pack_as_both_sides_do(self, taught: Between) -> None:
        home, theirs = (rows(files(taught, side)["packs.csv"]) for side in ("home", "setting"))
        assert [(row["Number"], row["Version of the plan"]) for row in home] == [("1", "1"), ("2", "1")]
        digest = "SHA-256 of its content"
        assert [row[digest] for row in home] == [row[digest] for row in theirs]
        assert {row["Sent or opened"] for row in home} == {"Sent"}
        assert {row["Sent or opened"] for row in theirs} == {"Opened"}
        sealed = "SHA-256 of the sealed content"
        sent, came = (rows(files(taught, side)["envelopes.csv"]) for side in ("home", "setting"))
        assert {row[sealed] for row in sent} == {row[sealed] for row in came}

    def test_say_who_has_read_the_emergency_steps(self, taught: Between) -> None:
        [row] = rows(files(taught, "setting")["readings.csv"])
        assert (row["Pack"], row["Version of the plan"]) == ("2", "1")

    def test_are_read_on_paper(self, taught: Between) -> None:
        paper = text(files(taught, "home")["handover.pdf"])
        for words in (CHILD, "Being taught", "Which dose at night?", "Pack 2", "Version of the plan"):
            assert words in paper

    def test_are_the_same_twice(self, taught: Between) -> None:
        assert files(taught, "home") == files(taught, "home")

    @pytest.mark.parametrize("side", ["home", "setting"])
    def test_tell_neither_name_nor_words_where_the_child_is_not_to_be_known(self, taught: Between, side: str) -> None:
        found = files(taught, side, knows=False)
        everything = text(found["handover.pdf"]) + "".join(
            each.decode() for name, each in found.items() if "csv" in name
        )
        assert "accepted a handover" in everything
        for words in (CHILD, "Wren", "Which dose", "All is well"):
            assert words not in everything


class TestAsAtADay:
    def test_holds_nothing_that_was_recorded_later(self, taught: Between) -> None:
        found = files(taught, "home", on=TODAY)
        assert "reviewed a placement" not in found["moves.csv"].decode()
        assert "All is well." not in text(found["handover.pdf"])
        assert "reviewed a placement" in files(taught, "home")["moves.csv"].decode()
        before = files(taught, "home", on=TODAY - timedelta(days=1))
        for name in NAMES[1:-1]:
            assert rows(before[name]) == [], name
        assert "Nothing had been recorded yet." in text(before["handover.pdf"])

    def test_of_a_setting_knows_nobody_before_the_pack_was_opened(self, between: Between) -> None:
        between.sent()
        between.post()
        between.open(at=TOMORROW)
        assert CHILD not in text(files(between, "setting", on=TODAY)["handover.pdf"])
        assert CHILD in text(files(between, "setting")["handover.pdf"])

    def test_says_not_what_became_of_a_message_later(self, between: Between) -> None:
        between.sent()
        between.post()
        between.open(at=TOMORROW)
        column = "Sent, or opened"
        assert [row[column] for row in rows(files(between, "setting", on=TODAY)["envelopes.csv"])] == [""]
        assert "" not in [row[column] for row in rows(files(between, "setting")["envelopes.csv"])][:1]


class TestWhatWasDeclined:
    def test_says_why_and_what_the_authority_did(self, between: Between) -> None:
        between.sent()
        between.post()
        between.open()
        between.move("decline", said={"reason": "No free bed."})
        between.post()
        with inside(between.one):
            nora = person("nora@one.example", Role.NAMED_OFFICER, name="Nora Named")
            reminders.owe_news(on=TODAY, at=AT)
            follow_up(handover=between.home_inside(), says="Tuition at home.", by=nora, at=TOMORROW)
        found = files(between, "home")
        said = "Why: No free bed.\nWhat could be done instead: Tuition at home.\nWho acts next: The home authority"
        assert [row["What was said"] for row in rows(found["moves.csv"]) if row["Move"] == "declined a handover"] == [
            said
        ]
        assert [row["What happens next"] for row in rows(found["follow-up.csv"])] == ["Tuition at home."]
        assert "Tuition at home." in text(found["handover.pdf"])
        assert "officer" in {row["To whom"] for row in rows(found["messages.csv"])}
        assert rows(files(between, "home", on=TODAY)["follow-up.csv"]) == []

    def test_is_in_the_evidence_of_the_childs_case(self, taught: Between) -> None:
        with inside(taught.one):
            home = taught.home_inside()
            made = make_return(
                pupil=home.pupil, first_on=date(2026, 11, 2), is_likely=True, says={}, by=taught.people["lead"], at=AT
            )
            packed = evidence_pack(made.case, on=TODAY, authority="Barsetshire", printed="Made today.")
        found = unpacked(packed)
        assert [name for name in found if name.startswith("handover-1/")] == [
            f"handover-1/{name}" for name in NAMES[:-1]
        ]
        assert "handover-1/moves.csv" in {row["File"] for row in rows(found["index.csv"])}
        assert "accepted a handover" in found["handover-1/moves.csv"].decode()


@pytest.mark.django_db
class TestThePages:
    @pytest.fixture(autouse=True)
    def clock(self, monkeypatch: pytest.MonkeyPatch, at: Any) -> None:
        monkeypatch.setattr("handrail.accounts.middleware.timezone.now", lambda: at)

    def made(self, one: Any, cast: Any, side: str) -> Handover:
        with inside(one):
            setting = Setting.objects.create(
                school=cast.elm, name="Elm", kind="hospital", confirmed_at=CAST_AT, confirmed_by_name="Ann"
            )
            school = cast.oak if side == "home" else cast.elm
            handover = Handover.objects.create(
                reference=uuid4(), side=side, state="acknowledged", since_on=CAST_AT.date(), started_at=CAST_AT,
                pupil=PupilFactory(school=school, name="Poppy Canarywright"),
                setting=setting if side == "setting" else None,
                setting_name="Ward School", other_role="la_00000000", other_name="Borchester",
            )  # fmt: skip
            steps.add_step(
                handover, actions.MOVES["acknowledge"], at=CAST_AT, said={"by": "Canary Reader"}, by_name="Ina Moss"
            )
            return handover

    def nora(self, one: Any) -> Any:
        with inside(one):
            return person("nora@barsetshire.example", Role.NAMED_OFFICER, name="Nora Named")

    def take(self, client: Client, address: str, on: date) -> Any:
        return client.post(address, {"on_day": on.day, "on_month": on.month, "on_year": on.year})

    def test_give_it_to_the_school_and_record_who_took_it(self, one: Any, cast: Any, browse: Any, on: date) -> None:
        handover = self.made(one, cast, "home")
        address = f"/records/handovers/{handover.id}/"
        assert f'href="{address}"' in browse(cast.head).get(f"/handovers/{handover.id}/").text
        assert "Poppy Canarywright" in browse(cast.head).get(address).text
        answer = self.take(browse(cast.head), address, on)
        assert "Poppy" in text(unpacked(answer.content)["handover.pdf"])
        assert "Poppy" not in answer["Content-Disposition"] and f"-{on}.zip" in answer["Content-Disposition"]
        with inside(one):
            assert ReadEntry.objects.filter(verb="export", child_ids=[handover.pupil_id]).count() == 1
            taken = AuditEntry.objects.get(verb="took the evidence of a handover")
            assert (taken.subject_id, taken.by_name) == (handover.id, cast.head.name)

    def test_give_the_named_officer_that_of_its_own_schools_child(
        self, one: Any, cast: Any, browse: Any, on: date
    ) -> None:
        handover, nora = self.made(one, cast, "home"), self.nora(one)
        address = f"/records/watched/{handover.id}/"
        assert f'href="{address}"' in browse(nora).get(f"/handover-board/{handover.id}/").text
        assert "Poppy" in text(unpacked(self.take(browse(nora), address, on).content)["handover.pdf"])
        assert self.take(browse(nora), f"/records/handovers/{handover.id}/", on).status_code == 403
        assert self.take(browse(cast.officer), address, on).status_code == 403

    def test_tell_the_named_officer_of_no_child_from_elsewhere(
        self, one: Any, cast: Any, browse: Any, on: date
    ) -> None:
        handover, nora = self.made(one, cast, "setting"), self.nora(one)
        page = browse(nora).get(f"/records/watched/{handover.id}/").text
        answer = self.take(browse(nora), f"/records/watched/{handover.id}/", on)
        found = unpacked(answer.content)
        everything = page + text(found["handover.pdf"]) + found["moves.csv"].decode()
        assert "opened a pack" in everything
        assert "Poppy" not in everything and "Canary Reader" not in everything
        with inside(one):
            assert [each.child_ids for each in ReadEntry.objects.filter(verb="export")] == [[]]

    def test_are_not_for_another_school(self, one: Any, cast: Any, browse: Any, on: date) -> None:
        handover = self.made(one, cast, "setting")
        assert self.take(browse(cast.head), f"/records/handovers/{handover.id}/", on).status_code == 404

    def test_refuse_a_day_that_has_not_come(self, one: Any, cast: Any, browse: Any, on: date) -> None:
        handover = self.made(one, cast, "home")
        answer = self.take(browse(cast.head), f"/records/handovers/{handover.id}/", on + timedelta(days=1))
        assert "must be today or in the past" in answer.text
