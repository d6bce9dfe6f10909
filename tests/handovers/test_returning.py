"""The way back: the return pack, frozen and sealed as the one that came, and the plan re-issued at the home school."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from databases import as_superuser
from handovers.between import AT, CHILD, CONDITION, Between

from handrail.handovers import actions, due, lapsed, post, reminders, return_pack, returning
from handrail.handovers.actions import NotNow, Refused
from handrail.handovers.models import ExchangeKey, Handover, Message, Pack
from handrail.handovers.moves import RETURN_FOLLOWS
from handrail.handovers.returning import GapsLeft
from handrail.notices.models import Notice
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

    @pytest.mark.parametrize(
        ("name", "given"),
        [
            ("confirm_return", {}),
            ("end", {"said": {"reason": "Moved away."}}),
        ],
    )
    def test_is_opened_before_home_ends_the_handover(self, planned: Between, name: str, given: dict[str, Any]) -> None:
        write(planned, SAID)
        send(planned)
        planned.post()
        with pytest.raises(NotNow, match="Open the return pack first"):
            planned.move_home(name, **given)
        opened(planned)
        planned.move_home(name, **given)

    def test_holds_up_no_end_when_its_key_is_gone(self, planned: Between) -> None:
        write(planned, SAID)
        send(planned)
        planned.post()
        with inside(planned.one):
            ExchangeKey.objects.all().delete()
            assert planned.home_inside().return_waits(on=AT.date()), "the page still says that it came"
        with pytest.raises(exchange.CannotOpen, match="key for this is gone"):
            opened(planned)
        planned.move_home("end", said={"reason": "Moved away."})

    def test_is_opened_once(self, planned: Between) -> None:
        write(planned, SAID)
        send(planned)
        planned.post()
        opened(planned)
        with pytest.raises(NotNow, match="no return pack"):
            opened(planned)

    def test_of_a_child_who_was_never_taught_is_none(self, between: Between) -> None:
        between.sent()
        between.post()
        between.open()
        between.move("accept")
        between.post()
        between.move_home("end", said={"reason": "Well again."})
        between.post(at=LATER)
        with pytest.raises(NotNow):
            write(between, SAID)

    def test_of_a_form_that_nobody_knows_is_refused(self, planned: Between) -> None:
        with pytest.raises(Refused, match="newer release"):
            returning._read({"pack": {"form": 2}})
        for content in ({"pack": {"form": 1}}, {"pack": {"form": 1, "said": []}}, None, [CHILD]):
            with pytest.raises(exchange.CannotOpen) as refusal:
                returning._read(content)
            assert CHILD not in str(refusal.value)

    def test_is_shown_in_words(self) -> None:
        content = {"said": {"work": "All.", "safeguarding": "By hand."}, "hours": "3", "attendance": {"D": "20"}}
        told = ["3 hours", "D: at the setting, and on its roll too: 20", "All."]
        assert [row["value"] for row in return_pack.in_words(content, is_lead=False)] == told
        assert [row["value"] for row in return_pack.in_words(content, is_lead=True)] == [*told, "By hand."]


def over(between: Between, how: str) -> None:
    """The child is back, or the handover ended otherwise, before any return pack came."""
    if how == "pass_on":
        between.move(how, said={"reason": "To the tuition service."})
    elif how == "end":
        between.move_home(how, said={"reason": "Moved away."})
    else:
        between.move_home(how)
    between.post(rounds=2)


class TestAfterTheEnd:
    """A return pack follows for 28 days, counted from the day of the end on each side; then nothing of it is left."""

    @pytest.mark.parametrize("how", ["confirm_return", "end", "pass_on"])
    def test_it_is_written_sent_and_opened(self, planned: Between, how: str) -> None:
        over(planned, how)
        last = AT + RETURN_FOLLOWS
        write(planned, SAID, at=last)
        send(planned, at=last)
        planned.post(at=last)
        assert opened(planned, at=last).content["hours"] == "42.5"
        planned.post(at=last)
        states = (planned.home().state, planned.setting().state)
        assert states == ({"confirm_return": "returned", "end": "ended", "pass_on": "passed_on"}[how],) * 2
        with inside(planned.two):
            assert planned.setting_inside().steps.last().move == "open_back"
        assert (planned.bodies(), planned.differences()) == (0, [])

    def test_it_is_written_of_a_child_who_was_passed_on_while_taught(self, taught: Between) -> None:
        over(taught, "pass_on")
        write(taught, SAID)
        send(taught)
        taught.post()
        assert opened(taught).content["hours"] == "42.5"

    @pytest.mark.parametrize("how", ["confirm_return", "end", "pass_on"])
    def test_it_is_neither_written_nor_sent_later(self, planned: Between, how: str) -> None:
        write(planned, SAID)
        over(planned, how)
        late = AT + RETURN_FOLLOWS + timedelta(days=1)
        with pytest.raises(NotNow, match="28 days"):
            write(planned, SAID, at=late)
        with pytest.raises(NotNow, match="28 days"):
            send(planned, at=late)

    @pytest.mark.parametrize("how", ["crossed", "passed on"])
    def test_one_that_was_sent_before_it_is_opened_all_the_same(self, planned: Between, how: str) -> None:
        write(planned, SAID)
        send(planned)
        over(planned, "end" if how == "crossed" else "pass_on")
        assert planned.bodies() == 1
        assert opened(planned).content["hours"] == "42.5"
        planned.post(at=LATER)
        assert (planned.bodies(), planned.differences()) == (0, [])

    @pytest.mark.parametrize("sent", ["before", "after", "never collected"])
    def test_nothing_of_one_is_left_when_nobody_opens_it(self, planned: Between, sent: str) -> None:
        write(planned, SAID)
        if sent == "before":
            send(planned)
        over(planned, "pass_on")
        if sent != "before":
            send(planned, at=LATER)
        if sent == "after":
            planned.post(at=LATER)
        last, late = AT + RETURN_FOLLOWS, AT + RETURN_FOLLOWS + timedelta(days=1)
        with inside(planned.two):
            post.let_run_out(at=last)
        assert planned.bodies() == (sent != "never collected")
        if sent == "never collected":
            with inside(planned.two):
                assert post.deposit_owed(at=late) == 0 or planned.bodies() == 0
        with inside(planned.two):
            post.let_run_out(at=late)
            assert not Message.objects.filter(content__isnull=False).exists()
        planned.post(at=late)
        assert (planned.bodies(), planned.differences()) == (0, [])
        with pytest.raises(NotNow, match="no return pack"):
            opened(planned, at=late)

    def test_home_is_told_of_one_that_came_then(self, planned: Between) -> None:
        over(planned, "confirm_return")
        write(planned, SAID)
        send(planned)
        planned.post()
        with inside(planned.one):
            assert [each.round for each in due.with_returns(on=(AT + RETURN_FOLLOWS).date())] == ["back-5"]
            assert due.to_answer(planned.home_school().id, on=(AT + RETURN_FOLLOWS).date()) == [AT.date()]
            assert not due.with_returns(on=(AT + RETURN_FOLLOWS + timedelta(days=1)).date())


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

    def test_is_asked_of_the_school_until_somebody_says_which_steps_stand(self, back: Between) -> None:
        with inside(back.one):
            home, on, lead = back.home_inside(), LATER.date(), back.people["lead"]
            assert [each.round for each in due.with_steps_to_take_over(on=on)] == ["reissue-1"]
            assert on in due.to_answer(home.pupil.school_id, on=on)
            reminders.owe_handover_reminders(on=on, at=LATER)
            assert {each.recipient for each in Notice.objects.filter(subject_kind="handover_reissue")} == {lead.email}
        back.move_home("confirm_return", at=LATER)
        with inside(back.one):
            assert due.with_steps_to_take_over(on=on).exists()
        reissued(back, "emergency")
        with inside(back.one):
            assert not due.with_steps_to_take_over(on=on).exists()
            assert due.to_answer(home.pupil.school_id, on=on) == []

    def test_is_asked_until_somebody_has_compared_though_the_steps_were_changed_since(self, back: Between) -> None:
        with inside(back.one):
            pupil, by = Pupil.objects.get(), back.people["lead"]
            says = replace(PlanVersion.objects.of_child(pupil).first().says, steps=("Ring the office.",))
            at = LATER + timedelta(minutes=1)
            versions.write_emergency(pupil=pupil, says=says, based_on=1, by=by, at=at)
            assert due.with_steps_to_take_over(on=LATER.date()).exists()
        reissued(back)
        with inside(back.one):
            assert not due.with_steps_to_take_over(on=LATER.date()).exists()

    def test_is_not_asked_where_nothing_came_back_that_differs(self, planned: Between) -> None:
        write(planned, SAID)
        send(planned)
        planned.post()
        opened(planned)
        with inside(planned.one):
            assert not due.with_steps_to_take_over(on=LATER.date()).exists()

    def test_needs_a_return_pack(self, planned: Between) -> None:
        with pytest.raises(NotNow, match="no return pack"):
            reissued(planned, "emergency")


class TestPassedOn:
    def test_the_next_handover_keeps_its_reference_to_the_one_before(self, taught: Between) -> None:
        taught.move("pass_on", said={"reason": "To the home tuition service."})
        taught.post()
        first = taught.home()
        assert first.state == "passed_on"
        with inside(taught.one):
            assert [each.id for each in due.passed_on(on=AT.date())] == [first.id]
        second = taught.prepare(at=LATER)
        assert second.earlier_id == first.id
        with inside(taught.one):
            assert list(Handover.objects.get(id=first.id).later.all()) == [second]

    def test_one_that_ended_otherwise_is_not_followed(self, taught: Between) -> None:
        taught.move_home("end", said={"reason": "A new school."})
        assert taught.prepare(at=LATER).earlier is None

    def test_keeps_it_when_the_first_try_was_withdrawn_and_not_when_the_authority_has_answered(
        self, taught: Between
    ) -> None:
        taught.move("pass_on", said={"reason": "To the home tuition service."})
        taught.post()
        first, tried = taught.home(), taught.prepare(at=LATER)
        by = taught.people["lead"]
        with inside(taught.one):
            actions.make_move(handover=tried, name="withdraw", by=by, at=LATER, said={"reason": "Not them."})
        again = taught.prepare(at=LATER)
        assert again.earlier_id == first.id
        with inside(taught.one):
            actions.make_move(handover=again, name="withdraw", by=by, at=LATER, said={"reason": "Back at school."})
            lapsed.follow_up(handover=first, says="Back at school.", by=by, at=LATER)
        assert taught.prepare(at=LATER).earlier is None
