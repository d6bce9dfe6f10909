"""Every move of a handover that this side makes, and the pack that it sends. Hearing of the other's is in `post.py`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import uuid4

from django.db import IntegrityError, transaction

from handrail.core import audit
from handrail.core.calendar import day_of
from handrail.core.jinja import long_date
from handrail.handovers import due, moves, pack
from handrail.handovers.models import Handover, Message, Pack, StepsRead
from handrail.handovers.moves import MOVES, Side
from handrail.handovers.pack_content import content_of
from handrail.handovers.refusals import GapsLeft as GapsLeft
from handrail.handovers.refusals import NotNow as NotNow
from handrail.handovers.refusals import ReasonMissing as ReasonMissing
from handrail.handovers.refusals import Refused as Refused
from handrail.handovers.refusals import StepsNotRead as StepsNotRead
from handrail.handovers.refusals import WrongDay as WrongDay
from handrail.handovers.said import WHO_READ, check_said, in_iso
from handrail.handovers.steps import SETS_A_REVIEW, VERBS, check_seen, child_in, locked, make, note, owe, record
from handrail.plans.models import PlanVersion
from handrail.schools.actions import change_pupil
from handrail.schools.models import Pupil
from tenants import exchange
from tenants.database import require_bound


@dataclass(frozen=True)
class Destination:
    """Where a child goes: a setting of an authority in the exchange, by the register or by its own name."""

    role: str
    authority: str
    authority_code: str
    setting: str
    urn: str
    is_hospital: bool


# -- the home side -------------------------------------------------------------------------------------------


@transaction.atomic
def prepare(
    *,
    pupil: Pupil,
    to: Destination,
    home_authority: str,
    roll: str,
    starts_on: date | None,
    is_urgent: bool,
    ring: str,
    telephone: str,
    by: audit.Actor,
    at: datetime,
) -> Handover:
    """Begin to hand a child over. Nothing leaves yet. Raises NotNow when the child is in an open handover.

    One that follows a handover that was passed on, and that nobody has answered for since, says so. Where the child
    lives is kept with the child.
    """
    if gone := exchange.ceased(at=at).get(to.role):
        raise NotNow(f"{gone.why_gone} Hand the child over to the one that now has {to.setting}.")
    passed_on = due.passed_on(on=day_of(at)).filter(pupil=pupil)
    handover = Handover(
        reference=uuid4(),
        side=Side.HOME,
        pupil=pupil,
        earlier=passed_on.order_by("-since_on", "-started_at").first(),
        setting_name=to.setting,
        setting_urn=to.urn,
        is_hospital=to.is_hospital,
        other_role=to.role,
        other_name=to.authority,
        home_authority=home_authority,
        school_authority=require_bound().code,
        host_authority=to.authority_code,
        roll=roll,
        starts_on=starts_on,
        is_urgent=is_urgent,
        ring=ring,
        telephone=telephone,
        state=moves.after(None, "prepare", by=Side.HOME),
        since_on=day_of(at),
        started_at=at,
    )
    try:
        with transaction.atomic():
            handover.save(force_insert=True)
    except IntegrityError as error:
        raise NotNow(f"{pupil} is already being handed over. Open that handover instead.") from error
    change_pupil(pupil=pupil, lives_in=home_authority, by=by, at=at)
    note(handover, MOVES["prepare"], by=by, at=at)
    return handover


@transaction.atomic
def write(*, handover: Handover, said: Mapping[str, str], by: audit.Actor, at: datetime) -> Handover:
    """Keep what was written for the pack. Raises NotNow once it is over, or where the other side writes it."""
    handover = locked(handover)
    if handover.is_over or not (handover.is_home or handover.has_no_other_side):
        raise NotNow("This handover can no longer be changed here.")
    known = {item.name for item in pack.ASKED}
    handover.about = {**(handover.about or {}), **{name: text for name, text in said.items() if name in known}}
    handover.save(update_fields=["about"])
    record("wrote for a pack", handover, by=by, at=at, fields=sorted(set(said) & known))
    return handover


@transaction.atomic
def submit(*, handover: Handover, by: audit.Actor, at: datetime) -> Pack:
    """Freeze the pack and owe it to the other side. Raises GapsLeft without the smallest safe set, and NotNow."""
    handover = locked(handover)
    move = "correct" if handover.newest_pack() and handover.state != moves.State.MORE_ASKED else "submit"
    content = content_of(handover, child_in(handover), on=day_of(at))
    missing = pack.gaps(content, 1)
    if missing:
        raise GapsLeft(missing)
    version = PlanVersion.objects.of_child(child_in(handover)).filter(number=content["plan"]["number"]).first()
    return send_pack(handover, move, content, version, by=by, at=at)


def send_pack(
    handover: Handover,
    move: str,
    content: dict[str, Any],
    version: PlanVersion | None,
    *,
    by: audit.Actor,
    at: datetime,
    said: Mapping[str, str] | None = None,
) -> Pack:
    """Freeze what a pack says, make its move and owe it. The caller holds the handover's row. Raises NotNow."""
    make(handover, move, by=by, at=at, said=said)
    made: Pack = Pack.objects.create(
        handover=handover,
        number=handover.packs.filter(is_return=False).count() + 1,
        content=content,
        sha256=pack.digest(content),
        version=version,
        made_at=at,
        made_by_name=by.actor_name,
    )
    owed = {"move": move, "number": made.number, "answers": handover.times_asked, "pack": content}
    owe(handover, Message.Kind.PACK, owed, at=at)
    return made


