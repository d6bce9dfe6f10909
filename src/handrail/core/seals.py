"""Proof that the records of changes and of reads are whole: entries are written unchained, and sealed a minute later.

A seal is a digest over the entries committed since the last seal and over that seal itself. Whoever removes, changes
or moves a sealed entry breaks its seal; whoever removes seals breaks the chain; and the newest seal is kept outside
the database too, so that the end of the chain cannot be cut off unseen. No request waits for another: only sealing
takes a lock.

Entries that are past their time go in whole seals, from the first on: `retire` notes them and `delete_retired` deletes
them, which only the owner's login may.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from itertools import chain
from typing import Any

from django.db import transaction
from django.db.models import Max

from handrail.core import audit
from handrail.core.calendar import beginning_of, day_of
from handrail.core.documents import NotFound, Store
from handrail.core.models import AuditEntry, AuditSeal, ReadEntry, RetiredSegment, SealedEntry
from tenants.database import execute, require_bound

SEALED: dict[int, dict[Any, tuple[str, ...]]] = {
    1: {
        AuditEntry: (
            *("at", "by", "by_name", "fields", "id", "request_id", "role", "school_id", "subject_id", "subject_kind"),
            *("verb", "written_at"),
        )
    },
}
SEALED[2] = SEALED[1] | {
    ReadEntry: (
        *("at", "by", "by_name", "child_ids", "group", "id", "request_id", "role", "school_id", "verb", "why"),
        *("why_id", "written_at"),
    )
}
"""The tables and columns under a seal, by its form. A new column is a new form: what was sealed stays as it was."""

FORM = max(SEALED)

LOOK_BACK = timedelta(days=1)
"""No transaction stays open for so long: an entry written earlier than this before the last seal is in a seal."""

NOTHING = "0" * 64

KEPT_AT_LEAST = timedelta(days=365)
"""However short an authority's own time for its records is."""


class TooYoung(ValueError):
    """Nothing that was written so lately may be retired."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with the record, as a sentence; `seal` is the number of the seal that showed it."""

    seal: int
    what: str


@transaction.atomic
def seal(*, at: datetime) -> AuditSeal | None:
    """Seal the entries that no seal covers yet. None when there are none."""
    execute("SELECT pg_advisory_xact_lock(hashtext(%s), hashtext('seal'))", [str(require_bound().id)])
    last = AuditSeal.objects.order_by("-number").first()
    since = _written_last(last) - LOOK_BACK if last else None
    entries = [
        entry
        for model in SEALED[FORM]
        for entry in model.objects.exclude(id__in=SealedEntry.objects.values("id"))
        .filter(**{"written_at__gte": since} if since else {})
        .order_by("id")
    ]
    if not entries:
        return None
    made = AuditSeal(
        form=FORM,
        number=last.number + 1 if last else 1,
        sealed_at=at,
        entry_count=len(entries),
        previous=last.digest if last else NOTHING,
    )
    made.digest = _digest(made, entries)
    made.save(force_insert=True)
    SealedEntry.objects.bulk_create(SealedEntry(id=entry.id, seal=made) for entry in entries)
    return made


def verify(kept: Store | None = None) -> list[Finding]:
    """Everything that is wrong with the bound authority's record; empty when it is whole.

    `kept` is where `keep_newest` put the newest seal; without it a cut-off end cannot be seen.
    """
    findings, number, previous = _of_retired()
    for each in AuditSeal.objects.filter(number__gt=number).order_by("number").iterator():
        number += 1
        if each.number != number:
            findings.append(Finding(number, f"seals {number} to {each.number - 1} are missing"))
            number = each.number
        elif each.previous != previous:
            findings.append(Finding(number, f"seal {number} does not follow the one before it"))
        entries = _covered(each)
        if len(entries) < each.entry_count:
            missing = each.entry_count - len(entries)
            findings.append(
                Finding(number, f"{missing} of the {each.entry_count} entries of seal {number} are missing")
            )
        elif _digest(each, entries) != each.digest:
            findings.append(
                Finding(number, f"an entry of seal {number}, of {each.sealed_at:%d %B %Y %H:%M}, was changed")
            )
        previous = each.digest
    if kept:
        findings += _against_kept(kept)
    return findings


