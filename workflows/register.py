"""Each authority follows the register of schools; and the files that people upload are checked and imported."""

import logging
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from celery import shared_task
from django.utils import timezone

from handrail.authority.succession import carry_conversions
from handrail.core.audit import CLOCK
from handrail.core.calendar import day_of
from handrail.core.documents import open_document, store
from handrail.imports import absences_file, actions, children_file, extract, invitations_file, starter_file
from handrail.imports.models import FileImport
from handrail.policies.actions import inherit_history, open_policies
from handrail.schools.actions import Followed, follow_register
from tenants.context import inside
from tenants.csv_file import UnusableFile
from tenants.routing import Authority, authorities
from workflows.per_authority import AuthorityTask, UnboundTask, for_each_authority

Kind = FileImport.Kind

log = logging.getLogger(__name__)

READERS: dict[str, Any] = {
    Kind.REGISTER: extract,
    Kind.STARTER: starter_file,
    Kind.PEOPLE: invitations_file,
    Kind.CHILDREN: children_file,
    Kind.ABSENCES: absences_file,
}


@dataclass(frozen=True)
class Brought:
    """What bringing one authority up to date with the register did, in numbers."""

    schools: Followed = field(default_factory=Followed)
    policies_opened: int = 0
    policies_inherited: int = 0
    children_carried: int = 0


def bring_up_to_date(*, at: datetime) -> Brought:
    """Inside an authority: follow the register, open the policies of new schools, and carry over conversions.

    A second run changes nothing.
    """
    on = day_of(at)
    schools = follow_register(on=on, at=at)
    opened = open_policies(on=on, at=at)
    inherited = sum(
        inherit_history(predecessor=old, successor=new, by=CLOCK, on=on, at=at) for old, new in schools.conversions
    )
    return Brought(schools, opened, inherited, carry_conversions(at=at))


@shared_task
def follow() -> int:
    """Ring for every authority to follow the register."""
    return for_each_authority(follow_for, at=timezone.now())


@shared_task(base=AuthorityTask)
def follow_for(*, authority: Authority, at: datetime) -> None:
    """Bring one authority up to date with the register."""
    bring_up_to_date(at=at)


# -- files that officers upload --------------------------------------------------------------------------


@shared_task
def check_files() -> int:
    """Ring for every authority in which an uploaded file waits: one short look each."""
    now, waiting = timezone.now(), []
    for authority in authorities():
        if authority.is_served:
            with inside(authority):
                if FileImport.objects.waiting(at=now).exists():
                    waiting.append(authority)
    for authority in waiting:
        work_on_files.apply_async(kwargs={"authority": str(authority.id)})
    return len(waiting)


@shared_task(base=UnboundTask)
def work_on_files(*, authority: Authority) -> None:
    """Do what waits in one authority, file after file."""
    while work_on_next_file(authority):
        pass


def work_on_next_file(authority: Authority, *, clock: Callable[[], datetime] = timezone.now) -> bool:
    """Take one file a step further; give whether there was one.

    The file is copied inside the authority and read outside of it, so that no transaction stands open while it is
    read. Whatever breaks, the file stays as it was and is tried again, at once or when its lease has ended.
    """
    with inside(authority):
        file = actions.claim(at=clock())
        if file is None or not file.is_in_hand:
            return file is not None
        mine = actions.Claim(file.id, file.attempt, file.state)
    try:
        if mine.state == FileImport.State.WAITING:
            _check(authority, file, mine, clock)
        else:
            with inside(authority):
                step = actions.commit if mine.state == FileImport.State.CONFIRMED else actions.undo
                step(mine, at=clock())
    except actions.LeaseLost:
        log.warning("another worker has file %s in hand", mine.id)
    except Exception:
        log.exception("file %s of authority %s failed and will be tried again", mine.id, authority.code)
        with inside(authority):
            actions.release(mine)
        return False
    return True


@shared_task
def delete_files() -> int:
    """Ring for every authority to delete the uploaded files that nobody needs any more."""
    return for_each_authority(delete_files_of, at=timezone.now())


@shared_task(base=UnboundTask)
def delete_files_of(*, authority: Authority, at: datetime) -> None:
    """Delete the uploaded files of one authority, first their rows. What a failure leaves in the store is swept."""
    with inside(authority):
        keys = actions.delete_files(at=at)
    for key in keys:
        store().delete(key)


def _check(authority: Authority, file: FileImport, mine: actions.Claim, clock: Callable[[], datetime]) -> None:
    def report(done: int, total: int) -> None:
        with inside(authority):
            actions.report_progress(mine, done=done, total=total, at=clock())

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.csv"
        with inside(authority):
            known = actions.what_is_known(at=clock())
            document: Any = file.document  # there is one while the file waits
            with open_document(document) as kept, path.open("wb") as copy:
                shutil.copyfileobj(kept, copy)
        try:
            reading = READERS[file.kind].read(path, name=file.file_name, known=known, report=report)
        except UnusableFile as refusal:
            with inside(authority):
                actions.refuse(mine, why=str(refusal), at=clock())
            return
    with inside(authority):
        actions.record_check(mine, reading, at=clock())
