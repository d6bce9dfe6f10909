"""What other settings would do to the policies there are: told before they are saved, done when they are."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Case, Count, DateField, F, Func, Q, QuerySet, Value, When
from django.db.models.expressions import Combinable

from handrail.core.models import AuthoritySettings
from handrail.core.status import Status, status_case
from handrail.policies.cycle import YEARLY
from handrail.policies.models import NEEDED, Policy


@dataclass(frozen=True)
class Move:
    """How many policies go from one status to another."""

    before: Status
    after: Status
    policies: int


@dataclass(frozen=True)
class Effect:
    """How many dates of next review change, and which statuses do on the day asked about."""

    dates: int
    moves: list[Move]


def effect_of(after: AuthoritySettings, *, instead_of: AuthoritySettings, on: date) -> Effect:
    """What `after` would change on the day `on`. Two questions, however many policies there are."""
    follow = policies_that_follow(instead_of.review_months)
    proposed = Case(
        When(next_review_on=next_review(instead_of.review_months), then=next_review(after.review_months)),
        default=F("next_review_on"),
    )
    rows = (
        watched()
        .annotate(
            proposed_on=proposed,
            before=status_case("next_review_on", on=on, due_soon_days=instead_of.due_soon_days, needed=NEEDED),
            after=status_case("proposed_on", on=on, due_soon_days=after.due_soon_days, needed=NEEDED),
        )
        .exclude(before=F("after"))
        .values_list("before", "after")
        .annotate(policies=Count("id"))
        .order_by("before", "after")
    )
    return Effect(
        dates=follow.exclude(next_review_on=next_review(after.review_months)).count(),
        moves=[Move(Status(before), Status(after), policies) for before, after, policies in rows],
    )


def policies_that_follow(months: int) -> QuerySet[Policy]:
    """Those whose next review falls where the authority's number of months puts it. A school chose the others."""
    return watched().filter(next_review_on=next_review(months))


def watched() -> QuerySet[Policy]:
    """Policies of open schools, and the authority's own."""
    return Policy.objects.filter(Q(school=None) | Q(school__closed_on=None))


def next_review(months: int) -> Combinable:
    """`policies.cycle.next_review` in SQL, from the day of the last review. A test holds the two together."""
    allowed = Case(When(kind__in=YEARLY, then=Value(min(months, 12))), default=Value(months))
    interval = Func(Value(0), allowed, function="make_interval")
    return Func(
        F("last_reviewed_on"),
        interval,
        template="(%(expressions)s)::date",
        arg_joiner=" + ",
        output_field=DateField(),
    )
