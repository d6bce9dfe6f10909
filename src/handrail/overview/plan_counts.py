"""How well reviews of children's plans are going, in numbers that tell of no child: by phase, school and month.

Counts from 1 to 5 are kept back, and so are those that would give them away (core/suppression.py): all that is shown
here of plans is shown by what this module gives.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import TruncMonth

from handrail.core.models import AuthoritySettings
from handrail.core.status import Status
from handrail.core.suppression import Row, suppressed, suppressed_groups, suppressed_table
from handrail.plans.models import HealthcarePlan, Stage
from handrail.schools.models import School

STATUSES = (Status.IN_DATE, Status.DUE_SOON, Status.OVERDUE)
"""What an active plan may be; each table has a column for each, and one for all of them."""

OTHER = "Special and other"
"""The phase of schools that have none in the register."""


@dataclass(frozen=True)
class Line:
    """A row of a table: counts by status and altogether; None is kept back."""

    label: str
    counts: Row
    urn: str = ""
    phase: str = ""


@dataclass(frozen=True)
class PlanCounts:
    phases: list[Line]
    total: Line
    schools: list[Line]


def plan_counts(*, on: date, settings: AuthoritySettings) -> PlanCounts:
    """Count the active plans of open schools, in two questions to the database."""
    groups = _by_phase(on=on, settings=settings)
    rows, table = suppressed_groups([[counts for *_, counts in those] for those in groups.values()])
    schools = [
        Line(name, counts, urn=urn, phase=phase)
        for (phase, those), shown in zip(groups.items(), rows, strict=True)
        for (urn, name, _), counts in zip(those, shown, strict=True)
    ]
    return PlanCounts(
        phases=[Line(phase, counts) for phase, counts in zip(groups, table, strict=False)],
        total=Line("All schools", table[-1] if groups else [0] * (len(STATUSES) + 1)),
        schools=sorted(schools, key=lambda line: (line.label, line.urn)),
    )


def overdue(*, on: date, settings: AuthoritySettings) -> int | None:
    """How many plans of the authority are overdue for review, as the table by phase shows it; None is kept back."""
    groups = _by_phase(on=on, settings=settings).values()
    sums = [[sum(column) for column in zip(*(counts for *_, counts in those), strict=True)] for those in groups]
    return suppressed_table(sums)[-1][STATUSES.index(Status.OVERDUE)] if sums else 0


def months_ahead(total: Line, *, on: date, settings: AuthoritySettings) -> list[tuple[date, int | None]]:
    """How many of the plans that are in date fall due in each month, by its first day, to the last of them.

    Nothing is shown by month when the table by phase keeps back how many they are.
    """
    soon = on + timedelta(days=settings.due_soon_days)
    later = _active(on=on).filter(due_on__gt=soon, pupil__school__closed_on=None)
    counted = dict(later.values_list(TruncMonth("due_on")).annotate(Count("pk")))
    if not counted:
        return []
    months = list(_months(soon + timedelta(days=1), max(counted)))
    if total.counts[STATUSES.index(Status.IN_DATE)] is None:
        return [(month, None) for month in months]
    return list(zip(months, suppressed([counted.get(month, 0) for month in months])[0], strict=True))


def _active(*, on: date) -> QuerySet[HealthcarePlan]:
    there = Q(pupil__left_on=None) | Q(pupil__left_on__gt=on)
    return HealthcarePlan.objects.filter(there, stage=Stage.ACTIVE).order_by()


def _by_phase(*, on: date, settings: AuthoritySettings) -> dict[str, list[tuple[str, str, tuple[int, ...]]]]:
    """The URN, name and counts by status of each open school, by phase."""
    soon = on + timedelta(days=settings.due_soon_days)
    counted: Any = (
        _active(on=on)
        .values_list("pupil__school_id")
        .annotate(
            in_date=Count("pk", filter=Q(due_on__gt=soon)),
            due_soon=Count("pk", filter=Q(due_on__gte=on, due_on__lte=soon)),
            overdue=Count("pk", filter=Q(due_on__lt=on)),
        )
    )
    found = {school_id: tuple(counts) for school_id, *counts in counted}
    groups: dict[str, list[tuple[str, str, tuple[int, ...]]]] = {}
    for school_id, urn, name, phase in School.objects.open().values_list("id", "urn", "name", "phase_name"):
        groups.setdefault(_phase(phase), []).append((urn, name, found.get(school_id, (0,) * len(STATUSES))))
    return dict(sorted(groups.items()))


def _phase(name: str) -> str:
    return name if name and name != "Not applicable" else OTHER


def _months(first: date, last: date) -> Iterator[date]:
    month = first.replace(day=1)
    while month <= last:
        yield month
        month = (month + timedelta(days=31)).replace(day=1)
