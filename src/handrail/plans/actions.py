"""Every write about a plan on its way, who agreed, and its reviews. What it says is saved in versions.py."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from handrail.accounts.models import Membership, User
from handrail.accounts.roles import PERMISSIONS, Permission
from handrail.core import audit
from handrail.core.calendar import day_of
from handrail.plans import cycle
from handrail.plans.models import (
    TO_BE_READY,
    Agreement,
    HealthcarePlan,
    Party,
    PlanReview,
    ReviewTrigger,
    Stage,
)
from handrail.schools.models import Pupil, Term

Outcome = PlanReview.Outcome


class Refused(ValueError):
    """What was asked cannot be done; the message says why in words for the person."""


class WrongStage(Refused):
    """The plan is not where this can be done; somebody may have moved it on meanwhile."""


class DayInFuture(Refused):
    """The day of what is recorded has not come yet."""


class NothingWritten(Refused):
    """There are no words to agree to."""


class NobodyAgreed(Refused):
    """A plan does not start without the parent or carer, nor without a health professional or a reason."""


class ReasonMissing(Refused):
    """A decision that has to say why does not."""


class NotAtSchool(Refused):
    """The person may not change the plans of the child's school."""


class TooLate(Refused):
    """The next review would come later than a plan may wait, or not after this one."""


# -- on its way ---------------------------------------------------------------------------------------------


@transaction.atomic
def notify(
    *,
    pupil: Pupil,
    notified_on: date,
    told_by: str,
    by: audit.Actor,
    at: datetime,
    last_day_before: date | None = None,
) -> HealthcarePlan:
    """Note that the school was told of a child's condition: whether a plan is needed is to be decided.

    The plan is to be ready two weeks later, or for a child who starts on a day still to come by `last_day_before`
    (the last school day before it, or the day before where it is not given). SPMC-TIM. Raises DayInFuture, and
    WrongStage when a plan is on its way or active already.
    """
    _check_past(notified_on, at, "Date the school was told")
    Pupil.objects.select_for_update().get(id=pupil.id)
    plan, is_new = HealthcarePlan.objects.get_or_create(pupil=pupil)
    if not is_new and plan.stage not in (Stage.NOT_NEEDED, Stage.CLOSED, Stage.TRANSFERRED):
        raise WrongStage("This child’s plan is on its way already")
    plan.notified_on, plan.told_by = notified_on, told_by
    plan.due_on = cycle.ready_by(notified_on, starts_on=pupil.joined_on, last_day_before=last_day_before)
    plan.decided_on = plan.decided_with = plan.reason = None
    return _move(plan, Stage.NOTIFIED, "was told of a condition", by=by, at=at)


@transaction.atomic
def decide(
    *,
    plan: HealthcarePlan,
    is_needed: bool,
    decided_on: date,
    agreed_with: str,
    reason: str,
    by: audit.Actor,
    at: datetime,
) -> HealthcarePlan:
    """Record whether the child needs a plan, and who agreed: school, parent and health professional, on evidence.

    Not needed has to say why and who agreed. Raises DayInFuture, ReasonMissing, WrongStage.
    """
    plan = _locked(plan, Stage.NOTIFIED)
    _check_past(decided_on, at, "Date of the decision")
    if not is_needed and not (reason.strip() and agreed_with.strip()):
        raise ReasonMissing("Say why no plan is needed and who agreed")
    plan.decided_on, plan.decided_with, plan.reason = decided_on, agreed_with or None, None if is_needed else reason
    if is_needed:
        return _move(plan, Stage.DRAFT, "decided that a plan is needed", by=by, at=at)
    return _move(plan, Stage.NOT_NEEDED, "decided that no plan is needed", by=by, at=at)


