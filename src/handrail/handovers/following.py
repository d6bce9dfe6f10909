"""What came in and opens by itself: a move of the other side, and the notice of an admission. Each is followed once.

What came for a key that is gone is tried again with each ring of the clock, until the key is back or its time is over.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, cast
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from handrail.core import audit
from handrail.core.audit import CLOCK
from handrail.core.calendar import day_of
from handrail.handovers import admissions, moves, pack, steps
from handrail.handovers.ceased import take_back
from handrail.handovers.models import ExchangeKey, Handover, Message
from handrail.handovers.moves import MOVES, Side, State
from handrail.handovers.said import in_iso
from tenants import exchange

UNREADABLE = "This could not be read. Ask the other side to ring you."

KEY_GONE = "The key for this is gone. It is tried again by itself. If it stays so, ask the sender to send it again."
"""While the key of what came in is not there: it may come back from a copy of the database."""


def _follow(message: Message, *, at: datetime) -> None:
    """Open a move of the other side and stand where it leads. What does not open is kept with its words."""
    reference, sender = message.handover.reference, message.handover.other_role
    try:
        with transaction.atomic():
            name, said, dates, again = _read_move(opened(message, at=at))
            side = Side.SETTING if MOVES[name].by == Side.HOME else Side.HOME
            known = Handover.objects.select_for_update().filter(reference=reference, other_role=sender, side=side)
            handover = known.first()
            if handover is None:
                raise exchange.CannotOpen("This is not a move that the other side may make. Ring them.")
            message.handover = handover
            has_crossed = not handover.is_home and again < handover.steps.filter(move="teach_again").count()
            state = moves.follow(State(handover.state), name, has_crossed=has_crossed)
            is_late = moves.is_too_late(State(handover.state), name, has_crossed=has_crossed)
            if state != handover.state or not is_late:
                handover.take_up(name, said, dates)
                steps.stand(handover, state, MOVES[name], at=at)
                handover.save()
            if handover.is_over:
                take_back(handover, at=at, but_return=handover.takes_return(on=day_of(at)))
            heard(handover, name, at=at, said=said | in_iso(dates))
            message.done_at, message.trouble = at, ""
            message.save()
            exchange.end(cast(UUID, message.envelope_id), at=at)
    except (exchange.CannotOpen, exchange.Refused, moves.IllegalMove) as error:
        message.trouble = str(error)
        message.save(update_fields=["trouble"])


def _hear_of_admission(message: Message, *, at: datetime) -> None:
    """Open the notice of an admission, which says at which school the child is. Nobody reads it but by its page."""
    try:
        with transaction.atomic():
            admissions.hear(message.handover, opened(message, at=at), at=at)
            message.done_at = at
            message.save()
            exchange.end(cast(UUID, message.envelope_id), at=at)
    except (exchange.CannotOpen, exchange.Refused) as error:
        message.trouble = str(error)
        message.save(update_fields=["trouble"])


FOLLOWED: Mapping[str, Callable[..., None]] = {
    Message.Kind.MOVE: _follow,
    Message.Kind.NOTICE: _hear_of_admission,
}
"""What opens by itself, by the kind of message."""

DATES = frozenset({"starts_on", "first_session_on", "review_on", "return_from_on", "return_until_on"})


def _read_move(content: Any) -> tuple[str, dict[str, str], dict[str, date], int]:
    """The move that a message tells of, what was said, which days it sets, and how often its sender knew that the child
    was taught again. Raises CannotOpen for anything else.
    """
    try:
        said = {str(key): str(text) for key, text in content.get("said", {}).items()}
        dates = {column: date.fromisoformat(day) for column, day in content.get("dates", {}).items() if column in DATES}
        move = MOVES[content["move"]]
        if move.by == Side.CLOCK:
            raise ValueError("each side has a clock of its own")
        return move.name, said, dates, int(content.get("again", 0))
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise exchange.CannotOpen(UNREADABLE) from error


def heard(handover: Handover, name: str, *, at: datetime, said: Mapping[str, Any] | None = None) -> None:
    steps.add_step(handover, MOVES[name], at=at, said=said, by_name=handover.other_name)
    audit.record(
        "heard of a move of the other side",
        by=CLOCK,
        at=at,
        subject_kind="handover",
        subject_id=handover.id,
        school_id=steps.school_id_of(handover),
        fields=["state"],
    )


def opened(message: Message, *, at: datetime) -> dict[str, Any]:
    """The content of what came in, which leaves the exchange with this. Raises exchange.Refused and CannotOpen."""
    key = ExchangeKey.objects.filter(id=cast(UUID, message.key_id)).first()
    if key is None and message.expires_at and message.expires_at <= at:
        raise exchange.Refused("This was not opened in time, and its content is gone. Ask the sender to send it again.")
    if key is None:
        raise exchange.CannotOpen(KEY_GONE)
    content = exchange.open_envelope(cast(UUID, message.envelope_id), private_key=bytes.fromhex(key.private_key), at=at)
    found: dict[str, Any] = pack.from_plain(content)
    return found


def held_up() -> QuerySet[Message]:
    """What came for a key that is gone."""
    return Message.objects.filter(way=Message.Way.IN, kind__in=FOLLOWED, done_at=None, trouble=KEY_GONE)


def follow_held_up(*, at: datetime) -> int:
    """Try again what came for a key that was gone, and then what came after it in its handover, until the key is back
    or its time is over: nothing overtakes. Gives the number that was followed.
    """
    handovers = set(held_up().values_list("handover_id", flat=True))
    waiting = Message.objects.filter(way=Message.Way.IN, kind__in=FOLLOWED, done_at=None, trouble__in=["", KEY_GONE])
    rows = waiting.filter(handover__in=handovers).select_related("handover")
    rows = rows.select_for_update(of=("self",), skip_locked=True)
    followed = 0
    for message in rows.order_by("owed_at", "number") if handovers else ():
        if message.handover_id in handovers:
            came_for = message.handover_id
            FOLLOWED[message.kind](message, at=at)
            followed += message.done_at is not None
            if message.trouble == KEY_GONE:
                handovers.discard(came_for)
    return followed
