"""Counts of incidents for the authority: by kind and harm, for all of its schools together, small ones hidden."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Count

from handrail.core.suppression import suppressed_table
from handrail.incidents.models import Harm, Incident, Kind


@dataclass(frozen=True)
class Year:
    """A school year and its counts: a row for each kind that was recorded, a column for each harm, and totals; None is
    hidden.
    """

    name: str
    rows: list[tuple[str, list[int | None]]]
    never: list[str]
    """The kinds of which nothing was recorded."""


def begins_on(on: date) -> date:
    """The first day of the school year in which a day lies: 1 September."""
    return date(on.year if on.month >= 9 else on.year - 1, 9, 1)


def years(*, on: date) -> list[Year]:
    """This school year and the last. Two questions."""
    begun = begins_on(on)
    return [_year(begun), _year(begun.replace(year=begun.year - 1))]


def _year(first: date) -> Year:
    found = Incident.objects.happened_within(first, first.replace(year=first.year + 1))
    counts = {
        (row["kind"], row["harm"]): row["count"]
        for row in found.order_by().values("kind", "harm").annotate(count=Count("id"))
    }
    table = suppressed_table([[counts.get((kind, harm), 0) for harm in Harm] for kind in Kind])
    headings = [*(kind.label for kind in Kind), "All kinds"]
    rows = list(zip(headings, table, strict=True))
    never = [kind for kind, counted in rows if counted[-1] == 0]
    return Year(f"{first.year} to {first.year + 1}", [row for row in rows if row[0] not in never], never)
