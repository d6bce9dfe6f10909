"""When a policy is to be reviewed next: pure date rules."""

from datetime import date, timedelta

from dateutil.relativedelta import relativedelta

from handrail.policies.models import Kind

LONGEST_MONTHS = 36
"""The longest that any policy may go without a review, in months."""

YEARLY = frozenset({Kind.ALLERGY_SAFETY})
"""Kinds that must be reviewed at least once every year: Children and Families Act 2014 s.100A(4), CFA-100A."""


INTERIM = timedelta(days=14)
"""Within this time a policy is reviewed when something happened that it should have prevented."""


def latest_next_review(kind: str, *, reviewed_on: date) -> date:
    """The last day on which the next review may fall."""
    return reviewed_on + relativedelta(months=12 if kind in YEARLY else LONGEST_MONTHS)


def next_review(kind: str, *, reviewed_on: date, months: int) -> date:
    """The day `months` after a review, or the latest allowed when that is sooner.

    The same day of the month, or the month's last day where there is none: 31 August and six months is 28 February.
    """
    return min(reviewed_on + relativedelta(months=months), latest_next_review(kind, reviewed_on=reviewed_on))
