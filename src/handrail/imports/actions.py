"""Every write about an uploaded file. People upload, confirm, cancel and ask to undo; a worker does the rest.

A worker claims one file at a time for a while (`lease_until`). What it writes afterwards is refused when another
worker has claimed the file since.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, BinaryIO
from uuid import UUID

from django.db import transaction

from handrail.accounts.models import User
from handrail.accounts.roles import Permission
from handrail.core import audit
from handrail.core.calendar import day_of
from handrail.core.documents import StoreUnavailable, keep, key_of
from handrail.core.models import Document
from handrail.imports import absences, children, extract, invitations, starter
from handrail.imports.models import FileImport
from handrail.imports.reading import Comparison, Known, Reading
from handrail.schools.models import School
from tenants.database import require_bound

Kind, State = FileImport.Kind, FileImport.State

NEEDED = {
    Kind.PEOPLE: Permission.INVITE_SCHOOLS,
    Kind.CHILDREN: Permission.EDIT_CHILDREN,
    Kind.ABSENCES: Permission.MAKE_RETURNS,
}
"""What somebody must be allowed whose file is imported or undone, where it is not IMPORT_SCHOOLS."""

LEASE = timedelta(minutes=1)
MOST_ATTEMPTS = 3
OF_CHILDREN: dict[str, Any] = {Kind.CHILDREN: children, Kind.ABSENCES: absences}
"""The kinds of file about a school's children, and what compares, imports and undoes each."""
CHANGED_MEANWHILE = (
    "What it is compared with has changed since this file was checked, so it was checked again. "
    "Nothing is imported yet."
)


class Refused(ValueError):
    """What was asked cannot be done; the message says why in words for the person."""


class NotKept(Refused):
    """The file could not be stored."""


class NotReady(Refused):
    """The file is not, or no longer, in the state that this needs."""


class NotConfirmed(Refused):
    """The file would do a great deal, and nobody has said that this is right."""


class TooLate(Refused):
    """More than 24 hours have passed."""


class LeaseLost(Exception):
    """Another worker has the file now: this one must stop."""


@dataclass(frozen=True)
class Claim:
    """A file that this worker has in hand: the row as it was claimed is the proof."""

    id: UUID
    attempt: int
    state: str


# -- people ----------------------------------------------------------------------------------------------


@transaction.atomic
def upload(*, kind: str, file: BinaryIO, name: str, by: User, at: datetime) -> FileImport:
    """Keep a file and have it checked. Raises NotKept."""
    try:
        document = keep(file, name=name, content_type="text/csv", by=by, at=at)
    except StoreUnavailable as error:
        raise NotKept("The file could not be kept. Try again in a few minutes") from error
    found = FileImport.objects.create(
        kind=kind,
        document=document,
        file_name=document.name,
        uploaded_at=at,
        uploaded_by=by.id,
        uploaded_by_name=by.name,
        asked_by=by.id,
    )
    _record("uploaded a file", found, by=by, at=at)
    return found


@transaction.atomic
def gather_office_addresses(*, by: User, at: datetime) -> FileImport:
    """Make the list of people to invite that a file would hold: the office of each school nobody has signed in for."""
    reading = invitations.office_addresses(on=day_of(at))
    found = FileImport(
        kind=Kind.PEOPLE,
        file_name="Schools’ office addresses",
        uploaded_at=at,
        uploaded_by=by.id,
        uploaded_by_name=by.name,
        asked_by=by.id,
        rows=reading.rows,
        problems=reading.problems,
    )
    _keep(found, _compare(found, at=at), reading.counts)
    _move(found, State.CHECKED)
    _record("gathered office addresses", found, by=by, at=at)
    return found


@transaction.atomic
def upload_list(*, kind: FileImport.Kind, school: School, file: BinaryIO, by: User, at: datetime) -> FileImport:
    """Keep a school's file about its children, sealed, and have it checked. Raises NotKept, VaultClosed.

    It is called by its kind: its own name may name a child.
    """
    try:
        document = keep(file, name=kind.label, content_type="application/octet-stream", by=by, at=at, sealed=True)
    except StoreUnavailable as error:
        raise NotKept("The file could not be kept. Try again in a few minutes") from error
    found = FileImport.objects.create(
        kind=kind,
        school=school,
        document=document,
        file_name=kind.label,
        uploaded_at=at,
        uploaded_by=by.id,
        uploaded_by_name=by.name,
        asked_by=by.id,
    )
    _record("uploaded a file", found, by=by, at=at)
    return found


@transaction.atomic
def confirm(*, file: FileImport, has_understood: bool, by: User, at: datetime, marks_left: bool = False) -> None:
    """Have the good rows imported, and with `marks_left` who is not in a list of children recorded as having left.

    Raises NotReady, NotConfirmed.
    """
    file = _in_state(file, State.CHECKED)
    if file.needs_confirmation and not has_understood:
        raise NotConfirmed("Tick the box to say that these figures are right")
    _move(file, State.CONFIRMED, asked_by=by.id, marks_left=marks_left)
    _record("confirmed an import", file, by=by, at=at)


