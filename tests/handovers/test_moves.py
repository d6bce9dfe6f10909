"""The published table of moves: each legal move leads where it says, and every other is refused in words."""

from datetime import date, timedelta
from itertools import product
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as some

from handrail.handovers.moves import (
    CORRECTABLE,
    IN_WORDS,
    LATE_DAYS,
    MOVES,
    NO_MOVEMENT_DAYS,
    OVER,
    RETURN_FOLLOWS,
    REVIEW_WEEKS,
    STILL,
    STILL_ON,
    TABLE,
    TAUGHT_UNTIL,
    UPDATED_BY,
    Escalation,
    IllegalMove,
    Move,
    Side,
    State,
    after,
    asked_by,
    due_on,
    follow,
    may_be_made,
    may_follow,
    next_review_on,
    school_days_after,
    update_on,
)
from handrail.schools.models import Term
from handrail.schools.terms import Calendar

CALENDAR = Calendar([])
MONDAY, FRIDAY = date(2026, 11, 23), date(2026, 11, 27)


class TestTheTable:
    @pytest.mark.parametrize("state", [None, *State])
    def test_allows_what_it_names_and_nothing_else(self, state: State | None) -> None:
        for name, side in product(MOVES, Side):
            move = MOVES[name]
            if move.by == side and ((state in move.of) if state else not move.of):
                assert after(state, name, by=side) == (move.to or state)
            else:
                with pytest.raises(IllegalMove, match=r"Only|cannot be done now"):
                    after(state, name, by=side)

    def test_reaches_every_state_and_leaves_each_that_is_not_the_end(self) -> None:
        assert {move.to for move in TABLE if move.to} == set(State)
        for state in State:
            moves = {move.name for move in TABLE if state in move.of}
            if state in OVER:
                assert moves == ({"send_back", "open_back"} if state in TAUGHT_UNTIL else set())
            else:
                assert moves

    def test_says_whose_move_is_next_until_it_is_over(self) -> None:
        for move in TABLE:
            assert (move.next_by is None) == (move.to in OVER or move.name in ("correct", "go_on_alone"))

    def test_gives_somebody_of_the_side_that_is_next_a_move(self) -> None:
        for move in TABLE:
            for state in [move.to] if move.to else move.of:
                assert not move.next_by or may_be_made(state, by=move.next_by)

    def test_has_words_for_every_state(self) -> None:
        assert set(IN_WORDS) == set(State) and len(set(IN_WORDS.values())) == len(State)

    @pytest.mark.parametrize(
        ("state", "side", "names"),
        [
            (State.SUBMITTED, Side.SETTING, ["acknowledge"]),
            (State.ACKNOWLEDGED, Side.SETTING, ["ask_for_more", "accept", "decline"]),
            (State.ACCEPTED, Side.SETTING, ["accept", "decline", "begin"]),
            (State.RETURN_PLANNED, Side.SETTING, ["plan_return", "teach_again", "send_back", "pass_on"]),
            (State.PHASED_RETURN, Side.SETTING, ["teach_again", "send_back"]),
            (State.MORE_ASKED, Side.HOME, ["submit", "end", "withdraw"]),
            (State.ACTIVE, Side.HOME, ["end", "correct"]),
            (State.ACTIVE, Side.SETTING, ["update", "review", "plan_return", "pass_on"]),
            (State.PHASED_RETURN, Side.HOME, ["open_back", "review_return", "confirm_return", "end", "correct"]),
            (State.RETURNED, Side.HOME, ["open_back"]),
            (State.ENDED, Side.SETTING, ["send_back"]),
            (State.DECLINED, Side.SETTING, []),
        ],
    )
    def test_says_what_a_side_may_do(self, state: State, side: Side, names: list[str]) -> None:
        assert [move.name for move in may_be_made(state, by=side)] == names

    @pytest.mark.parametrize("state", State)
    def test_lets_a_return_pack_follow_for_four_weeks(self, state: State) -> None:
        days = [may_follow(state, since_on=MONDAY, on=MONDAY + timedelta(days=each)) for each in (0, 28, 29)]
        assert timedelta(days=28) == RETURN_FOLLOWS
        if state in TAUGHT_UNTIL:
            assert days == [True, True, False]
        else:
            assert days == [state in (State.RETURN_PLANNED, State.PHASED_RETURN)] * 3


