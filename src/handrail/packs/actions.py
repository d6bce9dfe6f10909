"""Every write about packs. The clock asks for them each night; a worker makes one school's after the other.

A worker holds a pack for a while (`lease_until`). What it writes is refused when another has begun the pack since.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from io import BytesIO
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from handrail.core import audit
from handrail.core.documents import keep
from handrail.core.jinja import moment
from handrail.core.models import Document
from handrail.packs.models import Pack
from handrail.plans.models import HealthcarePlan, PlanVersion, Stage
from handrail.plans.paper import emergency_pages
from handrail.schools.models import Pupil, School
from tenants.database import execute

LEASE = timedelta(minutes=5)


class Refused(ValueError):
    """What was asked cannot be done; the message says why in words for the person."""


class NoPack(Refused):
    """There is no file to give."""


class LeaseLost(Exception):
    """Another worker has the pack now: this one must stop."""


@dataclass(frozen=True)
class Claim:
    """A pack that this worker has in hand."""

    id: UUID
    attempt: int


ASK = """
INSERT INTO packs_pack AS pack (id, school_id, asked_on, attempt)
SELECT gen_random_uuid(), school_id, %s, 0 FROM ({schools}) found (school_id) ORDER BY school_id
ON CONFLICT (school_id) DO UPDATE SET asked_on = excluded.asked_on, attempt = 0, lease_until = NULL
WHERE pack.asked_on < excluded.asked_on
RETURNING 1
"""


@transaction.atomic
def ask_for_packs(*, on: date, at: datetime) -> int:
    """Ask for the packs of the day `on`, of every open school with an active plan; give how many are new. The packs of
    other schools go.
    """
    schools = _with_plans(on=on)
    for pack in Pack.objects.exclude(school_id__in=schools).select_related("document"):
        _delete(pack)
    found, parameters = schools.query.sql_with_params()
    new = len(execute(ASK.format(schools=found), [on, *parameters]))
    if new:
        audit.record("asked for packs of emergency pages", by=audit.CLOCK, at=at, subject_kind="pack")
    return new


@transaction.atomic
def claim(*, at: datetime) -> Claim | None:
    """Take one of the packs that wait in hand, those begun least often first, or give None."""
    waiting = Pack.objects.waiting(at=at).order_by("attempt", "school_id")
    pack: Pack | None = waiting.select_for_update(skip_locked=True, of=("self",)).first()
    if pack is None:
        return None
    pack.attempt, pack.lease_until = pack.attempt + 1, at + LEASE
    pack.save(update_fields=["attempt", "lease_until"])
    return Claim(pack.id, pack.attempt)


@transaction.atomic
def make(mine: Claim, *, at: datetime) -> Pack:
    """Make a school's pack, sealed, in place of the one before. Raises LeaseLost, StoreUnavailable, VaultClosed."""
    held = Pack.objects.select_for_update(of=("self",)).select_related("document")
    pack: Pack | None = held.filter(id=mine.id, attempt=mine.attempt).first()
    if pack is None:
        raise LeaseLost
    before, on = pack.document, pack.asked_on
    versions = [version for version in _versions(pack.school_id, on=on) if version.says]
    pack.document = _kept(versions, on=on, at=at) if versions else None
    pack.child_ids = [version.plan.pupil_id for version in versions]
    pack.made_on, pack.made_at, pack.lease_until = on, at, None
    pack.save()
    if before:
        before.delete()
    return pack


@transaction.atomic
def forget_pack(*, school_id: UUID) -> None:
    """Delete a school's pack, because it tells of a child who is to be forgotten. The next night's is made without."""
    for pack in Pack.objects.select_for_update(of=("self",)).select_related("document").filter(school_id=school_id):
        _delete(pack)


def take(pack: Pack | None) -> Document:
    """The file of a pack. Raises NoPack."""
    if pack is None or pack.document is None:
        raise NoPack("There is no pack yet. It is made in the night after a plan becomes active")
    return pack.document


def _with_plans(*, on: date) -> QuerySet[HealthcarePlan, UUID]:
    """The open schools with an active plan of a child who is there on the day `on`."""
    there = Pupil.objects.on_roll(on=on).filter(school__in=School.objects.open())
    plans = HealthcarePlan.objects.filter(stage=Stage.ACTIVE, pupil__in=there)
    return plans.order_by().values_list("pupil__school_id", flat=True).distinct()


def _versions(school_id: UUID, *, on: date) -> QuerySet[PlanVersion]:
    children = Pupil.objects.on_roll(on=on).filter(school_id=school_id, plan__stage=Stage.ACTIVE)
    found: QuerySet[PlanVersion] = PlanVersion.objects.newest_of(children).select_related("plan__pupil__school")
    return found


def _kept(versions: list[PlanVersion], *, on: date, at: datetime) -> Document:
    printed = f"Made {moment(at)} by Handrail: check for a newer version."
    content = emergency_pages(versions, printed=printed, on=on, has_contents=True)
    name = f"emergency-pages-{on}.pdf"
    return keep(BytesIO(content), name=name, content_type="application/pdf", by=audit.CLOCK, at=at, sealed=True)


def _delete(pack: Pack) -> None:
    pack.delete()
    if pack.document:
        pack.document.delete()
