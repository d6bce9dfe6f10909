"""Where a handover stands, whose move it is, and by when: one table. Pure.

Both sides hold their own copy of a handover and make the moves of their own actors; the other side follows when the
message arrives. Clocks are in school days of the side that keeps them. Sources: handover practice of English hospital
schools and authorities; defaults of our own where practice differs, which an authority may change.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from handrail.schools.terms import Calendar

ONE_DAY = timedelta(days=1)
REVIEW_WEEKS = range(4, 13)
"""How many weeks an authority may let pass from one review of a placement to the next: its setting."""


class State(StrEnum):
    DRAFT = "draft"
    ADMITTED = "admitted"
    PACK_ASKED = "pack_asked"
    SUBMITTED = "submitted"
    ACKNOWLEDGED = "acknowledged"
    MORE_ASKED = "more_asked"
    ACCEPTED = "accepted"
    ACTIVE = "active"
    RETURN_PLANNED = "return_planned"
    PHASED_RETURN = "phased_return"
    RETURNED = "returned"
    PASSED_ON = "passed_on"
    ENDED = "ended"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    CAME_BACK = "came_back"


IN_WORDS: Mapping[State, str] = {
    State.DRAFT: "Being prepared",
    State.ADMITTED: "Admitted, home not told",
    State.PACK_ASKED: "Pack asked for",
    State.SUBMITTED: "Sent",
    State.ACKNOWLEDGED: "Opened",
    State.MORE_ASKED: "More asked for",
    State.ACCEPTED: "Accepted",
    State.ACTIVE: "Being taught",
    State.RETURN_PLANNED: "Return planned",
    State.PHASED_RETURN: "Returning in steps",
    State.RETURNED: "Back at school",
    State.PASSED_ON: "Passed on",
    State.ENDED: "Ended",
    State.DECLINED: "Declined",
    State.WITHDRAWN: "Withdrawn",
    State.EXPIRED: "Ran out",
    State.CAME_BACK: "Came back unopened",
}

LAPSED = frozenset({State.DECLINED, State.EXPIRED, State.CAME_BACK})
"""What ends a handover without the child being taught: the authority has to say what happens next."""

ASKS_WHAT_NEXT = LAPSED | {State.PASSED_ON}
"""What ends a handover and leaves the child nowhere: until one follows, or the authority says what happens next."""

TAUGHT_UNTIL = frozenset({State.RETURNED, State.PASSED_ON, State.ENDED})
"""What ends a handover after which a return pack may still follow: see `RETURN_FOLLOWS`."""

OVER = TAUGHT_UNTIL | {State.WITHDRAWN} | LAPSED
"""Nothing moves from here, but that a return pack may be sent and opened. None of them stops the clock of the
authority's duty to arrange education.
"""


class Side(StrEnum):
    """Who makes a move. The authority of the home side may make the home school's, and finds settings."""

    HOME = "home"
    SETTING = "setting"
    CLOCK = "clock"


WHO: Mapping[Side, str] = {
    Side.HOME: "the home school or its authority",
    Side.SETTING: "the receiving setting",
    Side.CLOCK: "nobody: it happens by itself",
}


@dataclass(frozen=True)
class Move:
    """One move: from which states it leads to which (None: it stays there), who makes it, and what then falls due.

    `days` are the school days within which the next move is expected of `next_by`; None where a date of the case
    decides (the first session, the end of a phased return) or nothing is expected any more. `update_days` are the
    school days within which `UPDATED_BY` then says how the child gets on, beside whatever else is due.
    """

    name: str
    by: Side
    of: frozenset[State]
    to: State | None
    days: int | None = None
    next_by: Side | None = None
    update_days: int | None = None


def _from(*states: State) -> frozenset[State]:
    return frozenset(states)


HOSPITAL_DAYS, PANEL_DAYS = 1, 5
"""Within which a hospital school, and any other setting or a panel, opens what it is sent."""

WEEKLY, FORTNIGHTLY = 5, 10
"""School days from one update of the setting that teaches to the next, and from one review of a phased return by the
home school to the next.
"""

