"""Status by date: the rule, and the same rule in SQL."""

from datetime import date, timedelta

import pytest
from factories import PolicyFactory, SchoolFactory
from hypothesis import example, given
from hypothesis import strategies as st

from handrail.core.models import AuthoritySettings
from handrail.core.status import Status, status_of
from handrail.policies.models import Kind, Policy
from handrail.schools.duty import Body
from tenants.context import inside

TODAY = date(2026, 11, 23)
DAY = timedelta(days=1)


class TestStatusOf:
    @pytest.mark.parametrize(
        ("due_on", "is_needed", "expected"),
        [
            (None, True, Status.NOT_RECORDED),
            (TODAY - 400 * DAY, True, Status.OVERDUE),
            (TODAY - DAY, True, Status.OVERDUE),
            (TODAY, True, Status.DUE_SOON),
            (TODAY + 30 * DAY, True, Status.DUE_SOON),
            (TODAY + 31 * DAY, True, Status.IN_DATE),
            (TODAY + 400 * DAY, True, Status.IN_DATE),
            (None, False, Status.NOT_NEEDED),
            (TODAY - DAY, False, Status.NOT_NEEDED),
        ],
    )
    def test_is_decided_by_the_due_date(self, due_on: date | None, is_needed: bool, expected: Status) -> None:
        assert status_of(due_on, on=TODAY, due_soon_days=30, is_needed=is_needed) == expected

    def test_counts_as_many_days_as_the_authority_says(self) -> None:
        assert status_of(TODAY + 30 * DAY, on=TODAY, due_soon_days=0) == Status.IN_DATE
        assert status_of(TODAY, on=TODAY, due_soon_days=0) == Status.DUE_SOON
        assert status_of(TODAY + 60 * DAY, on=TODAY, due_soon_days=60) == Status.DUE_SOON


@pytest.mark.django_db
class TestStatusCase:
    @pytest.fixture
    def policies(self, one):
        """One policy for each distance of a due date, kind of school and decision that could matter."""
        with inside(one):
            for body in Body.values:
                for reason in ("", "The school has no pupils on site."):
                    school = SchoolFactory(body=body)
                    for kind, days in zip(Kind.values[:3], (-1, 0, None), strict=True):
                        due_on = None if days is None else TODAY + days * DAY
                        PolicyFactory(
                            school=school,
                            kind=kind,
                            last_reviewed_on=due_on and due_on - 365 * DAY,
                            next_review_on=due_on,
                            not_needed_reason=reason,
                        )
            PolicyFactory(school=None, kind=Kind.SECTION_19, last_reviewed_on=TODAY - 300 * DAY, next_review_on=TODAY)

    # The rows are only read, so that every example may share them.
    @example(days=0, due_soon_days=0)
    @example(days=1, due_soon_days=0)
    @example(days=-30, due_soon_days=30)
    @example(days=-31, due_soon_days=30)
    @given(days=st.integers(-800, 800), due_soon_days=st.integers(0, 400))
    def test_agrees_with_the_rule_on_any_day(self, policies, one, days, due_soon_days):
        on, rules = TODAY + days * DAY, AuthoritySettings(due_soon_days=due_soon_days)
        with inside(one):
            found = list(Policy.objects.select_related("school").with_status(on=on, settings=rules))
            assert len(found) == 3 * 2 * len(Body.values) + 1
            for policy in found:
                assert policy.status == policy.status_on(on, rules), policy
