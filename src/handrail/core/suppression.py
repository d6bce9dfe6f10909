"""Counts of children that may be shown: none from 1 to 5, and none that those shown would give away. Pure.

A small count is hidden, and with it as many larger ones as it takes, until no group of hidden counts that are 1 to 5
together can be worked out by adding and subtracting what is shown (`given_away`). Counts of nought are shown and never
hidden. Which rows of a table show their totals follows from these alone: so where nobody comes or leaves, next month
shows the same ones, whatever has become of the counts.
"""

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from heapq import heappop, heappush
from itertools import count

SMALLEST_SHOWN = 6

Cell = tuple[int, int]
"""A count's row and column; the last of each are the totals."""


def is_small(value: int) -> bool:
    """Whether a count by itself says too much."""
    return 0 < value < SMALLEST_SHOWN


def suppressed(values: Sequence[int]) -> tuple[list[int | None], int | None]:
    """Counts and their total as they may be shown; None is hidden.

    Hidden counts are two or more, and together as many as may be shown; else the total is hidden with them.
    """
    total, hidden = sum(values), {place for place, value in enumerate(values) if is_small(value)}
    more = sorted((value, place) for place, value in enumerate(values) if value >= SMALLEST_SHOWN)
    hides_total = is_small(total)
    while hidden and not hides_total and (len(hidden) < 2 or is_small(sum(values[place] for place in hidden))):
        if more:
            hidden.add(more.pop(0)[1])
        else:
            hides_total = True
    shown = [None if place in hidden else value for place, value in enumerate(values)]
    return shown, None if hides_total else total


def suppressed_part(parts: Sequence[int], wholes: Sequence[int], may_show: Sequence[bool]) -> list[int | None]:
    """How many of each whole are of one kind, with their total at the end, as they may be shown; None is hidden.

    The wholes may be known, so neither a part nor what it leaves of its whole may be small. `may_show` says of each
    row, and at its end of the total, whether its whole is shown; the others are hidden. Hidden parts are those of two
    wholes or more that are not nought, which have and leave together as many as may be shown; else the total is hidden.
    """
    rests = [whole - part for part, whole in zip(parts, wholes, strict=True)]
    hidden = {
        place
        for place, (part, rest) in enumerate(zip(parts, rests, strict=True))
        if not may_show[place] or is_small(part) or is_small(rest)
    }
    shows_total = may_show[-1] and not is_small(sum(parts)) and not is_small(sum(rests))
    more = sorted((whole, place) for place, whole in enumerate(wholes) if whole and place not in hidden)

    def gives_away() -> bool:
        bearing = [place for place in hidden if wholes[place]]
        together = (sum(counts[place] for place in bearing) for counts in (parts, rests))
        return bool(bearing) and (len(bearing) < 2 or any(map(is_small, together)))

    while shows_total and gives_away():
        if more:
            hidden.add(more.pop(0)[1])
        else:
            shows_total = False
    shown = [None if place in hidden else part for place, part in enumerate(parts)]
    return [*shown, sum(parts) if shows_total else None]


def suppressed_table(rows: Sequence[Sequence[int]]) -> list[list[int | None]]:
    """A table of counts with a column and a row of totals added, as it may be shown; None is hidden.

    Raises ValueError when the rows are not equally long.
    """
    if len({len(row) for row in rows}) > 1:
        raise ValueError("every row of a table has as many counts as the others")
    whole = [[*row, sum(row)] for row in rows]
    whole.append([sum(column) for column in zip(*whole, strict=True)] or [0])
    totals, total = suppressed([row[-1] for row in whole[:-1]])
    right = len(whole[0]) - 1
    hidden = {(r, right) for r, value in enumerate([*totals, total]) if value is None}
    hidden |= {(r, c) for r, row in enumerate(whole) for c, value in enumerate(row[:-1]) if is_small(value)}
    while group := _small_group(hidden, whole):
        hidden |= _beside(group, hidden, whole)
    return [[None if (r, c) in hidden else value for c, value in enumerate(row)] for r, row in enumerate(whole)]


def given_away(counts: Sequence[int], known: Iterable[Sequence[int]]) -> set[int] | None:
    """The places of counts that are 1 to 5 together, and whose sum follows from known sums; None where there are none.

    A known sum says how often each count is in it. What follows from them is what no change leaves the sums as they
    are can move.
    """
    free = _changes(known, len(counts))
    return next(
        (
            group
            for group in _small_groups([*enumerate(counts)], SMALLEST_SHOWN - 1)
            if any(counts[place] for place in group) and not any(sum(each[place] for place in group) for each in free)
        ),
        None,
    )


def _small_groups(counts: Sequence[tuple[int, int]], most: int) -> Iterator[set[int]]:
    """The places of counts that are so many together, or fewer."""
    for number, (place, value) in enumerate(counts):
        if value <= most:
            yield {place}
            yield from ({place, *more} for more in _small_groups(counts[number + 1 :], most - value))


