"""No count from 1 to 5 is shown, and none that is hidden can be worked out."""

from fractions import Fraction
from itertools import product

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from handrail.core.suppression import is_small, suppressed, suppressed_in, suppressed_part, suppressed_table

counts = st.one_of(st.integers(0, 8), st.integers(0, 60))


@st.composite
def tables(draw, most=4):
    width = draw(st.integers(1, most))
    return draw(st.lists(st.lists(counts, min_size=width, max_size=width), min_size=1, max_size=most))


@pytest.mark.parametrize(
    ("values", "shown", "total"),
    [
        ([], [], 0),
        ([0, 0], [0, 0], 0),
        ([10, 20], [10, 20], 30),
        ([3, 20, 10], [None, 20, None], 33),
        ([3, 4, 10], [None, None, 10], 17),
        ([1, 1, 10], [None, None, None], 12),
        ([3, 0, 0], [None, 0, 0], None),
        ([2, 2], [None, None], None),
        ([5, 5], [None, None], 10),
        ([5, 0, 9], [None, 0, None], 14),
    ],
)
def test_a_row(values, shown, total):
    assert suppressed(values) == (shown, total)


@pytest.mark.parametrize(
    ("rows", "shown"),
    [
        ([[10, 20], [30, 40]], [[10, 20, 30], [30, 40, 70], [40, 60, 100]]),
        ([[3, 20], [30, 40]], [[None, None, 23], [None, None, 70], [33, 60, 93]]),
        ([[0, 3]], [[0, None, None], [0, None, None]]),
        ([[3, 30, 30], [30, 7, 30], [30, 30, 9]],
         [[None, None, 30, 63], [None, None, 30, 67], [30, 30, 9, 69], [63, 67, 69, 199]]),
    ],
)  # fmt: skip
def test_a_table(rows, shown):
    assert suppressed_table(rows) == shown


def test_a_table_has_rows_of_one_length():
    with pytest.raises(ValueError, match="as many counts"):
        suppressed_table([[1], [1, 2]])


@given(st.lists(counts, max_size=8))
def test_no_row_gives_a_count_away(values):
    shown, total = suppressed(values)
    hidden = [value for value, seen in zip(values, shown, strict=True) if seen is None]
    assert not any(is_small(value) for value in [*shown, total] if value is not None)
    assert all(value > 0 for value in hidden)
    if hidden and total is not None:
        assert len(hidden) > 1
        assert not is_small(total - sum(value for value in shown if value is not None))


def whole(rows):
    table = [[*row, sum(row)] for row in rows]
    return [*table, [sum(column) for column in zip(*table, strict=True)]]


def another(cell, shown, true):
    """A table that shows the same and has something else here, found by trying; None when there is none.

    Hidden counts move by one round a circle of rows and columns, of which each keeps its sum: up and down in turn,
    but the same way for a count and its total.
    """
    height, width = len(true), len(true[0])
    hidden = {(r, c) for r, c in product(range(height), range(width)) if shown[r][c] is None}

    def circle(place, used, is_row):
        if place == cell[1] and not is_row:
            return used
        for r, c in sorted(hidden - set(used)):
            if (r if is_row else c) == place:
                found = circle(c if is_row else r, [*used, (r, c)], not is_row)
                if found:
                    return found
        return None

    way = circle(cell[0], [cell], True)
    if way is None:
        return None
    table = [list(row) for row in true]
    for number, (r, c) in enumerate(way):
        sign = (-1) ** (number + (r == height - 1) + (c == width - 1))
        table[r][c] += sign
    return table


@given(tables())
@example([[0, 0, 6], [0, 0, 6], [0, 1, 0], [0, 1, 0]])  # a six that is hidden with others may be worked out
def test_no_table_gives_a_small_count_away(rows):
    shown, true = suppressed_table(rows), whole(rows)
    for r, c in product(range(len(true)), range(len(true[0]))):
        if shown[r][c] is None and not is_small(true[r][c]):
            assert true[r][c] > 0
        elif shown[r][c] is None:
            other = another((r, c), shown, true)
            assert other is not None, (r, c, shown)
            assert other == whole([row[:-1] for row in other[:-1]])
            assert other[r][c] != true[r][c]
            assert min(min(row) for row in other) >= 0
            assert all(
                seen in (None, here)
                for row, have in zip(shown, other, strict=True)
                for seen, here in zip(row, have, strict=True)
            )
        else:
            assert shown[r][c] == true[r][c]
            assert not is_small(true[r][c])


def suppressed_groups(groups):
    """The rows of groups, and the table of the groups' sums."""
    table = suppressed_table([[sum(column) for column in zip(*rows, strict=True)] for rows in groups])
    return [suppressed_in(rows, sums) for rows, sums in zip(groups, table, strict=False)], table


@st.composite
def grouped(draw):
    width = draw(st.integers(2, 3))
    row = st.lists(counts, min_size=width, max_size=width)
    return draw(st.lists(st.lists(row, min_size=1, max_size=5), min_size=1, max_size=3))


