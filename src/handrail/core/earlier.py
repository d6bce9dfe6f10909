"""What columns said before somebody changed them, of the few rows that evidence tells as at a day long past.

Whoever changes such a column keeps what it said. Of changes from before anything was kept, the record of changes
knows when they were and not what was there: then that is what is told.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Q, QuerySet

from handrail.core.models import Earlier, Record

SCHOOL = "school"
CHANGED_SINCE = "Changed since: not kept as it was"


def keep(was: Iterable[tuple[Record, Mapping[str, Any]]], *, at: datetime) -> None:
    """Keep what these rows said, by column, until the moment `at`, as far as they are told later: one statement."""
    Earlier.objects.bulk_create(
        Earlier(subject_id=row.id, column=name, said=_as_text(said), until=at)
        for row, by_name in was
        for name, said in by_name.items()
        if name in row.TOLD_LATER
    )


def keep_school(rows: QuerySet[Any], *, at: datetime) -> None:
    """Keep at which school these rows were until the moment `at`: whoever carries them over to another does."""
    Earlier.objects.bulk_create(
        Earlier(subject_id=id, column=SCHOOL, said=str(school_id), until=at)
        for id, school_id in rows.values_list("id", "school_id")
    )


def schools_then(*, at: datetime) -> dict[UUID, UUID]:
    """At which school the rows were at a moment that have been carried over to another since."""
    moved = Earlier.objects.filter(column=SCHOOL, until__gte=at).order_by("-until")
    return {each.subject_id: UUID(each.said) for each in moved}


def of_school_then(rows: QuerySet[Any], school_id: UUID | None, *, at: datetime) -> Any:
    """Those of the rows that were a school's at a moment, wherever they are now; those of no school never move."""
    moved = schools_then(at=at)
    were = [id for id, then in moved.items() if then == school_id]
    return rows.filter((Q(school=school_id) & ~Q(id__in=list(moved))) | Q(id__in=were))


class Until(NamedTuple):
    """What something said until a moment."""

    until: datetime
    said: str


class Past:
    """What was kept of some rows since a moment, in one question to the database."""

    def __init__(self, ids: Iterable[UUID], *, at: datetime) -> None:
        self.at = at
        since = Earlier.objects.filter(subject_id__in=list(ids), until__gte=at).order_by("-until")
        self._first = {(each.subject_id, each.column): Until(each.until, each.said) for each in since}

    def said(self, row: Record, column: str, *, changed_at: Iterable[datetime], otherwise: Until | None = None) -> str:
        """What a column said at the moment: what was kept at its first change since, or what it says today.

        CHANGED_SINCE when it was changed before that without being kept; `changed_at` are the moments of its changes.
        `otherwise` is what another row tells of it.
        """
        known = [each for each in (self._first.get((row.id, column)), otherwise) if each]
        first = min(known, key=lambda each: each.until, default=None)
        if any(self.at <= at and (first is None or at < first.until) for at in changed_at):
            return CHANGED_SINCE
        return first.said if first else _as_text(getattr(row, column))


def _as_text(value: Any) -> str:
    return "" if value is None else value.isoformat() if isinstance(value, date) else str(value)