CORRECTABLE = (
    *(State.SUBMITTED, State.ACKNOWLEDGED, State.ACCEPTED),
    *(State.ACTIVE, State.RETURN_PLANNED, State.PHASED_RETURN),
)
"""Where a corrected pack may follow the one that was sent. It asks for a new acknowledgement."""

TABLE: tuple[Move, ...] = (
    Move("prepare", Side.HOME, _from(), State.DRAFT, None, Side.HOME),
    Move("admit", Side.SETTING, _from(), State.ADMITTED, 0, Side.SETTING),
    Move(
        *("ask_for_pack", Side.SETTING, _from(State.ADMITTED), State.PACK_ASKED),
        days=2,
        next_by=Side.HOME,
    ),
    Move(
        *("submit", Side.HOME),
        _from(State.DRAFT, State.PACK_ASKED, State.MORE_ASKED),
        State.SUBMITTED,
        days=PANEL_DAYS,
        next_by=Side.SETTING,
    ),
    Move(
        *("acknowledge", Side.SETTING, _from(State.SUBMITTED), State.ACKNOWLEDGED),
        days=5,
        next_by=Side.SETTING,
    ),
    Move(
        *("ask_for_more", Side.SETTING, _from(State.ACKNOWLEDGED), State.MORE_ASKED),
        days=5,
        next_by=Side.HOME,
    ),
    Move(
        *("accept", Side.SETTING, _from(State.ACKNOWLEDGED, State.ACCEPTED), State.ACCEPTED),
        next_by=Side.SETTING,
    ),
    Move(
        *("decline", Side.SETTING, _from(State.ACKNOWLEDGED, State.MORE_ASKED, State.ACCEPTED), State.DECLINED),
    ),
    Move(
        *("begin", Side.SETTING, _from(State.ACCEPTED), State.ACTIVE),
        next_by=Side.SETTING,
        update_days=WEEKLY,
    ),
    Move("update", Side.SETTING, _from(State.ACTIVE), None, next_by=Side.SETTING, update_days=WEEKLY),
    Move("review", Side.SETTING, _from(State.ACTIVE), None, next_by=Side.SETTING, update_days=WEEKLY),
    Move(
        *("plan_return", Side.SETTING, _from(State.ACTIVE, State.RETURN_PLANNED), State.RETURN_PLANNED),
        next_by=Side.HOME,
    ),
    Move(
        *("teach_again", Side.SETTING, _from(State.RETURN_PLANNED, State.PHASED_RETURN), State.ACTIVE),
        next_by=Side.SETTING,
        update_days=WEEKLY,
    ),
    Move(
        *("send_back", Side.SETTING, TAUGHT_UNTIL | {State.RETURN_PLANNED, State.PHASED_RETURN}, None),
        next_by=Side.HOME,
    ),
    Move(
        *("open_back", Side.HOME, TAUGHT_UNTIL | {State.RETURN_PLANNED, State.PHASED_RETURN}, None),
        next_by=Side.HOME,
    ),
    Move(
        *("begin_return", Side.HOME, _from(State.RETURN_PLANNED), State.PHASED_RETURN),
        next_by=Side.HOME,
        update_days=FORTNIGHTLY,
    ),
    Move("review_return", Side.HOME, _from(State.PHASED_RETURN), None, next_by=Side.HOME, update_days=FORTNIGHTLY),
    Move(
        *("confirm_return", Side.HOME),
        _from(State.RETURN_PLANNED, State.PHASED_RETURN),
        State.RETURNED,
    ),
    Move(
        *("pass_on", Side.SETTING, _from(State.ACTIVE, State.RETURN_PLANNED), State.PASSED_ON),
    ),
    Move(
        *("end", Side.HOME),
        frozenset(State) - OVER - {State.DRAFT},
        State.ENDED,
    ),
    Move(
        *("withdraw", Side.HOME),
        _from(State.DRAFT, State.PACK_ASKED, State.SUBMITTED, State.ACKNOWLEDGED, State.MORE_ASKED, State.ACCEPTED),
        State.WITHDRAWN,
    ),
    Move("take_back", Side.SETTING, _from(State.ADMITTED, State.PACK_ASKED), State.WITHDRAWN),
    Move("correct", Side.HOME, _from(*CORRECTABLE), None),
    Move("expire", Side.CLOCK, _from(State.SUBMITTED, State.MORE_ASKED), State.EXPIRED),
    Move("come_back", Side.CLOCK, _from(State.SUBMITTED), State.CAME_BACK),
    Move("go_on_alone", Side.CLOCK, frozenset(State) - OVER - {State.DRAFT}, None),
)
"""Every move there is. What is not here cannot be done."""

