"""The ends of the demonstration's months, taken one after the other as the clock would have taken each."""

from datetime import date, datetime, time, timedelta

from handrail.core.calendar import LONDON
from handrail.overview.month_ends import take_month_ends
from handrail.overview.plan_counts import count_plans


def furnish_months(*, since: date, on: date) -> None:
    """Each month that has ended since the schools joined, on the first day of the next."""
    first_on = since.replace(day=1)
    while (first_on := (first_on + timedelta(days=32)).replace(day=1)) <= on:
        count_plans(on=first_on)
        take_month_ends(on=first_on, at=datetime.combine(first_on, time(6), LONDON))
