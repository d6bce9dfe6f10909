"""The record of changes and of reads: one row for every action and for every sight of a child's data, in the same
transaction. Ids and field names only: never a value, so that erasure stays possible.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple, Protocol
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
    said = _of_a_read(by, at, group, verb, school_id)
    return ReadEntry.objects.create(child_ids=sorted(set(child_ids)), **said | {"why": why, "why_id": why_id})


def record_reads_of(
    told: str, *, by: Actor, at: datetime, group: ReadEntry.Group, verb: ReadEntry.Verb
) -> tuple[str, list[Any]]:
    """The same in SQL, for the statement that tells of the children: whoever is in the column `child` of its part
    `told`. However many they are, none is carried here, and it can be none but those whom the statement sees.
    """
    said = _of_a_read(by, at, group, verb, None)
    sql = f"""INSERT INTO core_readentry (id, {", ".join(f'"{column}"' for column in said)}, child_ids)
        SELECT gen_random_uuid(), {", ".join("%s" for _ in said)},
            coalesce(array_agg(DISTINCT child ORDER BY child), '{{}}') FROM {told}"""
    return sql, [*said.values()]


def _of_a_read(
    by: Actor, at: datetime, group: ReadEntry.Group, verb: ReadEntry.Verb, school_id: UUID | None
) -> dict[str, Any]:
    return {
        "at": at,
        "by": by.actor_id,
        "by_name": by.actor_name,
        "role": by.role_at(school_id),
        "school_id": school_id,
        "group": str(group),
        "verb": str(verb),
        "why": str(ReadEntry.Why.ROLE),
        "request_id": request_id.get(),
    }