@transaction.atomic
def cancel(*, file: FileImport, by: User, at: datetime) -> None:
    """Put a checked file away. Raises NotReady."""
    file = _in_state(file, State.CHECKED)
    _move(file, State.CANCELLED, rows=[], sealed_rows=None)
    _record("cancelled an import", file, by=by, at=at)


@transaction.atomic
def ask_to_undo(*, file: FileImport, by: User, at: datetime) -> None:
    """Have an import undone within 24 hours of it. Raises NotReady, TooLate."""
    file = _in_state(file, State.COMMITTED)
    if not file.may_be_undone(at=at):
        raise TooLate("This was imported more than 24 hours ago and can no longer be undone")
    _move(file, State.UNDOING, asked_by=by.id)
    _record("asked to undo an import", file, by=by, at=at)


# -- the worker ------------------------------------------------------------------------------------------


@transaction.atomic
def claim(*, at: datetime) -> FileImport | None:
    """Take the file that has waited longest in hand, or give None. One that failed three times is given up."""
    file = FileImport.objects.waiting(at=at).order_by("uploaded_at").select_for_update(skip_locked=True).first()
    if file is None:
        return None
    if file.attempt >= MOST_ATTEMPTS:
        _give_up(file, at=at)
    else:
        file.attempt, file.lease_until = file.attempt + 1, at + LEASE
        file.save(update_fields=["attempt", "lease_until"])
    return file


def what_is_known(*, at: datetime) -> Known:
    """What a reader must know of the bound authority."""
    authority = require_bound()
    held = list(School.objects.values_list("urn", "closed_on", "register_as_of"))
    return Known(
        code=authority.code,
        name=authority.name,
        urns=frozenset(urn for urn, _, _ in held),
        open_urns=frozenset(urn for urn, closed_on, _ in held if closed_on is None),
        register_as_of=max((as_of for _, _, as_of in held if as_of), default=None),
        today=day_of(at),
    )


def report_progress(mine: Claim, *, done: int, total: int, at: datetime) -> None:
    """Say how far reading has come, and keep the file in hand. Raises LeaseLost."""
    held = FileImport.objects.filter(id=mine.id, attempt=mine.attempt, state=mine.state)
    if not held.update(rows_done=done, rows_total=total, lease_until=at + LEASE):
        raise LeaseLost


@transaction.atomic
def record_check(mine: Claim, reading: Reading, *, at: datetime) -> None:
    """Keep what was read, and what importing it would do. Raises LeaseLost."""
    file = _held(mine)
    file.as_of, file.problems = reading.as_of, reading.problems
    if file.kind == Kind.ABSENCES:
        file.sealed_rows = reading.rows
    else:
        file.rows = reading.rows
    file.rows_done = file.rows_total = len(reading.rows)
    file.save()
    file.refresh_from_db(
        fields=["rows", "sealed_rows"]
    )  # compare what will be imported: the rows as JSON gives them back
    _keep(file, _compare(file, at=at), reading.counts)
    _move(file, State.CHECKED)


@transaction.atomic
def refuse(mine: Claim, *, why: str, at: datetime) -> None:
    """Refuse the whole file with one sentence. Raises LeaseLost."""
    file = _held(mine)
    _move(file, State.REFUSED, refusal=why[:500])
    _record("refused a file", file, by=audit.CLOCK, at=at)


@transaction.atomic
def commit(mine: Claim, *, at: datetime) -> None:
    """Import the good rows, as far as they would still do what the person saw; else show it anew. Raises LeaseLost."""
    file = _held(mine)
    by = _asker(file, at=at)
    if by is None:
        _give_up(file, at=at)
        return
    found = _compare(file, at=at)
    if any(file.counts.get(name) != count for name, count in found.counts.items()):
        _keep(file, found, file.counts)
        _move(file, State.CHECKED, note=CHANGED_MEANWHILE)
        return
    on = day_of(at)
    if file.kind == Kind.REGISTER:
        file.before = extract.commit(file.rows, on=on, as_of=file.as_of or on, by=by, at=at)
    elif file.kind == Kind.PEOPLE:
        file.before = {"roles": invitations.commit(file.rows, by=by, at=at)}
    elif file.school:
        file.before, file.changes = OF_CHILDREN[file.kind].commit(
            file.good_rows, school=file.school, marks_left=file.marks_left, on=on, by=by, at=at
        )
    else:
        file.before = {"steps": starter.commit(file.rows, on=on, by=by, at=at)}
    _move(file, State.COMMITTED, committed_at=at, rows=[], sealed_rows=None)
    _record("imported a file", file, by=by, at=at)


@transaction.atomic
def undo(mine: Claim, *, at: datetime) -> None:
    """Put back what an import changed and nobody has changed since. Raises LeaseLost."""
    file = _held(mine)
    by = _asker(file, at=at)
    if by is None:
        _give_up(file, at=at)
        return
    if file.kind == Kind.REGISTER:
        left = extract.undo(file.before, by=by, at=at)
    elif file.kind == Kind.PEOPLE:
        left = invitations.undo(file.before["roles"], by=by, at=at)
    elif file.school:
        left = OF_CHILDREN[file.kind].undo(file.before, school=file.school, by=by, at=at)
    else:
        left = starter.undo(file.before["steps"], by=by, at=at)
    _move(file, State.UNDONE, left=left, before={})
    _record("undid an import", file, by=by, at=at)


