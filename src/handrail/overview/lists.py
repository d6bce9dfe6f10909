"""The lists that officers work through, and what may be asked of them. Every number of the overview is a length of
one of these lists, so that a number and the list behind it cannot differ.
"""

from datetime import date, timedelta
from typing import Any

from django.db.models import Exists, F, OuterRef, Prefetch, Q, QuerySet, Subquery, TextChoices

from handrail.core.models import AuthoritySettings
from handrail.core.status import Status
from handrail.policies.models import NEEDED, SCHOOL_KINDS, Kind, Policy
from handrail.policies.reminders import NOBODY_TO_REMIND
from handrail.schools.models import School

SHORT_NAMES = {
    Kind.MEDICAL_CONDITIONS: "Medical conditions",
    Kind.ALLERGY_SAFETY: "Allergy safety",
    Kind.CANNOT_ATTEND: "Cannot attend",
}
"""What the head of a column has room for."""


class Urgency(TextChoices):
    """Why a policy is on the chase list."""

    OVERDUE = "overdue", "Overdue"
    OVERDUE_WEEK = "overdue-1-7", "Overdue 1 to 7 days"
    OVERDUE_MONTH = "overdue-8-30", "Overdue 8 to 30 days"
    OVERDUE_QUARTER = "overdue-31-90", "Overdue 31 to 90 days"
    OVERDUE_LONGER = "overdue-over-90", "Overdue more than 90 days"
    NOT_RECORDED = "not-recorded", "Not recorded"
    DUE_SOON = "due-soon", "Due soon"


AGES: dict[Urgency, tuple[int, int | None]] = {
    Urgency.OVERDUE_WEEK: (1, 7),
    Urgency.OVERDUE_MONTH: (8, 30),
    Urgency.OVERDUE_QUARTER: (31, 90),
    Urgency.OVERDUE_LONGER: (91, None),
}
"""Days overdue: the fewest and the most."""


class Only(TextChoices):
    """Schools that somebody has to do something about."""

    NEVER_SIGNED_IN = "never-signed-in", "Never signed in"
    NOBODY_TO_REMIND = "nobody-to-remind", "Nobody to remind"


class Order(TextChoices):
    NAME = "", "Name"
    NEXT_REVIEW = "next-review", "Next review, earliest first"


# -- policies --------------------------------------------------------------------------------------------


def policies_to_watch(*, on: date, settings: AuthoritySettings) -> QuerySet[Policy]:
    """The policies of open schools with their status, the most urgent first."""
    return (
        Policy.objects.of_schools()
        .with_status(on=on, settings=settings)
        .select_related("school")
        .order_by(F("next_review_on").asc(nulls_last=True), "school__name", "school__urn", "kind")
    )


TO_CHASE = Q(status__in=(Status.OVERDUE, Status.NOT_RECORDED))


def urgent(urgency: Urgency, *, on: date) -> Q:
    """Which of `policies_to_watch` are of this urgency on the day `on`."""
    if urgency in AGES:
        fewest, most = AGES[urgency]
        late = Q(status=Status.OVERDUE, next_review_on__lte=on - timedelta(days=fewest))
        return late if most is None else late & Q(next_review_on__gte=on - timedelta(days=most))
    if urgency == Urgency.NOT_RECORDED:
        return Q(status=Status.NOT_RECORDED)
    return Q(status=Status.DUE_SOON if urgency == Urgency.DUE_SOON else Status.OVERDUE)


def due_in_week(monday: date) -> Q:
    """Which fall due in the week that begins on `monday`, those that were late by now among them."""
    return NEEDED & Q(next_review_on__gte=monday, next_review_on__lt=monday + timedelta(days=7))


def chase_list(asked: dict[str, Any], *, on: date, settings: AuthoritySettings) -> QuerySet[Policy]:
    """What is overdue or was never recorded, unless `asked` (the cleaned filters) wants something else."""
    policies = policies_to_watch(on=on, settings=settings)
    if asked["urgency"]:
        policies = policies.filter(urgent(Urgency(asked["urgency"]), on=on))
    elif not asked["week"]:
        policies = policies.filter(TO_CHASE)
    if asked["week"]:
        policies = policies.filter(due_in_week(asked["week"]))
    if asked["kind"]:
        policies = policies.filter(kind=asked["kind"])
    if asked["phase"]:
        policies = policies.filter(school__phase_name=asked["phase"])
    return policies


# -- schools ---------------------------------------------------------------------------------------------


def nobody_to_remind() -> Q:
    """Schools with a policy about which no reminder could reach anybody."""
    return Q(Exists(Policy.objects.filter(NEEDED, NOBODY_TO_REMIND, school=OuterRef("pk"))))


def schools_list(asked: dict[str, Any], *, on: date, settings: AuthoritySettings) -> QuerySet[School]:
    """Open schools that fit what is `asked` (the cleaned filters), each with its policies in `kept`."""
    statuses = Policy.objects.with_status(on=on, settings=settings)
    schools = School.objects.open()
    if asked["q"]:
        typed = asked["q"]
        schools = schools.filter(Q(name__icontains=typed) | Q(urn__startswith=typed) | Q(town__icontains=typed))
    for kind in SCHOOL_KINDS:
        if asked[kind]:
            schools = schools.filter(Exists(statuses.filter(Q(school=OuterRef("pk"), kind=kind, status=asked[kind]))))
    for name, column in (("phase", "phase_name"), ("body", "body"), ("trust", "trust_name")):
        if asked[name]:
            schools = schools.filter(**{column: asked[name]})
    if asked["only"] == Only.NEVER_SIGNED_IN:
        schools = schools.never_signed_in(on=on)
    elif asked["only"] == Only.NOBODY_TO_REMIND:
        schools = schools.filter(nobody_to_remind())
    if asked["sort"] == Order.NEXT_REVIEW:
        first = Policy.objects.filter(NEEDED, school=OuterRef("pk"), next_review_on__isnull=False)
        first_due = Subquery(first.order_by("next_review_on").values("next_review_on")[:1])
        schools = schools.order_by(first_due.asc(nulls_last=True), "name", "urn")
    return schools.prefetch_related(Prefetch("policies", statuses, to_attr="kept"))
