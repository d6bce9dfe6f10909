"""The officer's overview in numbers: each is the length of a list in `lists`, and says which."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, Q
from django.db.models.functions import TruncWeek
from django.urls import reverse

from handrail.core.models import AuthoritySettings
from handrail.overview.lists import (
    AGES,
    SHORT_NAMES,
    Only,
    Urgency,
    policies_to_watch,
    urgent,
)
from handrail.policies.models import NEEDED, SCHOOL_KINDS, Kind
from handrail.schools.models import School

WEEKS_AHEAD = 13


@dataclass(frozen=True)
class Figure:
    """A number and the list that it is the length of."""

    value: int
    href: str


@dataclass(frozen=True)
class AgeRow:
    """How many policies are overdue by so many days, or never recorded: of each kind, and altogether."""

    label: str
    kinds: list[Figure]
    total: Figure


@dataclass(frozen=True)
class Week:
    """How many reviews fall due in the week that begins on `monday`."""

    monday: date
    due: Figure


@dataclass(frozen=True)
class Figures:
    overdue: Figure
    due_soon: Figure
    not_recorded: Figure
    never_signed_in: Figure
    ages: list[AgeRow]
    weeks: list[Week]


def figures(*, on: date, settings: AuthoritySettings) -> Figures:
    """Count everything, in three questions to the database."""
    counts = _by_kind(on=on, settings=settings)
    silent = School.objects.open().never_signed_in(on=on).count()
    return Figures(
        overdue=_policies(counts, Urgency.OVERDUE),
        due_soon=_policies(counts, Urgency.DUE_SOON),
        not_recorded=_policies(counts, Urgency.NOT_RECORDED),
        never_signed_in=Figure(silent, _address("overview:schools", only=Only.NEVER_SIGNED_IN)),
        ages=[
            AgeRow(
                label=label,
                kinds=[_policies(counts, urgency, kind) for kind in SCHOOL_KINDS],
                total=_policies(counts, urgency),
            )
            for urgency, label in AGE_LABELS.items()
        ],
        weeks=_weeks(on=on, settings=settings),
    )


AGE_LABELS = {
    **{u: f"{fewest} to {most} days" if most else f"Over {fewest - 1} days" for u, (fewest, most) in AGES.items()},
    Urgency.NOT_RECORDED: "Never recorded",
}

KIND_HEADINGS = [SHORT_NAMES[kind] for kind in SCHOOL_KINDS]


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _by_kind(*, on: date, settings: AuthoritySettings) -> Mapping[str, Mapping[str, int]]:
    """kind -> urgency -> how many."""
    counted: Any = (
        policies_to_watch(on=on, settings=settings)
        .order_by()
        .values("kind")
        .annotate(**{urgency.name: Count("pk", filter=urgent(urgency, on=on)) for urgency in Urgency})
    )
    return {row["kind"]: row for row in counted}


def _policies(counts: Mapping[str, Mapping[str, int]], urgency: Urgency, kind: Kind | None = None) -> Figure:
    kinds = [kind] if kind else SCHOOL_KINDS
    value = sum(counts.get(each, {}).get(urgency.name, 0) for each in kinds)
    return Figure(value, _address("overview:chase", urgency=urgency, **({"kind": kind} if kind else {})))


def _weeks(*, on: date, settings: AuthoritySettings) -> list[Week]:
    first = monday_of(on)
    mondays = [first + timedelta(days=7 * number) for number in range(WEEKS_AHEAD)]
    counted: Any = (
        policies_to_watch(on=on, settings=settings)
        .filter(NEEDED, Q(next_review_on__gte=first, next_review_on__lt=mondays[-1] + timedelta(days=7)))
        .order_by()
        .values(week=TruncWeek("next_review_on"))
        .annotate(due=Count("pk"))
    )
    due = {row["week"]: row["due"] for row in counted}
    return [Week(day, Figure(due.get(day, 0), _address("overview:chase", week=day))) for day in mondays]


def _address(name: str, **asked: Any) -> str:
    return f"{reverse(name)}?{urlencode({key: str(value) for key, value in asked.items()})}"