@transaction.atomic
def ask_for_agreement(*, plan: HealthcarePlan, by: audit.Actor, at: datetime) -> HealthcarePlan:
    """Hand the draft to those who have to agree. Raises NothingWritten without emergency steps, and WrongStage."""
    plan = _locked(plan, Stage.DRAFT)
    version = plan.versions.order_by("-number").first()
    if version is None or not version.says:
        raise NothingWritten("Write what to do in an emergency first")
    return _move(plan, Stage.AWAITING, "asked for agreement to a plan", by=by, at=at)


@dataclass(frozen=True)
class Agreed:
    """Who agreed, or asked for a change, when and how."""

    party: str
    name: str
    agreed_on: date
    how: str = Agreement.How.IN_PERSON
    is_agreed: bool = True
    comment: str = ""


@transaction.atomic
def record_agreement(*, plan: HealthcarePlan, agreed: Agreed, by: audit.Actor, at: datetime) -> Agreement:
    """Note that somebody agreed to the newest version, or wants a change. Raises DayInFuture, NothingWritten."""
    _check_past(agreed.agreed_on, at, "Date of the agreement")
    version = plan.versions.order_by("-number").first()
    if version is None:
        raise NothingWritten("Write the plan first")
    made = Agreement.objects.create(
        version=version,
        party=agreed.party,
        name=agreed.name,
        is_agreed=agreed.is_agreed,
        agreed_on=agreed.agreed_on,
        how=agreed.how,
        comment=agreed.comment or None,
        recorded_at=at,
        recorded_by=by.actor_id,
        recorded_by_name=by.actor_name,
    )
    verb = "recorded an agreement to a plan" if agreed.is_agreed else "recorded a wish to change a plan"
    _record(verb, plan, by=by, at=at, fields=[agreed.party])
    return made


def agreements_since(plan: HealthcarePlan) -> list[Agreement]:
    """What people said of the plan since it was last active or reviewed, the oldest first; each party's last counts."""
    last = plan.reviews.order_by("-recorded_at").first()
    found = Agreement.objects.filter(version__plan=plan)
    return list(found.filter(recorded_at__gt=last.recorded_at) if last else found)


def last_said(plan: HealthcarePlan) -> list[Agreement]:
    """The last that each person said of the plan, the oldest first."""
    found = {
        (each.party, each.name): each for each in Agreement.objects.filter(version__plan=plan).select_related("version")
    }
    return sorted(found.values(), key=lambda each: each.recorded_at)


def still_awaited(agreements: Iterable[Agreement]) -> list[Party]:
    """Whose agreement a plan still waits for: the parent or carer, and a health professional."""
    said = {each.party: each.is_agreed for each in agreements}
    return [party for party in (Party.PARENT, Party.HEALTH) if not said.get(party)]


@transaction.atomic
def sign_off(
    *, plan: HealthcarePlan, by: audit.Actor, at: datetime, without: str = "", next_due_on: date | None = None
) -> HealthcarePlan:
    """The school takes responsibility: the plan is active from today, and its first review falls due within a year.

    Needs the agreement of a parent or carer and of a health professional; `without` says why it starts without one
    of them (the headteacher decides where there is no agreement). Raises NobodyAgreed, TooLate, WrongStage.
    """
    plan = _locked(plan, Stage.AWAITING)
    today, awaited = day_of(at), still_awaited(agreements_since(plan))
    if awaited and not without.strip():
        who = " and ".join(party.label.lower() for party in awaited)
        raise NobodyAgreed(f"Record the agreement of the {who}, or say why the plan starts without it")
    plan.last_reviewed_on, plan.reason = today, without or None
    plan.due_on = _next_due(plan, today, asked=next_due_on)
    return _move(plan, Stage.ACTIVE, "signed off a plan", by=by, at=at)


@transaction.atomic
def rest(*, plan: HealthcarePlan, stage: str, reason: str, by: audit.Actor, at: datetime) -> HealthcarePlan:
    """Pause a plan while the child is elsewhere, pass it on, or close it: nothing falls due then.

    Raises ReasonMissing, WrongStage.
    """
    plan = _locked(plan, *TO_BE_READY, Stage.ACTIVE, Stage.SUSPENDED)
    if stage not in AT_REST:
        raise WrongStage("Choose whether the plan is paused, passed on or closed")
    if not reason.strip():
        raise ReasonMissing("Say why")
    plan.reason = reason
    return _move(plan, Stage(stage), AT_REST[Stage(stage)], by=by, at=at)


