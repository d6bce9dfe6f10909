"""What is known ahead brings a review forward, once, and before anybody has to think of it."""

from datetime import date, timedelta

import pytest
from dateutil.relativedelta import relativedelta
from factories import PupilFactory

from handrail.care.models import Medicine, StaffTraining
from handrail.core.models import AuditEntry
from handrail.notices.models import Notice
from handrail.plans.cycle import sixteenth_birthday, yearly
from handrail.plans.models import HealthcarePlan, PlanReview, ReviewTrigger, Stage
from handrail.plans.reminders import owe_review_reminders
from handrail.plans.triggers import SIXTEEN, forget_renewed, note_known_ahead
from handrail.schools.models import Pupil
from tenants.context import inside
from tenants.database import execute

pytestmark = pytest.mark.django_db
A_DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def here(one, cast):
    with inside(one):
        yield


@pytest.fixture
def plan(cast, on):
    """Makes a plan, due in 300 days, of a child who turns 16 in so many days."""

    def made(days_to_go: int, **more) -> HealthcarePlan:
        values = {"stage": Stage.ACTIVE, "due_on": on + 300 * A_DAY, "last_reviewed_on": on - 65 * A_DAY} | more
        born_on = on + days_to_go * A_DAY - relativedelta(years=16)
        return HealthcarePlan.objects.create(pupil=PupilFactory(school=cast.oak, born_on=born_on), **values)

    return made


def noted(plan: HealthcarePlan) -> list[tuple[str, date]]:
    return list(plan.triggers.values_list("kind", "happens_on"))


class TestSixteen:
    @pytest.mark.parametrize("days_to_go", [-64, -1, 0, 100, 299, 365])
    def test_is_noted_within_a_year_and_since_the_last_review(self, plan, on, at, days_to_go):
        turns = plan(days_to_go)
        assert note_known_ahead(on=on, at=at) == 1
        birthday = on + days_to_go * A_DAY
        assert noted(turns) == [("sixteen", birthday)]
        turns.refresh_from_db()
        assert turns.due_on == min(birthday, on + 300 * A_DAY)

    @pytest.mark.parametrize(
        ("days_to_go", "more"),
        [
            (-65, {}),  # the review of that day has seen it
            (366, {}),
            (100, {"stage": Stage.DRAFT}),
            (100, {"stage": Stage.CLOSED, "due_on": None}),
            (0, {"last_reviewed_on": None}),
        ],
    )
    def test_is_not_noted_otherwise(self, plan, on, at, days_to_go, more):
        turns = plan(days_to_go, **more)
        assert note_known_ahead(on=on, at=at) == 0
        assert noted(turns) == []

    def test_is_not_noted_for_a_child_who_has_left(self, plan, on, at):
        left = plan(10)
        Pupil.objects.filter(id=left.pupil_id).update(left_on=on)
        assert note_known_ahead(on=on, at=at) == 0

    def test_is_noted_once_and_recorded_once(self, plan, on, at):
        plan(10), plan(20)
        assert note_known_ahead(on=on, at=at) == 2
        before = list(ReviewTrigger.objects.order_by("id").values())
        assert note_known_ahead(on=on, at=at) == 0
        assert note_known_ahead(on=on + A_DAY, at=at + A_DAY) == 0
        assert list(ReviewTrigger.objects.order_by("id").values()) == before
        entry = AuditEntry.objects.get(verb="brought reviews forward")
        assert (entry.by, entry.fields, entry.subject_id) == (None, ["triggers"], None)

    def test_is_reminded_of(self, plan, on, at):
        turns = plan(60)
        note_known_ahead(on=on, at=at)
        owe_review_reminders(on=on, at=at)
        assert {each.step for each in Notice.objects.of_subject("plan", turns.id)} == {"before-60"}

    def test_takes_one_statement_however_many_plans(self, plan, on, at, django_assert_max_num_queries):
        for number in range(10):
            plan(number)
        with django_assert_max_num_queries(4):
            assert note_known_ahead(on=on, at=at) == 10

    @pytest.mark.parametrize(
        "born_on", [date(2010, 11, 23), date(2008, 2, 29), date(2084, 2, 29), date(2011, 3, 1), date(2009, 12, 31)]
    )
    def test_is_the_same_day_in_sql_and_in_python(self, born_on):
        [(_, turns)] = execute(f"WITH active (id, born_on) AS (VALUES (1, %s::date)) {SIXTEEN}", [born_on])
        assert turns == sixteenth_birthday(born_on)


