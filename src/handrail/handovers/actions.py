"""Every move of a handover that this side makes, and the pack that it sends. Hearing of the other's is in `post.py`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction

from handrail.core import audit
from handrail.core.calendar import day_of
from handrail.core.models import AuthoritySettings
from handrail.handovers import moves, pack
from handrail.handovers.models import Handover, Message, Pack, Step, StepsRead
from handrail.handovers.moves import MOVES, Move, Side
from handrail.plans.models import PlanVersion
from handrail.schools.models import Contact, Pupil, Term
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
    "review": "reviewed a placement",
    "plan_return": "planned a return",
    "begin_return": "began a phased return",
    "confirm_return": "confirmed a return",
    "pass_on": "passed a child on",
    "end": "ended a handover",
    "withdraw": "withdrew a handover",
    "correct": "corrected a pack",
    "expire": "let a handover run out",
}
"""Each move as the record of changes tells it."""


class Refused(ValueError):
    """What was asked cannot be done; the message says why in words for the person."""


class NotNow(Refused):
    """The handover is not where this can be done, or the child is in another one."""


class GapsLeft(Refused):
    """The pack lacks something of the smallest safe set."""

    def __init__(self, missing: list[pack.Item]) -> None:
        super().__init__("Fill in what is missing first. Nothing has been sent.")
        self.missing = missing


class StepsNotRead(Refused):
    """Nobody has said that they read the emergency steps of the newest pack."""


class ReasonMissing(Refused):
    """A move that has to say why does not."""


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
    """Begin to hand a child over. Nothing leaves yet. Raises NotNow when the child is in an open handover."""
    own = require_bound()
    handover = Handover(
        reference=uuid4(),
        side=Side.HOME,
        pupil=pupil,
        setting_name=to.setting,
        setting_urn=to.urn,
        is_hospital=to.is_hospital,
        other_role=to.role,
        other_name=to.authority,
        home_authority=home_authority,
        school_authority=own.code,
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
    _note(handover, MOVES["prepare"], by=by, at=at)
    return handover


@transaction.atomic
def write(*, handover: Handover, said: Mapping[str, str], by: audit.Actor, at: datetime) -> Handover:
    """Keep what was written for the pack. Raises NotNow once the handover is over."""
    handover = _locked(handover)
    if handover.is_over or not handover.is_home:
        raise NotNow("This handover can no longer be changed here.")
    known = {item.name for item in pack.ASKED}
    handover.about = {**(handover.about or {}), **{name: text for name, text in said.items() if name in known}}
    handover.save(update_fields=["about"])
    _record("wrote for a pack", handover, by=by, at=at, fields=sorted(set(said) & known))
    return handover


def content_of(handover: Handover) -> dict[str, Any]:
    """What a pack would hold if it were sent now."""
    pupil = _child(handover)
    version = PlanVersion.objects.of_child(pupil).first()
    return {
        "form": pack.FORM,
        "child": {
            "name": pupil.name,
            "known_as": pupil.known_as,
            "born_on": pupil.born_on.isoformat(),
            "year_group": pupil.year_group,
            "upn": pupil.upn,
        },
        "contacts": [
            {
                "name": each.name,
                "relation": each.relation,
                "phone": each.phone,
                "email": each.email,
                "has_parental_responsibility": each.has_parental_responsibility,
            }
            for each in Contact.objects.of_child(pupil)
        ],
        "home": {
            "school": pupil.school.name,
            "urn": pupil.school.urn,
            "ring": handover.ring,
            "telephone": handover.telephone,
            "authority": handover.home_authority,
        },
        "plan": {
            "number": version.number if version else 0,
            "emergency": version.emergency if version else None,
            "sections": version.sections if version else None,
        },
        "about": handover.about or {},
        "roll": handover.roll,
        "starts_on": handover.starts_on.isoformat() if handover.starts_on else "",
    }


@transaction.atomic
def submit(*, handover: Handover, by: audit.Actor, at: datetime) -> Pack:
    """Freeze the pack and owe it to the other side. Raises GapsLeft without the smallest safe set, and NotNow."""
    handover = _locked(handover)
    move = "correct" if handover.newest_pack() and handover.state != moves.State.MORE_ASKED else "submit"
    content = content_of(handover)
    missing = pack.gaps(content, 1)
    if missing:
        raise GapsLeft(missing)
    _make(handover, move, by=by, at=at)
    made = Pack.objects.create(
        handover=handover,
        number=handover.packs.filter(is_return=False).count() + 1,
        content=content,
        sha256=pack.digest(content),
        version=PlanVersion.objects.of_child(_child(handover)).filter(number=content["plan"]["number"]).first(),
        made_at=at,
        made_by_name=by.actor_name,
    )
    _owe(handover, Message.Kind.PACK, {"move": move, "number": made.number, "pack": content}, at=at)
    return made


# -- both sides ----------------------------------------------------------------------------------------------

SETS_A_REVIEW = frozenset({"begin", "review"})
NEEDS_A_REASON = frozenset({"ask_for_more", "decline", "end", "withdraw"})


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
    ReasonMissing, NotNow, and StepsNotRead when teaching would begin before anybody read the emergency steps.
    """
    handover = _locked(handover)
    told = {key: text.strip() for key, text in (said or {}).items() if text.strip()}
    if name in NEEDS_A_REASON and not told.get("reason"):
        raise ReasonMissing("Say why, so that the other side knows what to do next.")
    if name == "decline" and not told.get("next"):
        raise ReasonMissing("Say who acts next, and what could be done instead.")
    if name == "begin_return" and not dates.get("return_until_on"):
        raise ReasonMissing("Enter the day on which the phased return ends. It must have one.")
    if name == "begin":
        newest = handover.newest_pack()
        if newest is None or not newest.read_by.exists():
            raise StepsNotRead(
                "Somebody must first say that they have read the emergency steps and know where the medicine is."
            )
    for column, day in dates.items():
        setattr(handover, column, day)
    _make(handover, name, by=by, at=at, said=told)
    if name in SETS_A_REVIEW and handover.review_on:
        dates["review_on"] = handover.review_on
    content = {"move": name, "said": told, "dates": {column: day.isoformat() for column, day in dates.items()}}
    if handover.packs.exists():  # before there was one, nobody else knows of it
        _owe(handover, Message.Kind.MOVE, content, at=at)
    return handover


