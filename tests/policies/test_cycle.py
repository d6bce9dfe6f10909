"""When a policy is to be reviewed next."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.policies.cycle import latest_next_review, next_review
from handrail.policies.models import Kind


class TestNextReview:
    @pytest.mark.parametrize(
        ("reviewed_on", "months", "expected"),
        [
            (date(2026, 11, 23), 12, date(2027, 11, 23)),
            (date(2026, 11, 23), 24, date(2028, 11, 23)),
            (date(2026, 8, 31), 6, date(2027, 2, 28)),
            (date(2027, 8, 31), 6, date(2028, 2, 29)),
            (date(2028, 2, 29), 12, date(2029, 2, 28)),
            (date(2027, 2, 28), 12, date(2028, 2, 28)),
            (date(2026, 12, 31), 2, date(2027, 2, 28)),
            (date(2026, 11, 23), 60, date(2029, 11, 23)),
        ],
    )
    def test_is_so_many_months_later(self, reviewed_on: date, months: int, expected: date) -> None:
        assert next_review(Kind.MEDICAL_CONDITIONS, reviewed_on=reviewed_on, months=months) == expected

    @pytest.mark.parametrize(
        ("reviewed_on", "months", "expected"),
        [
            (date(2026, 11, 23), 6, date(2027, 5, 23)),
            (date(2026, 11, 23), 12, date(2027, 11, 23)),
            (date(2026, 11, 23), 13, date(2027, 11, 23)),
            (date(2026, 11, 23), 36, date(2027, 11, 23)),
            (date(2028, 2, 29), 24, date(2029, 2, 28)),
        ],
    )
    def test_is_within_a_year_for_allergy_safety_whatever_the_authority_says(
        self, reviewed_on: date, months: int, expected: date
    ) -> None:
        assert next_review(Kind.ALLERGY_SAFETY, reviewed_on=reviewed_on, months=months) == expected

    @given(
        kind=st.sampled_from(Kind.values),
        reviewed_on=st.dates(date(2000, 1, 1), date(2100, 1, 1)),
        months=st.integers(1, 120),
    )
    def test_comes_after_the_review_and_never_too_late(self, kind: str, reviewed_on: date, months: int) -> None:
        found = next_review(kind, reviewed_on=reviewed_on, months=months)
        assert reviewed_on < found <= latest_next_review(kind, reviewed_on=reviewed_on)
        if kind == Kind.ALLERGY_SAFETY:
            assert (found - reviewed_on).days <= 366
