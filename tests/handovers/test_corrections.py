"""A changed name or date of birth reaches whoever knows the child by a pack: by itself, once, and never silently."""

from datetime import date, timedelta
from typing import Any

import pytest
from handovers.between import AT, CHILD, SAID, Between

from handrail.core.models import AuditEntry
from handrail.handovers import actions, corrections
from handrail.handovers.actions import StepsNotRead
from handrail.handovers.models import Message, Step
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