@transaction.atomic
def read_steps(*, handover: Handover, by: audit.Actor, at: datetime) -> StepsRead:
    """Note that somebody has read the emergency steps of the newest pack and knows where the medicine is."""
    handover = _locked(handover)
    newest = handover.newest_pack()
    if handover.is_home or newest is None:
        raise NotNow("There is no pack to read here.")
    made, is_new = StepsRead.objects.get_or_create(
        pack=newest, by=by.actor_id, defaults={"at": at, "by_name": by.actor_name}
    )
    if is_new:
        _record("read the emergency steps of a pack", handover, by=by, at=at)
    return made


def _child(handover: Handover) -> Pupil:
    """Whom a handover is about. Raises NotNow on the side of a setting that has opened nothing yet."""
    if handover.pupil is None:
        raise NotNow("Open the pack first: nobody here knows the child yet.")
    return handover.pupil


# -- shared --------------------------------------------------------------------------------------------------


def _locked(handover: Handover) -> Handover:
    return (
        Handover.objects.select_for_update(of=("self",)).select_related("pupil__school", "setting").get(id=handover.id)
    )


def _make(
    handover: Handover, name: str, *, by: audit.Actor, at: datetime, said: Mapping[str, Any] | None = None
) -> None:
    try:
        state = moves.after(moves.State(handover.state), name, by=Side(handover.side))
    except moves.IllegalMove as error:
        raise NotNow(str(error)) from error
    stand(handover, state, MOVES[name], at=at)
    handover.save()
    _note(handover, MOVES[name], by=by, at=at, said=said)


def stand(handover: Handover, state: moves.State, move: Move, *, at: datetime) -> None:
    """Put the handover where a move led, and work out by when the next one is expected. Does not save."""
    if move.name == "correct":
        return  # it stands where it stood: what has come and is not opened has a clock of its own
    on, calendar = day_of(at), Term.objects.calendar()
    if handover.state != state or move.to is None:
        handover.since_on = on
    handover.state = state
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
        handover.due_on = handover.return_from_on or handover.review_on
    if move.name == "begin_return":
        handover.due_on = handover.return_until_on
    if handover.is_over:
        handover.due_on = None


def _owe(handover: Handover, kind: str, content: dict[str, Any], *, at: datetime) -> Message:
    number = handover.messages.filter(way=Message.Way.OUT).count() + 1
    return Message.objects.create(
        handover=handover,
        way=Message.Way.OUT,
        kind=kind,
        reference=uuid4(),
        number=number,
        content=content,
        owed_at=at,
    )


def _note(
    handover: Handover, move: Move, *, by: audit.Actor, at: datetime, said: Mapping[str, Any] | None = None
) -> None:
    add_step(handover, move, at=at, said=said, by=by.actor_id, by_name=by.actor_name)
    _record(VERBS[move.name], handover, by=by, at=at, fields=["state"])


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


def _record(verb: str, handover: Handover, *, by: audit.Actor, at: datetime, fields: list[str] | None = None) -> None:
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
    """The school of this side: the child's at home, the setting's where it has a URN."""
    if handover.is_home:
        return handover.pupil.school_id if handover.pupil else None
    return handover.setting.school_id if handover.setting else None