@transaction.atomic
def delete_files(*, at: datetime) -> list[str]:
    """Delete the uploaded files that nobody needs any more, and what undoing them would have needed. What became of
    them stays. Gives the keys under which the store has them: they are to be deleted when this is committed.
    """
    files = FileImport.objects.done_with(at=at).select_related("document").only("document", "school")
    done = list(files.select_for_update(of=("self",)))
    keys = [key_of(file.document) for file in done if file.document]
    _delete_contents(done, by=audit.CLOCK, at=at)
    return keys


@transaction.atomic
def forget_lists(*, school_id: UUID, by: audit.Actor, at: datetime) -> None:
    """Delete what lists of a school's children still hold of them, now and not when their time has come.

    None of them can be undone afterwards, and one that was only checked is put away.
    """
    lists = FileImport.objects.filter(school_id=school_id, document__isnull=False)
    done = list(lists.exclude(state__in=FileImport.IN_HAND).select_for_update(of=("self",)))
    _delete_contents(done, by=by, at=at)


@transaction.atomic
def release(mine: Claim) -> None:
    """Let go of a file after something went wrong, so that it is tried again at the next look."""
    FileImport.objects.filter(id=mine.id, attempt=mine.attempt, state=mine.state).update(lease_until=None)


def _delete_contents(files: list[FileImport], *, by: audit.Actor, at: datetime) -> None:
    """Delete the files and what undoing needs; of a list of children all that it told of them too.

    The store's sweep takes what is left there: a sealed file cannot be opened any more.
    """
    these = FileImport.objects.filter(id__in=[file.id for file in files])
    these.update(document=None, before={})
    lists = these.exclude(school=None)
    lists.filter(state=State.CHECKED).update(state=State.CANCELLED)
    lists.update(rows=[], sealed_rows=None, changes=[], problems=[], left=[])
    Document.objects.filter(id__in=[file.document_id for file in files]).delete()
    about = [audit.Subject(file.id, file.school_id, ["document"]) for file in files]
    audit.record_each("deleted an uploaded file", about, by=by, at=at, subject_kind="import")


def _held(mine: Claim) -> FileImport:
    """The file, locked, if it is still this worker's. Raises LeaseLost."""
    held = FileImport.objects.filter(id=mine.id, attempt=mine.attempt, state=mine.state)
    file: FileImport | None = held.select_for_update().first()
    if file is None:
        raise LeaseLost
    return file


def _in_state(file: FileImport, state: str) -> FileImport:
    found: FileImport | None = FileImport.objects.select_for_update().filter(id=file.id, state=state).first()
    if found is None:
        raise NotReady("Somebody has already decided about this file")
    return found


def _move(file: FileImport, state: str, **facts: object) -> None:
    """Into another state, in nobody's hand, with a new number of attempts before it."""
    for name, value in {"state": state, "lease_until": None, "attempt": 0, "note": "", **facts}.items():
        setattr(file, name, value)
    file.save()


def _compare(file: FileImport, *, at: datetime) -> Comparison:
    on = day_of(at)
    if file.kind == Kind.REGISTER:
        return extract.compare(file.rows, file.problems, on=on, as_of=file.as_of or on)
    if file.kind == Kind.PEOPLE:
        return invitations.compare(file.rows)
    if file.school:
        found: Comparison = OF_CHILDREN[file.kind].compare(file.good_rows, school=file.school, on=on)
        return found
    return starter.compare(file.rows, on=on, at=at)


def _keep(file: FileImport, found: Comparison, counts: dict[str, int]) -> None:
    file.counts = {**counts, **found.counts}
    file.changes, file.needs_confirmation = found.changes, found.warning
    seen = {(each["line"], each["column"]) for each in file.problems}
    new = [each for each in found.problems if (each["line"], each["column"]) not in seen]
    file.problems = sorted([*file.problems, *new], key=lambda each: each["line"])


def _asker(file: FileImport, *, at: datetime) -> User | None:
    """Who decided about the file, while they may still do so."""
    user: User | None = User.objects.filter(id=file.asked_by, is_active=True).first()
    needed = NEEDED.get(Kind(file.kind), Permission.IMPORT_SCHOOLS)
    if user is None or not user.as_at(day_of(at)).may(needed, school_id=file.school_id):
        return None
    user.act_under(needed)
    return user


def _give_up(file: FileImport, *, at: datetime) -> None:
    """Stop trying: nothing of it was done, and a person has to look."""
    if file.state == State.UNDOING:
        _move(file, State.COMMITTED, note="This could not be undone, and nothing was changed.")
    else:
        _move(file, State.REFUSED, refusal="This file could not be imported, and nothing was changed. Upload it again.")
    _record("gave up on a file", file, by=audit.CLOCK, at=at)


def _record(verb: str, file: FileImport, *, by: audit.Actor, at: datetime) -> None:
    audit.record(verb, by=by, at=at, subject_kind="import", subject_id=file.id, school_id=file.school_id)