@transaction.atomic
def retire(*, before_on: date, by: audit.Actor, at: datetime) -> RetiredSegment | None:
    """Let the seals go, from the first on, that were made before the day `before_on`, with all that they cover.

    The newest seal always stays. `delete_retired` does the deleting. Gives what was noted, or nothing when no seal is
    that old. Raises TooYoung.
    """
    if day_of(at - KEPT_AT_LEAST) < before_on:
        raise TooYoung(f"entries are kept for at least {KEPT_AT_LEAST.days} days")
    last = RetiredSegment.objects.order_by("-to_number").first()
    gone = last.to_number if last else 0
    newest = AuditSeal.objects.aggregate(newest=Max("number"))["newest"] or 0
    old = AuditSeal.objects.filter(number__gt=gone, number__lt=newest, sealed_at__lt=beginning_of(before_on))
    ends = old.order_by("-number").first()
    if ends is None:
        return None
    segment = RetiredSegment.objects.create(
        from_number=gone + 1, to_number=ends.number, digest=ends.digest, before_on=before_on, retired_at=at
    )
    audit.record("retired old entries of the record", by=by, at=at, subject_kind="segment", subject_id=segment.id)
    return segment


@transaction.atomic
def delete_retired() -> int:
    """Delete what was retired, and give the number of entries. Under the owner's login alone."""
    last = RetiredSegment.objects.aggregate(last=Max("to_number"))["last"]
    gone = SealedEntry.objects.filter(seal__number__lte=last or 0)
    count = gone.count()
    for model in SEALED[FORM]:
        model.objects.filter(id__in=gone.values("id")).delete()
    gone.delete()
    AuditSeal.objects.filter(number__lte=last or 0).delete()
    return count


def keep_newest(store: Store) -> AuditSeal | None:
    """Copy the newest seal out of the database."""
    newest = AuditSeal.objects.order_by("-number").first()
    if newest:
        copy = {"number": newest.number, "digest": newest.digest}
        store.put(_place(), BytesIO(json.dumps(copy).encode()))
    return newest


def _against_kept(store: Store) -> list[Finding]:
    try:
        with store.open(_place()) as file:
            copy = json.loads(file.read())
    except NotFound:
        return []
    here: Any = AuditSeal.objects.filter(number=copy["number"]).first()
    if here is None:
        here = RetiredSegment.objects.filter(to_number__gte=copy["number"]).order_by("to_number").first()
        if here is not None and here.to_number > copy["number"]:
            return []
    if here is None:
        return [Finding(copy["number"], f"the record ends before seal {copy['number']}, which was kept outside")]
    if here.digest != copy["digest"]:
        return [Finding(copy["number"], f"seal {copy['number']} is not the one that was kept outside")]
    return []


def _place() -> str:
    return f"a/{require_bound().id}/newest-seal"


def _of_retired() -> tuple[list[Finding], int, str]:
    """What is wrong with the segments that were retired, and the number and digest that the rest must follow."""
    findings, number, previous = [], 0, NOTHING
    for each in RetiredSegment.objects.order_by("to_number"):
        if each.from_number != number + 1:
            findings.append(Finding(each.from_number, f"seals {number + 1} to {each.from_number - 1} are missing"))
        if day_of(each.retired_at - KEPT_AT_LEAST) < each.before_on:
            findings.append(
                Finding(each.to_number, f"seals {each.from_number} to {each.to_number} were too young to be retired")
            )
        number, previous = each.to_number, each.digest
    return findings, number, previous


def _covered(seal: AuditSeal) -> list[Any]:
    ids = list(seal.sealed_entries.values_list("id", flat=True))
    return list(chain.from_iterable(model.objects.filter(id__in=ids).order_by("id") for model in SEALED[seal.form]))


def _written_last(seal: AuditSeal) -> datetime:
    """When the youngest of a seal's entries was written."""
    return max((entry.written_at for entry in _covered(seal)), default=seal.sealed_at)


def _digest(seal: AuditSeal, entries: Iterable[Any]) -> str:
    """Of a seal that follows another, over these entries."""
    digest = hashlib.sha256(seal.previous.encode())
    if seal.form > 1:
        digest.update(_line({"form": seal.form, "number": seal.number, "sealed_at": seal.sealed_at}))
    for entry in entries:
        values = {name: getattr(entry, name) for name in SEALED[seal.form][type(entry)]}
        digest.update(_line(values if seal.form == 1 else {"table": entry._meta.db_table, **values}))
    return digest.hexdigest()


def _line(values: dict[str, Any]) -> bytes:
    return json.dumps(values, sort_keys=True, default=_plain).encode() + b"\n"


def _plain(value: object) -> str:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value)
