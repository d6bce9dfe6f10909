"""How a handover takes a step: its row is held, the move made and noted, and the other side owed a message of it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from handrail.core import audit
from handrail.core.calendar import day_of
from handrail.core.models import AuthoritySettings
from handrail.handovers import moves
from handrail.handovers.models import Handover, Message, Step
from handrail.handovers.moves import MOVES, Move, Side
from handrail.handovers.refusals import NotNow
from handrail.schools.actions import pupil_left
from handrail.schools.models import Pupil, Term

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

SETS_A_REVIEW = frozenset({"begin", "review", "teach_again"})


def child_in(handover: Handover) -> Pupil:
    """Whom a handover is about. Raises NotNow on the side of a setting that has opened nothing yet."""
    if handover.pupil is None:
        raise NotNow("Open the pack first: nobody here knows the child yet.")
    return handover.pupil


def locked(handover: Handover) -> Handover:
    """The handover as it is now, held until the end."""
    rows = Handover.objects.select_for_update(of=("self",)).select_related("pupil__school", "setting")
    return rows.get(id=handover.id)


def check_seen(handover: Handover, name: str, seen: int | None) -> None:
    """Of two who answer one page at once the second is told of the first. `seen` is the number of the newest step that
    was there when the page was opened. Raises NotNow where this move was made since then, or one that led elsewhere.
    """
    if seen is None:
        return
    before = handover.steps.filter(number=seen).first()
    for step in handover.steps.filter(number__gt=seen).reverse():
        if step.move == name or (before and step.state != before.state):
            raise NotNow(f"{step.by_name} {VERBS[step.move]} meanwhile. Look at it, and send yours if it stands.")


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