def known(equations, wanted):
    """Which of the unknowns `wanted` have one value only under linear equations, each unknown -> factor."""
    found = {}  # reduced: the unknown that leads -> its equation
    for equation in equations:
        left = dict(equation)
        for lead, other in found.items():
            _take(left, left.get(lead, 0), other)
        lead = next(iter(left), None)
        if lead is None:
            continue
        left = {name: Fraction(factor) / left[lead] for name, factor in left.items()}
        for other in found.values():
            _take(other, other.get(lead, 0), left)
        found[lead] = left
    return [name for name in wanted if name in found and len(found[name]) == 1]


def _take(equation, times, other):
    for name, factor in list(other.items()):
        equation[name] = equation.get(name, 0) - times * factor
        if not equation[name]:
            del equation[name]


@given(grouped())
def test_no_group_gives_a_count_away(groups):
    rows_shown, table = suppressed_groups(groups)
    true = whole([[sum(column) for column in zip(*rows, strict=True)] for rows in groups])
    cells = {("sum", r, c): (table[r][c], true[r][c]) for r, c in product(range(len(true)), range(len(true[0])))}
    width = len(true[0]) - 1
    equations = [[*(("sum", r, c) for c in range(width)), ("sum", r, width)] for r in range(len(true))]
    equations += [[("sum", r, c) for r in range(len(true))] for c in range(width + 1)]
    for g, rows in enumerate(groups):
        for r, row in enumerate(rows):
            have = [*row, sum(row)]
            cells |= {(g, r, c): (rows_shown[g][r][c], have[c]) for c in range(width + 1)}
            equations.append([(g, r, c) for c in range(width + 1)])
        equations += [[*((g, r, c) for r in range(len(rows))), ("sum", g, c)] for c in range(width + 1)]
    for shown, have in cells.values():
        assert shown in (None, have)
        assert shown is None or not is_small(shown)
    unknown = [{name: 1 if name != each[-1] else -1 for name in each if cells[name][0] is None} for each in equations]
    small = [name for name, (_, have) in cells.items() if is_small(have)]
    assert known(unknown, small) == []


@pytest.mark.parametrize(
    ("groups", "shown"),
    [
        ([[[20, 10], [0, 0]]], [[[20, 10, 30], [0, 0, 0]]]),
        ([[[20, 3], [30, 10], [40, 50]], [[9, 9]]], [[[None, None, 23], [None, None, 40], [40, 50, 90]], [[9, 9, 18]]]),
        ([[[2, 1], [30, 10]]], [[[None, None, None], [None, None, None]]]),
    ],
)
def test_groups(groups, shown):
    assert suppressed_groups(groups)[0] == shown


def test_a_thousand_rows_take_no_time():
    groups = [[[50 + n % 7, n % 9, n % 4] for n in range(250)] for _ in range(4)]
    assert sum(None in row for rows in suppressed_groups(groups)[0] for row in rows) > 500


@pytest.mark.parametrize(
    ("parts", "wholes", "shown"),
    [
        ([], [], [0]),
        ([10, 20], [30, 40], [10, 20, 30]),
        ([3, 20], [30, 40], [None, None, 23]),
        ([27, 20, 9], [30, 40, 30], [None, 20, None, 56]),  # what it leaves is small
        ([30, 20], [30, 40], [30, 20, 50]),
        ([0, 20], [30, 40], [0, 20, 20]),
        ([2, 1, 20], [30, 40, 50], [None, None, None, 23]),
        ([3], [30], [None, None]),
    ],
)
def test_a_part(parts, wholes, shown):
    assert suppressed_part(parts, wholes, [True] * (len(parts) + 1)) == shown


def test_a_part_of_what_is_hidden_is_hidden():
    assert suppressed_part([10, 20, 9], [30, 40, 30], [False, True, True, True]) == [None, 20, None, 39]
    assert suppressed_part([10, 20], [30, 40], [False, True, False]) == [None, 20, None]


wholes_that_are_shown = st.one_of(st.just(0), st.integers(6, 14))
parts_of_them = wholes_that_are_shown.flatmap(lambda whole: st.tuples(st.integers(0, whole), st.just(whole)))


@given(st.lists(parts_of_them, min_size=1, max_size=4))
def test_no_part_gives_a_count_away(rows):
    """To somebody who knows every whole: each hidden part might be another one, found by trying them all."""
    parts, wholes = [part for part, _ in rows], [whole for _, whole in rows]
    shown = suppressed_part(parts, wholes, [True] * (len(rows) + 1))
    *seen, total = shown
    assert not any(is_small(part) or is_small(whole - part) for part, whole in zip(seen, wholes, strict=True) if part)
    might_be = [[each] if each is not None else range(whole + 1) for each, whole in zip(seen, wholes, strict=True)]
    found = [each for each in product(*might_be) if total is None or sum(each) == total]
    for place, part in enumerate(seen):
        if part is None and wholes[place]:
            assert len({each[place] for each in found}) > 1, (rows, shown)
