"""The records of changes and of reads as people read them: who looked at a child, and all that happened here.

People at the authority are shown references, never a child's name.
"""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Any

from django.db.models import CharField, F, QuerySet, Value

from handrail.accounts.roles import Role
from handrail.core.calendar import beginning_of
from handrail.core.jinja import plural
from handrail.core.models import AuditEntry, ReadEntry
from handrail.core.reference import reference
from handrail.plans.models import PlanLink
from handrail.schools.models import Pupil, School

ABOUT_CHILDREN = ("child", "plan", "break_glass")
"""The kinds of subject that are told by reference."""

NAMED_AT_MOST = 5
ROLES = dict(Role.choices) | {"clock": "Handrail", "guest": "Through a link"}
HEADINGS = (
    *("At", "Record", "Who", "Who (id)", "Role", "School (URN)", "What", "About", "About (ids)", "Fields"),
    *("Why", "Why (id)", "Request"),
)


def reads_of(child: Pupil) -> QuerySet[ReadEntry]:
    """Who was shown this child at the school where they are, the newest first."""
    return ReadEntry.objects.filter(child_ids__contains=[child.id], school_id=child.school_id).order_by("-at", "id")


def told_of_reads(rows: Iterable[ReadEntry]) -> list[dict[str, Any]]:
    """Each read of one child as `at`, `who`, `text` and perhaps a `note`. Whoever was sent a link is told by name."""
    rows = list(rows)
    links = PlanLink.objects.in_bulk({row.why_id for row in rows if row.why == ReadEntry.Why.LINK})
    found = []
    for row in rows:
        link = links.get(row.why_id)
        name = f"{link.name}, {who(row).lower()}" if link else who(row)
        found.append({"at": row.at, "who": name, "text": what(row), "note": why(row)})
    return found


def everything() -> QuerySet[Any, dict[str, Any]]:
    """All changes and reads of the authority, newest first, as `what`, `id` and `at`."""

    def dated(model: Any, what: str) -> QuerySet[Any, dict[str, Any]]:
        return model.objects.order_by().values("id", what=Value(what, CharField()), moment=F("at"))

    return dated(AuditEntry, "change").union(dated(ReadEntry, "read"), all=True).order_by("-moment", "id")


def told_of_everything(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """A page of `everything` as `at`, `who`, `text` and perhaps a `note`. Two questions, however many rows."""
    rows = list(rows)
    found: dict[Any, Any] = {}
    for model, kind in ((AuditEntry, "change"), (ReadEntry, "read")):
        found |= model.objects.in_bulk([row["id"] for row in rows if row["what"] == kind])
    said = []
    for row in rows:
        entry = found[row["id"]]
        if row["what"] == "read":
            shown = "Was shown " + plural(len(entry.child_ids), "child", "children")
            note = "; ".join(each for each in (references(entry.child_ids), why(entry)) if each)
            said.append({"at": entry.at, "who": who(entry), "text": f"{shown}. {what(entry)}", "note": note})
        else:
            subject = reference(entry.subject_id) if entry.subject_kind in ABOUT_CHILDREN and entry.subject_id else ""
            text = f"{entry.verb[:1].upper()}{entry.verb[1:]}"
            said.append({"at": entry.at, "who": who(entry), "text": text, "note": subject})
    return said


def extract(first: date, last: date) -> Iterator[list[Any]]:
    """Every change and read from the day `first` to the day `last`, the oldest first, as rows under HEADINGS."""
    between = {"at__gte": beginning_of(first), "at__lt": beginning_of(last + timedelta(days=1))}
    urns: dict[Any, str] = dict(School.objects.order_by().values_list("id", "urn"))
    for entry in AuditEntry.objects.filter(**between).order_by("at", "id").iterator(chunk_size=2000):
        subject = entry.subject_id or ""
        yield [
            *(entry.at.isoformat(), "change", entry.by_name, entry.by, entry.role, urns.get(entry.school_id)),
            *(entry.verb, entry.subject_kind, subject, " ".join(entry.fields), "", "", entry.request_id),
        ]
    for read in ReadEntry.objects.filter(**between).order_by("at", "id").iterator(chunk_size=2000):
        yield [
            *(read.at.isoformat(), "read", read.by_name, read.by, read.role, urns.get(read.school_id), read.verb),
            *("child", " ".join(map(str, read.child_ids)), read.group, read.why, read.why_id, read.request_id),
        ]


def who(entry: AuditEntry | ReadEntry) -> str:
    """The person and the role they acted under."""
    role = ROLES.get(entry.role, "")
    return f"{entry.by_name}, {role.lower()}" if role and role != entry.by_name else entry.by_name


def what(read: ReadEntry) -> str:
    return f"{read.get_group_display()} ({read.get_verb_display().lower()})"


def why(read: ReadEntry) -> str:
    """What let them see it, unless that is their role."""
    if read.why == ReadEntry.Why.ROLE or read.why_id is None:
        return ""
    return f"{read.get_why_display()} {reference(read.why_id)}"


def references(ids: list[Any]) -> str:
    """Some of the children, by reference."""
    shown = ", ".join(reference(each) for each in ids[:NAMED_AT_MOST])
    return f"{shown} and {len(ids) - NAMED_AT_MOST} more" if len(ids) > NAMED_AT_MOST else shown