class One(NamedTuple):
    """One of two sides: where it stands, how often it knows the child taught again, and what it has yet to hear."""

    side: Side
    state: State
    again: int = 0
    hears: tuple[tuple[str, int], ...] = ()

    def makes(self, move: Move, other: "One") -> tuple["One", "One"]:
        again = self.again + (move.name == "teach_again")
        moved = self._replace(state=after(self.state, move.name, by=self.side), again=again)
        return moved, other._replace(hears=(*other.hears, (move.name, again)))

    def heard(self) -> "One":
        (name, known), *later = self.hears
        has_crossed = self.side == Side.SETTING and known < self.again
        state = follow(self.state, name, has_crossed=has_crossed)
        return One(self.side, state, self.again + (name == "teach_again"), tuple(later))

    def heard_all(self) -> State:
        return self.heard().heard_all() if self.hears else self.state


def next_of(one: One, other: One) -> list[tuple[One, One]]:
    """All that the first of two sides can do next: make a move of its own, or hear of one of the other's."""
    made = [one.makes(move, other) for move in may_be_made(one.state, by=one.side)]
    return [*made, (one.heard(), other)] if one.hears else made


class TestTwoSidesThatCross:
    """Each side moves as it likes, and hears of the other's moves later, in the order in which they were made."""

    @pytest.mark.parametrize("begun", sorted(set(CORRECTABLE) - {State.PHASED_RETURN}))
    def test_stand_at_the_same_whatever_is_done_in_six_steps(self, begun: State) -> None:
        known = {(One(Side.HOME, begun), One(Side.SETTING, begun))}
        for _ in range(6):
            home_next = {pair for home, setting in known for pair in next_of(home, setting)}
            known |= home_next | {(home, setting) for one in known for setting, home in next_of(one[1], one[0])}
        apart = [pair for pair in known if pair[0].heard_all() != pair[1].heard_all()]
        assert len(known) > 100 and not apart

    @given(some.data())
    def test_stand_at_the_same_after_a_long_time(self, data: some.DataObject) -> None:
        begun = data.draw(some.sampled_from([State.SUBMITTED, State.ACCEPTED, State.ACTIVE, State.RETURN_PLANNED]))
        sides = One(Side.HOME, begun), One(Side.SETTING, begun)
        for _ in range(data.draw(some.integers(1, 25))):
            one, other = data.draw(some.sampled_from([sides, sides[::-1]]))
            if can_do := next_of(one, other):
                sides = data.draw(some.sampled_from(can_do))
        assert len({each.heard_all() for each in sides}) == 1

    def test_refuse_what_no_crossing_explains(self) -> None:
        with pytest.raises(IllegalMove):
            follow(State.SUBMITTED, "begin")


