"""What is said of a move, in words: what each thing is called, how it reads, and what cannot be left out. Pure.

What is said is text under a name. A name that ends in `_on` is a day, in ISO form; one in `CHOICES` is one of these.
What an earlier release said under the same name, and what another says under a name that is not known here, reads as
it was written.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from handrail.core.jinja import long_date
from handrail.handovers.refusals import ReasonMissing

WHO_READ = "steps_read"
"""What is said of a first session: who has read the emergency steps, and on which day."""

WHO_ACTS: Mapping[str, str] = {
    "home_school": "The home school",
    "setting": "The setting that declined",
    "home_authority": "The home authority",
}
ROLLS: Mapping[str, str] = {
    "guest": "Stays on the home school’s roll only",
    "dual": "On both rolls, the home school’s first",
    "sole": "On the setting’s roll, and on no school’s before",
}
CHOICES: Mapping[str, Mapping[str, str]] = {"next": WHO_ACTS, "roll": ROLLS}
"""What one chooses, and how it reads."""

DIGEST_SHOWN = 12
"""Characters of a digest that somebody reads; the lists have all of it."""

LABELS: Mapping[str, str] = {
    "by": "Who",
    "plan": "Plan",
    "digest": "Digest of the pack",
    "reason": "Why",
    "alternative": "What could be done instead",
    "next": "Who acts next",
    "starts_on": "First day",
    "attended": "Who took part",
    "hours": "Hours a week",
    "why_hours": "Why no hours",
    "base": "Where",
    "roll": "On the roll",
    WHO_READ: "Emergency steps",
    "first_session_on": "First session",
    "evidence_on": "Newest evidence",
    "note": "How the child gets on",
    "taught": "Hours taught since the last update",
    "found": "What was found",
    "decision": "What was decided",
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
    if name == "digest":
        return text[:DIGEST_SHOWN]
    return CHOICES.get(name, {}).get(text, text)


def in_iso(dates: Mapping[str, date]) -> dict[str, str]:
    """Days as they are kept with a step, and sent."""
    return {column: day.isoformat() for column, day in dates.items()}


# -- what must be said ----------------------------------------------------------------------------------------

WHY = ("reason", "Say why, so that the other side knows what to do next.")
HOURS = ("hours", "Enter how many hours a week.")
NEEDED: Mapping[str, tuple[tuple[str, str], ...]] = {
    "ask_for_more": (WHY,),
    "decline": (
        WHY,
        ("alternative", "Say what could be done instead."),
        ("next", "Select who acts next."),
    ),
    "accept": (
        ("starts_on", "Enter the first day."),
        HOURS,
        ("base", "Enter where the child will be taught."),
        ("roll", "Select whose roll the child is on."),
    ),
    "update": (
        ("note", "Say how the child gets on."),
        ("taught", "Enter how many hours the child was taught since the last update."),
    ),
    "review": (
        ("attended", "Enter who took part in the review."),
        HOURS,
        ("evidence_on", "Enter the date of the newest evidence."),
        ("decision", "Enter what was decided."),
    ),
    "begin_return": (
        HOURS,
        ("return_until_on", "Enter the day on which the phased return ends. It must have one."),
    ),
    "teach_again": (WHY,),
    "review_return": (HOURS, ("decision", "Enter what was decided.")),
    "end": (WHY,),
    "withdraw": (WHY,),
    "take_back": (WHY,),
}
"""What a move must say, by its name, with the words that ask for it."""
MOST_HOURS = 60
"""Hours a week that can be meant."""


def check_said(name: str, told: Mapping[str, str], dates: Mapping[str, date], *, roll: str = "") -> None:
    """Raises ReasonMissing when a move does not say what it has to; `roll` is how the child stands on a roll so far."""
    for field, words in missing(name, told, dates, roll=roll):
        raise ReasonMissing(words, field)


def missing(name: str, told: Mapping[str, str], dates: Mapping[str, date], *, roll: str = "") -> list[tuple[str, str]]:
    """What a move does not say, or says as nobody can, each with the words that ask for it, in order.

    No hours a week need a reason. Nobody is put on a setting's roll alone who was not there before.
    """
    needed = NEEDED.get(name, ())
    found = [(field, words) for field, words in needed if not (told.get(field) or dates.get(field))]
    asked = {field for field, _ in needed} - {field for field, _ in found}
    if "hours" in asked:
        hours = hours_of(told["hours"])
        if hours is None:
            found.append(("hours", "Enter a number of hours, like 12.5."))
        elif not hours and not told.get("why_hours"):
            found.append(("why_hours", "Enter why there are no hours."))
    if "taught" in asked and hours_of(told["taught"]) is None:
        found.append(("taught", "Enter a number of hours, like 12.5."))
    if "next" in asked and told["next"] not in WHO_ACTS:
        found.append(("next", "Select who acts next."))
    if "roll" in asked and (told["roll"] not in ROLLS or (told["roll"] == "sole" != roll)):
        found.append(("roll", "Select whose roll the child is on. A handover takes no child off a school’s roll."))
    return found


def hours_of(text: str) -> Decimal | None:
    """Hours a week as a number from 0 to 60, or nothing."""
    try:
        hours = Decimal(text)
    except InvalidOperation:
        return None
    return hours if hours.is_finite() and 0 <= hours <= MOST_HOURS else None