TOLD_ONLY = frozenset({"update", "review_return", "send_back", "open_back", "go_on_alone"})
"""Moves after which the handover stands as before, and what was due stays due."""

MOVES: Mapping[str, Move] = {move.name: move for move in TABLE}

WAITS_FOR: Mapping[State, Side] = {move.to: move.next_by for move in TABLE if move.to and move.next_by}
"""Whose move is expected while a handover stands there."""

UPDATED_BY: Mapping[State, Side] = {State.ACTIVE: Side.SETTING, State.PHASED_RETURN: Side.HOME}
"""Who says how the child gets on while a handover stands there."""

NO_MOVEMENT_DAYS = 20
"""School days without a move after which the authority’s named officer is asked, whatever is due later."""

STILL = frozenset(State) - OVER - {State.DRAFT} - frozenset(UPDATED_BY)
"""Where nothing need be heard for so long. Where updates are due their clock asks; a draft is its writer's own."""

LASTS = timedelta(days=28)
"""How long a pack may wait to be opened. Then its content is destroyed, and it is sent again if it is still wanted."""

RETURN_FOLLOWS = timedelta(days=28)
"""How long after the child is back, was passed on or does not go there any more a return pack may be sent and opened.
Then the content of one that nobody has opened is destroyed.
"""

ANSWERS_LAST = timedelta(days=400)
"""How long everything else waits for an authority that takes nothing up: longer than any is suspended for."""

DECLINED_KEPT = timedelta(days=14)
"""How long a setting keeps the copy of a child whom it declined, so that the two sides can still speak about it."""


class IllegalMove(ValueError):
    """The handover is not where this can be done, or it is the other side's move. The message says so in words."""


def after(state: State | None, name: str, *, by: Side) -> State:
    """Where a move leads from `state` (None before there is a handover). Raises IllegalMove."""
    move = MOVES[name]
    if by != move.by:
        raise IllegalMove(f"Only {WHO[move.by]} can do this.")
    if (state is None) != (not move.of) or (state is not None and state not in move.of):
        words = IN_WORDS[state].lower() if state else "not begun"
        raise IllegalMove(f"This cannot be done now: the handover is “{words}”. Look at it again.")
    return move.to or state or State.DRAFT


def is_too_late(state: State, name: str, *, has_crossed: bool = False) -> bool:
    """Whether what one side hears, if it is no end, changes nothing there: this side has ended it, the child is taught
    again (`has_crossed`: the home side had not heard so when it made its move), or goes back in steps already.
    """
    return state in OVER or has_crossed or (name == "plan_return" and state == State.PHASED_RETURN)


def follow(state: State, name: str, *, has_crossed: bool = False) -> State:
    """Where one side stands when it hears of the other's move, which may have crossed one of its own.

    An end always counts, and of two ends that crossed that of the home side. What else is too late (see there) changes
    nothing, as does what leaves a handover where it is. So both sides stand at the same when all messages
    have arrived. Raises IllegalMove for what no crossing explains.
    """
    move = MOVES[name]
    if move.to in OVER:
        return move.to if state not in OVER or move.by == Side.HOME else state
    late = is_too_late(state, name, has_crossed=has_crossed)
    return state if late or move.to is None else after(state, name, by=move.by)


def may_be_made(state: State, *, by: Side) -> list[Move]:
    """The moves that a side may make now, in the order of the table."""
    return [move for move in TABLE if move.by == by and state in move.of]


