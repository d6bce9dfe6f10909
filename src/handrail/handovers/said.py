"""What is said of a move, in words: what each thing is called, how it reads, and what cannot be left out. Pure.

What is said is text under a name. A name that ends in `_on` is a day, in ISO form. What an earlier release said under
the same name, and what another says under a name that is not known here, reads as it was written.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from handrail.core.jinja import long_date
from handrail.handovers.refusals import ReasonMissing

WHO_READ = "steps_read"
"""What is said of a first session: who has read the emergency steps, and on which day."""

LABELS: Mapping[str, str] = {
    "by": "Who",
    "plan": "Plan",
    "digest": "Digest of the pack",
    "reason": "Why",
    "next": "Who acts next",
    "starts_on": "First day",
    "hours": "Hours a week",
    WHO_READ: "Emergency steps",
    "first_session_on": "First session",
    "found": "What was found",
    "review_on": "Next review",
    "return_from_on": "First day back",
    "return_until_on": "Last day of the phased return",
    "told": "Who was told",
}
"""What may be said of a move, in the order in which somebody asks."""

OF_MOVE: Mapping[tuple[str, str], str] = {
    ("ask_for_more", "reason"): "What else is needed",
    ("acknowledge", "plan"): "Version of the plan",
    ("plan_return", "plan"): "How the child goes back",
}
"""What some of them are called of one move."""


def in_words(move: str, said: Mapping[str, Any] | None, *, by_name: str = "") -> list[tuple[str, str]]:
    """What was said of a move, each with what it is called, in order. Who made it, `by_name`, is not said again."""
    told = {name: text for name, text in (said or {}).items() if text and not (name == "by" and text == by_name)}
    names = [name for name in LABELS if name in told] + [name for name in told if name not in LABELS]
    return [(OF_MOVE.get((move, name)) or LABELS.get(name, name), _read(name, str(told[name]))) for name in names]


def _read(name: str, text: str) -> str:
    if name.endswith("_on"):
        try:
            return long_date(date.fromisoformat(text))
        except ValueError:
            return text
    return text


def in_iso(dates: Mapping[str, date]) -> dict[str, str]:
    """Days as they are kept with a step, and sent."""
    return {column: day.isoformat() for column, day in dates.items()}


# -- what must be said ----------------------------------------------------------------------------------------

NEEDS_A_REASON = frozenset({"ask_for_more", "decline", "end", "withdraw", "take_back"})


def check_said(name: str, told: Mapping[str, str], dates: Mapping[str, date]) -> None:
    """Raises ReasonMissing when a move does not say what it has to."""
    if name in NEEDS_A_REASON and not told.get("reason"):
        raise ReasonMissing("Say why, so that the other side knows what to do next.")
    if name == "decline" and not told.get("next"):
        raise ReasonMissing("Say who acts next, and what could be done instead.")
    if name == "begin_return" and not dates.get("return_until_on"):
        raise ReasonMissing("Enter the day on which the phased return ends. It must have one.")