def may_coordinate(school_id: UUID, *, on: date) -> QuerySet[User]:
    """The people at a school who may change its plans, and so may keep one in date."""
    roles = [role for role, permissions in PERMISSIONS.items() if Permission.EDIT_PLANS in permissions]
    held = Membership.objects.current(on=on).filter(school_id=school_id, role__in=roles)
    return User.objects.filter(is_active=True, id__in=held.values("user_id")).order_by("name", "id")


@transaction.atomic
def choose_coordinator(*, plan: HealthcarePlan, coordinator: User, by: audit.Actor, at: datetime) -> None:
    """Choose who keeps a plan in date and is reminded first. Raises NotAtSchool."""
    plan = HealthcarePlan.objects.select_for_update().select_related("pupil").get(id=plan.id)
    if not may_coordinate(plan.pupil.school_id, on=day_of(at)).filter(id=coordinator.id).exists():
        raise NotAtSchool("Select somebody who may change this school’s plans")
    if plan.coordinator_id != coordinator.id:
        plan.coordinator = coordinator
        plan.save(update_fields=["coordinator"])
        _record("chose who keeps a plan in date", plan, by=by, at=at, fields=["coordinator"])


AT_REST = {
    Stage.SUSPENDED: "paused a plan",
    Stage.TRANSFERRED: "passed a plan on",
    Stage.CLOSED: "closed a plan",
}
"""What may be done to a plan with nothing due afterwards, and how it is told."""


@transaction.atomic
def resume(*, plan: HealthcarePlan, by: audit.Actor, at: datetime) -> HealthcarePlan:
    """Take up a paused plan: the child is back, so it is to be reviewed within two weeks. Raises WrongStage."""
    plan = _locked(plan, Stage.SUSPENDED)
    plan.reason = None
    if plan.last_reviewed_on is None:
        plan.due_on = day_of(at) + cycle.TWO_WEEKS
        return _move(plan, Stage.DRAFT, "took up a plan again", by=by, at=at)
    plan.due_on = cycle.yearly(plan.last_reviewed_on)
    plan = _move(plan, Stage.ACTIVE, "took up a plan again", by=by, at=at)
    bring_forward(plan=plan, trigger=cycle.Trigger.NEW_SCHOOL, on=day_of(at) + cycle.TWO_WEEKS, by=by, at=at)
    return plan


# -- reviews ------------------------------------------------------------------------------------------------


@transaction.atomic
def bring_forward(
    *, plan: HealthcarePlan, trigger: str, on: date, by: audit.Actor, at: datetime
) -> tuple[ReviewTrigger, bool]:
    """Note what makes a review due before its time; give it with whether it is new. Only an active plan's day moves."""
    plan = HealthcarePlan.objects.select_for_update().get(id=plan.id)
    soon = Term.objects.all().calendar().school_day_after(on, cycle.SOON_DAYS)
    made, is_new = ReviewTrigger.objects.get_or_create(
        plan=plan,
        kind=trigger,
        happens_on=on,
        defaults={"due_on": cycle.due_after(trigger, on, soon=soon), "noted_at": at, "noted_by": by.actor_id},
    )
    if is_new:
        if plan.stage == Stage.ACTIVE and plan.due_on and made.due_on < plan.due_on:
            plan.due_on = made.due_on
            plan.save(update_fields=["due_on"])
        _record("brought a review forward", plan, by=by, at=at, fields=["triggers"])
    return made, is_new


