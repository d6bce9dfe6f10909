"""The record of changes: every action writes one row, in its own transaction."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from handrail.core.models import AuditEntry
from handrail.core.request_id import request_id


class Actor(Protocol):
    """Whoever an action is done `by`: a signed-in user, or CLOCK."""

    @property
    def actor_id(self) -> UUID | None: ...
    @property
    def actor_name(self) -> str: ...
    @property
    def actor_role(self) -> str: ...


class Clock:
    """The actor of everything that happens by itself."""

    actor_id = None
    actor_name = "Handrail"
    actor_role = "clock"


CLOCK = Clock()


def record(
    verb: str,
    *,
    by: Actor,
    at: datetime,
    subject_kind: str,
    subject_id: UUID | None = None,
    school_id: UUID | None = None,
    fields: list[str] | None = None,
) -> AuditEntry:
    """Write who did what to what. Field names only: never a value, so that erasure stays possible."""
    subject = Subject(subject_id, school_id, fields or [])
    [made] = record_each(verb, [subject], by=by, at=at, subject_kind=subject_kind)
    return made


class Subject(NamedTuple):
    """To what something was done: of which school it is, and which of its fields changed."""

    id: UUID | None
    school_id: UUID | None
    fields: list[str]


def record_each(
    verb: str, subjects: Iterable[Subject], *, by: Actor, at: datetime, subject_kind: str
) -> list[AuditEntry]:
    """Write the same about many subjects, an entry for each, in one statement."""
    return AuditEntry.objects.bulk_create(
        AuditEntry(
            at=at,
            by=by.actor_id,
            by_name=by.actor_name,
            role=by.actor_role,
            school_id=subject.school_id,
            subject_kind=subject_kind,
            subject_id=subject.id,
            verb=verb,
            fields=subject.fields,
            request_id=request_id.get(),
        )
        for subject in subjects
    )
