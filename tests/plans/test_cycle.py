"""When a plan is to be ready and reviewed: the rules as tables."""

from datetime import date

import pytest

from handrail.plans.cycle import Trigger, due_after, next_due, ready_by, sixteenth_birthday, yearly


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
            (Trigger.CONDITION, date(2027, 1, 15)),
            (Trigger.ADMITTED, date(2027, 1, 15)),
            (Trigger.DISCHARGED, date(2027, 1, 15)),
            (Trigger.INCIDENT, date(2027, 1, 15)),
            (Trigger.CONSENT, date(2027, 1, 1)),
            (Trigger.MEDICINE, date(2027, 1, 1)),
            (Trigger.TRAINING, date(2027, 1, 1)),
            (Trigger.SIXTEEN, date(2027, 1, 1)),
            (Trigger.NEW_SCHOOL, date(2027, 1, 1)),
        ],
    )
    def test_comes_by_the_day_itself_where_it_was_known_and_else_within_two_weeks(self, trigger, expected):
        assert due_after(trigger, date(2027, 1, 1)) == expected

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
