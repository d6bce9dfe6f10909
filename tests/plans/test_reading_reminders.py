"""Whoever must know a plan is written to until they have read it, and again when it changes. No message says whose."""

from datetime import timedelta

import pytest
from factories import PupilFactory, emergency, person

from handrail.accounts.roles import Role
from handrail.notices.actions import NoLongerDue
from handrail.notices.models import Notice
from handrail.plans import reading, versions
from handrail.plans.models import HealthcarePlan, Stage
from handrail.plans.readers import Reader
from handrail.plans.reading_reminders import SUBJECT, owe_reading_reminders, still_due
from tenants.context import inside

pytestmark = pytest.mark.django_db
A_DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def here(one, cast):
    with inside(one):
        yield


@pytest.fixture
def office(cast):
    return person("office@oak.example", Role.SCHOOL_ADMINISTRATOR, school=cast.oak)


@pytest.fixture
def plan(cast, office, at):
    """An active plan that the office manager and somebody without an account must know since today."""
    version, _ = versions.write_emergency(
        pupil=PupilFactory(school=cast.oak), says=emergency(), based_on=0, by=cast.head, at=at
    )
    HealthcarePlan.objects.update(stage=Stage.ACTIVE, due_on=at.date())
    plan = HealthcarePlan.objects.get(id=version.plan_id)
    reading.choose_readers(plan=plan, people=[office], names=["Mo Midday"], by=cast.head, at=at)
    return plan


def owe(at):
    return owe_reading_reminders(on=at.date(), at=at).owed


def told():
    found = Notice.objects.filter(subject_kind=SUBJECT).exclude(state="suppressed")
    return list(found.order_by("step_on").values_list("recipient", "step"))


class TestOwing:
    def test_begins_at_once_and_goes_on_until_it_is_read(self, plan, office, at):
        assert [owe(at), owe(at), owe(at + A_DAY)] == [1, 0, 0]
        assert [owe(at + 7 * A_DAY), owe(at + 14 * A_DAY)] == [1, 1]
        assert told() == [(office.email, step) for step in ("before-7", "before-0", "overdue-1")]
        reading.confirm_read(plan=plan, number=1, by=office, at=at + 14 * A_DAY)
        assert owe(at + 21 * A_DAY) == 0

    def test_begins_anew_when_the_plan_changes(self, cast, plan, office, at):
        owe(at)
        reading.confirm_read(plan=plan, number=1, by=office, at=at)
        later = at + 30 * A_DAY
        versions.write_emergency(pupil=plan.pupil, says=emergency("Worse"), based_on=1, by=cast.head, at=later)
        assert owe(later) == 1

    @pytest.mark.parametrize("change", [{"stage": Stage.SUSPENDED, "due_on": None}, {"stage": Stage.DRAFT}])
    def test_is_for_active_plans(self, plan, at, change):
        HealthcarePlan.objects.update(**change)
        assert owe(at) == 0

    def test_takes_one_statement_however_many_plans(self, cast, plan, office, at, django_assert_max_num_queries):
        for _ in range(4):
            child = PupilFactory(school=cast.oak)
            version, _ = versions.write_emergency(pupil=child, says=emergency(), based_on=0, by=cast.head, at=at)
            reading.choose_readers(plan=version.plan, people=[office], names=[], by=cast.head, at=at)
        HealthcarePlan.objects.update(stage=Stage.ACTIVE, due_on=at.date())
        with django_assert_max_num_queries(8):
            assert owe(at) == 5


class TestSending:
    @pytest.fixture
    def notice(self, plan, at):
        owe(at)
        return Notice.objects.get(subject_kind=SUBJECT)

    def test_says_nothing_but_a_reference(self, notice, plan, at):
        said = still_due(notice, at=at)
        assert said["path"] == "/plans-to-read/"
        assert set(said) == {"role", "path", "reference"}

    def test_is_not_done_once_it_was_read(self, notice, plan, office, at):
        reading.confirm_read(plan=plan, number=1, by=office, at=at)
        with pytest.raises(NoLongerDue):
            still_due(notice, at=at)

    def test_is_not_done_for_whoever_need_not_know_it_any_more(self, notice, at):
        Reader.objects.update(ended_at=at)
        with pytest.raises(NoLongerDue):
            still_due(notice, at=at)

    def test_is_not_done_when_it_has_changed_since(self, cast, notice, plan, at):
        later = at + A_DAY
        versions.write_emergency(pupil=plan.pupil, says=emergency("Worse"), based_on=1, by=cast.head, at=later)
        with pytest.raises(NoLongerDue):
            still_due(notice, at=later)
