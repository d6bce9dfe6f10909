"""A plan on its way: from the day the school is told to reviews, pauses and its end."""

from datetime import timedelta

import pytest
from factories import PupilFactory, emergency

from handrail.core.calendar import day_of
from handrail.core.models import AuditEntry, AuthoritySettings
from handrail.core.status import Status
from handrail.plans import actions, versions
from handrail.plans.actions import Agreed
from handrail.plans.cycle import Trigger, yearly
from handrail.plans.models import HealthcarePlan, PlanReview, PlanVersion, Stage
from tenants.context import inside

pytestmark = pytest.mark.django_db
Outcome = PlanReview.Outcome


@pytest.fixture(autouse=True)
def within(one, cast):
    with inside(one):
        yield


@pytest.fixture
def today(at):
    return day_of(at)


@pytest.fixture
def poppy(within, cast):
    return PupilFactory(school=cast.oak, name="Poppy Canarywright")


@pytest.fixture
def who(cast, at):
    return {"by": cast.head, "at": at}


@pytest.fixture
def notified(poppy, who, today):
    return actions.notify(pupil=poppy, notified_on=today, told_by="parent", **who)


@pytest.fixture
def draft(notified, poppy, who, today):
    plan = actions.decide(
        plan=notified, is_needed=True, decided_on=today, agreed_with="Mum and the nurse", reason="", **who
    )
    versions.write_emergency(pupil=poppy, says=emergency(), based_on=0, **who)
    return plan


@pytest.fixture
def awaiting(draft, who):
    return actions.ask_for_agreement(plan=draft, **who)


def agreed(party, today, **more):
    return Agreed(party=party, name="Grace Cole", agreed_on=today, **more)


@pytest.fixture
def active(awaiting, who, today):
    for party in ("parent", "health"):
        actions.record_agreement(plan=awaiting, agreed=agreed(party, today), **who)
    return actions.sign_off(plan=awaiting, **who)


class TestOnItsWay:
    def test_from_the_day_the_school_is_told_to_the_day_it_is_active(self, notified, poppy, who, today):
        assert (notified.stage, notified.due_on) == (Stage.NOTIFIED, today + timedelta(days=14))
        plan = actions.decide(plan=notified, is_needed=True, decided_on=today, agreed_with="Mum", reason="", **who)
        assert (plan.stage, plan.due_on) == (Stage.DRAFT, today + timedelta(days=14))
        versions.write_emergency(pupil=poppy, says=emergency(), based_on=0, **who)
        plan = actions.ask_for_agreement(plan=plan, **who)
        assert actions.still_awaited(actions.agreements_since(plan)) == ["parent", "health"]
        actions.record_agreement(plan=plan, agreed=agreed("parent", today), **who)
        assert actions.still_awaited(actions.agreements_since(plan)) == ["health"]
        actions.record_agreement(plan=plan, agreed=agreed("health", today), **who)
        plan = actions.sign_off(plan=plan, **who)
        assert (plan.stage, plan.last_reviewed_on, plan.due_on) == (Stage.ACTIVE, today, yearly(today))
        assert plan.status_on(today, AuthoritySettings.load()) == Status.IN_DATE

    def test_leaves_a_row_of_each_step_and_no_word_of_the_child(self, active):
        rows = AuditEntry.objects.filter(subject_id=active.id).order_by("written_at", "at")
        verbs = [row.verb for row in rows]
        assert set(verbs) == {
            "was told of a condition",
            "decided that a plan is needed",
            "wrote an emergency plan",
            "asked for agreement to a plan",
            "recorded an agreement to a plan",
            "signed off a plan",
        }
        assert "Canarywright" not in str([list(row.fields) for row in rows])

    def test_a_child_who_starts_later_has_a_plan_before_the_first_day(self, cast, who, today):
        joins = PupilFactory(school=cast.oak, joined_on=today + timedelta(days=40))
        plan = actions.notify(pupil=joins, notified_on=today, told_by="school", **who)
        assert plan.due_on == today + timedelta(days=39)

    def test_writing_the_emergency_steps_begins_a_plan(self, poppy, who, today):
        versions.write_emergency(pupil=poppy, says=emergency(), based_on=0, **who)
        plan = HealthcarePlan.objects.get(pupil=poppy)
        assert (plan.stage, plan.notified_on, plan.due_on) == (Stage.DRAFT, today, today + timedelta(days=14))

    def test_a_plan_that_is_not_needed_says_why_and_who_agreed(self, notified, who, today):
        say = {"plan": notified, "is_needed": False, "decided_on": today}
        for reason, agreed_with in (("", "Mum"), ("Mild hay fever.", " ")):
            with pytest.raises(actions.ReasonMissing):
                actions.decide(**say, reason=reason, agreed_with=agreed_with, **who)
        plan = actions.decide(**say, reason="Mild hay fever.", agreed_with="Mum and the nurse", **who)
        assert (plan.stage, plan.due_on, plan.reason) == (Stage.NOT_NEEDED, None, "Mild hay fever.")
        again = actions.notify(pupil=plan.pupil, notified_on=today, told_by="health", **who)
        assert (again.stage, again.reason) == (Stage.NOTIFIED, None)

    def test_refuses_what_does_not_come_next(self, notified, who, today):
        with pytest.raises(actions.WrongStage, match="“Waiting for a decision”"):
            actions.sign_off(plan=notified, **who)
        with pytest.raises(actions.WrongStage):
            actions.ask_for_agreement(plan=notified, **who)
        with pytest.raises(actions.WrongStage):
            actions.notify(pupil=notified.pupil, notified_on=today, told_by="parent", **who)
        with pytest.raises(actions.WrongStage):
            actions.record_review(plan=notified, reviewed_on=today, outcome=Outcome.NO_CHANGE, **who)

    def test_refuses_days_to_come(self, poppy, notified, who, today):
        tomorrow = today + timedelta(days=1)
        with pytest.raises(actions.DayInFuture, match="Date of the decision must be today or in the past"):
            actions.decide(plan=notified, is_needed=True, decided_on=tomorrow, agreed_with="", reason="", **who)

    def test_does_not_ask_for_agreement_to_nothing(self, notified, who, today):
        plan = actions.decide(plan=notified, is_needed=True, decided_on=today, agreed_with="", reason="", **who)
        with pytest.raises(actions.NothingWritten, match="what to do in an emergency"):
            actions.ask_for_agreement(plan=plan, **who)

    def test_does_not_start_without_the_parent_unless_it_says_why(self, awaiting, who, today):
        actions.record_agreement(plan=awaiting, agreed=agreed("health", today), **who)
        with pytest.raises(actions.NobodyAgreed, match="agreement of the parent or carer, or say why"):
            actions.sign_off(plan=awaiting, **who)
        plan = actions.sign_off(plan=awaiting, without="The parents cannot be reached. The head decided.", **who)
        assert (plan.stage, plan.reason) == (Stage.ACTIVE, "The parents cannot be reached. The head decided.")

    def test_a_wish_to_change_takes_back_an_agreement(self, awaiting, who, today):
        for is_agreed in (True, False):
            who["at"] += timedelta(seconds=1)
            actions.record_agreement(
                plan=awaiting, agreed=agreed("parent", today, is_agreed=is_agreed, comment="Wrong dose."), **who
            )
        assert actions.still_awaited(actions.agreements_since(awaiting)) == ["parent", "health"]


