"""What a framework says of itself, in words for pages. Pure."""

from collections import Counter
from dataclasses import dataclass

from handrail.core.jinja import long_date
from handrail.guidance.frameworks import (
    AUTHORITY,
    HEALTH_PROVIDER,
    Confidence,
    Framework,
    Read,
    Requirement,
    Status,
    Strength,
)
from handrail.schools.duty import TYPES, Body

BODIES = {
    **dict(Body.choices),
    AUTHORITY: "Local authority",
    HEALTH_PROVIDER: "School nursing and other health services",
}
"""Whom a requirement may bind, in words."""

TONES = {Status.IN_FORCE: "green", Status.ENACTED: "blue", Status.DRAFT: "yellow"}

STRENGTHS = {Strength.MUST: "Must", Strength.SHOULD: "Should", Strength.TEMPLATE: "On the template"}
IN_A_DRAFT = {Strength.MUST: "Would be a must", Strength.SHOULD: "Would be a should"}
COMING = {Strength.MUST: "Must, once it starts", Strength.SHOULD: "Should, once it starts"}

READ = {
    Read.SOURCE: "Read in the document, or in one that restates it",
    Read.SUMMARY: "Read in a summary only",
    Read.HEADING: "Only its heading was read",
    Read.MEMORY: "Known to us, not read again",
}
CONFIDENCE = {Confidence.HIGH: "sure", Confidence.MEDIUM: "fairly sure", Confidence.LOW: "not sure"}


@dataclass(frozen=True)
class Told:
    """A framework and what a page says of it."""

    framework: Framework
    tone: str
    counts_from: str
    bodies: list[tuple[str, list[str]]]
    """Each kind of body it asks something of, with the establishment types that are that kind."""
    usual: tuple[str, ...]
    """Of whom most of its requirements are asked."""

    def strength(self, requirement: Requirement) -> str:
        """How strongly it asks: what is no law yet never looks like one."""
        words = STRENGTHS[requirement.strength]
        if self.framework.is_draft:
            return IN_A_DRAFT.get(requirement.strength, words)
        return COMING.get(requirement.strength, words) if self.framework.status == Status.ENACTED else words

    def certainty(self, requirement: Requirement) -> str:
        return f"{READ[requirement.read]}. We are {CONFIDENCE[requirement.confidence]} of it."

    def exceptions(self, requirement: Requirement) -> str:
        """Of whom it is asked, where that is not of whom most are."""
        return "" if requirement.applies_to == self.usual else self.asked_of(requirement)

    def asked_of(self, requirement: Requirement) -> str:
        return ", ".join(words for body, words in BODIES.items() if body in requirement.applies_to)


def told(one: Framework) -> Told:
    asked = {body for each in one.requirements for body in each.applies_to}
    bodies = [
        (words, [name for name, body in TYPES.values() if body == code])
        for code, words in BODIES.items()
        if code in asked
    ]
    [(usual, _)] = Counter(each.applies_to for each in one.requirements).most_common(1)
    return Told(one, TONES.get(one.status, "grey"), counts_from(one), bodies, usual)


def counts_from(one: Framework) -> str:
    """From when to when it counts, in words."""
    if one.is_draft:
        return "Not in force. Nobody has to do what it says."
    if one.status == Status.BENCHMARK:
        return "Never in force: points to compare with."
    since = f"From {long_date(one.effective_from)}" if one.effective_from else ""
    if one.status == Status.ENACTED and not since:
        return "Start date to be confirmed"
    if one.effective_to and not since:
        return f"Replaced or taken back from {long_date(one.effective_to)}. No day on which it began is recorded here."
    until = f" until {long_date(one.effective_to)}" if one.effective_to else ""
    return (since or "In force; the day it began is not recorded here") + until
