"""The write about an authority's terms."""

from collections.abc import Sequence
from datetime import date, datetime

from django.db import transaction

from handrail.core import audit
from handrail.schools.actions import Refused
from handrail.schools.models import Term

DATES = ("first_on", "last_on", "half_from_on", "half_to_on", "closed_on")


class TermRefused(Refused):
    """A term cannot have these dates."""


@transaction.atomic
def set_term(
    *,
    school_year: int,
    number: int,
    first_on: date,
    last_on: date,
    half_from_on: date | None,
    half_to_on: date | None,
    closed_on: Sequence[date],
    by: audit.Actor,
    at: datetime,
) -> Term:
    """Say when a term is, and when it is interrupted. Doing it twice changes nothing. Raises TermRefused."""
    wanted = Term(
        school_year=school_year,
        number=number,
        first_on=first_on,
        last_on=last_on,
        half_from_on=half_from_on,
        half_to_on=half_to_on,
        closed_on=sorted(set(closed_on)),
    )
    others = list(Term.objects.select_for_update())
    _check(wanted, others)
    term = next((each for each in others if (each.school_year, each.number) == (school_year, number)), None)
    if term is None:
        wanted.save(force_insert=True)
        term, changed = wanted, list(DATES)
    else:
        changed = [name for name in DATES if getattr(term, name) != getattr(wanted, name)]
        for name in changed:
            setattr(term, name, getattr(wanted, name))
        term.save(update_fields=changed)
    if changed:
        audit.record("set the dates of a term", by=by, at=at, subject_kind="term", subject_id=term.id, fields=changed)
    return term


def _check(term: Term, others: list[Term]) -> None:
    """Raise TermRefused for dates that cannot be right."""
    if not date(term.school_year, 8, 1) <= term.first_on <= date(term.school_year + 1, 8, 31):
        raise TermRefused("First day must be in the school year", "first_on")
    if term.last_on <= term.first_on:
        raise TermRefused("Last day must be after the first day", "last_on")
    if (term.last_on - term.first_on).days > 200:
        raise TermRefused("Last day must be less than 200 days after the first day", "last_on")
    if (term.half_from_on is None) != (term.half_to_on is None):
        missing = "half_to_on" if term.half_to_on is None else "half_from_on"
        raise TermRefused("Enter both days of the half-term holiday, or neither", missing)
    if term.half_from_on and term.half_to_on:
        if not term.first_on < term.half_from_on < term.last_on:
            raise TermRefused("First day of half-term must be in the term", "half_from_on")
        if not term.half_from_on <= term.half_to_on < term.last_on:
            raise TermRefused("Last day of half-term must be in the term, on or after its first day", "half_to_on")
    if any(not term.first_on <= day <= term.last_on for day in term.closed_on):
        raise TermRefused("Each training day must be in the term", "closed_on")
    place = (term.school_year, term.number)
    for other in others:
        if (other.school_year, other.number) < place and other.last_on >= term.first_on:
            raise TermRefused(f"First day must be after the end of the {other}", "first_on")
        if (other.school_year, other.number) > place and other.first_on <= term.last_on:
            raise TermRefused(f"Last day must be before the beginning of the {other}", "last_on")
