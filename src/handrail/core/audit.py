"""The record of changes and of reads: one row for every action and for every sight of a child's data, in the same
transaction. Ids and field names only: never a value, so that erasure stays possible.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from handrail.core.models import AuditEntry, ReadEntry
from handrail.core.request_id import request_id


class Actor(Protocol):
    """Whoever an action is done `by`: a signed-in user, or CLOCK."""

    @property
    def actor_id(self) -> UUID | None: ...
    @property
    def actor_name(self) -> str: ...
    def role_at(self, school_id: UUID | None) -> str:
        """The role under which they act at this school, or at the authority when none is given."""
        ...


class Clock:
    """The actor of everything that happens by itself."""

    actor_id = None
    actor_name = "Handrail"

    def role_at(self, school_id: UUID | None) -> str:
        return "clock"


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
    """Write who did what to what."""
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
            role=by.role_at(subject.school_id),
            school_id=subject.school_id,
            subject_kind=subject_kind,
            subject_id=subject.id,
            verb=verb,
            fields=subject.fields,
            request_id=request_id.get(),
        )
        for subject in subjects
    )


def record_read(
    child_ids: Iterable[UUID],
    *,
    by: Actor,
    at: datetime,
    group: ReadEntry.Group,
    verb: ReadEntry.Verb = ReadEntry.Verb.PAGE,
    school_id: UUID | None = None,
    why: ReadEntry.Why = ReadEntry.Why.ROLE,
    why_id: UUID | None = None,
) -> ReadEntry:
    """Write who is about to be shown these children's data: one row, before anything leaves.

    A page does it through `Door.shows`, without which its answer is refused.
    """
    return ReadEntry.objects.create(
        at=at,
        by=by.actor_id,
        by_name=by.actor_name,
        role=by.role_at(school_id),
        school_id=school_id,
        child_ids=sorted(set(child_ids)),
        group=group,
        verb=verb,
        why=why,
        why_id=why_id,
        request_id=request_id.get(),
    )
