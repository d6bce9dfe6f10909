"""For which stretch of time a school answers the authority, and by when. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from handrail.core.jinja import MONTHS
from handrail.core.models import Cadence
from handrail.schools.terms import NAMES, Calendar

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Period:
    """A stretch of time for which a school answers, by its last day."""

    first_on: date
    last_on: date
    name: str

    def __str__(self) -> str:
        return self.name


def periods(cadence: str, *, calendar: Calendar, since: date, until: date) -> list[Period]:
    """Those that lie wholly or partly from `since` to `until`, in order. Where no terms are known, months."""
    if cadence == Cadence.NEVER:
        return []
    found = list(_halves(calendar)) if cadence == Cadence.HALF_TERM and calendar.terms else _months(since, until)
    return [
        each for each in found if each.last_on >= since and each.first_on <= until and _has_school_days(each, calendar)
    ]


def _months(since: date, until: date) -> list[Period]:
    found, first = [], since.replace(day=1)
    while first <= until:
        following = (first + timedelta(days=31)).replace(day=1)
        found.append(Period(first, following - ONE_DAY, f"{MONTHS[first.month - 1]} {first.year}"))
        first = following
    return found


def _halves(calendar: Calendar) -> Iterator[Period]:
    for term in calendar.terms:
        name = f"{NAMES[term.number - 1].lower()} of {term.first_on.year}"
        if term.half_from_on and term.half_to_on:
            yield Period(term.first_on, term.half_from_on - ONE_DAY, f"first half of the {name}")
            yield Period(term.half_to_on + ONE_DAY, term.last_on, f"second half of the {name}")
        else:
            yield Period(term.first_on, term.last_on, f"whole {name}")


def _has_school_days(period: Period, calendar: Calendar) -> bool:
    return calendar.school_days_between(period.first_on, period.last_on + ONE_DAY).count > 0
