"""When a kit is to be checked, until when training counts, and what is wrong with a medicine: pure rules."""

from collections.abc import Iterable
from datetime import date, timedelta

from dateutil.relativedelta import relativedelta

TRAINING_MONTHS = 12
"""How long training counts unless the trainer says less: the guidance sets no time, and practice is a year."""

SIXTEEN = 16
ASPIRIN = ("aspirin", "acetylsalicylic", "disprin")

TO_ACCEPT = {
    "labelled": "It is labelled with the child’s name",
    "in_date": "It is in date",
    "container": "It is in its original container (insulin may be in a pen or pump)",
    "instructions": "It has the prescriber’s or maker’s instructions",
}
"""What a school looks at before it takes a medicine: SPMC-MED."""


def next_check(since: date) -> date:
    """By when a kit is to be checked that was checked, or put in its place, on this day: a month later."""
    return since + relativedelta(months=1)


def trained_until(trained_on: date, asked: date | None = None) -> date:
    """The last day on which training counts: a year less a day, or sooner if the trainer said so."""
    latest = trained_on + relativedelta(months=TRAINING_MONTHS) - timedelta(days=1)
    return min(latest, asked) if asked else latest


def age_on(born_on: date, on: date) -> int:
    """How many years old a child is on a day."""
    return relativedelta(on, born_on).years


def to_put_right(
    *,
    name: str,
    is_emergency: bool,
    is_controlled: bool,
    is_locked: bool,
    is_prescribed: bool,
    accepted: Iterable[str],
    has_consent: bool,
    is_hidden_from_parents: bool,
    expires_on: date | None,
    age: int,
    on: date,
) -> list[str]:
    """What is wrong with a medicine at school, in sentences, the most dangerous first: SPMC-MED."""
    found = []
    whom, whose = ("young person", "young person’s") if is_hidden_from_parents else ("parent", "parent’s")
    if expires_on and expires_on < on:
        found.append(f"It is out of date. Do not use it. Ask the {whom} for a new one.")
    if is_emergency and is_locked:
        found.append("It is needed in an emergency, so it must not be locked away.")
    if age < SIXTEEN and not is_prescribed and any(word in name.lower() for word in ASPIRIN):
        found.append("A child under 16 must not have aspirin unless it was prescribed.")
    if is_controlled and not is_locked and not is_emergency:
        found.append("It is a controlled drug, so it must be locked away where only named people reach it.")
    if not has_consent:
        found.append(f"There is no record of the {whose} written agreement.")
    missing = [words for key, words in TO_ACCEPT.items() if key not in accepted]
    if missing:
        found.append(f"Not checked when it came: {'; '.join(words[:1].lower() + words[1:] for words in missing)}.")
    return found
