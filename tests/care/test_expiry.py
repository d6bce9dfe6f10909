"""The pure rules: when a kit is due, how long training counts, and what is wrong with a medicine."""

from datetime import date

import pytest

from handrail.care.expiry import TO_ACCEPT, age_on, next_check, to_put_right, trained_until

TODAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("since", "due"),
    [
        (date(2026, 11, 23), date(2026, 12, 23)),
        (date(2027, 1, 31), date(2027, 2, 28)),
        (date(2028, 1, 31), date(2028, 2, 29)),
    ],
)
def test_a_kit_is_checked_a_month_later(since, due):
    assert next_check(since) == due


@pytest.mark.parametrize(
    ("asked", "until"),
    [
        (None, date(2027, 11, 22)),
        (date(2027, 1, 1), date(2027, 1, 1)),
        (date(2029, 1, 1), date(2027, 11, 22)),
    ],
)
def test_training_counts_for_a_year_or_less(asked, until):
    assert trained_until(TODAY, asked) == until


def test_training_of_a_leap_day_counts_until_the_day_before():
    assert trained_until(date(2028, 2, 29)) == date(2029, 2, 27)


@pytest.mark.parametrize(("on", "age"), [(date(2026, 4, 30), 9), (date(2026, 5, 1), 10)])
def test_a_child_is_older_from_the_birthday(on, age):
    assert age_on(date(2016, 5, 1), on) == age


class TestWhatIsToBePutRight:
    def found(self, **changes):
        usual = {
            "name": "Salbutamol",
            "is_emergency": False,
            "is_controlled": False,
            "is_locked": False,
            "is_prescribed": False,
            "accepted": list(TO_ACCEPT),
            "has_consent": True,
            "is_hidden_from_parents": False,
            "expires_on": TODAY,
            "age": 10,
            "on": TODAY,
        }
        return to_put_right(**usual | changes)

    def test_is_nothing_of_one_that_is_as_it_should_be(self):
        assert self.found() == []
        assert self.found(expires_on=None) == []

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"expires_on": date(2026, 11, 22)}, "out of date"),
            ({"is_emergency": True, "is_locked": True}, "must not be locked away"),
            ({"is_emergency": True, "is_locked": True, "is_controlled": True}, "must not be locked away"),
            ({"name": "Junior ASPIRIN 75 mg"}, "must not have aspirin"),
            ({"is_controlled": True}, "must be locked away"),
            ({"has_consent": False}, "written agreement"),
            ({"accepted": ["labelled", "in_date", "container"]}, "Not checked when it came: it has the prescriber"),
        ],
    )
    def test_is_said(self, changes, words):
        [sentence] = self.found(**changes)
        assert words in sentence

    @pytest.mark.parametrize(
        "changes",
        [
            {"name": "Aspirin", "is_prescribed": True},
            {"name": "Aspirin", "age": 16},
            {"is_controlled": True, "is_locked": True},
            {"is_controlled": True, "is_emergency": True},
        ],
    )
    def test_is_not_said_where_the_rule_ends(self, changes):
        assert self.found(**changes) == []
