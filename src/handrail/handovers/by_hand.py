"""Moves of a side that does not use Handrail: somebody was told of them, or the guest page of the case made them."""

from collections.abc import Mapping
from datetime import date, datetime

from django.db import transaction

from handrail.core import audit
from handrail.handovers import actions, moves
from handrail.handovers.actions import NotNow
from handrail.handovers.models import Handover
from handrail.handovers.moves import MOVES, Side, State

TOLD = ("acknowledge", "ask_for_more", "accept", "decline", "begin", "review", "plan_return", "pass_on")
"""What a setting without Handrail can be heard to have done. It sends no return pack through it."""


@transaction.atomic
def note_theirs(
    *,
    handover: Handover,
    name: str,
    by: audit.Actor,
    at: datetime,
    said: Mapping[str, str] | None = None,
    **dates: date,
) -> Handover:
    """Follow a move of a setting that does not use Handrail. The story says who told of it.

    Raises ReasonMissing, and NotNow where the other side makes its own moves or this one is not its to make.
    """
    handover = actions.locked(handover)
    if not has_no_other_side(handover) or name not in TOLD:
        raise NotNow("The other side makes this move itself.")
    told = {key: text.strip() for key, text in (said or {}).items() if text.strip()}
    actions.check_said(name, told, dates)
    try:
        state = moves.after(State(handover.state), name, by=Side.SETTING)
    except moves.IllegalMove as error:
        raise NotNow(str(error)) from error
    for column, day in dates.items():
        setattr(handover, column, day)
    actions.stand(handover, state, MOVES[name], at=at)
    handover.save()
    actions.note(handover, MOVES[name], by=by, at=at, said=told)
    return handover


def has_no_other_side(handover: Handover) -> bool:
    """Whether the setting's authority does not use Handrail, so that nothing goes through the exchange."""
    return handover.is_home and not handover.other_role


def may_be_told(handover: Handover) -> list[moves.Move]:
    """The moves of the setting that the home side may note for it now."""
    if not has_no_other_side(handover):
        return []
    theirs = moves.may_be_made(State(handover.state), by=Side.SETTING)
    return [move for move in theirs if move.name in TOLD]
