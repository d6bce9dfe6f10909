"""Days lost through illness, as tables and as properties: half days, holidays, several spells, and any order."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handrail.absences.daycount import (
    CODES,
    Clock,
    Kind,
    Session,
    Slot,
    Stretch,
    after_school_days,
    clocks,
    count,
    days_in_words,
    in_days,
    known_sessions,
    reached_on,
)
from handrail.core.calendar import LONDON, day_of
from handrail.schools.models import Term
from handrail.schools.terms import Calendar

AM, PM = Session.AM, Session.PM


def day(text):
    return date.fromisoformat(text)


def term(number, first, last, half_from=None, half_to=None, closed=()):
    half = {"half_from_on": day(half_from), "half_to_on": day(half_to)} if half_from else {}
    return Term(
        school_year=2026,
        number=number,
        first_on=day(first),
        last_on=day(last),
        closed_on=list(map(day, closed)),
        **half,
    )


YEAR = Calendar(
    [
        term(1, "2026-09-02", "2026-12-18", "2026-10-26", "2026-10-30", closed=["2026-11-27"]),
        term(2, "2027-01-04", "2027-03-25", "2027-02-15", "2027-02-19"),
        term(3, "2027-04-12", "2027-07-21", "2027-05-31", "2027-06-04"),
    ]
)


def said(*stretches, until="2027-08-31", marks=None):
    """The sessions that stretches like ("2026-11-02", "2026-11-06", "pm", "am") say."""
    found = [
        Stretch(day(first), day(last) if last else None, "pm" in half, "am" in half) for first, last, *half in stretches
    ]
    marked = {Slot(day(on), Session(session)): code for (on, session), code in (marks or {}).items()}
    return known_sessions(found, marked, calendar=YEAR, until=day(until))


def lost(sessions, school_year=2026, **more):
    clock = count(sessions, calendar=YEAR, school_year=school_year, **more)
    return clock.cumulative, clock.consecutive, clock.spells


@pytest.mark.parametrize(
    ("stretches", "until", "cumulative", "consecutive", "spells"),
    [
        ([("2026-11-02", "2026-11-06")], "2026-11-08", 10, 10, 1),
        ([("2026-11-02", "2026-11-06")], "2026-11-09", 10, 0, 1),  # and then back
        ([("2026-11-02", None)], "2026-11-02", 2, 2, 1),
        ([("2026-11-02", None)], "2026-11-01", 0, 0, 0),
        ([("2026-11-02", "2026-11-06", "pm")], "2026-11-06", 9, 9, 1),
        ([("2026-11-02", "2026-11-06", "am")], "2026-11-06", 9, 0, 1),  # back for the afternoon
        ([("2026-11-02", "2026-11-02", "pm", "am")], "2026-11-23", 0, 0, 0),
        ([("2026-11-06", "2026-11-09")], "2026-11-09", 4, 4, 1),  # over a weekend
        ([("2026-10-23", "2026-11-02")], "2026-11-02", 4, 4, 1),  # over half-term
        ([("2026-11-26", "2026-11-30")], "2026-11-30", 4, 4, 1),  # over a training day
        ([("2026-12-17", "2027-01-05")], "2027-01-05", 8, 8, 1),  # over Christmas
        ([("2027-04-30", "2027-05-04")], "2027-05-04", 4, 4, 1),  # over the early May bank holiday
        ([("2026-10-23", "2026-10-23")], "2026-11-01", 2, 2, 1),  # nobody is back in half-term
        ([("2026-11-02", "2026-11-03"), ("2026-11-09", "2026-11-09")], "2026-11-09", 6, 2, 2),
        ([("2026-11-02", "2026-11-03"), ("2026-11-04", "2026-11-05")], "2026-11-05", 8, 8, 1),  # one after the other
        ([("2026-11-02", "2026-11-04"), ("2026-11-03", "2026-11-05")], "2026-11-05", 8, 8, 1),  # twice the same days
        ([("2026-10-24", "2026-11-01")], "2026-11-01", 0, 0, 0),  # nothing but a holiday
        ([("2027-07-19", None)], "2027-08-31", 6, 6, 1),  # the end of term ends the count, not the absence
        ([("2027-07-19", None)], "2027-09-30", 6, 6, 1),  # and the new school year is another count
    ],
)
def test_what_a_school_says_is_counted_in_school_days(stretches, until, cumulative, consecutive, spells):
    assert lost(said(*stretches, until=until)) == (cumulative, consecutive, spells)


WEEK = ("2026-11-02", "2026-11-06")


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        ({}, (10, 10, 1)),
        ({("2026-11-04", "am"): "/"}, (9, 5, 2)),
        ({("2026-11-04", "am"): "/", ("2026-11-04", "pm"): "\\"}, (8, 4, 2)),
        ({("2026-11-06", "pm"): "\\"}, (9, 0, 1)),
        ({("2026-11-04", "am"): "K"}, (9, 5, 2)),  # taught: not away, and on end no more
        ({("2026-11-04", "am"): "D"}, (9, 9, 1)),  # at the other school: neither
        ({("2026-11-04", "am"): "G"}, (9, 9, 1)),  # away for another reason: neither
        ({("2026-11-04", "am"): "N"}, (9, 9, 1)),
        ({("2026-11-04", "am"): "#"}, (9, 9, 1)),
        ({("2026-11-07", "am"): "I"}, (10, 10, 1)),  # nobody is at school on a Saturday
        ({("2026-11-01", "am"): "/"}, (10, 10, 1)),
        ({("2026-11-04", "am"): "M"}, (9, 9, 1)),
        ({("2026-11-04", "am"): "C2"}, (9, 9, 1)),
    ],
)
def test_the_register_goes_before_what_was_said(marks, expected):
    assert lost(said(WEEK, until="2026-11-08", marks=marks)) == expected


def test_the_register_may_know_that_the_child_was_not_back():
    assert lost(said(WEEK, until="2026-11-09", marks={("2026-11-09", "am"): "I"})) == (11, 11, 1)


def test_an_authority_may_count_appointments_and_part_time():
    marks = {("2026-11-04", "am"): "M", ("2026-11-05", "pm"): "C2"}
    assert lost(said(WEEK, until="2026-11-08", marks=marks), counted=("I", "M", "C2")) == (10, 10, 1)


@pytest.mark.parametrize(("code", "kind"), [(code, kind) for code, (kind, _) in CODES.items()])
def test_every_code_has_one_meaning(code, kind):
    clock = Clock(2026).after(Slot(day("2026-11-02"), AM), "I").after(Slot(day("2026-11-02"), PM), code)
    counted = int(code == "I")
    assert (clock.cumulative, clock.consecutive) == (1 + counted, 0 if kind == Kind.ATTENDS else 1 + counted)


class TestTheEndOfTheSchoolYear:
    FROM_JULY = said(("2027-07-12", None), until="2027-09-10")

    def test_begins_anew_on_1_september(self):
        guessed = Calendar([])
        old = count(self.FROM_JULY, calendar=guessed, school_year=2026)
        new = count(self.FROM_JULY, calendar=guessed, school_year=2027)
        assert (old.last, old.cumulative) == (Slot(day("2027-08-31"), PM), 72)
        assert (new.cumulative, new.consecutive, new.spells) == (16, 16, 1)

    def test_a_clock_that_runs_over_it_is_the_new_years(self):
        clock = Clock(2026).after(Slot(day("2027-08-31"), PM), "I").after(Slot(day("2027-09-01"), AM), "I")
        assert clock == Clock(2027, 1, 1, 1, Slot(day("2027-09-01"), AM))


class TestReachedOn:
    def test_is_the_day_of_the_last_half(self):
        sessions = said(("2026-11-02", None, "pm"), until="2026-12-18")
        assert reached_on(10, sessions, calendar=YEAR, school_year=2026) == day("2026-11-16")
        assert reached_on(15, sessions, calendar=YEAR, school_year=2026) == day("2026-11-23")

    def test_adds_up_spells(self):
        spells = said(("2026-09-07", "2026-09-11"), ("2026-10-05", "2026-10-09"), ("2026-11-16", "2026-11-20"))
        assert reached_on(15, spells, calendar=YEAR, school_year=2026) == day("2026-11-20")

    def test_is_nothing_before(self):
        assert reached_on(15, said(WEEK), calendar=YEAR, school_year=2026) is None


def test_midnight_and_the_clocks_going_back_move_nothing():
    """The night to 25 October 2026 has 25 hours; what day it is in England decides, not how many hours there were."""
    late = datetime(2026, 10, 22, 23, 59, tzinfo=LONDON)
    for moment, sessions in ((late, 2), (late + timedelta(minutes=1), 4), (late + timedelta(days=12), 8)):
        assert lost(said(("2026-10-22", None), until=day_of(moment).isoformat()))[0] == sessions


@pytest.mark.parametrize(
    ("since", "number", "then"),
    [
        ("2026-11-20", 0, "2026-11-20"),
        ("2026-11-20", 1, "2026-11-23"),
        ("2026-11-26", 1, "2026-11-30"),
        ("2026-12-17", 2, "2027-01-04"),
        ("2026-10-24", 1, "2026-11-02"),
    ],
)
def test_after_school_days(since, number, then):
    assert after_school_days(day(since), number, calendar=YEAR) == day(then)


@pytest.mark.parametrize(
    ("sessions", "short", "long"),
    [(0, "0", "0 days"), (1, "½", "½ day"), (2, "1", "1 day"), (3, "1½", "1½ days"), (30, "15", "15 days")],
)
def test_in_words(sessions, short, long):
    assert (in_days(sessions), days_in_words(sessions)) == (short, long)


# -- properties ------------------------------------------------------------------------------------------

slots = st.builds(Slot, st.dates(day("2026-08-20"), day("2027-09-15")), st.sampled_from(Session))
registers = st.dictionaries(slots, st.sampled_from(sorted(CODES)), max_size=60)
on_a_busy_machine = settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])


@on_a_busy_machine
@given(registers)
def test_a_register_replayed_code_by_code_gives_the_clock_of_all_at_once(register):
    for year in (2025, 2026, 2027):
        known, clock = {}, Clock(year)
        for slot in sorted(register):
            known[slot] = register[slot]
            clock = count(known, calendar=YEAR, school_year=year)
            assert list(clocks(known, calendar=YEAR, school_year=year))[-1:] == ([clock] if clock.last else [])
        assert clock == count(register, calendar=YEAR, school_year=year)


@on_a_busy_machine
@given(registers, st.randoms(use_true_random=False))
def test_the_order_in_which_codes_arrive_does_not_matter(register, random):
    arrived = list(register.items())
    random.shuffle(arrived)
    assert lost(dict(arrived)) == lost(register)


@on_a_busy_machine
@given(registers)
def test_each_lost_session_is_one_of_illness_on_a_school_day(register):
    year = [(slot, code) for slot, code in sorted(register.items()) if day("2026-09-01") <= slot.on < day("2027-09-01")]
    here = [code for slot, code in year if YEAR.is_school_day(slot.on)]
    clock = count(register, calendar=YEAR, school_year=2026)
    assert clock.cumulative == here.count("I")
    taught = [place for place, code in enumerate(here) if CODES[code][0] == Kind.ATTENDS]
    assert clock.consecutive == here[taught[-1] + 1 if taught else 0 :].count("I")
    assert 0 <= clock.consecutive <= clock.cumulative
    assert (clock.spells == 0) == (clock.cumulative == 0)


@on_a_busy_machine
@given(registers, slots)
def test_one_more_day_ill_never_lowers_the_count(register, slot):
    register.pop(slot, None)
    assert lost(register)[0] <= lost(register | {slot: "I"})[0] <= lost(register)[0] + 1


@on_a_busy_machine
@given(registers)
def test_an_earlier_threshold_is_reached_no_later(register):
    days = [reached_on(number, register, calendar=YEAR, school_year=2026) or date.max for number in (1, 5, 10, 15)]
    assert days == sorted(days)


def test_sessions_out_of_order_are_refused():
    clock = Clock(2026).after(Slot(day("2026-11-02"), PM), "I")
    for slot in (Slot(day("2026-11-02"), PM), Slot(day("2026-11-02"), AM)):
        with pytest.raises(ValueError, match="in the order"):
            clock.after(slot, "I")