class TestWriting:
    def test_a_section_makes_a_version_that_keeps_the_rest(self, draft, poppy, who):
        version, is_new = versions.write_section(
            pupil=poppy, section="daily", answers={"needs": "A quiet room.", "medicine": ""}, based_on=1, **who
        )
        assert (is_new, version.number, version.changed) == (True, 2, ["daily"])
        assert (version.answers, version.says) == ({"daily": {"needs": "A quiet room."}}, emergency())
        assert versions.write_section(
            pupil=poppy, section="daily", answers={"needs": "A quiet room."}, based_on=2, **who
        ) == (version, False)

    def test_two_people_at_different_sections_lose_nothing_and_notice_nothing(self, draft, poppy, who):
        for section, question in (("daily", "needs"), ("trips", "trips")):
            versions.write_section(pupil=poppy, section=section, answers={question: "Said."}, based_on=1, **who)
        newest = PlanVersion.objects.of_child(poppy).first()
        assert newest.answers == {"daily": {"needs": "Said."}, "trips": {"trips": "Said."}}
        assert newest.says == emergency()

    def test_two_people_at_one_section_are_told(self, draft, poppy, who):
        versions.write_section(pupil=poppy, section="trips", answers={"trips": "Mine."}, based_on=1, **who)
        with pytest.raises(versions.ChangedMeanwhile) as told:
            versions.write_section(pupil=poppy, section="trips", answers={"trips": "Theirs."}, based_on=1, **who)
        assert told.value.newest.answers == {"trips": {"trips": "Mine."}}

    def test_a_section_does_not_stand_in_the_way_of_the_emergency_steps(self, draft, poppy, who):
        versions.write_section(pupil=poppy, section="trips", answers={"trips": "Mine."}, based_on=1, **who)
        changed = emergency(condition="Asthma")
        version, _ = versions.write_emergency(pupil=poppy, says=changed, based_on=1, **who)
        assert (version.says, version.answers) == (changed, {"trips": {"trips": "Mine."}})

    def test_the_first_section_may_come_before_the_emergency_steps(self, notified, poppy, who):
        version, _ = versions.write_section(pupil=poppy, section="trips", answers={"trips": "x"}, based_on=0, **who)
        assert (version.number, version.says) == (1, None)


