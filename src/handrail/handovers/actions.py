"""Every move of a handover that this side makes, and the pack that it sends. Hearing of the other's is in `post.py`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction

from handrail.core import audit
from handrail.core.calendar import day_of
from handrail.core.jinja import long_date
from handrail.core.models import AuthoritySettings
from handrail.handovers import moves, pack
from handrail.handovers.models import Handover, Message, Pack, Step, StepsRead
from handrail.handovers.moves import MOVES, Move, Side
from handrail.handovers.pack_content import content_of
from handrail.handovers.refusals import GapsLeft as GapsLeft
from handrail.handovers.refusals import NotNow as NotNow
from handrail.handovers.refusals import ReasonMissing as ReasonMissing
from handrail.handovers.refusals import Refused as Refused
from handrail.handovers.refusals import StepsNotRead as StepsNotRead
from handrail.handovers.refusals import WrongDay as WrongDay
from handrail.handovers.said import WHO_READ, check_said, in_iso
from handrail.plans.models import PlanVersion
from handrail.schools.actions import change_pupil, pupil_left
from handrail.schools.models import Pupil, Term
from tenants import exchange
from tenants.database import require_bound

VERBS = {
    "prepare": "prepared a handover",
    "admit": "gave notice of an admission",
    "ask_for_pack": "asked for a pack",
    "submit": "sent a pack",
    "acknowledge": "opened a pack",
    "ask_for_more": "asked for more",
    "accept": "accepted a handover",
    "decline": "declined a handover",
    "begin": "taught the first session",
    "update": "told how a child gets on",
    "review": "reviewed a placement",
    "plan_return": "planned a return",
    "teach_again": "taught a child there again",
    "send_back": "sent a return pack",
    "open_back": "opened a return pack",
    "begin_return": "began a phased return",
    "review_return": "reviewed a phased return",
    "confirm_return": "confirmed a return",
    "pass_on": "passed a child on",
    "end": "ended a handover",
    "withdraw": "withdrew a handover",
    "take_back": "took back the notice of an admission",
    "correct": "corrected a pack",
    "expire": "let a handover run out",
    "come_back": "got a pack back",
    "go_on_alone": "lost the way to the other side of a handover",
}
"""Each move as the record of changes tells it."""


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

    One that follows a handover that was passed on says so. Where the child lives is kept with the child.
    """
    if gone := exchange.ceased(at=at).get(to.role):
        raise NotNow(f"{gone.why_gone} Hand the child over to the one that now has {to.setting}.")
    passed_on = Handover.objects.filter(side=Side.HOME, pupil=pupil, state=moves.State.PASSED_ON, later=None)
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

SETS_A_REVIEW = frozenset({"begin", "review", "teach_again"})


@transaction.atomic
def make_move(
    *,
    handover: Handover,
    name: str,
    by: audit.Actor,
    at: datetime,
    said: Mapping[str, str] | None = None,
    **dates: date,
) -> Handover:
    """Make a move that needs no pack, and owe the other side a message of it.

    `dates` are columns of the handover that the move sets: when teaching starts, when a phased return ends. Raises
    ReasonMissing, NotNow, WrongDay, and StepsNotRead when teaching would begin before anybody read the steps.
    """
    handover = locked(handover)
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


def child_in(handover: Handover) -> Pupil:
    """Whom a handover is about. Raises NotNow on the side of a setting that has opened nothing yet."""
    if handover.pupil is None:
        raise NotNow("Open the pack first: nobody here knows the child yet.")
    return handover.pupil


# -- shared --------------------------------------------------------------------------------------------------


def locked(handover: Handover) -> Handover:
    """The handover as it is now, held until the end."""
    rows = Handover.objects.select_for_update(of=("self",)).select_related("pupil__school", "setting")
    return rows.get(id=handover.id)


def make(
    handover: Handover, name: str, *, by: audit.Actor, at: datetime, said: Mapping[str, Any] | None = None
) -> None:
    """Make a move of this side, and note it. Raises NotNow."""
    try:
        side = Side.CLOCK if by is audit.CLOCK and MOVES[name].by == Side.CLOCK else Side(handover.side)
        state = moves.after(moves.State(handover.state), name, by=side)
    except moves.IllegalMove as error:
        raise NotNow(str(error)) from error
    stand(handover, state, MOVES[name], at=at)
    handover.save()
    if name in SETS_A_REVIEW and handover.review_on:
        said = {**(said or {}), "review_on": handover.review_on.isoformat()}
    note(handover, MOVES[name], by=by, at=at, said=said)


