"""School days and terms, from the dates that an authority has given. Pure.

Where it has given none, every weekday that is no bank holiday counts as a school day, and `is_known` says that it is
so. A school year begins on 1 September and is named by the year in which it does.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol

from handrail.core.calendar import is_working_day

NAMES = ("Autumn term", "Spring term", "Summer term")
ONE_DAY = timedelta(days=1)


class Term(Protocol):
    """A term: its number in the school year from 1 to 3, its first and last day, and when it is interrupted."""

    school_year: int
    number: int
    first_on: date
    last_on: date
    half_from_on: date | None
    half_to_on: date | None
    closed_on: Sequence[date]


def school_year_of(day: date) -> int:
    """The year in which the school year of a day began: 31 August belongs to the year before."""
    return day.year if day.month >= 9 else day.year - 1


def year_in_words(school_year: int) -> str:
    """2026 to 2027"""
    return f"{school_year} to {school_year + 1}"


@dataclass(frozen=True)
class SchoolDays:
    """A number of school days, and whether the authority's dates are known for all of the time."""

    count: int
    is_known: bool


class Calendar:
    """An authority's terms, in order. Days outside of what they cover are guessed, and `is_known` is false of them."""

    def __init__(self, terms: Iterable[Term]) -> None:
        self.terms = sorted(terms, key=lambda term: term.first_on)

    def term_of(self, day: date) -> Term | None:
        """The term in which a day lies, its half-term included."""
        return next((term for term in self.terms if term.first_on <= day <= term.last_on), None)

    def is_known(self, day: date) -> bool:
        """Whether the dates say what kind of day it is: in a term, or in a holiday whose beginning and end they give.

        The end of August after a summer term is such a holiday too, and the first days of September before an autumn.
        """
        before = next((term for term in reversed(self.terms) if term.first_on <= day), None)
        after = next((term for term in self.terms if term.first_on > day), None)
        if before and (day <= before.last_on or (after and _place(after) == _place(before) + 1)):
            return True
        year = school_year_of(day)
        return bool(
            (before and (before.school_year, before.number) == (year, len(NAMES)))
            or (after and (after.school_year, after.number) == (year, 1))
        )

    def is_school_day(self, day: date) -> bool:
        """Whether children are at school, as far as the dates tell."""
        if not is_working_day(day):
            return False
        term = self.term_of(day)
        if term is None:
            return not self.is_known(day)
        is_half_term = term.half_from_on and term.half_to_on and term.half_from_on <= day <= term.half_to_on
        return not is_half_term and day not in term.closed_on

    def school_days_between(self, since: date, until: date) -> SchoolDays:
        """The school days from `since` on and before `until`."""
        days = [since + timedelta(days=number) for number in range(max((until - since).days, 0))]
        return SchoolDays(sum(map(self.is_school_day, days)), all(map(self.is_known, days)))

    def first_day_of_next_term(self, *, after: date) -> date | None:
        """The first school day of the term that begins next after a day, or nothing where none is known."""
        term = next((term for term in self.terms if term.first_on > after), None)
        return self._next_school_day(term.first_on, term.last_on) if term else None

    def school_day_after(self, day: date, number: int) -> date:
        """The school day with this number after a day: the first is the next one."""
        for _ in range(number):
            day += ONE_DAY
            while not self.is_school_day(day):
                day += ONE_DAY
        return day

    def last_school_day_before(self, day: date) -> date:
        """The last school day before a day: by when what must be ready on that day is to be ready."""
        day -= ONE_DAY
        while not self.is_school_day(day):
            day -= ONE_DAY
        return day

    def _next_school_day(self, day: date, last: date) -> date | None:
        while day <= last and not self.is_school_day(day):
            day += ONE_DAY
        return day if day <= last else None


def _place(term: Term) -> int:
    """Where a term stands in the line of all: terms that follow each other differ by one."""
    return term.school_year * len(NAMES) + term.number