class TestWhatRunsOut:
    """A medicine or device that the school holds, and training for the child."""

    @pytest.fixture
    def held(self, plan, cast, on):
        """Makes a plan whose child's medicine and training run out in so many days."""

        def made(days_to_go: int, *, gone_on: date | None = None) -> HealthcarePlan:
            watched, until = plan(999), on + days_to_go * A_DAY
            given = {"name": "Salbutamol", "dose": "1 puff", "place": "Office", "given_by": "Ann", "kind": "medicine"}
            Medicine.objects.create(
                pupil=watched.pupil,
                received_on=on - 300 * A_DAY,
                expires_on=until,
                returned_on=gone_on,
                gone="returned" if gone_on else "",
                **given,
            )
            StaffTraining.objects.create(
                school=cast.oak,
                pupil=watched.pupil,
                person="Ann Able",
                procedure="inhaler",
                trainer="Nora Nurse",
                trained_on=on - 300 * A_DAY,
                expires_on=until,
                ended_on=gone_on,
            )
            return watched

        return made

    @pytest.mark.parametrize("days_to_go", [-10, 0, 200])
    def test_brings_the_review_forward(self, held, on, at, days_to_go):
        watched, until = held(days_to_go), on + days_to_go * A_DAY
        assert note_known_ahead(on=on, at=at) == 2
        assert sorted(noted(watched)) == [("medicine", until), ("training", until)]
        watched.refresh_from_db()
        assert watched.due_on == until
        assert note_known_ahead(on=on, at=at) == 0

    def test_does_not_when_it_has_gone(self, held, on, at):
        watched = held(10, gone_on=on)
        assert note_known_ahead(on=on, at=at) == 0
        assert noted(watched) == []


class TestRenewed:
    """What has been renewed brings no review forward any more."""

    @pytest.fixture
    def watched(self, plan, cast, on, at):
        """A plan brought forward by a medicine that runs out in 10 days and a training that does in 20."""
        watched = plan(999)
        self.medicine = Medicine.objects.create(
            pupil=watched.pupil, received_on=on, expires_on=on + 10 * A_DAY, name="Salbutamol", kind="medicine"
        )
        self.training = self.trained(watched, on + 20 * A_DAY)
        assert note_known_ahead(on=on, at=at) == 2
        return watched

    def trained(self, plan, until, **more):
        given = {"person": "Ann Able", "procedure": "inhaler", "trainer": "Nora Nurse", "is_confirmed": True}
        pupil = plan.pupil
        return StaffTraining.objects.create(
            pupil=pupil, school=pupil.school, trained_on=until - 300 * A_DAY, expires_on=until, **given | more
        )

    def due_after_forgetting(self, plan, on, at, count):
        assert forget_renewed(on=on, at=at) == count
        assert forget_renewed(on=on, at=at) == 0
        note_known_ahead(on=on, at=at)
        plan.refresh_from_db()
        return plan.due_on

    def test_nothing_changes_before_that(self, watched, on, at):
        assert self.due_after_forgetting(watched, on, at, 0) == on + 10 * A_DAY
        assert not AuditEntry.objects.filter(verb="let reviews wait again").exists()

    def test_a_medicine_with_a_later_day_leaves_the_training(self, watched, on, at):
        Medicine.objects.filter(id=self.medicine.id).update(expires_on=on + 400 * A_DAY)
        assert self.due_after_forgetting(watched, on, at, 1) == on + 20 * A_DAY
        assert noted(watched) == [("training", on + 20 * A_DAY)]
        assert AuditEntry.objects.get(verb="let reviews wait again").by is None

    def test_a_medicine_that_has_gone_counts_only_with_another_of_its_kind(self, watched, on, at):
        Medicine.objects.filter(id=self.medicine.id).update(returned_on=on, gone="returned")
        assert self.due_after_forgetting(watched, on, at, 0) == on + 10 * A_DAY
        Medicine.objects.create(pupil=watched.pupil, received_on=on, expires_on=None, name="New", kind="medicine")
        assert self.due_after_forgetting(watched, on, at, 1) == on + 20 * A_DAY

    @pytest.mark.parametrize(
        ("more", "count"),
        [({}, 1), ({"is_confirmed": False}, 0), ({"is_cover": True}, 0)],
    )
    def test_a_training_counts_only_with_one_that_does_the_same_for_longer(self, watched, on, at, more, count):
        StaffTraining.objects.filter(id=self.training.id).update(ended_on=on)
        self.trained(watched, on + 360 * A_DAY, **more)
        Medicine.objects.filter(id=self.medicine.id).update(expires_on=on + 400 * A_DAY)
        assert forget_renewed(on=on, at=at) == 1 + count
        watched.refresh_from_db()
        assert watched.due_on == (yearly(on - 65 * A_DAY) if count else on + 20 * A_DAY)

    def test_the_review_waits_until_the_day_that_the_last_one_asked_for(self, watched, on, at):
        HealthcarePlan.objects.filter(id=watched.id).update(asked_due_on=on + 90 * A_DAY)
        Medicine.objects.update(expires_on=on + 400 * A_DAY)
        StaffTraining.objects.update(expires_on=on + 360 * A_DAY)
        assert forget_renewed(on=on, at=at) == 2
        watched.refresh_from_db()
        assert watched.due_on == on + 90 * A_DAY

    def test_what_a_review_has_answered_stays(self, watched, on, at, cast):
        review = PlanReview.objects.create(
            plan=watched, reviewed_on=on, outcome="no_change", recorded_at=at, recorded_by_name="Hana"
        )
        watched.triggers.update(answered_by=review)
        Medicine.objects.update(expires_on=on + 400 * A_DAY)
        StaffTraining.objects.update(expires_on=on + 360 * A_DAY)
        assert forget_renewed(on=on, at=at) == 0
