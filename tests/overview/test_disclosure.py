"""What can be worked out from the tables of counts that anybody is given, by adding and subtracting all they show.

Children are put into cells no table is finer than. Each number shown is the sum of some cells; whoever adds and
subtracts such numbers as they like, under whatever filters, gets what lies in the span of those sums. So a group of 1
to 5 children is given away exactly when it lies there: every such group is tried.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, combinations, product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handrail.core.suppression import SMALLEST_SHOWN, suppressed, suppressed_table
from handrail.overview import plan_conditions
from handrail.overview.plan_rows import as_may_be_shown


def tried(times: int) -> settings:
    """So many cases, the same each time; by `--long` some thousands, and others each time."""
    is_long = settings.default.max_examples > 1000
    most = settings.default.max_examples if is_long else times
    return settings(max_examples=most, deadline=None, database=None, derandomize=not is_long)


Cell = Any
Sums = list[Mapping[Cell, int]]
"""Of each number that is known, how often each cell is in it."""


def given_away(children: Mapping[Cell, int], known: Sums, within: Sequence[Cell] | None = None) -> list[set[Cell]]:
    """The groups of 1 to 5 children that can be worked out. Of a sum that is nought every cell is known to be empty."""
    sums = (each for each in known if all(n > 0 for n in each.values()))
    empty = {cell for each in sums if not any(children[cell] for cell in each) for cell in each}
    cells = [cell for cell in children if cell not in empty]
    free = _null_space([[each.get(cell, 0) % PRIME for cell in cells] for each in known], len(cells))
    places = [place for place, cell in enumerate(cells) if within is None or cell in within]
    found = []
    for group in _small_groups([(place, children[cells[place]]) for place in places], SMALLEST_SHOWN - 1):
        is_anybody = any(children[cells[place]] for place in group)
        if is_anybody and all(not sum(each[place] for place in group) % PRIME for each in free):
            found.append({cells[place] for place in group})
    return found


def _small_groups(counts: Sequence[tuple[int, int]], most: int) -> Iterator[list[int]]:
    for number, (place, count) in enumerate(counts):
        if count <= most:
            yield [place]
            for more in _small_groups(counts[number + 1 :], most - count):
                yield [place, *more]


PRIME = 2**61 - 1
"""Everything is reckoned modulo this: it is quick, and none of these sums comes near it."""


def _null_space(rows: list[list[int]], width: int) -> list[list[int]]:
    """How cells may change while every known sum stays as it is."""
    pivots: list[int] = []
    for column in range(width):
        height = len(pivots)
        row = next((r for r in range(height, len(rows)) if rows[r][column]), None)
        if row is None:
            continue
        rows[height], rows[row] = rows[row], rows[height]
        inverse = pow(rows[height][column], -1, PRIME)
        rows[height] = [value * inverse % PRIME for value in rows[height]]
        for r in range(len(rows)):
            if r != height and (times := rows[r][column]):
                rows[r] = [(a - times * b) % PRIME for a, b in zip(rows[r], rows[height], strict=True)]
        pivots.append(column)
    found = []
    for column in set(range(width)) - set(pivots):
        vector = [0] * width
        vector[column] = 1
        for r, pivot in enumerate(pivots):
            vector[pivot] = -rows[r][column] % PRIME
        found.append(vector)
    return found


Phases = Sequence[Sequence[Sequence[Sequence[int]]]]
"""The schools of each phase, by type."""

COUNTS = st.sampled_from([0, 1, 2, 3, 5, 6, 7, 9, 14, 30])
STATUSES = ("in date", "due soon", "overdue")
COVER = ("covered", "not covered", "overdue")


def tables(phases: Phases, *, of_cover: bool) -> tuple[dict[Cell, int], Sums]:
    """Plans by phase, type, school and status, or by whether they are covered; and what the tables of plans show.

    A school is given as plans in date, due soon, overdue, and how many in a hundred of the first two are covered.
    """
    counted = [[[(a, b, c, (a + b) * n // 100) for a, b, c, n in rows] for rows in types] for types in phases]
    schools = {
        (p, t, s): row for p, types in enumerate(counted) for t, rows in enumerate(types) for s, row in enumerate(rows)
    }
    children: dict[Cell, int] = {}
    for place, (a, b, c, covered) in schools.items():
        counts = (covered, a + b - covered, c) if of_cover else (a, b, c)
        children |= {(*place, part): n for part, n in zip(COVER if of_cover else STATUSES, counts, strict=True)}
    of_schools, of_types, of_phases = as_may_be_shown(counted)
    groups = [(p, t) for p, types in enumerate(counted) for t in range(len(types))]
    places = [
        *([each] for each in schools),
        *([each for each in schools if each[:2] == group] for group in groups),
        *([each for each in schools if each[0] == p] for p in range(len(phases))),
        [*schools],
    ]
    rows = [*(row for types in of_schools for rows in types for row in rows), *chain(*of_types), *of_phases]
    known: Sums = []
    for of, (in_date, due_soon, overdue, every_one, covered) in zip(places, rows, strict=True):
        able = None if in_date is None or due_soon is None else in_date + due_soon
        shown: Any = (
            {("covered",): covered, COVER[:2]: able, ("overdue",): overdue, COVER: every_one}
            if of_cover
            else {("in date",): in_date, ("due soon",): due_soon, ("overdue",): overdue, STATUSES: every_one}
        )
        for parts, value in shown.items():
            if value is not None:
                known.append({(*place, part): 1 for place in of for part in parts})
                assert value == sum(children[cell] for cell in known[-1])
    return children, known


SCHOOL = st.tuples(COUNTS, COUNTS, COUNTS, st.sampled_from([0, 10, 50, 90, 100]))
TYPES = st.lists(st.lists(SCHOOL, min_size=1, max_size=3), min_size=1, max_size=2)
PHASES = st.lists(TYPES, min_size=1, max_size=3)


class TestPlans:
    @pytest.mark.parametrize("of_cover", [False, True])
    @given(phases=PHASES)
    @tried(100)
    def test_give_no_small_group_away(self, of_cover: bool, phases: Any) -> None:
        assert given_away(*tables(phases, of_cover=of_cover)) == []

    @given(data=st.data(), phases=PHASES)
    @tried(50)
    def test_give_none_away_over_three_months_in_which_nobody_came_or_left(self, data: Any, phases: Any) -> None:
        """Time has passed, so plans stand otherwise; who knows that each school has the same ones learns nothing."""

        def later(school: Any) -> Any:
            return (*data.draw(st.permutations(school[:3])), school[3])

        months = [[[[later(each) for each in rows] for rows in types] for types in phases] for _ in "ab"]
        assert over_months(phases, *months) == []

    def test_may_give_some_away_over_two_to_somebody_who_knows_how_many_came_and_left_at_each_school(self) -> None:
        """What is not promised: see overview/plan_counts.py."""
        first, later = [[[(6, 3, 6, 50)]], [[(5, 0, 1, 50)]]], [[[(1, 6, 6, 50)]], [[(0, 0, 5, 50)]]]
        assert {(2, 0, 0, 0, "in date")} in over_months(first, later)

    @pytest.mark.parametrize(
        ("first", "later"),
        [
            ([[[(2, 0, 2, 50)]], [[(1, 6, 9, 50), (0, 9, 3, 50)]], [[(9, 2, 14, 50)]]],
             [[[(2, 2, 0, 50)]], [[(1, 9, 6, 50), (3, 9, 0, 50)]], [[(9, 2, 14, 50)]]]),
            ([[[(5, 0, 5, 50)]], [[(0, 9, 0, 50)]], [[(1, 30, 9, 50)]], [[(3, 2, 7, 50)]]],
             [[[(5, 0, 5, 50)]], [[(0, 9, 0, 50)]], [[(9, 1, 30, 50)]], [[(3, 2, 7, 50)]]]),
        ],
    )  # fmt: skip
    def test_keep_the_same_totals_back_in_both(self, first: Any, later: Any) -> None:
        """Were the small phase's total hidden with another one's each month, the two would tell it together."""
        assert over_months(first, later) == []


def over_months(*months: Phases) -> list[set[Cell]]:
    """What somebody finds who has the counts of all months, and knows of each school how many more or fewer plans it
    has in each than in the first.
    """
    children: dict[Cell, int] = {}
    known: Sums = []
    for month, phases in enumerate(months, start=1):
        found, shown = tables(phases, of_cover=False)
        children |= {(month, *cell): count for cell, count in found.items()}
        known += [{(month, *cell): n for cell, n in each.items()} for each in shown]
    schools = [(p, t, s) for p, types in enumerate(months[0]) for t, rows in enumerate(types) for s in range(len(rows))]
    known += [
        {(month, *place, part): sign for month, sign in ((1, 1), (later, -1)) for part in STATUSES}
        for later in range(2, len(months) + 1)
        for place in schools
    ]
    return [
        group
        for month in range(1, len(months) + 1)
        for group in given_away(children, known, [cell for cell in children if cell[0] == month])
    ]


# -- conditions ------------------------------------------------------------------------------------------

Counts = tuple[int, ...]
"""Plans by condition."""


def some_of(conditions: int) -> list[tuple[int, ...]]:
    """Each condition, and some of them together, but not all."""
    return [each for size in range(1, conditions) for each in combinations(range(conditions), size)]


def told(counts: Counts) -> Counts:
    """A table of plans of many schools; empty where it tells nothing."""
    return tuple(plan_conditions.as_may_be_shown(dict(zip("abcdef", counts, strict=False)), [0]).values())


def may_follow(then: Counts, now: Counts, came: int, left: int) -> bool:
    before, after = (dict(zip("abcdef", each, strict=False)) for each in (then, now))
    return plan_conditions.may_follow(before, after, came, left)


def worlds(shown: Counts, total: int) -> list[Counts]:
    """All that a table and the exact number of all plans can stand for."""
    ranges = [range(max(each - 5, 0), each + 5) for each in shown]
    return [counts for counts in product(*ranges) if sum(counts) == total]


def found_among_those_who_moved(then: Counts, came: Counts, left: Counts) -> list[tuple[str, tuple[int, ...]]]:
    """Of which conditions it can be said that 1 to 5 of those who came, or who left, have them.

    By somebody who has both tables, and knows who came and who left, and that nothing else changed.
    """
    now = tuple(a + b - c for a, b, c in zip(then, came, left, strict=True))
    number = {"came": sum(came), "left": sum(left)}
    both = product(worlds(told(then), sum(then)), worlds(told(now), sum(now)))
    return _the_same_in_all(_moves(both, number), len(then))


def _moves(both: Iterable[tuple[Counts, Counts]], number: Mapping[str, int]) -> Iterator[Any]:
    """Of each pair of worlds how many of which condition came and left at least, and how many more did of each."""
    for then, now in both:
        least = {
            "came": [max(b - a, 0) for a, b in zip(then, now, strict=True)],
            "left": [max(a - b, 0) for a, b in zip(then, now, strict=True)],
        }
        if (more := number["came"] - sum(least["came"])) >= 0:
            yield least, [min(pair) for pair in zip(then, now, strict=True)], more


def _the_same_in_all(moves: Iterator[Any], conditions: int) -> list[tuple[str, tuple[int, ...]]]:
    found: dict[tuple[str, tuple[int, ...]], tuple[int, int] | None] = dict.fromkeys(
        product(("came", "left"), some_of(conditions))
    )
    for least, may_be_both, more in moves:
        for way, group in [*found]:
            base = sum(least[way][place] for place in group)
            others = sum(may_be_both) - (here := sum(may_be_both[place] for place in group))
            low, high = base + max(0, more - others), base + min(more, here)
            before = found[way, group]
            low, high = (low, high) if before is None else (min(low, before[0]), max(high, before[1]))
            if low < high:
                del found[way, group]
            else:
                found[way, group] = low, high
        if not found:
            break
    return [each for each, values in found.items() if values and 0 < values[0] < SMALLEST_SHOWN]


PLANS = st.sampled_from([0, 1, 2, 4, 5, 6, 9, 14, 15, 24, 25, 40])
MOVES = st.lists(st.tuples(st.integers(0, 2), st.booleans(), st.sampled_from([1, 2, 5, 6, 7, 11])), max_size=3)
"""Of which condition so many children came, or left."""


class TestConditions:
    @given(counts=st.lists(PLANS, min_size=2, max_size=4))
    @tried(150)
    def test_may_be_those_of_five_numbers_at_least(self, counts: Any) -> None:
        shown = told(tuple(counts))
        possible = worlds(shown, sum(counts)) if shown else []
        for group in some_of(len(counts)) if shown else []:
            assert len({sum(each[place] for place in group) for each in possible}) >= 5

    @given(then=st.tuples(PLANS, PLANS, PLANS), moves=MOVES)
    @tried(100)
    def test_are_not_found_over_two_tables_between_which_children_came_and_left(self, then: Any, moves: Any) -> None:
        came, left = (
            tuple(sum(n for place, is_new, n in moves if (place, is_new) == (c, way)) for c in range(len(then)))
            for way in (True, False)
        )
        now = tuple(a + b - c for a, b, c in zip(then, came, left, strict=True))
        shown = (told(then), told(now)) if min(now) >= 0 else ((), ())
        if all(shown) and may_follow(*shown, sum(came), sum(left)):
            assert found_among_those_who_moved(then, came, left) == []

    def test_would_be_found_if_tables_followed_each_other_sooner(self) -> None:
        """One child came, and one figure is another: so the child has that condition."""
        assert ("came", (0,)) in found_among_those_who_moved((34, 12, 9), (1, 0, 0), (0, 0, 0))
        assert not may_follow((30, 10, 10), (40, 10, 10), 6, 0)
        assert may_follow((30, 10, 10), (40, 10, 10), 7, 0)

    def test_would_be_found_if_those_who_came_hid_the_one_who_left(self) -> None:
        assert ("left", (2,)) in found_among_those_who_moved((2, 40, 25), (7, 11, 0), (0, 0, 1))
        assert not may_follow((0, 40, 30), (10, 50, 20), 18, 1)


class TestOthers:
    @given(rows=st.lists(st.tuples(COUNTS, COUNTS, COUNTS), min_size=1, max_size=4))
    @tried(150)
    def test_handovers_by_stage_and_age(self, rows: Any) -> None:
        cells = {(r, c): count for r, row in enumerate(rows) for c, count in enumerate(row)}
        known: Sums = []
        for r, row in enumerate(suppressed_table(rows)):
            for c, value in enumerate(row):
                if value is not None:
                    known.append({cell: 1 for cell in cells if r in (cell[0], len(rows)) and c in (cell[1], 3)})
        assert given_away(cells, known) == []

    @given(counts=st.lists(COUNTS, min_size=1, max_size=6))
    @tried(150)
    def test_sickness_returns_by_phase_and_reviews_by_month(self, counts: Any) -> None:
        shown, total = suppressed(counts)
        known: Sums = [{place: 1} for place, value in enumerate(shown) if value is not None]
        known += [] if total is None else [dict.fromkeys(range(len(counts)), 1)]
        assert given_away(dict(enumerate(counts)), known) == []
