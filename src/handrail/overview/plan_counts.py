"""How well reviews of children's plans are going, in numbers that tell of no child: by phase, school and month.

Beside what falls due stands how many plans are covered (plans/coverage.py). Counts from 1 to 5 are kept back, and so
are those that would give them away (core/suppression.py): all that is shown here of plans is shown by what this module
gives.

Nor can two answers be subtracted. What is counted once stands for four weeks, whatever happens to plans and schools
meanwhile, and no setting of the authority's moves a plan from one count to another: one more in a column from one day
to the next, or from one setting to another, would be one child.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from handrail.core.status import Status
from handrail.core.suppression import Row, suppressed, suppressed_groups, suppressed_part, suppressed_table
from handrail.plans.coverage import is_covered
from handrail.plans.models import HealthcarePlan
from handrail.plans.tally import PlanTally
from handrail.schools.models import School
from tenants.database import execute

STATUSES = (Status.IN_DATE, Status.DUE_SOON, Status.OVERDUE)
"""What an active plan may be; each table has a column for each, and one for all of them."""

DUE_SOON_DAYS = 30
"""What counts as due soon here, in days before the review, whatever the authority has chosen for other pages."""

STANDS_FOR = timedelta(days=28)
"""How long plans are not counted again."""

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

    @property
    def again_on(self) -> date:
        """The first day on which somebody who looks is shown a new count."""
        return self.counted_on + STANDS_FOR


Group = dict[str, list[tuple[str, str, tuple[int, ...]]]]
"""The URN and name of each open school, with its counts by status and of plans that are covered, by phase."""


def plan_counts(*, on: date) -> PlanCounts:
    """The active plans of open schools by phase and month, as they were when they were counted last."""
    tally = _standing(on=on)
    groups = _groups(tally)
    _, table = _shown(groups)
    lines = [Line(phase, counts) for phase, counts in zip(groups, table, strict=False)]
    total = Line("All schools", table[-1])
    by_day = {date.fromisoformat(day): count for day, count in tally.by_day.items()}
    return PlanCounts(lines, total, _by_month(by_day, total), tally.counted_on)


def plan_counts_by_school(*, on: date) -> list[Line]:
    """The same of each school, by name. What the table by phase shows gives nothing away of them, nor they of it."""
    groups = _groups(_standing(on=on))
    rows, _ = _shown(groups)
    schools = [
        Line(name, counts, urn=urn, phase=phase)
        for (phase, those), shown in zip(groups.items(), rows, strict=True)
        for (urn, name, _), counts in zip(those, shown, strict=True)
    ]
    return sorted(schools, key=lambda line: (line.label, line.urn))


def overdue(*, on: date) -> int | None:
    """How many plans of the authority are overdue for review, as the table by phase shows it; None is kept back."""
    groups = _groups(_standing(on=on))
    return _by_phase(groups)[-1][STATUSES.index(Status.OVERDUE)] if groups else 0


def _standing(*, on: date) -> PlanTally:
    """The count that stands on the day `on`. Where there is none, plans are counted now; if there are any, it stands.

    Of two people who look at once both are given the same.
    """
    standing = PlanTally.objects.filter(counted_on__gt=on - STANDS_FOR, counted_on__lte=on).order_by("counted_on")
    found: PlanTally | None = standing.first()
    if found is None:
        found = _counted(on=on)
        if any(any(counts) for *_, counts in found.schools):
            PlanTally.objects.bulk_create([found], ignore_conflicts=True)
            found = standing.first() or found
    return found


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


def _counted(*, on: date) -> PlanTally:
    """The schools' counts, and how many plans that are in date fall due on which day: all rows are read once."""
    covered, more = HealthcarePlan.objects.filter(is_covered(on=on)).order_by().values("id").query.sql_with_params()
    asked = [on, on + timedelta(days=DUE_SOON_DAYS), *more]
    found, by_day = {}, {}
    for school_id, due_on, *counts in execute(COUNTED.format(covered=covered), asked):
        if school_id:
            found[school_id] = counts
        elif counts[0]:
            by_day[due_on.isoformat()] = counts[0]
    nothing = [0] * (len(STATUSES) + 1)
    schools = [
        [urn, name, _phase(phase), found.get(school_id, nothing)]
        for school_id, urn, name, phase in School.objects.open().values_list("id", "urn", "name", "phase_name")
    ]
    return PlanTally(counted_on=on, schools=schools, by_day=by_day)


def _groups(tally: PlanTally) -> Group:
    groups: Group = {}
    for urn, name, phase, counts in tally.schools:
        groups.setdefault(phase, []).append((urn, name, tuple(counts)))
    return dict(sorted(groups.items()))


def _shown(groups: Group) -> tuple[list[list[Row]], list[Row]]:
    """The rows of each phase's schools and those of the phases with their total, as all of them may be shown.

    How many are covered is shown only in rows that keep nothing else back, since it is one more thing to subtract.
    """
    if not groups:
        return [], [[0] * (len(STATUSES) + 2)]
    counted = [[counts for *_, counts in those] for those in groups.values()]
    rows, table = suppressed_groups([[counts[:-1] for counts in those] for those in counted])
    schools = [
        suppressed_part(*_parts(those), [*(None not in row for row in shown), True])
        for those, shown in zip(counted, rows, strict=True)
    ]
    can_be_kept = [covered[-1] is not None for covered in schools]
    sums = [[sum(column) for column in zip(*those, strict=True)] for those in counted]
    whole = [None not in row and can for row, can in zip(table, [*can_be_kept, True], strict=True)]
    phases = suppressed_part(*_parts(sums), whole)
    for those, covered, of_phase in zip(rows, schools, phases, strict=False):
        for row, value in zip(those, covered, strict=False):
            row.append(None if of_phase is None else value)
    for row, value in zip(table, phases, strict=True):
        row.append(value)
    return rows, table


def _parts(rows: Sequence[Sequence[int]]) -> tuple[list[int], list[int]]:
    """How many plans of each row are covered, and of how many that could be: those that are not overdue."""
    overdue = STATUSES.index(Status.OVERDUE)
    return [row[-1] for row in rows], [sum(row[:-1]) - row[overdue] for row in rows]


def _by_phase(groups: Group) -> list[Row]:
    sums = [
        [sum(column) for column in zip(*(counts[:-1] for *_, counts in those), strict=True)]
        for those in groups.values()
    ]
    return suppressed_table(sums)


def _by_month(by_day: dict[date, int], total: Line) -> list[tuple[date, int | None]]:
    """Nothing is shown by month when the table by phase keeps back how many they are."""
    counts: dict[date, int] = {}
    for day, count in by_day.items():
        counts[day.replace(day=1)] = counts.get(day.replace(day=1), 0) + count
    months = list(_months(min(counts), max(counts))) if counts else []
    if total.counts[STATUSES.index(Status.IN_DATE)] is None:
        return [(month, None) for month in months]
    return list(zip(months, suppressed([counts.get(month, 0) for month in months])[0], strict=True))


def _phase(name: str) -> str:
    return name if name and name != "Not applicable" else OTHER


def _months(first: date, last: date) -> Iterator[date]:
    month = first.replace(day=1)
    while month <= last:
        yield month
        month = (month + timedelta(days=31)).replace(day=1)
