"""Who must know what a plan says, and who has read it. A plan that changes asks everybody again."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Exists, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from handrail.accounts.models import Membership, User
from handrail.core import audit
from handrail.core.calendar import day_of
from handrail.plans.actions import NotAtSchool, Refused
from handrail.plans.models import HealthcarePlan, PlanVersion, Stage
from handrail.plans.readers import READERS, Reader, ReadReceipt
from handrail.schools.models import Pupil


class NotAsked(Refused):
    """The person is not among those who must know the plan, or it is not active."""


class HasChanged(Refused):
    """A newer version was saved than the one that was read."""


def may_read(school_id: UUID, *, on: date) -> QuerySet[User]:
    """The people with an account who may see what to do in an emergency at a school."""
    held = Membership.objects.current(on=on).filter(school_id=school_id, role__in=READERS)
    return User.objects.filter(is_active=True, id__in=held.values("user_id")).order_by("name", "id")


def readers_of(plan: HealthcarePlan, version: PlanVersion, *, on: date) -> list[tuple[Reader, ReadReceipt | None]]:
    """Everybody who must know the plan, by name, with their receipt for this version: those without one first."""
    receipts = {each.reader_id: each for each in ReadReceipt.objects.filter(version=version)}
    asked = Reader.objects.asked(on=on).filter(plan=plan).select_related("person")
    found = [(each, receipts.get(each.id)) for each in asked]
    return sorted(found, key=lambda each: (each[1] is not None, str(each[0]).lower()))


def with_newest(plans: QuerySet[HealthcarePlan]) -> Any:
    """Adds to each plan `newest`, the id of the newest version."""
    newest = PlanVersion.objects.filter(plan=OuterRef("pk")).order_by("-number")
    return plans.annotate(newest=Subquery(newest.values("id")[:1]))


def with_readers(plans: QuerySet[HealthcarePlan], *, on: date) -> Any:
    """Adds to each plan how many people must know the newest version on the day `on`, `asked`, and `have_read` it."""
    asked = Reader.objects.asked(on=on).filter(plan=OuterRef("pk"))
    receipt = ReadReceipt.objects.filter(reader=OuterRef("pk"), version=OuterRef(OuterRef("newest")))
    have_read = asked.filter(Exists(receipt))
    return with_newest(plans).annotate(asked=_count(asked), have_read=_count(have_read))


def to_be_read_by(user: User, plans: QuerySet[HealthcarePlan], *, on: date) -> Any:
    """Those of active plans of children at school, or still to join it, that the person must know and has not read as
    they are now.
    """
    mine = Reader.objects.asked(on=on).filter(person=user)
    read = ReadReceipt.objects.filter(reader__person=user, version=OuterRef("newest"))
    found = plans.filter(stage=Stage.ACTIVE, pupil__in=Pupil.objects.not_left(on=on), id__in=mine.values("plan"))
    return with_newest(found).filter(~Exists(read), newest__isnull=False)


def _count(rows: QuerySet[Any]) -> Coalesce:
    """How many rows there are of the plan that a subquery is about."""
    counted = rows.order_by().values("plan").annotate(count=Count("pk")).values("count")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


@dataclass(frozen=True)
class Asked:
    """What is asked of one person who must know a plan: the receipt for the newest version, if there is one."""

    receipt: ReadReceipt | None
    has_read_before: bool


def asked_of(person: User, version: PlanVersion, *, on: date) -> Asked | None:
    """What is asked of the person about a plan's newest version; nothing when they need not know it, or it rests."""
    reader = Reader.objects.asked(on=on).filter(plan=version.plan_id, person=person, plan__stage=Stage.ACTIVE).first()
    if reader is None:
        return None
    receipts = list(reader.receipts.all())
    receipt = next((each for each in receipts if each.version_id == version.id), None)
    return Asked(receipt, has_read_before=bool(receipts))