class TestTheClocks:
    @pytest.mark.parametrize(
        ("name", "is_hospital", "on", "due"),
        [
            ("admit", True, MONDAY, MONDAY),
            ("ask_for_pack", True, MONDAY, date(2026, 11, 25)),
            ("submit", True, FRIDAY, date(2026, 11, 30)),
            ("submit", False, FRIDAY, date(2026, 12, 4)),
            ("acknowledge", True, MONDAY, date(2026, 11, 30)),
            ("accept", True, MONDAY, None),
            ("decline", True, MONDAY, None),
        ],
    )
    def test_run_in_school_days(self, name: str, is_hospital: bool, on: date, due: date | None) -> None:
        assert due_on(MOVES[name], on=on, calendar=CALENDAR, is_hospital=is_hospital) == due

    @pytest.mark.parametrize(
        ("name", "due"),
        [
            ("begin", date(2026, 11, 30)),
            ("update", date(2026, 11, 30)),
            ("review", date(2026, 11, 30)),
            ("begin_return", date(2026, 12, 7)),
            ("review_return", date(2026, 12, 7)),
            ("accept", None),
            ("plan_return", None),
            ("confirm_return", None),
        ],
    )
    def test_ask_for_an_update_each_week_and_for_a_review_of_a_return_each_two(
        self, name: str, due: date | None
    ) -> None:
        assert update_on(MOVES[name], on=MONDAY, calendar=CALENDAR) == due

    def test_name_whoever_updates(self) -> None:
        for move in TABLE:
            if move.update_days:
                assert all((move.to or state) in UPDATED_BY for state in move.of)
        for state, side in UPDATED_BY.items():
            assert [move.name for move in may_be_made(state, by=side) if move.update_days]

    @pytest.mark.parametrize("state", sorted(set(State) - OVER - {State.DRAFT}))
    def test_ask_the_named_officer_within_four_weeks_of_silence_wherever_a_handover_stands(self, state: State) -> None:
        """By the clock of updates, or because nothing has been heard."""
        if state in UPDATED_BY:
            into = [move.update_days for move in TABLE if move.to == state and move.update_days]
            days = max(into) + LATE_DAYS[Escalation.NAMED_OFFICER]
        else:
            assert state in STILL
            days = min(days for days, who in STILL_ON if who == Escalation.NAMED_OFFICER)
        assert days <= NO_MOVEMENT_DAYS

    def test_go_on_after_the_summer(self) -> None:
        terms = [
            Term(school_year=2026, number=3, first_on=date(2027, 6, 7), last_on=date(2027, 7, 21)),
            Term(school_year=2027, number=1, first_on=date(2027, 9, 3), last_on=date(2027, 10, 22)),
        ]
        tuesday = date(2027, 7, 20)
        assert due_on(MOVES["submit"], on=tuesday, calendar=Calendar(terms), is_hospital=True) == date(2027, 7, 21)
        assert due_on(MOVES["submit"], on=tuesday, calendar=Calendar(terms), is_hospital=False) == date(2027, 9, 8)

    def test_leave_out_bank_holidays(self) -> None:
        assert school_days_after(date(2026, 12, 24), 1, CALENDAR) == date(2026, 12, 29)

    @given(some.dates(date(2024, 1, 1), date(2030, 1, 1)), some.integers(0, 30))
    def test_count_the_school_days_that_lie_between(self, on: date, days: int) -> None:
        end = school_days_after(on, days, CALENDAR)
        assert CALENDAR.school_days_between(on + timedelta(days=1), end + timedelta(days=1)).count == days

    @pytest.mark.parametrize(
        ("days_late", "asked"),
        [(-1, 0), (0, 1), (1, 1), (2, 2), (4, 2), (5, 3), (9, 3), (10, 4), (40, 4)],
    )
    def test_ask_one_after_the_other_for_a_move_that_is_late(self, days_late: int, asked: int) -> None:
        on = school_days_after(MONDAY, days_late, CALENDAR) if days_late >= 0 else MONDAY - timedelta(days=1)
        assert asked_by(MONDAY, on=on, calendar=CALENDAR) == list(Escalation)[:asked]

    @pytest.mark.parametrize("weeks", REVIEW_WEEKS)
    def test_let_four_to_twelve_weeks_pass_between_reviews(self, weeks: int) -> None:
        assert next_review_on(MONDAY, weeks) == MONDAY + timedelta(weeks=weeks)

    @pytest.mark.parametrize("weeks", [0, 3, 13])
    def test_refuse_any_other_number(self, weeks: int) -> None:
        with pytest.raises(ValueError, match="every 4 to 12 weeks"):
            next_review_on(MONDAY, weeks)
