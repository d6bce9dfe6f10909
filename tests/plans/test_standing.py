"""When a link opens a plan, when not, and how long a guess has to wait."""

from datetime import UTC, datetime, timedelta

import pytest

from handrail.accounts.guests import next_try_at
from handrail.plans.standing import Standing, standing

AT = datetime(2026, 11, 23, 9, 5, tzinfo=UTC)
GOOD = {
    "at": AT,
    "ends_at": AT + timedelta(days=14),
    "is_withdrawn": False,
    "is_locked": False,
    "is_open_school": True,
    "is_at_school": True,
    "is_entitled": True,
    "is_open_plan": True,
    "is_newest": True,
}


class TestALink:
    @pytest.mark.parametrize(
        ("facts", "found"),
        [
            ({}, Standing.STANDS),
            ({"at": AT + timedelta(days=14) - timedelta(seconds=1)}, Standing.STANDS),
            ({"at": AT + timedelta(days=14)}, Standing.RUN_OUT),
            ({"is_withdrawn": True}, Standing.WITHDRAWN),
            ({"is_locked": True}, Standing.LOCKED),
            ({"is_open_school": False}, Standing.SCHOOL_CLOSED),
            ({"is_at_school": False}, Standing.LEFT),
            ({"is_open_plan": False}, Standing.CLOSED),
            ({"is_entitled": False}, Standing.NOT_ENTITLED),
            ({"is_newest": False}, Standing.CHANGED),
            # of several reasons one that a new link would not cure comes first
            ({"is_newest": False, "is_withdrawn": True}, Standing.WITHDRAWN),
            ({"is_newest": False, "is_locked": True}, Standing.LOCKED),
            ({"is_newest": False, "is_entitled": False}, Standing.NOT_ENTITLED),
            ({"is_newest": False, "at": AT + timedelta(days=14)}, Standing.RUN_OUT),
            ({"is_entitled": False, "is_at_school": False}, Standing.LEFT),
            ({"is_open_school": False, "is_at_school": False}, Standing.SCHOOL_CLOSED),
        ],
    )
    def test_stands_or_says_why_not(self, facts, found):
        assert standing(**GOOD | facts) == found


class TestTheNextTry:
    @pytest.mark.parametrize(("wrong", "seconds"), [(1, 2), (2, 4), (3, 8), (4, 16)])
    def test_waits_twice_as_long_each_time(self, wrong, seconds):
        assert next_try_at(wrong, AT) == AT + timedelta(seconds=seconds)

    @pytest.mark.parametrize(("wrong", "tried_at"), [(0, None), (0, AT), (1, None)])
    def test_may_come_at_once_where_none_was_wrong(self, wrong, tried_at):
        assert next_try_at(wrong, tried_at) is None
