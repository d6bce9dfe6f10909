"""A changed name or date of birth reaches whoever knows the child by a pack: by itself, once, and never silently."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from handovers.between import AGREED, AT, CHILD, SAID, Between

from handrail.core.models import AuditEntry
from handrail.handovers import actions, corrections, due, post, reminders
from handrail.handovers.actions import StepsNotRead
from handrail.handovers.models import Message, Step
from handrail.notices.actions import NoLongerDue
from handrail.notices.models import Notice
from handrail.plans import versions
from handrail.plans.content import BY_NAME
from handrail.plans.models import PlanVersion
from handrail.schools.actions import change_pupil
from handrail.schools.models import Pupil
from handrail.schools.roll import write_children
from tenants.context import inside

LATER = AT + timedelta(hours=2)
NEW = "Robin Canary"


def changed(between: Between, *, at: Any = LATER, **facts: Any) -> None:
    with inside(between.one):
        change_pupil(pupil=Pupil.objects.get(), by=between.people["lead"], at=at, **facts)


def taken(between: Between) -> None:
    between.sent()
    between.post()
    between.open()
    between.move("accept")
    between.read_steps()
    between.post()


class TestAChangedNameOrDateOfBirth:
    def test_is_sent_as_a_new_pack_that_is_opened_and_read_anew(self, between: Between) -> None:
        taken(between)
        changed(between, name=NEW, born_on=date(2016, 5, 2))
        between.post(at=LATER)
        with inside(between.two):
            assert Pupil.objects.get().name == CHILD, "nothing changes before a named person opens it"
        between.open(at=LATER)
        with inside(between.two):
            child = Pupil.objects.get()
            assert (child.name, child.born_on) == (NEW, date(2016, 5, 2))
            packs = between.setting_inside().packs.order_by("number")
            assert [each.content["child"]["name"] for each in packs] == [CHILD, NEW]
        with pytest.raises(StepsNotRead):
            between.move("begin", at=LATER)
        with inside(between.one):
            step = Step.objects.get(move="correct")
            assert step.said == {"reason": "The school changed the child’s name and date of birth."}
            assert AuditEntry.objects.get(verb="corrected a pack", subject_id=step.handover_id).by is None
        between.post(at=LATER, rounds=2)
        assert (between.bodies(), between.differences()) == (0, [])
        assert (between.home().state, between.setting().state) == ("accepted", "accepted")

    def test_leaves_what_was_agreed_with_the_setting(self, between: Between) -> None:
        between.sent()
        between.post()
        between.open()
        agreed = {**AGREED, "roll": "dual"}
        between.move("accept", starts_on=date(2026, 11, 24), said=agreed)
        between.post()
        changed(between, name=NEW)
        between.post(at=LATER)
        assert between.open(at=LATER).content["roll"] == "guest", "as it was asked for"
        for stands in (between.home(), between.setting()):
            assert (stands.starts_on, stands.roll) == (date(2026, 11, 24), "dual")

    def test_takes_the_place_of_a_pack_that_nobody_has_opened(self, between: Between) -> None:
        between.sent()
        between.post()
        changed(between, known_as="Rob")
        between.post(at=LATER)
        assert between.bodies() == 1
        assert between.open(at=LATER).content["child"]["known_as"] == "Rob"

    def test_is_sent_once(self, between: Between) -> None:
        taken(between)
        changed(between, name=NEW)
        between.post(at=LATER, rounds=3)
        changed(between, name=NEW.upper(), at=LATER + timedelta(minutes=1))
        changed(between, name=NEW, at=LATER + timedelta(minutes=1))
        between.post(at=LATER + timedelta(minutes=2), rounds=2)
        with inside(between.one):
            assert Message.objects.filter(way="out", kind="pack").count() == 2

    def test_is_sent_when_a_list_brought_it(self, between: Between) -> None:
        taken(between)
        with inside(between.one):
            write_children([(Pupil.objects.get(), {"name": NEW})], by=between.people["lead"], at=LATER)
            assert corrections.correct_who(at=LATER) == 1

    def test_takes_nothing_along_that_is_still_being_written(self, between: Between) -> None:
        taken(between)
        with inside(between.one):
            half = {**SAID, "fitness": "Half a sent"}
            actions.write(handover=between.home_inside(), said=half, by=between.people["lead"], at=LATER)
        changed(between, name=NEW)
        between.post(at=LATER)
        assert between.open(at=LATER).content["about"] == SAID

    @pytest.mark.parametrize("facts", [{"class_name": "3B"}, {"upn": ""}], ids=str)
    def test_alone_is_what_sends_by_itself(self, between: Between, facts: dict[str, Any]) -> None:
        taken(between)
        changed(between, **facts)
        with inside(between.one):
            assert corrections.correct_who(at=LATER) == 0

    @pytest.mark.parametrize("end", ["withdraw", "end"])
    def test_of_a_child_who_is_with_nobody_else_is_not_sent(self, between: Between, end: str) -> None:
        taken(between)
        between.move_home(end, said={"reason": "Home again."})
        changed(between, name=NEW)
        with inside(between.one):
            assert corrections.correct_who(at=LATER) == 0


class TestChangedSteps:
    """The plan at home was changed after its pack was sent: the school is asked to send a correction."""

    def older(self, between: Between) -> list[Any]:
        with inside(between.one):
            return [(each.due, each.round) for each in due.with_older_steps(on=AT.date() + timedelta(days=3))]

    def change(self, between: Between, *, steps: str = "Ring the ward.", at: datetime = LATER) -> None:
        with inside(between.one):
            child, by = Pupil.objects.get(), between.people["lead"]
            newest = PlanVersion.objects.of_child(child).first()
            says = replace(newest.says, steps=(steps,))
            versions.write_emergency(pupil=child, says=says, based_on=newest.number, by=by, at=at)

    def test_are_asked_about_until_a_correction_with_them_has_gone(self, between: Between) -> None:
        taken(between)
        assert self.older(between) == []
        self.change(between)
        self.change(between, steps="Ring the ward at once.", at=LATER + timedelta(days=1))
        assert self.older(between) == [(LATER.date(), "older-1")]
        with inside(between.one):
            actions.submit(handover=between.home_inside(), by=between.people["lead"], at=LATER)
        assert self.older(between) == []
        between.post(at=LATER)
        assert between.open(at=LATER).content["plan"]["emergency"]["steps"] == ["Ring the ward at once."]

    def test_are_still_asked_about_after_a_correction_of_the_name_alone(self, between: Between) -> None:
        taken(between)
        self.change(between)
        with inside(between.one):
            change_pupil(pupil=Pupil.objects.get(), name="Robin Canary", by=between.people["lead"], at=LATER)
            assert corrections.correct_who(at=LATER) == 1
        assert self.older(between) == [(LATER.date(), "older-2")]

    @pytest.mark.parametrize("section", ["daily", "learning"])
    def test_are_not_other_parts_of_the_plan(self, between: Between, section: str) -> None:
        taken(between)
        with inside(between.one):
            child, by = Pupil.objects.get(), between.people["lead"]
            question = BY_NAME[section].questions[0].name
            versions.write_section(
                pupil=child, section=section, answers={question: "New."}, based_on=1, by=by, at=LATER
            )
            assert PlanVersion.objects.of_child(child).first().changed == [section]
        assert self.older(between) == []

    def test_are_not_asked_about_before_anything_was_sent_or_when_it_is_over(self, between: Between) -> None:
        between.prepare()
        self.change(between)
        assert self.older(between) == []
        with inside(between.one):
            actions.write(handover=between.home_inside(), said=SAID, by=between.people["lead"], at=LATER)
            actions.submit(handover=between.home_inside(), by=between.people["lead"], at=LATER)
        self.change(between, steps="Other.")
        assert len(self.older(between)) == 1
        between.move_home("withdraw", said={"reason": "Home."})
        assert self.older(between) == []

    def test_are_asked_of_the_school_and_end_with_the_correction(self, between: Between) -> None:
        taken(between)
        self.change(between)
        with inside(between.one):
            reminders.owe_handover_reminders(on=LATER.date(), at=LATER)
            notice = Notice.objects.get(subject_kind=reminders.OLDER.kind)
            assert (notice.recipient, notice.wording) == (between.people["lead"].email, "handover_older")
            assert reminders.still_due(notice, at=LATER)["path"] == f"/handovers/{notice.subject_id}/"
            actions.submit(handover=between.home_inside(), by=between.people["lead"], at=LATER)
            with pytest.raises(NoLongerDue):
                reminders.still_due(notice, at=LATER)


class TestACorrectionThatCrossesAskForMore:
    """Both sides stand at opened; the setting asks for more while a correction is on its way, or is written."""

    ASK = {"reason": "Which dose?"}

    def opened(self, between: Between) -> None:
        between.sent()
        between.post()
        between.open()
        between.post(rounds=2)

    def corrects(self, between: Between, *, fitness: str = "One hour.", at: Any = LATER) -> None:
        with inside(between.one):
            handover, by = between.home_inside(), between.people["lead"]
            actions.write(handover=handover, said={"fitness": fitness}, by=by, at=at)
            actions.submit(handover=handover, by=by, at=at)

    def states(self, between: Between) -> set[str]:
        between.post(at=LATER, rounds=3)
        assert not untold(between)
        assert between.differences() == []
        return {str(between.home().state), str(between.setting().state)}

    def goes_on(self, between: Between) -> None:
        """The answer is sent, opened and accepted on both sides."""
        self.corrects(between, fitness="Ten milligrams.", at=LATER)
        assert self.states(between) == {"submitted"}
        between.open(at=LATER)
        between.move("accept", at=LATER)
        assert self.states(between) == {"accepted"}

    @pytest.mark.parametrize("first", ["home", "setting"])
    @pytest.mark.parametrize("by_itself", [False, True])
    def test_is_no_answer_to_it(self, between: Between, first: str, by_itself: bool) -> None:
        self.opened(between)
        correct = (lambda: changed(between, name=NEW)) if by_itself else (lambda: self.corrects(between))
        if first == "home":
            correct()
        between.move("ask_for_more", at=LATER, said=self.ASK)
        if first == "setting":
            correct()
        assert self.states(between) == {"more_asked"}
        self.goes_on(between)

    def test_is_none_where_it_was_written_and_had_not_gone(self, between: Between) -> None:
        self.opened(between)
        self.corrects(between)
        between.move("ask_for_more", at=LATER, said=self.ASK)
        with inside(between.two):
            post.deposit_owed(at=LATER)
        with inside(between.one):
            post.collect(at=LATER)
        assert self.states(between) == {"more_asked"}
        self.goes_on(between)

    def test_is_none_where_it_came_before_it_was_asked(self, between: Between) -> None:
        self.opened(between)
        self.corrects(between)
        with inside(between.one):
            post.deposit_owed(at=LATER)
        with inside(between.two):
            post.collect(at=LATER)
        between.move("ask_for_more", at=LATER, said=self.ASK)
        assert self.states(between) == {"more_asked"}
        self.goes_on(between)

    def test_takes_the_answer_along_that_it_replaces(self, between: Between) -> None:
        self.opened(between)
        between.move("ask_for_more", at=LATER, said=self.ASK)
        between.post(at=LATER, rounds=2)
        self.corrects(between)
        with inside(between.one):
            post.deposit_owed(at=LATER)
        self.corrects(between, fitness="Three hours.")
        assert self.states(between) == {"submitted"}
        assert between.open(at=LATER).content["about"]["fitness"] == "Three hours."
        assert self.states(between) == {"acknowledged"}


def untold(between: Between) -> list[str]:
    """What any authority keeps as trouble."""
    found: list[str] = []
    for authority in (between.one, between.two, between.three):
        with inside(authority):
            found += Message.objects.exclude(trouble="").values_list("trouble", flat=True)
    return found
