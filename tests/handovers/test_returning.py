"""The way back: the return pack, frozen and sealed as the one that came, and the plan re-issued at the home school."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from databases import as_superuser
from handovers.between import AT, CHILD, CONDITION, Between

from handrail.handovers import return_pack, returning
from handrail.handovers.actions import NotNow, Refused
from handrail.handovers.models import Handover, Pack
from handrail.handovers.returning import GapsLeft
from handrail.plans import versions
from handrail.plans.models import PlanVersion
from handrail.plans.versions import ChangedMeanwhile
from handrail.schools.models import Pupil
from tenants import exchange
from tenants.context import inside

LATER = AT + timedelta(hours=2)
SAID = {
    "report": "Read every day, tired by noon.",
    "work": "Fractions to the end of unit 4.",
    "timetable": "Two mornings, then five.",
    "hours": "42.5",
    "D": "20",
    "I": "6",
}
NEEDED = ["How did the child get on?", "What work was covered?", "How does the child go back, step by step?"]
HOURS = "How many hours was the child taught?"


@pytest.fixture
def taught(between: Between) -> Between:
    """The child is taught at the hospital school."""
    between.sent()
    between.post()
    between.open()
    between.move("accept", starts_on=date(2026, 11, 24))
    between.read_steps()
    between.move("begin")
    between.post()
    return between


@pytest.fixture
def planned(taught: Between) -> Between:
    taught.move("plan_return", said={"plan": "Two mornings first."}, return_from_on=date(2026, 12, 7))
    taught.post()
    return taught


def write(between: Between, said: dict[str, str], *, at: Any = AT) -> Handover:
    with inside(between.two):
        return returning.write(handover=between.setting_inside(), said=said, by=between.people["hospital"], at=at)


def send(between: Between, *, at: Any = AT) -> Pack:
    with inside(between.two):
        return returning.send(handover=between.setting_inside(), by=between.people["hospital"], at=at)


def opened(between: Between, *, at: Any = LATER) -> Pack:
    with inside(between.one):
        return returning.open_back(handover=between.home_inside(), by=between.people["lead"], at=at)


def reissued(between: Between, *parts: str, based_on: int = 1) -> PlanVersion | None:
    with inside(between.one):
        return returning.reissue(
            handover=between.home_inside(), parts=parts, based_on=based_on, by=between.people["lead"], at=LATER
        )


class TestTheReturnPack:
    def test_comes_back_as_it_was_sent(self, planned: Between) -> None:
        write(planned, SAID)
        sent = send(planned)
        planned.post()
        came = opened(planned)
        planned.post(at=LATER)
        assert (came.sha256, came.number, came.is_return) == (sent.sha256, 1, True)
        assert came.content["attendance"] == {"D": "20", "I": "6"}
        assert came.content["plan"]["emergency"]["condition"] == CONDITION
        assert came.content["return_from_on"] == "2026-12-07"
        with inside(planned.two):
            assert planned.setting_inside().steps.last().move == "open_back"
        planned.move_home("confirm_return")
        planned.post(at=LATER)
        assert (planned.home().state, planned.setting().state) == ("returned", "returned")
        assert (planned.bodies(), planned.differences()) == (0, [])

    def test_is_frozen_and_numbered(self, planned: Between) -> None:
        write(planned, SAID)
        first = send(planned)
        write(planned, {"work": "All of it."})
        second = send(planned)
        planned.post()
        assert (first.number, second.number, planned.bodies()) == (1, 2, 1)
        assert opened(planned).content["said"]["work"] == "All of it."
        with inside(planned.two):
            assert Pack.objects.get(id=first.id).content["said"]["work"] == SAID["work"]

    def test_is_sealed_in_the_database(self, planned: Between) -> None:
        write(planned, SAID)
        send(planned)
        with as_superuser(planned.database) as admin:
            schema = planned.two.schema_name
            rows = admin.execute(f"SELECT h::text FROM {schema}.handovers_handover h").fetchall()
            rows += admin.execute(f"SELECT p::text FROM {schema}.handovers_pack p").fetchall()
        assert "Fractions" not in repr(rows) and CHILD not in repr(rows)

    def test_refuses_to_go_with_gaps(self, planned: Between) -> None:
        with pytest.raises(GapsLeft) as refusal:
            send(planned)
        assert refusal.value.missing == [*NEEDED, HOURS]
        write(planned, {"report": "Well.", "work": "All.", "hours": "3"})
        with pytest.raises(GapsLeft) as refusal:
            send(planned)
        assert refusal.value.missing == NEEDED[2:]

    def test_is_written_while_the_child_is_taught_and_sent_when_the_return_is_planned(self, taught: Between) -> None:
        write(taught, SAID)
        with pytest.raises(NotNow):
            send(taught)

    def test_is_not_written_once_the_child_is_back(self, planned: Between) -> None:
        planned.move_home("confirm_return")
        planned.post()
        with pytest.raises(NotNow):
            write(planned, SAID)

    def test_is_opened_before_the_return_is_confirmed(self, planned: Between) -> None:
        write(planned, SAID)
        send(planned)
        planned.post()
        with pytest.raises(NotNow, match="Open it first"):
            planned.move_home("confirm_return")
        opened(planned)
        planned.move_home("confirm_return")

    def test_is_opened_once(self, planned: Between) -> None:
        write(planned, SAID)
        send(planned)
        planned.post()
        opened(planned)
        with pytest.raises(NotNow, match="no return pack"):
            opened(planned)

    def test_is_destroyed_when_the_handover_ends_otherwise(self, planned: Between) -> None:
        write(planned, SAID)
        send(planned)
        planned.post()
        planned.move_home("end", said={"reason": "Moved away."})
        planned.post(at=LATER)
        with pytest.raises(NotNow):
            opened(planned)
        assert (planned.bodies(), planned.differences()) == (0, [])

    def test_of_a_form_that_nobody_knows_is_refused(self, planned: Between) -> None:
        with pytest.raises(Refused, match="newer release"):
            returning._read({"pack": {"form": 2}})
        for content in ({"pack": {"form": 1}}, {"pack": {"form": 1, "said": []}}, None, [CHILD]):
            with pytest.raises(exchange.CannotOpen) as refusal:
                returning._read(content)
            assert CHILD not in str(refusal.value)

    def test_is_shown_in_words(self) -> None:
        rows = return_pack.in_words({"said": {"work": "All."}, "hours": "3", "attendance": {"D": "20"}})
        assert [row["value"] for row in rows] == [
            "3 hours",
            "D: at the setting, and on its roll too: 20",
            "All.",
        ]


class TestReissue:
    @pytest.fixture
    def back(self, planned: Between) -> Between:
        """The hospital has changed the emergency steps, and the pack is open at home."""
        with inside(planned.two):
            pupil = Pupil.objects.get()
            says = replace(PlanVersion.objects.of_child(pupil).first().says, steps=("Ring the ward.",))
            by = planned.people["hospital"]
            versions.write_emergency(pupil=pupil, says=says, based_on=1, by=by, at=AT)
        write(planned, SAID)
        send(planned)
        planned.post()
        opened(planned)
        return planned

    def test_shows_where_the_two_plans_differ(self, back: Between) -> None:
        with inside(back.one):
            pupil, came = Pupil.objects.get(), back.home_inside().newest_pack(is_return=True)
            found = returning.differences(pupil, came.content)
        assert [each.name for each in found] == ["emergency", "learning"]
        assert "What to do now: Ring the ward." in found[0].theirs and found[1].ours == []

    def test_takes_what_was_selected_into_the_schools_own_plan(self, back: Between) -> None:
        version = reissued(back, "emergency", "learning")
        assert version is not None and version.number == 3
        with inside(back.one):
            newest = PlanVersion.objects.of_child(Pupil.objects.get()).first()
            assert newest.says.steps == ("Ring the ward.",)
            assert newest.answers["learning"] == {"reintegration": "Two mornings, then five."}
            pack = back.home_inside().newest_pack(is_return=True)
            assert pack.version == newest
            assert returning.differences(Pupil.objects.get(), pack.content) == []

    def test_leaves_what_was_not_selected(self, back: Between) -> None:
        reissued(back, "learning")
        with inside(back.one):
            assert PlanVersion.objects.of_child(Pupil.objects.get()).first().says.steps != ("Ring the ward.",)

    def test_refuses_what_somebody_changed_meanwhile(self, back: Between) -> None:
        with inside(back.one):
            pupil = Pupil.objects.get()
            says = replace(PlanVersion.objects.of_child(pupil).first().says, steps=("Ring the office.",))
            versions.write_emergency(pupil=pupil, says=says, based_on=1, by=back.people["lead"], at=LATER)
        with pytest.raises(ChangedMeanwhile):
            reissued(back, "emergency")
        with inside(back.one):
            assert PlanVersion.objects.of_child(Pupil.objects.get()).first().says.steps == ("Ring the office.",)

    def test_needs_a_return_pack(self, planned: Between) -> None:
        with pytest.raises(NotNow, match="no return pack"):
            reissued(planned, "emergency")


class TestPassedOn:
    def test_the_next_handover_keeps_its_reference_to_the_one_before(self, taught: Between) -> None:
        taught.move("pass_on", said={"reason": "To the home tuition service."})
        taught.post()
        first = taught.home()
        assert first.state == "passed_on"
        second = taught.prepare(at=LATER)
        assert second.earlier_id == first.id
        with inside(taught.one):
            assert list(Handover.objects.get(id=first.id).later.all()) == [second]

    def test_one_that_ended_otherwise_is_not_followed(self, taught: Between) -> None:
        taught.move_home("end", said={"reason": "A new school."})
        assert taught.prepare(at=LATER).earlier is None
