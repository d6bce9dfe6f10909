"""Moves of a side that does not use Handrail: somebody was told of them, or the guest page of the case made them."""

from collections.abc import Mapping
from datetime import date, datetime

from django.db import transaction

from handrail.core import audit
from handrail.core.calendar import day_of
from handrail.handovers import actions, moves, pack, steps
from handrail.handovers.actions import GapsLeft, NotNow, StepsNotRead
from handrail.handovers.models import Handover, Pack
from handrail.handovers.moves import MOVES, Side, State
from handrail.handovers.pack_content import content_of
from handrail.handovers.said import WHO_READ, check_said, in_iso
from handrail.plans.models import PlanVersion

TOLD: Mapping[Side, tuple[str, ...]] = {
    Side.SETTING: (
        *("acknowledge", "ask_for_more", "accept", "decline"),
        *("begin", "update", "review", "plan_return", "teach_again", "pass_on"),
    ),
    Side.HOME: ("open_back", "begin_return", "review_return", "confirm_return", "end"),
}
"""What a side without Handrail can be heard to have done. A setting sends no return pack through it; what a home side
sends as a pack is written down: see `keep_pack`.
"""


@transaction.atomic
def note_theirs(
    *,
    handover: Handover,
    name: str,
    by: audit.Actor,
    at: datetime,
    said: Mapping[str, str] | None = None,
    seen: int | None = None,
    **dates: date,
) -> Handover:
    """Follow a move of a side that does not use Handrail. The story says who told of it.

    Raises ReasonMissing, WrongDay, StepsNotRead when a first session is told of without who there read the emergency
    steps, and NotNow where the other side makes its own moves or this one is not its to make.
    """
    handover = steps.locked(handover)
    steps.check_seen(handover, name, seen)
    if not handover.has_no_other_side or name not in TOLD[theirs(handover)]:
        raise NotNow("The other side makes this move itself.")
    if name == "open_back" and handover.newest_pack(is_return=True) is None:
        raise NotNow("There is no return pack yet.")
    told = {key: text.strip() for key, text in (said or {}).items() if text.strip()}
    check_said(name, told, dates, roll=handover.roll)
    if asks_who_read(handover, name) and not told.get(WHO_READ):
        raise StepsNotRead("Ask them who has read the emergency steps and knows where the medicine is, and since when.")
    if name == "begin":
        dates["first_session_on"] = actions.first_session_on(handover, dates.get("first_session_on"), at=at)
    handover.take_up(name, told, dates)
    _follow(handover, name, said=told | in_iso(dates), by=by, at=at)
    return handover


@transaction.atomic
def keep_pack(*, handover: Handover, by: audit.Actor, at: datetime, opened_by: audit.Actor | None = None) -> Pack:
    """Keep what a home side without Handrail sent by another way, as the setting or a guest of the home side wrote it
    down. It is a pack as any: complete, frozen, and its emergency steps are to be read. Raises GapsLeft without the
    smallest safe set, and NotNow.
    """
    handover = steps.locked(handover)
    if handover.is_home or not handover.has_no_other_side or handover.pupil is None:
        raise NotNow("The other side sends its pack itself.")
    content = content_of(handover, handover.pupil, on=day_of(at))
    missing = pack.gaps(content, 1)
    if missing:
        raise GapsLeft(missing)
    _follow(handover, "submit" if handover.state in MOVES["submit"].of else "correct", said=None, by=by, at=at)
    made: Pack = Pack.objects.create(
        handover=handover,
        number=handover.packs.filter(is_return=False).count() + 1,
        content=content,
        sha256=pack.digest(content),
        version=PlanVersion.objects.of_child(handover.pupil).first(),
        made_at=at,
        made_by_name=by.actor_name,
    )
    if handover.state == State.SUBMITTED:
        steps.make(handover, "acknowledge", by=opened_by or by, at=at)
    return made


def _follow(handover: Handover, name: str, *, said: Mapping[str, str] | None, by: audit.Actor, at: datetime) -> None:
    try:
        state = moves.after(State(handover.state), name, by=theirs(handover))
    except moves.IllegalMove as error:
        raise NotNow(str(error)) from error
    steps.stand(handover, state, MOVES[name], at=at)
    handover.save()
    steps.note(handover, MOVES[name], by=by, at=at, said=said)


def theirs(handover: Handover) -> Side:
    """The other side."""
    return Side.SETTING if handover.is_home else Side.HOME


def asks_who_read(handover: Handover, name: str) -> bool:
    """Whether a move of the other side needs it said who there has read the emergency steps: a guest may have."""
    return name == "begin" and not actions.steps_are_read(handover)


def may_be_told(handover: Handover) -> list[moves.Move]:
    """The moves of the other side that this one may note for it now."""
    if not handover.has_no_other_side:
        return []
    made = moves.may_be_made(State(handover.state), by=theirs(handover))
    has_back = handover.newest_pack(is_return=True) is not None
    return [move for move in made if move.name in TOLD[theirs(handover)] and (has_back or move.name != "open_back")]


def may_keep_pack(handover: Handover) -> bool:
    """Whether what the home side sent by another way may be written down now."""
    sends = MOVES["submit"].of - {State.DRAFT} | MOVES["correct"].of
    return not handover.is_home and handover.has_no_other_side and handover.state in sends
