"""Every write about incidents. Recording one asks for a review of the child's plan and of the school's policy."""

from datetime import datetime

from django.db import transaction

from handrail.core import audit
from handrail.core.calendar import day_of
from handrail.incidents.models import Incident
from handrail.plans.actions import bring_forward
from handrail.plans.cycle import Trigger
from handrail.plans.models import HealthcarePlan
from handrail.policies.actions import ask_interim_review
from handrail.policies.models import Kind as PolicyKind
from handrail.policies.models import Policy
from handrail.schools.models import Pupil, School


class Refused(ValueError):
    """What was asked cannot be done; the message says why in words for the person, and `field` what it is about."""

    def __init__(self, message: str, field: str) -> None:
        super().__init__(message)
        self.field = field


class InFuture(Refused):
    """The moment of what is recorded has not come yet."""


class ToldBefore(Refused):
    """Nobody can be told of what has not happened yet."""


@transaction.atomic
def record_incident(
    *,
    school: School,
    pupil: Pupil | None,
    kind: str,
    harm: str,
    happened_at: datetime,
    place: str,
    what_happened: str,
    what_was_done: str,
    by: audit.Actor,
    at: datetime,
    what_is_learnt: str = "",
    is_999_called: bool = False,
    parents_told_at: datetime | None = None,
) -> Incident:
    """Write down an incident or near miss, and open interim reviews of what should have prevented it.

    The child's plan, if there is one, is to be reviewed within five school days of it, and the school's
    medical conditions policy within two weeks of today. Raises InFuture, ToldBefore.
    """
    if happened_at > at:
        raise InFuture("When it happened must be in the past", "happened_on")
    _check_told(parents_told_at, happened_at, at)
    incident = Incident(
        school=school,
        pupil=pupil,
        kind=kind,
        harm=harm,
        happened_at=happened_at,
        place=place,
        what_happened=what_happened,
        what_was_done=what_was_done,
        what_is_learnt=what_is_learnt or None,
        is_999_called=is_999_called,
        parents_told_at=parents_told_at,
        recorded_at=at,
        recorded_by=by.actor_id,
        recorded_by_name=by.actor_name,
    )
    incident.save(force_insert=True)
    _record("recorded an incident", incident, ["kind", "harm"], by=by, at=at)
    plan = HealthcarePlan.objects.filter(pupil=pupil).first() if pupil else None
    if plan:
        bring_forward(plan=plan, trigger=Trigger.INCIDENT, on=day_of(happened_at), by=by, at=at)
    policy = Policy.objects.filter(school=school, kind=PolicyKind.MEDICAL_CONDITIONS).first()
    if policy:
        ask_interim_review(policy=policy, by=by, at=at)
    return incident


@transaction.atomic
def add_to_incident(
    *, incident: Incident, what_is_learnt: str, parents_told_at: datetime | None, by: audit.Actor, at: datetime
) -> list[str]:
    """Add what is known only later: what is learnt, and when the parents were told. Gives the names of what changed.

    What happened and what was done stay as they were written. Raises InFuture, ToldBefore.
    """
    incident = Incident.objects.select_for_update().get(id=incident.id)
    _check_told(parents_told_at, incident.happened_at, at)
    wanted = {"what_is_learnt": what_is_learnt or None, "parents_told_at": parents_told_at}
    changed = [name for name, value in wanted.items() if getattr(incident, name) != value]
    for name in changed:
        setattr(incident, name, wanted[name])
    if changed:
        incident.save(update_fields=changed)
        _record("added to an incident", incident, changed, by=by, at=at)
    return changed


def _check_told(told_at: datetime | None, happened_at: datetime, at: datetime) -> None:
    if told_at and told_at > at:
        raise InFuture("When the parents were told must be in the past", "told_on")
    if told_at and told_at < happened_at:
        raise ToldBefore("The parents cannot be told before it happened", "told_on")


def _record(verb: str, incident: Incident, fields: list[str], *, by: audit.Actor, at: datetime) -> None:
    audit.record(
        verb,
        by=by,
        at=at,
        subject_kind="incident",
        subject_id=incident.id,
        school_id=incident.school_id,
        fields=fields,
    )
