"""Red, amber, green or grey, and the rule that decided it. Pure.

Practice, not law: the authority's own way of finding whom to help first. Plans play no part in it.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from enum import StrEnum
from functools import partial
from itertools import chain
from typing import NamedTuple

LATE_DAYS = 30
"""Days after a due date from which amber is red."""


class Colour(StrEnum):
    RED = "red"
    AMBER = "amber"
    GREEN = "green"
    GREY = "grey"

    @property
    def label(self) -> str:
        return self.value.capitalize()


class Kept(NamedTuple):
    """A policy that a school must have: what it is called, its dates, its lead and whether it is on a website."""

    called: str
    next_review_on: date | None
    has_lead: bool
    is_published: bool
    must_be_published: bool = False
    told_until: date | None = None
    """By when those who are told of it each year are to be told again; empty while nobody has been told."""


class Returned(NamedTuple):
    """A school's newest return of a cycle: which musts it does not meet and which shoulds without giving a reason, each
    in a sentence, and how many points have no answer that still stands. `gaps` are the ids of those that are not met.
    """

    unmet_musts: Sequence[str] = ()
    unmet_shoulds: Sequence[str] = ()
    unanswered: int = 0
    gaps: Sequence[str] = ()


class Found(NamedTuple):
    """One rule that applies, in words."""

    colour: Colour
    rule: str
    words: str


CRITERIA = "AUDIT-2017"
"""The framework whose points decide whether a policy is adequate “on the 2017 criteria”."""


def is_adequate(verdicts: Sequence[str], points: int) -> bool | None:
    """Whether a policy is adequate on the 2017 criteria, from a school's verdicts on their points: all are met. One
    that is not decides; None while nothing does, because not all are answered.
    """
    if any(verdict != "yes" for verdict in verdicts):
        return False
    return True if verdicts and len(verdicts) == points else None


RULES = {
    "R1": "Nothing is on record for a policy that is needed.",
    "R2": f"A policy is overdue by more than {LATE_DAYS} days.",
    "R3": "Nobody is named as the lead of a policy.",
    "R4": "By the return, something that must be done, or must once its law starts, is not done or only partly.",
    "R5": f"The return is more than {LATE_DAYS} days late.",
    "R6": "The allergy safety policy is not on the website, or not found there for a week.",
    "A1": f"A policy is due for review within {LATE_DAYS} days, or is “due soon” where that begins earlier.",
    "A2": f"A policy is overdue by up to {LATE_DAYS} days.",
    "A3": "By the return, something that should be done is not done or only partly, and no reason is given.",
    "A4": "A policy is not on the website, or not found there for a week.",
    "A5": "Pupils, parents or staff were not told of the allergy safety policy within a year.",
    "N1": "No return has been submitted.",
    "N2": "The return has points that are not answered, or that guidance has changed since.",
    "N3": "No return has been asked for.",
    "G1": "All policies are current and published, and every point is answered.",
}
"""What each rule says, for the pages that explain them."""


def judged(
    policies: Sequence[Kept], returned: Returned | None, *, return_due_on: date | None, on: date, due_soon_days: int
) -> Iterator[Found]:
    """Every rule that applies to a school, or to the authority itself, on the day `on`, the one that decides its colour
    first. Who wants no more than that one asks no further.

    `return_due_on` is the day by which the return was asked for; empty when none was, or by no day that this one could
    have kept.
    """
    rules = chain(
        _reds(policies, returned, return_due_on, on),
        _ambers(policies, returned, on, due_soon_days),
        _rest(returned, return_due_on),
    )
    yield next(rules, Found(Colour.GREEN, "G1", RULES["G1"]))
    yield from rules


_red, _amber = partial(Found, Colour.RED), partial(Found, Colour.AMBER)


def _reds(policies: Sequence[Kept], returned: Returned | None, due_on: date | None, on: date) -> Iterator[Found]:
    for each in policies:
        if each.next_review_on is None:
            yield _red("R1", f"{each.called}: nothing is on record.")
            continue
        if (days := (on - each.next_review_on).days) > LATE_DAYS:
            yield _red("R2", f"{each.called}: overdue by {days} days.")
        if not each.has_lead:
            yield _red("R3", f"{each.called}: nobody leads on it.")
        if each.must_be_published and not each.is_published:
            yield _red("R6", f"{each.called}: not on the website.")
    if returned and returned.unmet_musts:
        yield _red("R4", f"Must be done, and is not or only partly: {_first(returned.unmet_musts)}")
    if returned is None and due_on and on > due_on + timedelta(days=LATE_DAYS):
        yield _red("R5", f"The return is {(on - due_on).days} days late.")


def _ambers(policies: Sequence[Kept], returned: Returned | None, on: date, due_soon_days: int) -> Iterator[Found]:
    soon = max(due_soon_days, LATE_DAYS)
    for each in policies:
        if each.next_review_on is None:
            continue
        days = (on - each.next_review_on).days
        if 0 < days <= LATE_DAYS:
            yield _amber("A2", f"{each.called}: overdue by {days} days.")
        elif -soon <= days <= 0:
            yield _amber("A1", f"{each.called}: due within {soon} days.")
        if not each.is_published and not each.must_be_published:
            yield _amber("A4", f"{each.called}: not on the website.")
        if each.told_until and each.told_until < on:
            yield _amber(
                "A5",
                f"{each.called}: those who are told of it each year were to be told by {each.told_until:%-d %B %Y}.",
            )
    if returned and returned.unmet_shoulds:
        yield _amber("A3", f"Should be done, is not or only partly, without a reason: {_first(returned.unmet_shoulds)}")


def _rest(returned: Returned | None, due_on: date | None) -> Iterator[Found]:
    if returned is None:
        rule = "N1" if due_on else "N3"
        yield Found(Colour.GREY, rule, RULES[rule])
    elif returned.unanswered:
        yield Found(Colour.GREY, "N2", f"Points without an answer that still stands: {returned.unanswered}.")


def _first(said: Sequence[str]) -> str:
    more = len(said) - 1
    return f"{said[0]} And {more} more." if more else said[0]
