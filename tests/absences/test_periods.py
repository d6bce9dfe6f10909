"""For which stretches of time schools answer, as a table."""

import itertools
from datetime import date

import pytest

from handrail.absences.periods import periods
from handrail.core.models import Cadence
from handrail.schools.models import Term
from handrail.schools.terms import Calendar


def day(text):
    return date.fromisoformat(text)


def term(number, first, last, half_from=None, half_to=None):
    half = {"half_from_on": day(half_from), "half_to_on": day(half_to)} if half_from else {}
    return Term(school_year=2026, number=number, first_on=day(first), last_on=day(last), **half)


YEAR = Calendar(
    [
        term(1, "2026-09-02", "2026-12-18", "2026-10-26", "2026-10-30"),
        term(2, "2027-01-04", "2027-03-25"),
        term(3, "2027-04-12", "2027-07-21", "2027-05-31", "2027-06-04"),
    ]
)


@pytest.mark.parametrize(
    ("cadence", "calendar", "since", "until", "found"),
    [
        (Cadence.MONTH, YEAR, "2026-09-15", "2026-11-23", ["September 2026", "October 2026", "November 2026"]),
        (Cadence.MONTH, YEAR, "2026-11-23", "2026-11-23", ["November 2026"]),
        (Cadence.MONTH, YEAR, "2026-12-31", "2027-01-01", ["December 2026", "January 2027"]),
        (Cadence.MONTH, YEAR, "2027-07-01", "2027-08-31", ["July 2027"]),  # nobody is at school in August
        (Cadence.MONTH, Calendar([]), "2027-08-01", "2027-08-31", ["August 2027"]),  # as far as is known
        (
            Cadence.HALF_TERM,
            YEAR,
            "2026-09-02",
            "2027-02-01",
            [
                "first half of the autumn term of 2026",
                "second half of the autumn term of 2026",
                "whole spring term of 2027",
            ],
        ),
        (Cadence.HALF_TERM, YEAR, "2026-10-27", "2026-10-28", []),  # half-term is nobody's
        (Cadence.HALF_TERM, Calendar([]), "2026-11-01", "2026-11-30", ["November 2026"]),
        (Cadence.NEVER, YEAR, "2026-09-02", "2027-07-21", []),
    ],
)
def test_a_school_answers_for_each_period_in_which_children_are_at_school(cadence, calendar, since, until, found):
    assert [str(each) for each in periods(cadence, calendar=calendar, since=day(since), until=day(until))] == found


@pytest.mark.parametrize("cadence", [Cadence.MONTH, Cadence.HALF_TERM])
def test_periods_follow_each_other(cadence):
    found = periods(cadence, calendar=YEAR, since=day("2026-09-01"), until=day("2027-07-31"))
    assert all(one.last_on < other.first_on for one, other in itertools.pairwise(found))
    assert found[-1].last_on in (day("2027-07-21"), day("2027-07-31"))
