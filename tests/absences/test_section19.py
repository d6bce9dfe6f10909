"""Where a case stands: what starts the clock, what alone stops it, and when it is overdue. As tables."""

from datetime import date

import pytest

from handrail.absences.models import CaseEntry
from handrail.absences.section19 import Count, Stage, standing
from handrail.core.models import AuthoritySettings
from handrail.schools.models import Term
from handrail.schools.terms import Calendar


def day(text):
    return date.fromisoformat(text) if text else None


AUTUMN = Calendar(
    [
        Term(school_year=2026, number=1, first_on=day("2026-09-02"), last_on=day("2026-12-18")),
        Term(school_year=2026, number=2, first_on=day("2027-01-04"), last_on=day("2027-03-25")),
    ]
)
NEAR = Count(20, day("2026-11-16"))
FULL = Count(30, day("2026-11-16"), day("2026-11-23"))
LIKELY = Count(4, likely_on=day("2026-11-05"))
BOTH = Count(30, day("2026-11-16"), day("2026-11-23"), day("2026-11-05"))


def entry(kind, happened_on, outcome="", review=None):
    return CaseEntry(kind=kind, happened_on=day(happened_on), outcome=outcome, next_review_on=day(review))


YES = entry("decision", "2026-11-24", "yes", "2027-01-11")
NO = entry("decision", "2026-11-24", "no", "2027-01-11")
MORE = entry("decision", "2026-11-24", "more", "2026-12-01")
TAUGHT = entry("first_session", "2026-11-25", review="2027-01-06")
SUITABLE = entry("suitable", "2026-11-25", review="2027-01-06")
REVIEW = entry("review", "2027-01-06")
ENDED = entry("ended", "2026-12-01")


def at(count, entries, on, **settings):
    for number, each in enumerate(entries, start=1):
        each.number = number
    return standing(count, entries, calendar=AUTUMN, settings=AuthoritySettings(**settings), on=day(on))


@pytest.mark.parametrize(
    ("count", "entries", "on", "stage"),
    [
        (Count(), [], "2026-11-23", Stage.WATCHED),
        (NEAR, [], "2026-11-23", Stage.NEAR),
        (FULL, [], "2026-11-23", Stage.DUE),
        (FULL, [], "2026-11-30", Stage.DUE),  # five school days later
        (FULL, [], "2026-12-01", Stage.OVERDUE),
        (LIKELY, [], "2026-11-05", Stage.DUE),  # on the day on which the school says so
        (LIKELY, [], "2026-11-13", Stage.OVERDUE),
        (FULL, [YES], "2026-12-01", Stage.OVERDUE),  # a decision stops no clock
        (FULL, [MORE], "2026-12-01", Stage.OVERDUE),
        (FULL, [NO], "2026-12-01", Stage.REFUSED),
        (FULL, [NO, YES], "2026-12-01", Stage.OVERDUE),
        (FULL, [YES, TAUGHT], "2027-03-01", Stage.STOPPED),
        (FULL, [SUITABLE], "2027-03-01", Stage.STOPPED),
        (FULL, [NO, SUITABLE], "2027-03-01", Stage.STOPPED),
        (FULL, [YES, TAUGHT, ENDED], "2026-12-01", Stage.DUE),
        (FULL, [YES, TAUGHT, ENDED], "2026-12-09", Stage.OVERDUE),
        (FULL, [NO, SUITABLE, ENDED], "2026-12-09", Stage.OVERDUE),  # what was decided before is of no account
        (FULL, [YES, TAUGHT, ENDED, TAUGHT], "2026-12-09", Stage.STOPPED),
        (FULL, [YES, TAUGHT, REVIEW], "2027-01-07", Stage.STOPPED),
        (FULL, [], "2027-09-30", Stage.OVERDUE),  # no end of a school year stops it
    ],
)
def test_where_a_case_stands(count, entries, on, stage):
    assert at(count, entries, on).stage == stage


@pytest.mark.parametrize(
    ("count", "entries", "started_on", "act_by_on", "stopped_on"),
    [
        (NEAR, [], None, None, None),
        (FULL, [], "2026-11-23", "2026-11-30", None),
        (BOTH, [], "2026-11-05", "2026-11-12", None),  # the earlier of the two
        (Count(30, day("2026-12-10"), day("2026-12-17")), [], "2026-12-17", "2027-01-07", None),  # over Christmas
        (FULL, [TAUGHT], "2026-11-23", "2026-11-30", "2026-11-25"),
        (FULL, [TAUGHT, ENDED], "2026-12-01", "2026-12-08", None),
    ],
)
def test_since_when(count, entries, started_on, act_by_on, stopped_on):
    found = at(count, entries, "2027-01-10")
    assert (found.started_on, found.act_by_on, found.stopped_on) == (day(started_on), day(act_by_on), day(stopped_on))


def test_the_authority_says_how_soon():
    assert at(FULL, [], "2026-11-24", section_19_overdue_days=0).stage == Stage.OVERDUE


@pytest.mark.parametrize(
    ("entries", "on", "is_due"),
    [
        ([], "2027-01-06", False),
        ([TAUGHT], "2027-01-05", False),
        ([TAUGHT], "2027-01-06", True),
        ([TAUGHT, REVIEW], "2027-01-07", False),  # which asked for no other
        ([MORE], "2026-12-01", True),
    ],
)
def test_a_review_is_due(entries, on, is_due):
    assert at(FULL, entries, on).is_review_due(day(on)) == is_due


@pytest.mark.parametrize(
    ("count", "entries", "says"),
    [
        (Count(1), [], "½ day lost through illness in the school year. The clock has not started."),
        (FULL, [], "since 23 November 2026: 15 days were reached."),
        (BOTH, [], "since 5 November 2026: the school said that 15 days are likely."),
        (FULL, [TAUGHT], "The clock stopped on 25 November 2026: first session of education."),
        (FULL, [SUITABLE], "The clock stopped on 25 November 2026: suitable education is provided already."),
        (FULL, [TAUGHT, ENDED], "The education stopped on 1 December 2026, so the clock runs again."),
    ],
)
def test_why_the_clock_says_so(count, entries, says):
    assert at(count, entries, "2027-01-07").why.endswith(says)