@transaction.atomic
def choose_readers(
    *, plan: HealthcarePlan, people: Iterable[User], names: Iterable[str], by: audit.Actor, at: datetime
) -> None:
    """Decide who must know a plan: people with an account at the child's school, and others by name.

    Whoever is left out need not know it any more; what they have read stays recorded. Raises NotAtSchool.
    """
    plan = _held(plan)
    chosen = {each.id: each for each in people}
    if set(chosen) - set(may_read(plan.pupil.school_id, on=day_of(at)).values_list("id", flat=True)):
        raise NotAtSchool("Select people who may see this school’s emergency plans")
    by_name = {name.lower(): name for name in names}
    known = {each.person_id or each.name.lower(): each for each in plan.readers.all()}
    changed = False
    for key, each in known.items():
        is_asked = key in chosen or key in by_name
        if is_asked == (each.ended_at is not None):
            each.asked_at, each.ended_at = (at, None) if is_asked else (each.asked_at, at)
            each.save(update_fields=["asked_at", "ended_at"])
            changed = True
    made = [Reader(plan=plan, person=each, asked_at=at) for key, each in chosen.items() if key not in known]
    made += [Reader(plan=plan, name=name, asked_at=at) for key, name in by_name.items() if key not in known]
    if Reader.objects.bulk_create(made) or changed:
        _record("chose who must know a plan", plan, by=by, at=at, fields=["readers"])


@transaction.atomic
def confirm_read(*, plan: HealthcarePlan, number: int, by: User, at: datetime) -> bool:
    """Record that the person has read version `number`; give whether that is new. Raises NotAsked, HasChanged."""
    plan = _held(plan)
    reader = Reader.objects.asked(on=day_of(at)).filter(plan=plan, person=by).first()
    if reader is None or plan.stage != Stage.ACTIVE:
        raise NotAsked("You are not asked to confirm that you have read this plan")
    version = _newest(plan)
    if version.number != number:
        raise HasChanged("The plan has just been changed. Read it again before you confirm")
    return _receipt(reader, version, plan, "confirmed reading a plan", by=by, at=at)


@transaction.atomic
def record_told(*, plan: HealthcarePlan, reader: Reader, by: audit.Actor, at: datetime) -> bool:
    """Record that somebody without an account has read the newest version, on paper or over a shoulder.

    Gives whether that is new. Raises NotAsked.
    """
    plan = _held(plan)
    asked = Reader.objects.asked(on=day_of(at)).filter(id=reader.id, plan=plan, person=None).first()
    if asked is None or plan.stage != Stage.ACTIVE:
        raise NotAsked("This person has to confirm it themselves, or is not asked any more")
    return _receipt(asked, _newest(plan), plan, "recorded who has read a plan", by=by, at=at)


def _held(plan: HealthcarePlan) -> HealthcarePlan:
    """The plan as it is now, held until the end."""
    found: HealthcarePlan = (
        HealthcarePlan.objects.select_for_update(of=("self",)).select_related("pupil").get(id=plan.id)
    )
    return found


def _newest(plan: HealthcarePlan) -> PlanVersion:
    """Raises NotAsked when nothing is written: there is nothing to know."""
    version: PlanVersion | None = plan.versions.order_by("-number").first()
    if version is None:
        raise NotAsked("Nothing is written in this plan yet")
    return version


def _receipt(
    reader: Reader, version: PlanVersion, plan: HealthcarePlan, verb: str, *, by: audit.Actor, at: datetime
) -> bool:
    _, is_new = ReadReceipt.objects.get_or_create(
        reader=reader,
        version=version,
        defaults={"read_at": at, "recorded_by": by.actor_id, "recorded_by_name": by.actor_name},
    )
    if is_new:
        _record(verb, plan, by=by, at=at, fields=["receipts"])
    return is_new


def _record(verb: str, plan: HealthcarePlan, *, by: audit.Actor, at: datetime, fields: list[str]) -> None:
    audit.record(
        verb, by=by, at=at, subject_kind="plan", subject_id=plan.id, school_id=plan.pupil.school_id, fields=fields
    )
