"""What is known ahead brings a review forward, once, and before anybody has to think of it."""

from datetime import date, timedelta

import pytest
from dateutil.relativedelta import relativedelta
from factories import PupilFactory

from handrail.care.actions import change_medicine
from handrail.care.models import Medicine, StaffTraining
from handrail.core.models import AuditEntry
from handrail.notices.models import Notice
from handrail.plans.actions import bring_forward, record_review, resume
from handrail.plans.cycle import moves_on, sixteenth_birthday, yearly
from handrail.plans.models import HealthcarePlan, PlanReview, ReviewTrigger, Stage
from handrail.plans.reminders import owe_review_reminders
from handrail.plans.triggers import IN_YEAR_6, RULES, SIXTEEN, forget_renewed, note_known_ahead
from handrail.schools.models import Pupil, Term
from tenants.context import inside
from tenants.database import execute
from workflows.demo import TERMS

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
        with django_assert_max_num_queries(len(RULES) + 2):
            assert note_known_ahead(on=on, at=at) == 10

    @pytest.mark.parametrize(
        "born_on", [date(2010, 11, 23), date(2008, 2, 29), date(2084, 2, 29), date(2011, 3, 1), date(2009, 12, 31)]
    )
    def test_is_the_same_day_in_sql_and_in_python(self, born_on):
        [(_, turns)] = execute(f"WITH active (id, born_on) AS (VALUES (1, %s::date)) {SIXTEEN}", [born_on])
        assert turns == sixteenth_birthday(born_on)


class TestMovesOn:
    """To secondary school, at the end of the school year in which a child is in Year 6."""

    LAST_DAY = date(2027, 7, 21)

    @pytest.fixture
    def moving(self, plan, terms):
        """Makes a plan, not due before August, of a child in this year group."""

        def made(year_group: str = "Year 6", **more) -> HealthcarePlan:
            moving = plan(999, due_on=date(2027, 8, 31), **more)
            Pupil.objects.filter(id=moving.pupil_id).update(year_group=year_group)
            return moving

        return made

    @pytest.fixture
    def terms(self):
        Term.objects.bulk_create(Term(**each) for each in TERMS)

    def test_is_noted_for_the_last_day_of_the_summer_term(self, moving, on, at):
        moves, stays = moving(), moving("Year 5")
        assert note_known_ahead(on=on, at=at) == 1
        assert (noted(moves), noted(stays)) == ([("new_school", self.LAST_DAY)], [])
        moves.refresh_from_db()
        assert moves.due_on == self.LAST_DAY
        assert note_known_ahead(on=on, at=at) == 0

    def test_is_the_last_weekday_of_august_where_no_terms_are_known(self, moving, on, at):
        Term.objects.all().delete()
        moves = moving()
        note_known_ahead(on=on, at=at)
        assert noted(moves) == [("new_school", date(2027, 8, 31))]

    def test_is_not_noted_when_it_was_reviewed_in_that_term(self, moving, on, at):
        moving(last_reviewed_on=date(2027, 4, 20))
        assert note_known_ahead(on=date(2027, 5, 1), at=at) == 0

    def test_is_answered_by_a_review_in_that_term(self, moving, cast, on, at):
        moves = moving()
        note_known_ahead(on=on, at=at)
        in_may = at + (date(2027, 5, 10) - on)
        review, _ = record_review(
            plan=moves, reviewed_on=date(2027, 5, 10), outcome="no_change", by=cast.head, at=in_may
        )
        assert review.next_due_on == date(2028, 5, 10)
        assert note_known_ahead(on=date(2027, 5, 11), at=in_may) == 0

    def test_is_taken_back_when_the_child_is_in_another_year(self, moving, on, at):
        moves = moving()
        note_known_ahead(on=on, at=at)
        assert forget_renewed(on=on, at=at) == 0
        Pupil.objects.filter(id=moves.pupil_id).update(year_group="Year 7")
        assert forget_renewed(on=on, at=at) == 1
        moves.refresh_from_db()
        assert (noted(moves), moves.due_on) == ([], yearly(on - 65 * A_DAY))

    def test_stays_when_the_day_has_come(self, moving, on, at):
        moves = moving()
        note_known_ahead(on=on, at=at)
        Pupil.objects.filter(id=moves.pupil_id).update(year_group="Year 7")
        assert forget_renewed(on=self.LAST_DAY, at=at) == 0

    def test_stays_when_a_person_noted_it(self, moving, cast, on, at):
        paused = moving("Year 3")
        HealthcarePlan.objects.filter(id=paused.id).update(stage=Stage.SUSPENDED, due_on=None)
        resume(plan=paused, by=cast.head, at=at)
        assert forget_renewed(on=on, at=at) == 0
        assert noted(paused) == [("new_school", on + 14 * A_DAY)]

    @pytest.mark.parametrize("year_group", ["Year 6", "6", "6B", "Year 5", "Year 16", "", "Reception"])
    @pytest.mark.parametrize(
        "born_on", [date(2015, 8, 31), date(2015, 9, 1), date(2016, 2, 29), date(2016, 8, 31), date(2016, 9, 1)]
    )
    def test_is_the_same_child_in_sql_and_in_python(self, year_group, born_on):
        born = [date(2015, 9, 1), date(2016, 8, 31)]
        [(moves,)] = execute(
            f"SELECT {IN_YEAR_6} FROM (VALUES (%s, %s::date)) child (year_group, born_on)", [*born, year_group, born_on]
        )
        assert moves == moves_on(year_group, born_on, school_year=2026)


class TestConsent:
    """A parent takes back what they had agreed to."""

    @pytest.fixture
    def medicine(self, plan, on):
        return Medicine.objects.create(
            pupil=plan(999).pupil,
            kind="medicine",
            name="Salbutamol",
            received_on=on,
            consent_by="Pat Parent",
            consent_on=on - 9 * A_DAY,
        )

    def test_makes_the_review_due_that_day_and_no_more_when_it_is_given_again(self, medicine, cast, on, at):
        watched, who = medicine.pupil.plan, {"by": cast.head, "at": at}
        assert note_known_ahead(on=on, at=at) == 0
        change_medicine(medicine=medicine, consent_by=None, consent_on=None, **who)
        assert note_known_ahead(on=on, at=at) == 1
        watched.refresh_from_db()
        assert (noted(watched), watched.due_on) == ([("consent", on)], on)
        assert forget_renewed(on=on, at=at) == 0
        change_medicine(medicine=medicine, consent_by="Pat Parent", consent_on=on, **who)
        assert forget_renewed(on=on, at=at) == 1
        watched.refresh_from_db()
        assert watched.due_on == yearly(on - 65 * A_DAY)

    def test_is_not_noted_where_nobody_had_agreed(self, medicine, cast, on, at):
        Medicine.objects.update(consent_by=None, consent_on=None)
        change_medicine(medicine=medicine, place="Office", by=cast.head, at=at)
        assert note_known_ahead(on=on, at=at) == 0

    def test_stays_when_a_person_noted_it(self, plan, cast, on, at):
        bring_forward(plan=plan(999), trigger="consent", on=on, by=cast.head, at=at)
        assert forget_renewed(on=on, at=at) == 0


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