# -- both sides ----------------------------------------------------------------------------------------------


@transaction.atomic
def make_move(
    *,
    handover: Handover,
    name: str,
    by: audit.Actor,
    at: datetime,
    said: Mapping[str, str] | None = None,
    seen: int | None = None,
    **dates: date,
) -> Handover:
    """Make a move that needs no pack, and owe the other side a message of it.

    `dates` are columns of the handover that the move sets: when teaching starts, when a phased return ends. `seen` is
    the number of the newest step that whoever makes it had seen (see `steps.check_seen`). Raises ReasonMissing, NotNow,
    WrongDay, and StepsNotRead when teaching would begin before anybody read the steps.
    """
    handover = locked(handover)
    check_seen(handover, name, seen)
    told = {key: text.strip() for key, text in (said or {}).items() if text.strip()}
    check_said(name, told, dates, roll=handover.roll)
    if name in ("confirm_return", "end") and handover.return_can_be_opened(on=day_of(at)):
        raise NotNow("A return pack has come, and nobody has opened it. Open the return pack first.")
    if name in ("accept", "begin") and handover.messages.filter(way="in", kind="pack", done_at=None).exists():
        raise NotNow("A newer pack has come. Open and read it first.")
    if name == "begin" and not steps_are_read(handover):
        raise StepsNotRead(
            "Somebody must first say that they have read the emergency steps and know where the medicine is."
        )
    if name == "begin":
        dates["first_session_on"] = first_session_on(handover, dates.get("first_session_on"), at=at)
    handover.take_up(name, told, dates)
    newest = handover.newest_pack()
    if name == "begin" and newest:
        told[WHO_READ] = newest.who_read
    make(handover, name, by=by, at=at, said=told | in_iso(dates))
    if name in SETS_A_REVIEW and handover.review_on:
        dates["review_on"] = handover.review_on
    content: dict[str, Any] = {"move": name, "said": told, "dates": in_iso(dates)}
    content["again"] = handover.steps.filter(move="teach_again").count()
    if handover.packs.exists() or handover.messages.exists():  # before there was one, nobody else knows of it
        owe(handover, Message.Kind.MOVE, content, at=at)
    return handover


def steps_are_read(handover: Handover) -> bool:
    """Whether somebody has said that they read the emergency steps of the newest pack, as they are now."""
    newest = handover.newest_pack()
    return newest is not None and newest.read_by.of_now().exists()


def first_session_on(handover: Handover, given: date | None, *, at: datetime) -> date:
    """The day of the first session: today, where none is given. Raises WrongDay for one that cannot have been."""
    day = given or day_of(at)
    before = handover.steps.filter(move="submit" if handover.is_home else "accept").first()
    if day > day_of(at):
        raise WrongDay("The first session must be today or in the past")
    if before and day < day_of(before.at):
        words = f"{long_date(day_of(before.at))}, when {before.by_name} {VERBS[before.move]}"
        raise WrongDay(f"The first session must be on or after {words}")
    return day


@transaction.atomic
def read_steps(*, handover: Handover, by: audit.Actor, at: datetime) -> StepsRead:
    """Note that somebody has read the emergency steps as the setting has them now, and knows where the medicine is."""
    handover = locked(handover)
    newest = handover.newest_pack()
    if handover.is_home or newest is None:
        raise NotNow("There is no pack to read here.")
    known: StepsRead | None = newest.read_by.of_now().filter(by=by.actor_id).first()
    if known:
        return known
    version = PlanVersion.objects.of_child(child_in(handover)).first()
    record("read the emergency steps of a pack", handover, by=by, at=at)
    return StepsRead.objects.create(pack=newest, version=version, by=by.actor_id, at=at, by_name=by.actor_name)
