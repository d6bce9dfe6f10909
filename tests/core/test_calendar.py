"""What kind of day it is in England, as tables."""

from datetime import UTC, date, datetime, timedelta

import pytest

from handrail.core.calendar import (
    day_of,
    is_bank_holiday,
    is_quiet,
    is_school_day,
    is_working_day,
    last_day_before_work,
    opened_at,
    working_time,
)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


class TestDays:
    @pytest.mark.parametrize(
        ("at", "day"),
        [
            (utc(2026, 7, 1, 22, 59), date(2026, 7, 1)),
            (utc(2026, 7, 1, 23, 0), date(2026, 7, 2)),  # midnight in summer
            (utc(2026, 11, 23, 23, 59), date(2026, 11, 23)),
            (utc(2026, 10, 24, 23, 30), date(2026, 10, 25)),  # the night the clocks go back
            (utc(2027, 3, 28, 0, 30), date(2027, 3, 28)),  # the night they go forward
        ],
    )
    def test_a_day_is_londons(self, at, day):
        assert day_of(at) == day

    @pytest.mark.parametrize(
        ("day", "is_one"),
        [
            (date(2026, 12, 25), True),
            (date(2026, 12, 28), True),  # instead of Saturday 26 December
            (date(2027, 3, 26), True),  # Good Friday
            (date(2026, 8, 31), True),
            (date(2026, 8, 3), False),  # a bank holiday in Scotland alone
            (date(2026, 3, 17), False),  # in Northern Ireland alone
            (date(2026, 11, 23), False),
        ],
    )
    def test_bank_holidays_are_englands(self, day, is_one):
        assert is_bank_holiday(day) is is_one

    def test_a_working_day_is_neither_weekend_nor_bank_holiday(self):
        assert is_working_day(date(2026, 11, 23))
        assert not is_working_day(date(2026, 11, 22))
        assert not is_working_day(date(2026, 12, 25))

    def test_a_school_day_is_a_working_day_on_which_the_school_is_open(self):
        day = date(2026, 11, 23)
        assert is_school_day(day)
        assert not is_school_day(day, closed={day})
        assert not is_school_day(date(2026, 11, 22))

    @pytest.mark.parametrize(
        ("day", "last"),
        [
            (date(2026, 11, 23), date(2026, 11, 23)),
            (date(2026, 11, 20), date(2026, 11, 22)),
            (date(2026, 12, 24), date(2026, 12, 28)),
            (date(2026, 11, 21), date(2026, 11, 22)),
        ],
    )
    def test_the_last_day_before_work(self, day, last):
        assert last_day_before_work(day) == last


class TestQuietHours:
    @pytest.mark.parametrize(
        ("at", "quiet"),
        [
            (utc(2026, 11, 23, 7, 59), True),
            (utc(2026, 11, 23, 8, 0), False),
            (utc(2026, 11, 23, 17, 59), False),
            (utc(2026, 11, 23, 18, 0), True),
            (utc(2026, 7, 1, 6, 59), True),  # one hour ahead in summer
            (utc(2026, 7, 1, 7, 0), False),
            (utc(2026, 7, 1, 17, 0), True),
            (utc(2026, 11, 22, 12, 0), True),  # Sunday
            (utc(2026, 12, 25, 12, 0), True),
            (utc(2026, 3, 30, 7, 30), False),  # the first Monday of summer time
            (utc(2026, 10, 26, 7, 30), True),  # the first Monday after it
            (utc(2028, 2, 29, 12, 0), False),
        ],
    )
    def test_are_outside_eight_to_six_of_working_days(self, at, quiet):
        assert is_quiet(at) is quiet

    def test_end_at_eight_in_london(self):
        assert opened_at(utc(2026, 7, 1, 9, 5)) == utc(2026, 7, 1, 7, 0)
        assert opened_at(utc(2026, 11, 23, 9, 5)) == utc(2026, 11, 23, 8, 0)
        assert opened_at(utc(2026, 11, 22, 9, 5)) is None


class TestWorkingTime:
    @pytest.mark.parametrize(
        ("since", "until", "hours"),
        [
            ("2026-11-23 09:05", "2026-11-23 12:05", 3),
            ("2026-11-23 09:05", "2026-11-24 09:05", 10),
            ("2026-11-27 16:00", "2026-11-30 16:00", 10),  # over a weekend
            ("2026-11-23 19:00", "2026-11-24 07:00", 0),
            ("2026-11-28 10:00", "2026-11-29 20:00", 0),
            ("2026-12-24 12:00", "2026-12-29 09:00", 7),  # Christmas, and its Monday instead
            ("2026-03-28 12:00", "2026-03-30 07:30", 0.5),  # the night of the change of clocks
            ("2026-11-23 12:00", "2026-11-23 09:00", 0),
        ],
    )
    def test_counts_8am_to_6pm_on_working_days(self, since, until, hours):
        since, until = (datetime.fromisoformat(each).replace(tzinfo=UTC) for each in (since, until))
        assert working_time(since, until) == timedelta(hours=hours)
