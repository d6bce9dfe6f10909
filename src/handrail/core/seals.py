"""Proof that the record of changes is whole: entries are written unchained, and sealed a minute later.

A seal is a digest over the entries committed since the last seal and over that seal itself. Whoever removes, changes
or moves a sealed entry breaks its seal; whoever removes seals breaks the chain; and the newest seal is kept outside
the database too, so that the end of the chain cannot be cut off unseen. No request waits for another: only sealing
takes a lock.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO

from django.db import transaction
from django.db.models import Max

from handrail.core.documents import NotFound, Store
from handrail.core.models import AuditEntry, AuditSeal, SealedEntry
from tenants.database import execute, require_bound

LOOK_BACK = timedelta(days=1)
"""No transaction stays open for so long: an entry written earlier than this before the last seal is in a seal."""

NOTHING = "0" * 64


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
    waiting = AuditEntry.objects.exclude(id__in=SealedEntry.objects.values("id"))
    if last:
        newest = AuditEntry.objects.filter(id__in=SealedEntry.objects.filter(seal=last).values("id"))
        written = newest.aggregate(newest=Max("written_at"))["newest"]
        waiting = waiting.filter(written_at__gte=written - LOOK_BACK) if written else waiting
    entries = list(waiting.order_by("id"))
    if not entries:
        return None
    previous = last.digest if last else NOTHING
    made = AuditSeal.objects.create(
        number=last.number + 1 if last else 1,
        sealed_at=at,
        entry_count=len(entries),
        previous=previous,
        digest=_digest(previous, entries),
    )
    SealedEntry.objects.bulk_create(SealedEntry(id=entry.id, seal=made) for entry in entries)
    return made


def verify(kept: Store | None = None) -> list[Finding]:
    """Everything that is wrong with the bound authority's record; empty when it is whole.

    `kept` is where `keep_newest` put the newest seal; without it a cut-off end cannot be seen.
    """
    findings: list[Finding] = []
    previous, number = NOTHING, 0
    for each in AuditSeal.objects.order_by("number").iterator():
        number += 1
        if each.number != number:
            findings.append(Finding(number, f"seals {number} to {each.number - 1} are missing"))
            number = each.number
        elif each.previous != previous:
            findings.append(Finding(number, f"seal {number} does not follow the one before it"))
        covered = list(each.sealed_entries.values_list("id", flat=True))
        entries = list(AuditEntry.objects.filter(id__in=covered).order_by("id"))
        if len(entries) < each.entry_count:
            missing = each.entry_count - len(entries)
            findings.append(
                Finding(number, f"{missing} of the {each.entry_count} entries of seal {number} are missing")
            )
        elif _digest(each.previous, entries) != each.digest:
            findings.append(
                Finding(number, f"an entry of seal {number}, of {each.sealed_at:%d %B %Y %H:%M}, was changed")
            )
        previous = each.digest
    if kept:
        findings += _against_kept(kept)
    return findings


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
    here = AuditSeal.objects.filter(number=copy["number"]).first()
    if here is None:
        return [Finding(copy["number"], f"the record ends before seal {copy['number']}, which was kept outside")]
    if here.digest != copy["digest"]:
        return [Finding(copy["number"], f"seal {copy['number']} is not the one that was kept outside")]
    return []


def _place() -> str:
    return f"a/{require_bound().id}/newest-seal"


def _digest(previous: str, entries: Iterable[AuditEntry]) -> str:
    digest = hashlib.sha256(previous.encode())
    for entry in entries:
        values = {field.attname: getattr(entry, field.attname) for field in AuditEntry._meta.concrete_fields}
        digest.update(json.dumps(values, sort_keys=True, default=_plain).encode() + b"\n")
    return digest.hexdigest()


def _plain(value: object) -> str:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value)
