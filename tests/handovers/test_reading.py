"""Who has read the emergency steps as they are now: a reading of older ones, or of an older pack, does not count."""

from datetime import timedelta
from typing import Any

import pytest
from factories import emergency
from handovers.between import AT, CONDITION, HOSPITAL_URN, Between
from handovers.test_corrections import NEW, changed, taken
from handovers.test_own_copy import dose, write

from handrail.handovers import actions, due
from handrail.handovers.actions import StepsNotRead
from handrail.handovers.models import Handover, StepsRead
from handrail.handovers.today import Taught, taught
from handrail.plans import versions
from handrail.plans.models import PlanVersion
from handrail.schools.models import Pupil, School
from tenants.context import inside

LATER = AT + timedelta(hours=2)


def on_the_page(between: Between) -> Taught:
    with inside(between.two):
        school = School.objects.get(urn=HOSPITAL_URN)
        here, coming = taught(school, user=between.people["hospital"], on=LATER.date())
        [found] = here + coming
        return found


def unread(between: Between) -> list[Any]:
    """By whom, and of what, a reading is asked."""
    with inside(between.two):
        asked = due.with_unread_steps(on=LATER.date())
        mine = Handover.objects.unread_by(between.people["hospital"])
        assert asked.count() == mine.count()
        return [each.round for each in asked]


class TestStepsThatTheSettingChanges:
    def test_are_read_anew_before_a_session_begins(self, between: Between) -> None:
        taken(between)
        assert on_the_page(between).is_read_by_me and unread(between) == []
        write(between, dose("10 mg"), at_home=False)
        assert (on_the_page(between).is_read_by_me, on_the_page(between).read_by) == (False, [])
        assert unread(between) == ["steps-1.2"]
        with pytest.raises(StepsNotRead):
            between.move("begin", at=LATER)
        between.read_steps(at=LATER)
        between.read_steps(at=LATER)
        assert on_the_page(between).is_read_by_me and unread(between) == []
        with inside(between.two):
            assert [each.version.number for each in StepsRead.objects.order_by("at")] == [1, 2]
        between.move("begin", at=LATER)

    def test_are_not_read_anew_for_what_is_no_step(self, between: Between) -> None:
        taken(between)
        with inside(between.two):
            child, by = Pupil.objects.get(), between.people["hospital"]
            versions.write_section(
                pupil=child, section="learning", answers={"reintegration": "Slowly."}, based_on=1, by=by, at=LATER
            )
            says = emergency(f"{CONDITION}, known since birth")
            versions.write_emergency(pupil=child, says=says, based_on=2, by=by, at=LATER)
            assert PlanVersion.objects.of_child(child).first().number == 3
        assert on_the_page(between).is_read_by_me and unread(between) == []

    def test_leave_a_reading_at_home_as_it_is(self, between: Between) -> None:
        """A guest read the pack, and not the school's plan: a correction asks anew."""
        taken(between)
        with inside(between.one):
            home = between.home_inside()
            StepsRead.objects.create(pack=home.newest_pack(), at=AT, by_name="Ina Moss")
        write(between, dose("7 mg"), at_home=True)
        with inside(between.one):
            assert actions.steps_are_read(between.home_inside())


class TestANewerPack:
    def test_is_told_of_while_it_lies_unopened(self, between: Between) -> None:
        taken(between)
        assert not on_the_page(between).has_newer
        changed(between, name=NEW)
        between.post(at=LATER)
        assert on_the_page(between).has_newer
        between.open(at=LATER)
        assert not on_the_page(between).has_newer
        assert not on_the_page(between).is_read_by_me
