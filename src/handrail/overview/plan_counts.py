"""How well reviews of children's plans are going, in numbers that tell of no child: by phase, type of school,
school and month.

Beside what falls due stands how many plans are covered (plans/coverage.py). Counts from 1 to 5 are kept back, and so
are those that would give them away (core/suppression.py): all that is shown here of plans is shown by what this module
gives.

Nor can two answers be subtracted. Plans are counted as at the last day of each month, once it is over, and that stands
until the next month has ended, whatever happens to plans and schools meanwhile; and no setting of the authority's moves
a plan from one count to another: one more in a column from one day to the next, or from one setting to another, would
be one child. The first count is made when plans are looked at for the first time, and stands until a month has ended
four weeks later or more.

Where nobody came or left, two counts together give no small group away either. Where some did, each gives none away by
itself; but two together may, to somebody who knows from elsewhere how many came and left at each school.

A count is kept as it may be shown, and nothing else of it. So earlier months, of which the clock makes one each
(`workflows/plan_counts.py`), are shown again as they were then.

Which conditions plans are for is counted with them, by rules of its own: see plan_conditions.py.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import QuerySet

from handrail.core.calendar import month_end_before
from handrail.core.status import Status
from handrail.core.suppression import SMALLEST_SHOWN, Row, suppressed
from handrail.overview import plan_conditions
from handrail.overview.plan_rows import STATUSES as STATUSES
from handrail.overview.plan_rows import as_may_be_shown
from handrail.plans.coverage import is_covered
from handrail.plans.models import HealthcarePlan
from handrail.plans.tally import PlanTally
from handrail.schools.models import School
from tenants.database import execute

ALL = len(STATUSES)
"""The place of all active plans in a row of counts."""

DUE_SOON_DAYS = 30
"""What counts as due soon here, in days before the review, whatever the authority has chosen for other pages."""

STANDS_FOR = timedelta(days=28)
"""How far two counts are apart at the least, which two ends of a month always are."""

CHILDREN_UNTIL = timedelta(days=3)
"""How long after a month has ended its children are still counted. Nobody can count them as at a day long past, and two
counts of them stay four weeks apart, so that one child is not what differs.
"""

ONE_DAY = timedelta(days=1)

ALL_SCHOOLS = "All schools"

OTHER = "Special and other"
"""The phase of schools that have none in the register."""


@dataclass(frozen=True)
class Line:
    """A row of a table: counts by status, altogether, and of those that are covered; None is kept back."""

    label: str
    counts: Row
    urn: str = ""
    phase: str = ""


@dataclass(frozen=True)
class PlanCounts:
    """By phase, and of the plans that are in date by the first day of the month in which they fall due."""

    phases: list[Line]
    total: Line
    months: list[tuple[date, int | None]]
    counted_on: date
    is_newest: bool

    @property
    def again_on(self) -> date:
        """The first day on which somebody who looks is shown a new count."""
        return _next_month(self.counted_on + STANDS_FOR)


@dataclass(frozen=True)
class Month:
    """How plans stood in one month: when they were last counted in it, which is its end but for a first count."""

    counted_on: date
    phases: list[Line]
    types: list[Line]
    total: Line
    conditions: dict[str, int]
    """How many are for which condition, to the nearest ten; empty where those of a month before stood."""

    @property
    def is_at_its_end(self) -> bool:
        return (self.counted_on + ONE_DAY).day == 1


class NotCounted(LookupError):
    """Plans were not counted on that day."""


Schools = list[tuple[str, str, tuple[int, ...]]]
"""The URN and name of each, with its counts by status and of plans that are covered."""

Groups = dict[str, dict[str, Schools]]
"""The open schools by phase, and in each by establishment type."""


def plan_counts(*, on: date, counted_on: date | None = None) -> PlanCounts:
    """The active plans of open schools by phase and month, as they were when they were counted last, or on a day
    before. Raises NotCounted.
    """
    tally = _tally(PlanTally.objects.defer("schools"), on=on, counted_on=counted_on)
    *phases, total = _lines(tally)
    months = [(date.fromisoformat(month), count) for month, count in tally.months]
    is_newest = not PlanTally.objects.filter(counted_on__gt=tally.counted_on, counted_on__lte=on).exists()
    return PlanCounts(phases, total, months, tally.counted_on, is_newest)


def plan_counts_by_school(*, on: date, counted_on: date | None = None) -> list[Line]:
    """The same of each school, by name. What the table by phase shows gives nothing away of them, nor they of it.
    Raises NotCounted.
    """
    tally = _tally(PlanTally.objects.all(), on=on, counted_on=counted_on)
    return [Line(name, counts, urn=urn, phase=phase) for urn, name, phase, counts in tally.schools]


def last_count(*, on: date, urn: str = "") -> tuple[date, Line] | None:
    """How the plans of a school, or of all of them, stood when they were counted last until a day; None where nobody
    had counted any. Counts nothing itself.
    """
    tally = PlanTally.objects.filter(counted_on__lte=on).order_by("-counted_on").first()
    if tally is None:
        return None
    if not urn:
        return tally.counted_on, _lines(tally)[-1]
    found = (Line(name, counts, urn=each, phase=phase) for each, name, phase, counts in tally.schools if each == urn)
    return next(((tally.counted_on, line) for line in found), None)


def month_by_month(*, on: date) -> list[Month]:
    """How plans stood in each month until now, the newest first: each as it was counted then, and unchanged since."""
    tallies = PlanTally.objects.defer("schools").filter(counted_on__lte=on).order_by("counted_on")
    last_of_month = {(tally.counted_on.year, tally.counted_on.month): tally for tally in tallies}
    newest_first = [(tally, _lines(tally)) for tally in reversed(last_of_month.values())]
    return [
        Month(tally.counted_on, lines[:-1], [Line(*each) for each in tally.types], lines[-1], _in_order(tally))
        for tally, lines in newest_first
    ]


def schools_at_month_ends(*, on: date) -> Iterator[tuple[date, Line]]:
    """How the plans of each school stood at the end of each month that is over, the oldest first."""
    for tally in PlanTally.objects.filter(counted_on__lt=on).order_by("counted_on"):
        if (tally.counted_on + ONE_DAY).day == 1:
            for urn, name, phase, counts in tally.schools:
                yield tally.counted_on, Line(name, counts, urn=urn, phase=phase)


def plans_by_condition(*, on: date) -> tuple[date, dict[str, int]] | None:
    """How many active plans are for which condition, to the nearest ten, and when they were counted so: the numbers
    that stood on a day. None where there were none. Counts nothing itself.
    """
    told = PlanTally.objects.defer("schools").exclude(conditions={}).filter(counted_on__lte=on)
    tally = told.order_by("-counted_on").first()
    return (tally.counted_on, _in_order(tally)) if tally else None


def overdue(*, on: date) -> int | None:
    """How many plans of the authority are overdue for review, as the table by phase shows it; None is kept back."""
    tally = _standing(PlanTally.objects.defer("schools"), on=on)
    return _lines(tally)[-1].counts[STATUSES.index(Status.OVERDUE)]


def count_plans(*, on: date) -> None:
    """Count plans when a month has ended: there is a count of every month, whoever looks.

    For which conditions they are is counted here alone: no page opens them all.
    """
    _standing(PlanTally.objects.defer("schools"), on=on, of_conditions=True)


Tallies = QuerySet[PlanTally]


def _tally(tallies: Tallies, *, on: date, counted_on: date | None) -> PlanTally:
    """The count of a day until now, or the one that stands. Raises NotCounted."""
    if counted_on is None:
        return _standing(tallies, on=on)
    found = tallies.filter(counted_on=counted_on, counted_on__lte=on).first()
    if found is None:
        raise NotCounted
    return found


def _standing(tallies: Tallies, *, on: date, of_conditions: bool = False) -> PlanTally:
    """The count that stands on the day `on`: the newest, or one that is made now, which stands if there are any plans.

    It is made as at the end of the month, unless nobody counted until long after it, or ever before. Of two people who
    look at once both are given the same.
    """
    newest = tallies.filter(counted_on__lte=on).order_by("-counted_on").first()
    ended_on = month_end_before(on)
    if newest and ended_on - newest.counted_on < STANDS_FOR:
        return newest
    is_in_time = newest and on - ended_on <= CHILDREN_UNTIL
    found = _counted(on=ended_on if is_in_time else on, of_conditions=of_conditions)
    if _lines(found)[-1].counts[ALL] != 0:  # also when it is kept back
        PlanTally.objects.bulk_create([found], ignore_conflicts=True)
        found = tallies.filter(counted_on=found.counted_on).first() or found
    return found


def _lines(tally: PlanTally) -> list[Line]:
    """Each phase, and at the end all schools."""
    return [Line(label, counts) for label, counts in tally.phases]


def _in_order(tally: PlanTally) -> dict[str, int]:
    """How many plans are for which condition, in the order of the form."""
    return {each: tally.conditions[each] for each in plan_conditions.LABELS if each in tally.conditions}


COUNTED = """
WITH asked (day, soon) AS (VALUES (%s::date, %s::date)), covered (id) AS MATERIALIZED ({covered})
SELECT pupil.school_id, plan.due_on, count(*) FILTER (WHERE due_on > soon),
    count(*) FILTER (WHERE due_on BETWEEN day AND soon), count(*) FILTER (WHERE due_on < day),
    count(covered.id)