@transaction.atomic
def record_review(
    *,
    plan: HealthcarePlan,
    by: audit.Actor,
    at: datetime,
    reviewed_on: date,
    outcome: str,
    agreed: Iterable[Agreed] = (),
    next_due_on: date | None = None,
    reason: str = "",
) -> tuple[PlanReview, bool]:
    """Record a review of an active plan and who agreed; give it with whether it is new.

    The next is due a year later, or on `next_due_on` if that is sooner (SPMC-IHP). What had brought this review
    forward is answered, as cycle.is_answered says. *No longer needs a plan* and *has left* close it. The same
    review again changes nothing. Raises DayInFuture, TooLate, WrongStage.
    """
    plan = HealthcarePlan.objects.select_for_update().get(id=plan.id)
    same = plan.reviews.filter(reviewed_on=reviewed_on, outcome=outcome).first()
    if same:
        return same, False
    plan = _locked(plan, Stage.ACTIVE)
    _check_past(reviewed_on, at, "Date of review")
    if plan.last_reviewed_on and reviewed_on < plan.last_reviewed_on:
        raise DayInFuture("Date of review must be the same as or after the last review")
    goes_on = outcome in (Outcome.NO_CHANGE, Outcome.UPDATED)
    for each in agreed:
        record_agreement(plan=plan, agreed=each, by=by, at=at)
    review = PlanReview(
        plan=plan,
        version=plan.versions.order_by("-number").first(),
        reviewed_on=reviewed_on,
        outcome=outcome,
        recorded_at=at,
        recorded_by=by.actor_id,
        recorded_by_name=by.actor_name,
    )
    review.save(force_insert=True)
    waiting = plan.triggers.filter(answered_by=None)
    seen = [each.id for each in waiting if cycle.is_answered(each.kind, each.happens_on, reviewed_on=reviewed_on)]
    waiting.filter(id__in=seen).update(answered_by=review)
    plan.last_reviewed_on = reviewed_on
    if goes_on:
        plan.due_on = review.next_due_on = _next_due(plan, reviewed_on, asked=next_due_on)
        review.save(update_fields=["next_due_on"])
        plan.save()
    else:
        plan.reason = reason or None
        _move(plan, Stage.CLOSED, "closed a plan", by=by, at=at)
    _record("reviewed a plan", plan, by=by, at=at, fields=["reviews"])
    return review, True


def _next_due(plan: HealthcarePlan, reviewed_on: date, *, asked: date | None) -> date:
    """When it is to be reviewed next; what was asked for is noted, for when a trigger goes. Raises TooLate."""
    latest = cycle.yearly(reviewed_on)
    if asked and not reviewed_on < asked <= latest:
        raise TooLate("Date of the next review must be after this one and within 12 months of it")
    plan.asked_due_on = asked
    open_triggers = plan.triggers.filter(answered_by=None).values_list("due_on", flat=True)
    return cycle.next_due(reviewed_on, asked=asked, triggers=open_triggers)


# -- shared -------------------------------------------------------------------------------------------------


def _locked(plan: HealthcarePlan, *stages: Stage) -> HealthcarePlan:
    """The plan as it is now, held until the end. Raises WrongStage when it is in none of these stages."""
    plan = HealthcarePlan.objects.select_for_update().select_related("pupil").get(id=plan.id)
    if plan.stage not in stages:
        raise WrongStage(f"This plan is now “{plan.get_stage_display()}”. Look at it again")
    return plan


def _move(plan: HealthcarePlan, stage: Stage, verb: str, *, by: audit.Actor, at: datetime) -> HealthcarePlan:
    plan.stage, plan.stage_since = stage, day_of(at)
    if not plan.is_watched:
        plan.due_on = None
    plan.save()
    _record(verb, plan, by=by, at=at, fields=["stage"])
    return plan


def _check_past(on: date, at: datetime, what: str) -> None:
    if on > day_of(at):
        raise DayInFuture(f"{what} must be today or in the past")


def _record(verb: str, plan: HealthcarePlan, *, by: audit.Actor, at: datetime, fields: list[str]) -> None:
    audit.record(
        verb, by=by, at=at, subject_kind="plan", subject_id=plan.id, school_id=plan.pupil.school_id, fields=fields
    )
