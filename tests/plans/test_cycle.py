"""When a plan is to be ready and reviewed: the rules as tables."""

from datetime import date

import pytest

from handrail.plans.cycle import (
    Trigger,
    due_after,
    is_answered,
    moves_on,
    next_due,
    ready_by,
    sixteenth_birthday,
    yearly,
)


class TestReadyBy:
    @pytest.mark.parametrize(
        ("notified_on", "starts_on", "last_day_before", "expected"),
        [
            # a child who is there already: two weeks
            (date(2026, 11, 25), date(2024, 9, 2), None, date(2026, 12, 9)),
            (date(2026, 11, 25), None, None, date(2026, 12, 9)),
            (date(2026, 11, 25), date(2026, 11, 25), None, date(2026, 12, 9)),
            (date(2028, 2, 15), None, None, date(2028, 2, 29)),
            (date(2026, 12, 20), None, None, date(2027, 1, 3)),
            # a child who starts with the term: before the first day
            (date(2027, 7, 1), date(2027, 9, 2), date(2027, 7, 21), date(2027, 7, 21)),
            (date(2027, 7, 1), date(2027, 9, 2), None, date(2027, 9, 1)),
            # told after that last day: there is no earlier day than today
            (date(2027, 8, 20), date(2027, 9, 2), date(2027, 7, 21), date(2027, 8, 20)),
        ],
    )
    def test_is_two_weeks_or_before_the_first_day(self, notified_on, starts_on, last_day_before, expected):
        assert ready_by(notified_on, starts_on=starts_on, last_day_before=last_day_before) == expected


class TestNextDue:
    @pytest.mark.parametrize(
        ("reviewed_on", "expected"),
        [
            (date(2026, 11, 25), date(2027, 11, 25)),
            (date(2027, 8, 31), date(2028, 8, 31)),
            (date(2028, 2, 29), date(2029, 2, 28)),
            (date(2027, 2, 28), date(2028, 2, 28)),
        ],
    )
    def test_is_the_same_day_a_year_later(self, reviewed_on, expected):
        assert yearly(reviewed_on) == next_due(reviewed_on) == expected

    def test_is_sooner_when_asked_for_or_when_something_happens(self):
        reviewed_on = date(2026, 11, 25)
        assert next_due(reviewed_on, asked=date(2027, 3, 1)) == date(2027, 3, 1)
        assert next_due(reviewed_on, asked=date(2028, 3, 1)) == date(2027, 11, 25)
        assert next_due(reviewed_on, asked=date(2027, 3, 1), triggers=[date(2027, 2, 1)]) == date(2027, 2, 1)

    @pytest.mark.parametrize(
        ("trigger", "expected"),
        [
            (Trigger.CONDITION, date(2027, 1, 11)),
            (Trigger.ADMITTED, date(2027, 1, 15)),
            (Trigger.DISCHARGED, date(2027, 1, 15)),
            (Trigger.INCIDENT, date(2027, 1, 11)),
            (Trigger.CONSENT, date(2027, 1, 1)),
            (Trigger.MEDICINE, date(2027, 1, 1)),
            (Trigger.TRAINING, date(2027, 1, 1)),
            (Trigger.SIXTEEN, date(2027, 1, 1)),
            (Trigger.NEW_SCHOOL, date(2027, 1, 1)),
        ],
    )
    def test_comes_by_the_day_itself_where_it_was_known_and_else_soon_or_within_two_weeks(self, trigger, expected):
        assert due_after(trigger, date(2027, 1, 1), soon=date(2027, 1, 11)) == expected

    @pytest.mark.parametrize(
        ("on", "soon", "expected"),
        [
            (date(2027, 7, 20), date(2027, 9, 7), date(2027, 8, 3)),  # the holidays begin: two weeks at the latest
            (date(2027, 1, 1), None, date(2027, 1, 15)),
            (date(2028, 2, 25), date(2028, 3, 3), date(2028, 3, 3)),
        ],
    )
    def test_waits_no_longer_than_two_weeks_for_school_days(self, on, soon, expected):
        assert due_after(Trigger.INCIDENT, on, soon=soon) == expected

    def test_knows_every_trigger(self):
        assert {due_after(each, date(2027, 1, 1)) >= date(2027, 1, 1) for each in Trigger} == {True}


class TestSixteenthBirthday:
    @pytest.mark.parametrize(
        ("born_on", "expected"),
        [
            (date(2011, 3, 5), date(2027, 3, 5)),
            (date(2012, 2, 29), date(2028, 2, 29)),
            (date(2012, 8, 31), date(2028, 8, 31)),
        ],
    )
    def test_is_the_day(self, born_on, expected):
        assert sixteenth_birthday(born_on) == expected


class TestMovesOn:
    """To secondary school after Year 6, which a school year of 2026 ends in July 2027."""

    @pytest.mark.parametrize(
        ("year_group", "born_on", "expected"),
        [
            ("Year 6", date(2016, 3, 5), True),
            ("6", date(2016, 3, 5), True),
            ("Y6 Kestrels", date(2016, 3, 5), True),
            ("Year 6", date(2017, 3, 5), True),  # a year ahead of the others
            ("Year 5", date(2016, 3, 5), False),  # a year behind
            ("Year 7", date(2016, 3, 5), False),
            ("Year 16", date(2016, 3, 5), False),
            # no year group with a number: by age, a school year being from 1 September to 31 August
            ("", date(2015, 8, 31), False),
            ("", date(2015, 9, 1), True),
            ("Kestrels", date(2016, 2, 29), True),
            ("", date(2016, 8, 31), True),
            ("", date(2016, 9, 1), False),
        ],
    )
    def test_who_is_in_the_last_year_before_it(self, year_group, born_on, expected):
        assert moves_on(year_group, born_on, school_year=2026) is expected


class TestIsAnswered:
    @pytest.mark.parametrize(
        ("trigger", "reviewed_on", "expected"),
        [
            *((each, date(2027, 7, 21), True) for each in Trigger),
            *((each, date(2027, 7, 20), each == Trigger.NEW_SCHOOL) for each in Trigger),
            (Trigger.NEW_SCHOOL, date(2027, 4, 12), True),  # the first day of the summer term
            (Trigger.NEW_SCHOOL, date(2027, 3, 25), False),  # the last of the spring term
        ],
    )
    def test_by_a_review_on_its_day_and_a_move_in_the_term_before(self, trigger, reviewed_on, expected):
        assert is_answered(trigger, date(2027, 7, 21), reviewed_on=reviewed_on) is expected
