"""What falls due to a person, as a calendar (RFC 5545): policies by name, and of a child nothing but a reference."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID, uuid5

from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from icalendar import Calendar, Event

from handrail.accounts.models import Membership, User
from handrail.accounts.roles import Permission
from handrail.core.reference import reference
from handrail.notices.models import REFERENCES
from handrail.plans.models import HealthcarePlan, Stage
from handrail.plans.reminders import MAY_COORDINATE
from handrail.policies.models import NEEDED, Kind, Policy
from handrail.policies.reminders import IN_A_SENTENCE


@dataclass(frozen=True)
class Due:
    """Something that falls due on a day, in words that anybody may read over the person's shoulder."""

    id: UUID
    on: date
    words: str
    path: str


def due(user: User, *, on: date) -> list[Due]:
    """What the person has to see to, the earliest first. `user.as_at(on)` has been called."""
    return sorted([*_policies(user), *_plans(user, on=on)], key=lambda each: (each.on, each.words))


def _policies(user: User) -> Iterator[Due]:
    """Those of the schools that the person records reviews for, and the authority's own to whoever keeps it."""
    user.act_under(Permission.RECORD_REVIEWS)
    theirs = Q(school__in=user.school_ids, school__closed_on=None)
    if user.may(Permission.EDIT_AUTHORITY_POLICY):
        theirs |= Q(school=None)
    for policy in Policy.objects.filter(NEEDED, theirs).select_related("school"):
        if policy.next_review_on:
            whose = f" of {policy.school}" if policy.school else ""
            words = f"Review the {IN_A_SENTENCE[Kind(policy.kind)]}{whose}"
            yield Due(policy.id, policy.next_review_on, words, reverse("policies:record_review", kwargs=policy.place))


def _plans(user: User, *, on: date) -> Iterator[Due]:
    """The active ones that the person coordinates, and to a school's leads those that nobody does who may."""
    user.act_under(Permission.SEE_PLANS)
    seen = HealthcarePlan.objects.visible_to(user)
    user.act_under(Permission.EDIT_PLANS)
    coordinated = Membership.objects.current(on=on).filter(
        user=OuterRef("coordinator"), school=OuterRef("pupil__school"), role__in=MAY_COORDINATE, user__is_active=True
    )
    theirs = Q(coordinator=user) | (Q(pupil__school__in=user.school_ids) & ~Q(Exists(coordinated)))
    there = (Q(pupil__left_on=None) | Q(pupil__left_on__gt=on)) & Q(pupil__school__closed_on=None)
    for plan_id, due_on in seen.filter(theirs, there, stage=Stage.ACTIVE).values_list("id", "due_on"):
        if due_on:
            called = reference(plan_id)
            words = f"A review is due. Reference {called}. Sign in."
            yield Due(plan_id, due_on, words, reverse("plans:item", args=[called]))


def as_calendar(found: Iterable[Due], *, site: str, at: datetime) -> bytes:
    """The file that calendars fetch. Each event keeps its own id when its day moves, and takes no time of the day."""
    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", "-//Handrail//Reviews//EN")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", "Handrail")
    calendar.add("x-published-ttl", "PT12H")
    for each in found:
        event = Event()
        event.add("uid", f"{uuid5(REFERENCES, str(each.id))}@handrail")
        event.add("dtstamp", at)
        event.add("dtstart", each.on)
        event.add("dtend", each.on + timedelta(days=1))
        event.add("summary", each.words)
        event.add("url", f"{site}{each.path}")
        event.add("transp", "TRANSPARENT")
        calendar.add_component(event)
    return calendar.to_ical()