FROM asked, plans_healthcareplan plan JOIN schools_pupil pupil ON pupil.id = plan.pupil_id
    LEFT JOIN covered ON covered.id = plan.id
WHERE plan.stage = 'active' AND (pupil.left_on IS NULL OR pupil.left_on > day)
    AND pupil.school_id NOT IN (SELECT id FROM schools_school WHERE closed_on IS NOT NULL)
GROUP BY GROUPING SETS ((pupil.school_id), (plan.due_on))
"""


def _counted(*, on: date, of_conditions: bool) -> PlanTally:
    """The counts as they may be shown, by school, phase and month in which plans fall due: all rows are read once."""
    covered, more = HealthcarePlan.objects.filter(is_covered(on=on)).order_by().values("id").query.sql_with_params()
    asked = [on, on + timedelta(days=DUE_SOON_DAYS), *more]
    found: dict[Any, tuple[int, ...]] = {}
    by_month: dict[date, int] = {}
    for school_id, due_on, *counts in execute(COUNTED.format(covered=covered), asked):
        if school_id:
            found[school_id] = tuple(counts)
        elif counts[0]:
            month = due_on.replace(day=1)
            by_month[month] = by_month.get(month, 0) + counts[0]
    nothing = (0,) * (len(STATUSES) + 1)
    groups: Groups = {}
    there = School.objects.open().order_by("phase_name", "type_name", "name", "urn")
    for school_id, urn, name, phase, kind in there.values_list("id", "urn", "name", "phase_name", "type_name"):
        of_phase = groups.setdefault(phase_of(phase), {})
        of_phase.setdefault(kind, []).append((urn, name, found.get(school_id, nothing)))
    groups = dict(sorted(groups.items()))
    schools, types, phases = as_may_be_shown(
        [[[counts for *_, counts in those] for those in of_phase.values()] for of_phase in groups.values()]
    )
    tally = PlanTally(
        counted_on=on,
        schools=sorted(_of_schools(groups, schools), key=lambda each: (each[1], each[0])),
        phases=[[label, counts] for label, counts in zip([*groups, ALL_SCHOOLS], phases, strict=True)],
        types=_of_types(groups, types),
        months=[[month.isoformat(), count] for month, count in _by_month(by_month, phases[-1])],
    )
    if of_conditions and phases[-1][ALL]:
        tally.conditions = _conditions(tally, [sum(counts[:-1]) for counts in found.values()])
    return tally


def _of_schools(groups: Groups, shown: list[list[list[Row]]]) -> list[tuple[str, str, str, Row]]:
    return [
        (urn, name, phase, counts)
        for (phase, types), of_phase in zip(groups.items(), shown, strict=True)
        for those, rows in zip(types.values(), of_phase, strict=True)
        for (urn, name, _), counts in zip(those, rows, strict=True)
    ]


def _of_types(groups: Groups, shown: list[list[Row]]) -> list[tuple[str, Row]]:
    """Each type over all phases: a sum of what is shown of it in each, and nothing where any of that is kept back."""
    found: dict[str, Row] = {}
    for types, rows in zip(groups.values(), shown, strict=True):
        for kind, row in zip(types, rows, strict=True):
            before = found.get(kind, [0] * len(row))
            found[kind] = [None if a is None or b is None else a + b for a, b in zip(before, row, strict=True)]
    return sorted(found.items())


def _conditions(tally: PlanTally, by_school: list[int]) -> dict[str, int]:
    """Which conditions the plans are for. Nothing where they may not be told anew: what was told last stands."""
    earlier = [
        (then.conditions, plan_conditions.moved(_totals(then), _totals(tally)))
        for then in PlanTally.objects.exclude(conditions={})
    ]
    if any(sum(moved) < SMALLEST_SHOWN for _, moved in earlier):
        return {}
    counts = plan_conditions.counted(on=tally.counted_on, total=sum(by_school))
    shown = plan_conditions.as_may_be_shown(counts, by_school) if counts else {}
    return shown if all(plan_conditions.may_follow(then, shown, *moved) for then, moved in earlier) else {}


def _totals(tally: PlanTally) -> dict[str, int | None]:
    """The active plans of each school, as they are shown."""
    return {urn: counts[ALL] for urn, _, _, counts in tally.schools}


def _by_month(counts: dict[date, int], total: Row) -> list[tuple[date, int | None]]:
    """Nothing is shown by month when the table by phase keeps back how many they are."""
    months = list(_months(min(counts), max(counts))) if counts else []
    if total[STATUSES.index(Status.IN_DATE)] is None:
        return [(month, None) for month in months]
    return list(zip(months, suppressed([counts.get(month, 0) for month in months])[0], strict=True))


def phase_of(name: str) -> str:
    """The phase as tables of counts have it."""
    return name if name and name != "Not applicable" else OTHER


def _months(first: date, last: date) -> Iterator[date]:
    month = first.replace(day=1)
    while month <= last:
        yield month
        month = _next_month(month)


def _next_month(day: date) -> date:
    """The first day of the month that follows."""
    return (day.replace(day=1) + timedelta(days=31)).replace(day=1)
