"""Every write about exports, deletions and what is held about one child.

One person asks and another agrees; a worker or a command does it.

A worker holds an export for a while (`lease_until`). What it finishes stays finished: the next worker goes on from
there. What it writes is refused when another worker has claimed the export since.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import BinaryIO, TypeVar
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from handrail.accounts.models import User
from handrail.core import audit
from handrail.core.documents import keep
from handrail.core.models import Document
from handrail.core.rotation import is_fixed
from handrail.core.seals import delete_retired, retire
from handrail.handovers import erased
from handrail.imports.actions import forget_lists
from handrail.packs.actions import forget_pack
from handrail.records.child import delete, held_about
from handrail.records.models import KEPT_FOR, AuthorityExport, Deletion, ExportFile, LegalHold, RetentionPeriod
from handrail.records.retention import (
    CLASSES,
    MOST_YEARS,
    RecordClass,
    add_count,
    counts,
    first_day_kept,
    past_their_time,
)
from handrail.schools.models import Pupil

State = AuthorityExport.State
T = TypeVar("T", AuthorityExport, Deletion)

LEASE = timedelta(minutes=5)
MOST_ATTEMPTS = 5
"""Workers that may die over one file before a person has to look."""


class Refused(ValueError):
    """What was asked cannot be done; the message says why in words for the person."""


class UnderWay(Refused):
    """There is one already that has not ended."""


class NotReady(Refused):
    """It is not, or no longer, in the state that this needs."""


class SamePerson(Refused):
    """Whoever asked for something cannot be the one who agrees to it."""


class UnderHold(Refused):
    """A legal hold keeps everything about the child."""


class AuthorityKeeps(Refused):
    """What the authority has decided about the child is on record, and nobody at a school deletes that."""


class PeriodRefused(Refused):
    """Records of this class cannot be kept for so short or so long a time."""


class LeaseLost(Exception):
    """Another worker has the export now: this one must stop."""


@dataclass(frozen=True)
class Claim:
    """An export that this worker has in hand: the row as it was claimed is the proof."""

    id: UUID
    attempt: int


# -- two people ------------------------------------------------------------------------------------------


def _ask(row: T, what: str, *, by: User, at: datetime) -> T:
    """Write down what is asked for. Nothing is done before a second person agrees. Raises UnderWay."""
    row.asked_at, row.asked_by, row.asked_by_name = at, by.id, by.name
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        raise UnderWay(f"There is {what} already that has not ended") from error
    return row


def _confirm(row: T, *, by: User, at: datetime) -> T:
    """The second person's agreement. Raises SamePerson, NotReady."""
    row = _in_state(row, "asked")
    if row.asked_by == by.id:
        raise SamePerson("You asked for this, so somebody else has to agree to it")
    row.state = "confirmed"
    row.confirmed_at, row.confirmed_by, row.confirmed_by_name = at, by.id, by.name
    row.save()
    return row


def _cancel(row: T) -> T:
    """Put away what nobody has agreed to. Raises NotReady."""
    row = _in_state(row, "asked")
    row.state = "cancelled"
    row.save(update_fields=["state"])
    return row


def _in_state(row: T, state: str) -> T:
    found = type(row).objects.select_for_update(of=("self",)).filter(id=row.id, state=state).first()
    if found is None:
        raise NotReady("Somebody has already decided about this")
    return found


# -- exports: people -------------------------------------------------------------------------------------


@transaction.atomic
def ask_for_export(*, by: User, at: datetime) -> AuthorityExport:
    """Ask for everything of the authority. Raises UnderWay."""
    export = _ask(AuthorityExport(), "an export", by=by, at=at)
    _record("asked for an export of everything", export, by=by, at=at)
    return export


@transaction.atomic
def confirm_export(*, export: AuthorityExport, by: User, at: datetime) -> None:
    """Agree to an export that somebody else asked for. Raises SamePerson, NotReady."""
    _record("agreed to an export of everything", _confirm(export, by=by, at=at), by=by, at=at)


@transaction.atomic
def cancel_export(*, export: AuthorityExport, by: User, at: datetime) -> None:
    """Put an export away that nobody has agreed to. Raises NotReady."""
    _record("cancelled an export of everything", _cancel(export), by=by, at=at)


@transaction.atomic
def take_export(*, export: AuthorityExport, by: User, at: datetime) -> Document:
    """The finished file, and the note that this person has taken it. Raises NotReady."""
    export = _in_state(export, State.READY)
    if export.document is None:
        raise NotReady("This export has been deleted. Ask for a new one")
    _record("downloaded an export of everything", export, by=by, at=at)
    return export.document


