"""A copy that a setting declined is destroyed on its day, all of it; that it was there, and who saw it, stays."""

from datetime import date, timedelta
from uuid import uuid4

import pytest
from factories import AT, ContactFactory, PupilFactory, SchoolFactory, emergency

from handrail.core.audit import CLOCK
from handrail.core.models import AuditEntry, ReadEntry
from handrail.handovers.models import Handover, Message, Pack, Setting, Step
from handrail.plans.models import HealthcarePlan
from handrail.plans.versions import write_emergency
from handrail.records.declined import destroy_declined
from handrail.records.models import LegalHold
from handrail.schools.models import Contact, Pupil
from tenants.context import inside
from workflows.handovers import destroy_declined_one

pytestmark = pytest.mark.django_db
DECLINED_ON, ITS_DAY = date(2026, 11, 23), date(2026, 12, 7)


@pytest.fixture
def here(one, db):
    with inside(one):
        yield one


@pytest.fixture
def setting(here):
    school = SchoolFactory(type_code=7)
    return Setting.objects.create(name="Ward", kind="hospital", school=school, confirmed_at=AT)


def declined(setting, *, pupil=None, made_pupil=True, state="declined", side="setting", move="decline"):
    """One that was opened, with everything that this makes at the setting, and its last move."""
    if pupil is None:
        pupil = PupilFactory(school=setting.school, name="Wren Canary")
        ContactFactory(pupil=pupil)
        write_emergency(pupil=pupil, says=emergency(), based_on=0, by=CLOCK, at=AT)
    handover = Handover.objects.create(
        reference=uuid4(), side=side, state=state, pupil=pupil, made_pupil=made_pupil, setting=setting,
        setting_name="Ward", other_role="la_00000000", since_on=DECLINED_ON, started_at=AT,
    )  # fmt: skip
    Pack.objects.create(handover=handover, number=1, content={"child": "Wren"}, sha256="0" * 64, made_at=AT)
    Step.objects.create(
        handover=handover, number=1, move=move, side="setting", state=state, said={"reason": "No bed"}, at=AT
    )
    Message.objects.create(handover=handover, way="in", kind="pack", reference=uuid4(), number=1, owed_at=AT)
    return handover


def destroy(on=ITS_DAY):
    return destroy_declined(on=on, at=AT + (on - DECLINED_ON))


class TestOnItsDay:
    def test_everything_of_the_child_goes_and_the_ledger_stays(self, setting):
        handover = declined(setting)
        seen = ReadEntry.objects.create(at=AT, child_ids=[handover.pupil_id], group="plan", verb="page", why="role")
        assert destroy(ITS_DAY - timedelta(days=1)) == 0
        assert destroy() == 1
        for table in (Pupil, Contact, HealthcarePlan, Pack):
            assert not table.objects.exists(), table
        kept = Handover.objects.get()
        assert (kept.id, kept.state, kept.pupil_id) == (handover.id, "declined", None)
        assert (Step.objects.get().said, Message.objects.count()) == (None, 1)
        assert AuditEntry.objects.get(verb="destroyed a declined copy").subject_id == handover.id
        assert ReadEntry.objects.get().id == seen.id

    def test_a_second_time_finds_nothing(self, setting):
        declined(setting)
        assert (destroy(), destroy()) == (1, 0)

    def test_a_child_whom_the_setting_knew_before_stays(self, setting):
        declined(setting, made_pupil=False)
        assert destroy() == 1
        assert Pupil.objects.exists() and HealthcarePlan.objects.exists() and not Pack.objects.exists()

    def test_a_child_whom_another_handover_brings_stays_until_that_is_declined_too(self, setting):
        first = declined(setting)
        second = declined(setting, pupil=first.pupil, made_pupil=False, state="active", move="begin")
        assert destroy() == 1
        assert Pupil.objects.get().id == second.pupil_id
        Handover.objects.filter(id=second.id).update(state="declined")
        Step.objects.filter(handover=second).update(move="decline")
        assert destroy() == 1
        assert not Pupil.objects.exists()

    def test_a_legal_hold_keeps_it(self, setting):
        handover = declined(setting)
        hold = LegalHold.objects.create(
            pupil=handover.pupil, reason="A claim", placed_at=AT, placed_by=uuid4(), placed_by_name="Dana"
        )
        assert destroy() == 0
        LegalHold.objects.filter(id=hold.id).update(lifted_at=AT)
        assert destroy() == 1

    @pytest.mark.parametrize("state", ["acknowledged", "active", "withdrawn", "ended"])
    def test_what_was_not_declined_stays(self, setting, state):
        handover = declined(setting, state=state, move="acknowledge")
        assert handover.destroyed_on is None
        assert destroy(date(2027, 12, 7)) == 0

    @pytest.mark.parametrize("state", ["withdrawn", "ended"])
    def test_a_decline_counts_that_crossed_what_the_home_side_ended(self, setting, state):
        handover = declined(setting, state=state)
        later = DECLINED_ON + timedelta(days=3)
        Handover.objects.filter(id=handover.id).update(since_on=later)  # the day on which it heard of that
        assert handover.destroyed_on == ITS_DAY
        assert (destroy(ITS_DAY - timedelta(days=1)), destroy()) == (0, 1)
        assert not Pupil.objects.exists() and not Pack.objects.exists()

    def test_what_was_declined_stays_with_whom_it_came_from(self, setting):
        declined(setting, side="home")
        assert destroy() == 0


def test_the_clock_destroys_it(one, monkeypatch):
    with inside(one):
        school = SchoolFactory(type_code=7)
        declined(Setting.objects.create(name="Ward", kind="hospital", school=school, confirmed_at=AT))
    monkeypatch.setattr("workflows.handovers.clock", lambda: AT + timedelta(days=14))
    assert destroy_declined_one(authority=str(one.id)) == 1