def stand(handover: Handover, state: moves.State, move: Move, *, at: datetime) -> None:
    """Put the handover where a move led, and work out by when the next one is expected. Does not save."""
    on, calendar = day_of(at), Term.objects.calendar()
    if move.update_days or handover.state != state:
        handover.update_on = moves.update_on(move, on=on, calendar=calendar)
    if move.name == "review_return":
        handover.due_on = handover.return_until_on
    if move.name == "correct" or move.name in moves.TOLD_ONLY:
        return  # what has come and is not opened has a clock of its own
    handover.state, handover.since_on = state, on
    handover.due_on = moves.due_on(move, on=on, calendar=calendar, is_hospital=handover.is_hospital)
    if move.name == "accept":
        handover.due_on = handover.starts_on or moves.school_days_after(on, moves.PANEL_DAYS, calendar)
    if move.name == "begin":
        handover.first_session_on = handover.first_session_on or on
    if move.name in SETS_A_REVIEW:
        if handover.side == move.by:  # the other side is told the day
            handover.review_on = moves.next_review_on(on, AuthoritySettings.load().handover_review_weeks)
        handover.due_on = handover.review_on
    if move.name == "plan_return":
        handover.due_on = handover.return_from_on or (max(handover.review_on, on) if handover.review_on else None)
    if move.name == "begin_return":
        handover.due_on = handover.return_until_on
    if handover.is_over:
        handover.due_on = None
        _leaves_the_setting(handover, at=at)
        if handover.pupil_id is None and handover.notice:
            handover.notice = {}  # who it was is not ours to keep


def _leaves_the_setting(handover: Handover, *, at: datetime) -> None:
    """A child whom a setting knows by handovers alone has left it when none is under way. What is held stays."""
    pupil = handover.pupil
    if handover.is_home or pupil is None or not handover.made_pupil or pupil.left_on:
        return
    others = Handover.objects.under_way().filter(side=Side.SETTING, pupil=pupil).exclude(id=handover.id)
    if not others.exists():
        pupil_left(pupil=pupil, left_on=max(day_of(at), pupil.joined_on), by=audit.CLOCK, at=at)


def owe(handover: Handover, kind: str, content: dict[str, Any], *, at: datetime) -> None:
    """Owe the other side a message, after all that is owed to it. One without Handrail is rung, or has a guest page."""
    if handover.has_no_other_side:
        return
    number = handover.messages.filter(way=Message.Way.OUT).count() + 1
    Message.objects.create(
        handover=handover,
        way=Message.Way.OUT,
        kind=kind,
        reference=uuid4(),
        number=number,
        content=content,
        owed_at=at,
    )


def note(
    handover: Handover, move: Move, *, by: audit.Actor, at: datetime, said: Mapping[str, Any] | None = None
) -> None:
    """The step of a move of this side, and its line in the record of changes."""
    add_step(handover, move, at=at, said=said, by=by.actor_id, by_name=by.actor_name)
    record(VERBS[move.name], handover, by=by, at=at, fields=["state"])


def add_step(
    handover: Handover,
    move: Move,
    *,
    at: datetime,
    said: Mapping[str, Any] | None,
    by_name: str,
    by: UUID | None = None,
) -> None:
    """The next step of a handover's story. The caller holds the handover's row."""
    Step.objects.create(
        handover=handover,
        number=handover.steps.count() + 1,
        move=move.name,
        side=move.by,
        state=handover.state,
        said=dict(said) if said else None,
        at=at,
        by=by,
        by_name=by_name,
    )


def record(verb: str, handover: Handover, *, by: audit.Actor, at: datetime, fields: list[str] | None = None) -> None:
    """Write in the record of changes what was done to a handover."""
    audit.record(
        verb,
        by=by,
        at=at,
        subject_kind="handover",
        subject_id=handover.id,
        school_id=school_id_of(handover),
        fields=fields,
    )


def school_id_of(handover: Handover) -> UUID | None:
    """The school of this side."""
    if handover.is_home:
        return handover.pupil.school_id if handover.pupil else handover.school_id
    return handover.setting.school_id if handover.setting else None