# -- exports: the worker ---------------------------------------------------------------------------------


@transaction.atomic
def claim(*, at: datetime) -> AuthorityExport | None:
    """Take the export that waits in hand, or give None. One that keeps failing is given up."""
    waiting = AuthorityExport.objects.waiting(at=at)
    export: AuthorityExport | None = waiting.select_for_update(skip_locked=True).first()
    if export is None:
        return None
    if export.attempt >= MOST_ATTEMPTS:
        _delete_files(export)
        export.state, export.lease_until = State.FAILED, None
        _record("gave up on an export of everything", export, by=audit.CLOCK, at=at)
    else:
        export.attempt, export.lease_until = export.attempt + 1, at + LEASE
    export.save()
    return export if export.state == State.CONFIRMED else None


@transaction.atomic
def hold(mine: Claim, *, at: datetime) -> None:
    """Go on holding an export. Raises LeaseLost."""
    if not _held(mine).update(lease_until=at + LEASE):
        raise LeaseLost


@transaction.atomic
def add_file(mine: Claim, *, path: str, content: BinaryIO, content_type: str, row_count: int, at: datetime) -> None:
    """Keep one finished file, sealed. Raises LeaseLost, StoreUnavailable, VaultClosed."""
    hold(mine, at=at)
    document = keep(
        content, name=path.rpartition("/")[2], content_type=content_type, by=audit.CLOCK, at=at, sealed=True
    )
    ExportFile.objects.create(export_id=mine.id, path=path, row_count=row_count, document=document)


@transaction.atomic
def finish(mine: Claim, *, content: BinaryIO, at: datetime) -> None:
    """Keep the whole, sealed, and let the single files go. Raises LeaseLost, StoreUnavailable, VaultClosed."""
    hold(mine, at=at)
    export = AuthorityExport.objects.get(id=mine.id)
    name = f"handrail-export-{at:%Y-%m-%d}.zip"
    export.document = keep(content, name=name, content_type="application/zip", by=audit.CLOCK, at=at, sealed=True)
    export.state, export.ready_at, export.lease_until = State.READY, at, None
    export.save()
    _delete_files(export)
    _record("finished an export of everything", export, by=audit.CLOCK, at=at)


@transaction.atomic
def release(mine: Claim) -> None:
    """Let go of an export after something went wrong, so that it is tried again at the next look."""
    _held(mine).update(lease_until=None)


@transaction.atomic
def delete_old_exports(*, at: datetime) -> int:
    """Delete exports a week after they were ready. Gives their number."""
    old = AuthorityExport.objects.filter(Q(state=State.READY), ready_at__lte=at - KEPT_FOR).select_for_update()
    for export in old:
        document, export.document, export.state = export.document, None, State.DELETED
        export.save()
        if document:
            document.delete()
        _record("deleted an export of everything", export, by=audit.CLOCK, at=at)
    return len(old)


def _held(mine: Claim) -> QuerySet[AuthorityExport]:
    return AuthorityExport.objects.filter(id=mine.id, attempt=mine.attempt, state=State.CONFIRMED)


def _delete_files(export: AuthorityExport) -> None:
    for file in export.files.select_related("document"):
        file.delete()
        file.document.delete()


# -- keeping ---------------------------------------------------------------------------------------------


def periods() -> dict[str, int]:
    """How many years each class of records is kept: the authority's choice, or the default."""
    chosen = dict(RetentionPeriod.objects.values_list("record_class", "years"))
    return {each.key: chosen.get(each.key, each.years) for each in CLASSES}


@transaction.atomic
def set_period(*, record_class: RecordClass, years: int, by: User, at: datetime) -> None:
    """Keep records of a class for so many years. Deletes nothing. Raises PeriodRefused."""
    if not record_class.least_years <= years <= MOST_YEARS:
        raise PeriodRefused(f"Enter a number of years from {record_class.least_years} to {MOST_YEARS}")
    if periods()[record_class.key] == years:
        return
    RetentionPeriod.objects.update_or_create(record_class=record_class.key, defaults={"years": years})
    audit.record("changed how long records are kept", by=by, at=at, subject_kind="retention", fields=[record_class.key])


@transaction.atomic
def ask_for_deletion(*, by: User, on: date, at: datetime) -> Deletion:
    """Ask for everything to be deleted that is past its time on the day `on`. Raises UnderWay."""
    chosen = periods()
    deletion = Deletion(on=on, periods=chosen, expected=counts(chosen, on=on))
    _record("asked for a deletion", _ask(deletion, "a deletion", by=by, at=at), by=by, at=at)
    return deletion