class TestReviews:
    def test_move_the_day_a_year_on_and_say_who_agreed(self, active, who, at, today):
        later = at + timedelta(days=300)
        review, is_new = actions.record_review(
            plan=active,
            reviewed_on=day_of(later),
            outcome=Outcome.NO_CHANGE,
            agreed=[agreed("parent", day_of(later))],
            by=who["by"],
            at=later,
        )
        active.refresh_from_db()
        assert is_new
        assert active.due_on == review.next_due_on == yearly(day_of(later))
        assert review.version.agreements.filter(party="parent").count() == 2

    def test_the_same_one_again_changes_nothing(self, active, who, today):
        first, _ = actions.record_review(plan=active, reviewed_on=today, outcome=Outcome.NO_CHANGE, **who)
        assert actions.record_review(plan=active, reviewed_on=today, outcome=Outcome.NO_CHANGE, **who) == (first, False)

    @pytest.mark.parametrize("days", [0, 367])
    def test_refuse_a_next_one_that_is_not_within_a_year(self, active, who, today, days):
        with pytest.raises(actions.TooLate):
            actions.record_review(
                plan=active,
                reviewed_on=today,
                outcome=Outcome.NO_CHANGE,
                next_due_on=today + timedelta(days=days),
                **who,
            )
        assert active.reviews.count() == 0

    def test_refuse_a_day_before_the_last_one(self, active, who, today):
        with pytest.raises(actions.Refused, match="after the last review"):
            actions.record_review(plan=active, reviewed_on=today - timedelta(days=1), outcome=Outcome.NO_CHANGE, **who)

    @pytest.mark.parametrize("outcome", [Outcome.NOT_NEEDED, Outcome.LEFT])
    def test_may_end_the_plan(self, active, who, today, outcome):
        actions.record_review(plan=active, reviewed_on=today, outcome=outcome, reason="Grown out of it.", **who)
        active.refresh_from_db()
        assert (active.stage, active.due_on, active.reason) == (Stage.CLOSED, None, "Grown out of it.")

    def test_come_sooner_when_something_happens_and_that_is_answered_then(self, active, who, today):
        trigger, is_new = actions.bring_forward(plan=active, trigger=Trigger.INCIDENT, on=today, **who)
        active.refresh_from_db()
        assert (is_new, active.due_on) == (True, today + timedelta(days=7)), "five school days"
        assert actions.bring_forward(plan=active, trigger=Trigger.INCIDENT, on=today, **who) == (trigger, False)
        ahead, _ = actions.bring_forward(plan=active, trigger=Trigger.MEDICINE, on=today + timedelta(days=90), **who)
        review, _ = actions.record_review(plan=active, reviewed_on=today, outcome=Outcome.UPDATED, **who)
        trigger.refresh_from_db()
        ahead.refresh_from_db()
        active.refresh_from_db()
        assert (trigger.answered_by, ahead.answered_by) == (review, None)
        assert active.due_on == ahead.happens_on, "what is still to come keeps bringing the next one forward"

    def test_nothing_moves_the_day_of_a_plan_at_rest(self, active, who, today):
        plan = actions.rest(plan=active, stage=Stage.SUSPENDED, reason="In hospital.", **who)
        actions.bring_forward(plan=plan, trigger=Trigger.ADMITTED, on=today, **who)
        plan.refresh_from_db()
        assert plan.due_on is None


class TestRest:
    @pytest.mark.parametrize("stage", [Stage.SUSPENDED, Stage.TRANSFERRED, Stage.CLOSED])
    def test_nothing_falls_due_any_more(self, active, who, stage):
        plan = actions.rest(plan=active, stage=stage, reason="Away.", **who)
        assert (plan.stage, plan.due_on) == (stage, None)

    def test_has_a_reason_and_is_a_rest(self, active, who):
        with pytest.raises(actions.ReasonMissing):
            actions.rest(plan=active, stage=Stage.CLOSED, reason=" ", **who)
        with pytest.raises(actions.WrongStage):
            actions.rest(plan=active, stage=Stage.ACTIVE, reason="No.", **who)

    def test_a_child_who_comes_back_is_reviewed_within_two_weeks(self, active, who, today):
        actions.rest(plan=active, stage=Stage.SUSPENDED, reason="In hospital.", **who)
        actions.resume(plan=active, **who)
        active.refresh_from_db()
        assert (active.stage, active.due_on, active.reason) == (Stage.ACTIVE, today + timedelta(days=14), None)

    def test_a_draft_goes_on_as_a_draft(self, draft, who, today):
        actions.rest(plan=draft, stage=Stage.SUSPENDED, reason="In hospital.", **who)
        plan = actions.resume(plan=draft, **who)
        assert (plan.stage, plan.due_on) == (Stage.DRAFT, today + timedelta(days=14))
        with pytest.raises(actions.WrongStage):
            actions.resume(plan=plan, **who)
