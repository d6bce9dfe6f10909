"""Bringing the allergy safety policy to pupils, parents and everyone who works there: once a year, each with its day.

Until the duty is in force nobody is asked to begin; whoever has begun is reminded when the year is over, of those whom
nobody has told yet too. From its first day everybody is to be told within a year.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from dateutil.relativedelta import relativedelta
from django.db import transaction

from handrail.core import audit
from handrail.core.calendar import day_of
from handrail.core.models import AuthoritySettings
from handrail.core.status import Status, status_of
from handrail.policies.actions import Refused
from handrail.policies.models import Audience, Communication, Kind, Policy, telling_began
from handrail.schools.models import School


class ToldInFuture(Refused):
    """The day has not come yet."""


class NotToBeTold(Refused):
    """Only the allergy safety policy is brought to people once a year, where a school has to have it."""


@dataclass(frozen=True)
class Told:
    """One audience, when it was told last, by when it is to be told, and how that stands. One that was never told is
    to be within a year of the first that was, and of the day on which the duty began or the school joined after that;
    no day is set while there is neither.
    """

    audience: Audience
    last: Communication | None
    due_on: date | None
    status: Status


@transaction.atomic
def record_communication(
    *, policy: Policy, audiences: Sequence[str], told_on: date, how: str, by: audit.Actor, at: datetime
) -> list[Communication]:
    """Record to whom a school brought its policy on a day, and how: to be done again within a year. What is there
    already stays, and so does what was recorded before. Raises ToldInFuture, NotToBeTold.
    """
    if policy.kind != Kind.ALLERGY_SAFETY or not policy.is_needed:
        raise NotToBeTold("This policy is not one that people are told of each year")
    if told_on > day_of(at):
        raise ToldInFuture("The day must be today or in the past")
    who = {"recorded_at": at, "recorded_by": by.actor_id, "recorded_by_name": by.actor_name}
    said = {"how": how, "due_on": told_on + relativedelta(years=1), **who}
    made = []
    for audience in audiences:
        about = {"policy": policy, "audience": audience, "told_on": told_on}
        found, is_new = Communication.objects.get_or_create(**about, defaults=said)
        made += [found] if is_new else []
    if made:
        audit.record(
            "recorded whom a policy was brought to",
            by=by,
            at=at,
            subject_kind="policy",
            subject_id=policy.id,
            school_id=policy.school_id,
            fields=[each.audience for each in made],
        )
    return made


def told(
    communications: Iterable[Communication], *, school: School | None, on: date, settings: AuthoritySettings
) -> list[Told]:
    """How each audience of a school's policy stands on the day `on`, by those of its communications that are given."""
    began_on = telling_began(on)
    of_law = [max(began_on, school.joined_on) + relativedelta(years=1)] if began_on and school else []
    in_order = sorted(communications, key=lambda each: each.told_on)
    newest = {each.audience: each for each in in_order}
    found = []
    for audience in Audience:
        last = newest.get(audience)
        due_on = last.due_on if last else min([*(each.due_on for each in in_order), *of_law], default=None)
        status = status_of(due_on, on=on, due_soon_days=settings.due_soon_days)
        found.append(Told(audience, last, due_on, status))
    return found


def told_of(policy: Policy, *, on: date, settings: AuthoritySettings) -> list[Told]:
    """How each audience stands, of a policy that people are told of; nothing of another."""
    is_told = policy.kind == Kind.ALLERGY_SAFETY and policy.is_needed
    return told(policy.communications.all(), school=policy.school, on=on, settings=settings) if is_told else []
