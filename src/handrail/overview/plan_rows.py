"""Rows of counts of plans, as all of them may be shown together: of schools, of types of school in each phase, and of
phases. Pure.

Each row has how many plans are of each status and, at its end, how many of them are covered.
"""

from collections.abc import Sequence

from handrail.core.status import Status
from handrail.core.suppression import Row, suppressed_in, suppressed_part, suppressed_table

STATUSES = (Status.IN_DATE, Status.DUE_SOON, Status.OVERDUE)
"""What an active plan may be; each table has a column for each, and one for all of them."""

Counts = Sequence[int]


def as_may_be_shown(
    counted: Sequence[Sequence[Sequence[Counts]]],
) -> tuple[list[list[list[Row]]], list[list[Row]], list[Row]]:
    """The rows of schools by phase and type, those of the types by phase, and those of the phases with their total, as
    all of them may be shown together.

    How many are covered is shown only in rows that keep nothing else back, since it is one more thing to subtract.
    """
    if not counted:
        return [], [], [[0] * (len(STATUSES) + 2)]
    of_types = [[_sums(those) for those in of_phase] for of_phase in counted]
    of_phases = [_sums(rows) for rows in of_types]
    phases = suppressed_table([row[:-1] for row in of_phases])
    types = [_in(rows, sums) for rows, sums in zip(of_types, phases, strict=False)]
    schools = [
        [_in(rows, sums) for rows, sums in zip(of_phase, shown, strict=True)]
        for of_phase, shown in zip(counted, types, strict=True)
    ]
    of_school = [
        [suppressed_part(*_parts(rows), [*map(_is_whole, shown), True]) for rows, shown in zip(*each, strict=True)]
        for each in zip(counted, schools, strict=True)
    ]
    of_type = [
        suppressed_part(*_parts(rows), [*_may_show(shown, below), True])
        for rows, shown, below in zip(of_types, types, of_school, strict=True)
    ]
    of_phase = suppressed_part(*_parts(of_phases), [*_may_show(phases, of_type), _is_whole(phases[-1])])
    for row, value in zip(phases, of_phase, strict=True):
        row.append(value)
    for p, rows in enumerate(types):
        for t, row in enumerate(rows):
            row.append(None if of_phase[p] is None else of_type[p][t])
            for school, value in zip(schools[p][t], of_school[p][t], strict=False):
                school.append(None if row[-1] is None else value)
    return schools, types, phases


def _in(rows: Sequence[Counts], sums: Row) -> list[Row]:
    return suppressed_in([row[:-1] for row in rows], sums)


def _sums(rows: Sequence[Counts]) -> Counts:
    return [sum(column) for column in zip(*rows, strict=True)]


def _is_whole(row: Row) -> bool:
    return None not in row


def _may_show(rows: Sequence[Row], below: Sequence[Row]) -> list[bool]:
    """Of which rows it may be shown how many are covered: those that are whole, and whose parts can be kept."""
    return [_is_whole(row) and parts[-1] is not None for row, parts in zip(rows, below, strict=False)]


def _parts(rows: Sequence[Sequence[int]]) -> tuple[list[int], list[int]]:
    """How many plans of each row are covered, and of how many that could be: those that are not overdue."""
    overdue = STATUSES.index(Status.OVERDUE)
    return [row[-1] for row in rows], [sum(row[:-1]) - row[overdue] for row in rows]
