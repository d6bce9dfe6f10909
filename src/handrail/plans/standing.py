"""Whether a link to a plan opens it, or why it does not any more. Pure."""

from datetime import datetime
from enum import StrEnum


class Standing(StrEnum):
    """In words for the school."""

    STANDS = "Open until"
    WITHDRAWN = "Withdrawn"
    LOCKED = "Stopped after 5 wrong tries"
    SCHOOL_CLOSED = "Stopped, because the school has closed"
    LEFT = "Stopped, because the child has left"
    CLOSED = "Stopped, because the plan is not open for agreement"
    NOT_ENTITLED = "Stopped, because the contact has changed"
    RUN_OUT = "Ran out"
    CHANGED = "The plan has changed since. Send a new link"


def standing(
    *,
    at: datetime,
    ends_at: datetime,
    is_withdrawn: bool,
    is_locked: bool,
    is_open_school: bool,
    is_at_school: bool,
    is_entitled: bool,
    is_open_plan: bool,
    is_newest: bool,
) -> Standing:
    """What is true of a link at the moment `at`; of several reasons the one that a new link would help least."""
    if is_withdrawn:
        return Standing.WITHDRAWN
    if is_locked:
        return Standing.LOCKED
    if not is_open_school:
        return Standing.SCHOOL_CLOSED
    if not is_at_school:
        return Standing.LEFT
    if not is_open_plan:
        return Standing.CLOSED
    if not is_entitled:
        return Standing.NOT_ENTITLED
    if at >= ends_at:
        return Standing.RUN_OUT
    return Standing.STANDS if is_newest else Standing.CHANGED