def _changes(known: Iterable[Sequence[int]], width: int) -> list[list[Fraction]]:
    """The ways in which so many counts may change while their known sums stay as they are."""
    rows: dict[int, list[Fraction]] = {}
    for each in known:
        row = [Fraction(value) for value in each]
        for column, other in rows.items():
            row = [a - row[column] * b for a, b in zip(row, other, strict=True)]
        pivot = next((column for column, value in enumerate(row) if value), None)
        if pivot is not None:
            row = [value / row[pivot] for value in row]
            rows = {
                column: [a - other[pivot] * b for a, b in zip(other, row, strict=True)]
                for column, other in rows.items()
            }
            rows[pivot] = row
    free = [column for column in range(width) if column not in rows]
    return [
        [-rows[place][column] if place in rows else Fraction(place == column) for place in range(width)]
        for column in free
    ]


Row = list[int | None]


def suppressed_in(rows: Sequence[Sequence[int]], sums: Row) -> list[Row]:
    """Rows of counts in a group, each with its total added, as they may be shown beside the group's `sums`, which are
    as they are shown in a table (`suppressed_table`) or in a larger group.

    A row is shown whole, or as its total alone, or not at all. Two rows or more keep their counts back, or none, and
    what those have of a column together may be shown; where the group's own sum of it is kept back, they have something
    of it.
    """
    totals = [sum(row) for row in rows]
    shown_totals = suppressed(totals)[0]
    by_size = sorted((total, place) for place, total in enumerate(totals) if total)
    if sums[-1] is None and None not in shown_totals:
        for _, place in by_size[:2]:
            shown_totals[place] = None
    kept = {
        place for place, row in enumerate(rows) if shown_totals[place] is None or any(is_small(count) for count in row)
    }
    while not _tells_nothing(rows, kept, sums):
        kept.add(next(place for _, place in by_size if place not in kept))
    return [
        [*(None if place in kept else count for count in row), shown_totals[place]] for place, row in enumerate(rows)
    ]


def _tells_nothing(rows: Sequence[Sequence[int]], kept: set[int], sums: Row) -> bool:
    """Whether the sums of a group and its rows that are shown say too little of those that are kept back."""
    shown = [row for place, row in enumerate(rows) if place not in kept and any(row)]
    if not shown:
        return True
    if not kept:
        return None not in sums
    if len(kept) == 1:
        return False
    together = [sum(column) for column in zip(*(rows[place] for place in kept), strict=True)]
    says_too_much = [is_small(count) or (sums[c] is None and not count) for c, count in enumerate(together)]
    return not any(is_so and any(row[c] for row in shown) for c, is_so in enumerate(says_too_much))


def _small_group(hidden: set[Cell], whole: list[list[int]]) -> set[Cell] | None:
    """Hidden counts that are 1 to 5 together and follow from the totals that are shown."""
    bottom, right = len(whole) - 1, len(whole[0]) - 1
    cells = sorted(cell for cell in hidden if cell[0] != bottom and cell[1] != right)
    totals = [*((row, right) for row in range(bottom + 1)), *((bottom, column) for column in range(right))]
    known = [
        [int(row in (cell[0], bottom) and column in (cell[1], right)) for cell in cells]
        for row, column in totals
        if (row, column) not in hidden
    ]
    group = given_away([whole[r][c] for r, c in cells], known)
    return None if group is None else {cells[place] for place in group}


def _beside(group: set[Cell], hidden: set[Cell], whole: list[list[int]]) -> set[Cell]:
    """What is hidden with a group that is given away: for one count the cheapest circle, else the next smallest count,
    in one of its rows or columns first. Never a row's total: which of them are shown follows from them alone.
    """
    bottom, right = len(whole) - 1, len(whole[0]) - 1
    way = _cheapest_circle(next(iter(group)), hidden, whole) if len(group) == 1 else None
    if way:
        return way
    rows, columns = {r for r, _ in group}, {c for _, c in group}
    shown = (
        (r == bottom, r not in rows and c not in columns, value, (r, c))
        for r, row in enumerate(whole)
        for c, value in enumerate(row[:right])
        if value and (r, c) not in hidden
    )
    return {min(shown)[-1]}


# Rows and columns are the places of a map and counts the ways between them: a count can be worked out from its row's
# and its column's totals, and so on, exactly when it lies on no circle of hidden counts.


def _cheapest_circle(cell: Cell, hidden: set[Cell], whole: list[list[int]]) -> set[Cell] | None:
    """The counts that close a circle with the cell and lose the least, if there is one without further rows' totals."""
    height, width, number = len(whole), len(whole[0]), count()

    def steps(place: tuple[str, int]) -> Iterator[tuple[tuple[str, int], Cell]]:
        if place[0] == "row":
            yield from ((("column", column), (place[1], column)) for column in range(width))
        else:
            yield from ((("row", row), (row, place[1])) for row in range(height))

    def price(found: Cell) -> int:
        if found in hidden:
            return 0
        is_total = found[0] == height - 1 or found[1] == width - 1
        return whole[found[0]][found[1]] + (whole[-1][-1] * 10 if is_total else 0)

    goal, done = ("column", cell[1]), set()
    queue: list[tuple[int, int, tuple[str, int], frozenset[Cell]]] = [(0, next(number), ("row", cell[0]), frozenset())]
    while queue:
        cost, _, place, way = heappop(queue)
        if place == goal:
            return set(way)
        if place in done:
            continue
        done.add(place)
        for further, step in steps(place):
            may_hide = step in hidden or step[1] < width - 1
            if step != cell and whole[step[0]][step[1]] > 0 and may_hide and further not in done:
                heappush(queue, (cost + price(step), next(number), further, way | {step}))
    return None