def may_follow(state: State, *, since_on: date, on: date) -> bool:
    """Whether a return pack may be sent or opened on the day `on` where a handover stands since another day."""
    is_late = state in OVER and on > since_on + RETURN_FOLLOWS
    return state in MOVES["send_back"].of and not is_late


def due_on(move: Move, *, on: date, calendar: Calendar, is_hospital: bool = False) -> date | None:
    """By which day the next move is expected after this one, or nothing where the case's own dates decide."""
    if move.days is None:
        return None
    days = HOSPITAL_DAYS if move.name == "submit" and is_hospital else move.days
    return school_days_after(on, days, calendar)


def update_on(move: Move, *, on: date, calendar: Calendar) -> date | None:
    """By which day it is next said how the child gets on after this move, or nothing where it asks for no update."""
    return None if move.update_days is None else school_days_after(on, move.update_days, calendar)


def school_days_after(on: date, days: int, calendar: Calendar) -> date:
    """The day that lies this many school days after `on`; 0 is the day itself."""
    while days > 0:
        on += ONE_DAY
        days -= calendar.is_school_day(on)
    return on


def next_review_on(last: date, weeks: int) -> date:
    """When a placement is reviewed next. Raises ValueError for weeks outside of what an authority may set."""
    if weeks not in REVIEW_WEEKS:
        raise ValueError(f"Reviews are every {REVIEW_WEEKS[0]} to {REVIEW_WEEKS[-1]} weeks")
    return last + timedelta(weeks=weeks)


class Escalation(StrEnum):
    """Whom a move is asked of that is late, in the order in which they are."""

    CONTACT = "contact"
    HEAD = "head"
    NAMED_OFFICER = "named_officer"
    MANAGER = "manager"


LATE_DAYS: Mapping[Escalation, int] = {
    Escalation.CONTACT: 0,
    Escalation.HEAD: 2,
    Escalation.NAMED_OFFICER: 5,
    Escalation.MANAGER: 10,
}
"""School days after the day on which a move was due."""


AGAIN_DAYS, AGAIN_UNTIL = 5, 190
"""School days after which somebody is asked again until an accountable person acts, for as long as a school year."""

ASKED_ON: tuple[tuple[int, Escalation], ...] = tuple(
    (days, who) for who, first in LATE_DAYS.items() for days in range(first, AGAIN_UNTIL + 1, AGAIN_DAYS)
)
"""On which school days after the due one who is asked."""

OTHERS_ASKED_ON = tuple(each for each in ASKED_ON if each[1] in (Escalation.NAMED_OFFICER, Escalation.MANAGER))
"""The same of a move that another authority's people have to make: only the authority can ring them."""

STILL_ON = tuple((NO_MOVEMENT_DAYS - LATE_DAYS[Escalation.NAMED_OFFICER] + days, who) for days, who in OTHERS_ASKED_ON)
"""The same after a handover's last move, where nothing is late and nothing is heard."""

LAPSED_ON = ((0, Escalation.CONTACT), *((days, Escalation.NAMED_OFFICER) for days in (0, 2)), *OTHERS_ASKED_ON)
"""The same after a handover was declined or ran out: the authority owes the child education, so it is asked at once."""

HELD_UP_ON = ((0, Escalation.NAMED_OFFICER), *ASKED_ON)
"""The same of what cannot be sent: whoever wrote it, and the authority, which can ring the other one."""

GAP_DAYS = 5
"""School days within which a child who was passed on is handed over to the next setting."""

PASSED_ON_ON = ((0, Escalation.CONTACT), *((GAP_DAYS + days, who) for days, who in ASKED_ON))
"""The same after a child was passed on: the home school is told at once, and it is late when the gap is over."""


def asked_by(due: date, *, on: date, calendar: Calendar) -> list[Escalation]:
    """Who has been asked by the day `on` for a move that was due on `due`, the nearest first."""
    return [who for who, days in LATE_DAYS.items() if school_days_after(due, days, calendar) <= on]