@transaction.atomic
def confirm_deletion(*, deletion: Deletion, by: User, at: datetime) -> None:
    """Agree to a deletion that somebody else asked for. Raises SamePerson, NotReady."""
    _record("agreed to a deletion", _confirm(deletion, by=by, at=at), by=by, at=at)


@transaction.atomic
def cancel_deletion(*, deletion: Deletion, by: User, at: datetime) -> None:
    """Put a deletion away that nobody has agreed to. Raises NotReady."""
    _record("cancelled a deletion", _cancel(deletion), by=by, at=at)


@transaction.atomic
def carry_out_deletion(*, at: datetime) -> Deletion | None:
    """Delete what two people have agreed to, all of it or nothing; None when there is nothing agreed.

    Counts by the day and the periods that they saw. What has come under legal hold since stays.
    """
    deletion: Deletion | None = (
        Deletion.objects.select_for_update(of=("self",)).filter(state=Deletion.State.CONFIRMED).first()
    )
    if deletion is None:
        return None
    for each in CLASSES:
        if each.key not in deletion.periods:  # it came with a later release than the two have agreed in
            continue
        years = deletion.periods[each.key]
        if each.key == "audit":
            retire(before_on=first_day_kept(years, on=deletion.on), by=audit.CLOCK, at=at)
            deletion.deleted[each.key] = delete_retired()
        else:
            past = past_their_time(each, years, on=deletion.on)
            add_count(deletion.deleted, each, [delete(rows) for rows in past])
    deletion.state, deletion.done_at = Deletion.State.DONE, at
    deletion.save()
    _record("deleted what was past its time", deletion, by=audit.CLOCK, at=at)
    return deletion


# -- one child -------------------------------------------------------------------------------------------


@transaction.atomic
def give_out_hidden(*, pupil: Pupil, by: User, at: datetime) -> None:
    """Record that the person takes a file with what parents must not be told, and has said that whoever gets it may
    know all of it.
    """
    _record_about(pupil, "took out what is hidden from parents", by=by, at=at)


@transaction.atomic
def place_hold(*, pupil: Pupil, reason: str, by: User, at: datetime) -> LegalHold:
    """Keep everything about a child until the hold is lifted. Raises UnderWay."""
    try:
        with transaction.atomic():
            hold = LegalHold.objects.create(
                pupil=pupil, reason=reason, placed_at=at, placed_by=by.id, placed_by_name=by.name
            )
    except IntegrityError as error:
        raise UnderWay("There is a legal hold already") from error
    _record_about(pupil, "placed a legal hold", by=by, at=at)
    return hold


@transaction.atomic
def lift_hold(*, pupil: Pupil, by: User, at: datetime) -> None:
    """End the legal hold on a child. Lifting it twice changes nothing."""
    open_ones = LegalHold.objects.filter(pupil=pupil, lifted_at=None)
    if open_ones.update(lifted_at=at, lifted_by=by.id, lifted_by_name=by.name):
        _record_about(pupil, "lifted a legal hold", by=by, at=at)


@transaction.atomic
def erase_child(*, pupil: Pupil, by: User, at: datetime) -> None:
    """Delete everything held about a child; what people did and saw stays, and names them by id alone.

    What the school's imported lists still hold goes for all its children, so no list can be undone afterwards; and its
    pack of emergency pages goes until the next is made. The other side of a handover is told, without a name.
    Raises UnderHold, AuthorityKeeps.
    """
    Pupil.objects.select_for_update(of=("self",)).get(id=pupil.id)
    if LegalHold.objects.filter(pupil=pupil, lifted_at=None).exists():
        raise UnderHold("This child is under legal hold. Nothing can be erased before the hold is lifted")
    held = list(held_about(Pupil.objects.filter(id=pupil.id)))
    if any(is_fixed(rows.model) and rows.exists() for rows in held):
        raise AuthorityKeeps(
            "The authority has decided about this child’s education and must keep the record of it until its time is up"
        )
    _record_about(pupil, "erased a child", by=by, at=at)
    erased.owe_news(pupil, at=at)
    for rows in reversed(held):
        delete(rows)
    forget_lists(school_id=pupil.school_id, by=by, at=at)
    forget_pack(school_id=pupil.school_id)


def _record_about(pupil: Pupil, verb: str, *, by: User, at: datetime) -> None:
    audit.record(verb, by=by, at=at, subject_kind="child", subject_id=pupil.id, school_id=pupil.school_id)


def _record(verb: str, row: AuthorityExport | Deletion, *, by: audit.Actor, at: datetime) -> None:
    kind = "export" if isinstance(row, AuthorityExport) else "deletion"
    audit.record(verb, by=by, at=at, subject_kind=kind, subject_id=row.id)
