"""What statutory guidance and the law ask for: frameworks in editions, each with its requirements. They are data, in
`texts/`; nothing here knows one by name.
"""

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from functools import cached_property
from hashlib import sha256
from itertools import groupby

AUTHORITY, HEALTH_PROVIDER = "local_authority", "health_provider"
"""Whom a requirement may bind beside the kinds of body that establishments are (`schools/duty.py`)."""


ID_LENGTH = 40
"""The longest id, as columns keep it. A framework's is shorter by what its edition takes (`Framework.preview`)."""


class Nation(StrEnum):
    ENGLAND = "England"
    NORTHERN_IRELAND = "Northern Ireland"
    SCOTLAND = "Scotland"
    WALES = "Wales"


class Status(StrEnum):
    """How far a framework has come, what binds people first. Of two editions that which stands first counts."""

    IN_FORCE = "in_force"
    ENACTED = "enacted"
    BENCHMARK = "benchmark"
    SUPERSEDED = "superseded"
    DRAFT = "draft"


class Strength(StrEnum):
    MUST = "must"
    SHOULD = "should"
    TEMPLATE = "template"


class Read(StrEnum):
    """From what we know a requirement."""

    SOURCE = "source"
    SUMMARY = "summary"
    HEADING = "heading"
    MEMORY = "memory"


class Confidence(StrEnum):
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@dataclass(frozen=True)
class Requirement:
    """One thing that a framework asks for, in our own words: of whom, how strongly, and where it says so."""

    id: str
    says: str
    strength: Strength
    applies_to: tuple[str, ...]
    section: str
    source: str
    read: Read
    confidence: Confidence
    evidence: str = ""
    condition: str = ""
    is_of_plans: bool = False
    """Whether it is about what one child's plan records, so that no school answers it as a whole. `condition` names the
    only condition for which it counts, if any.
    """
    first_asked_of: tuple[str, ...] = ()
    """Of whom an earlier edition asked just this, where that is not whom this one asks. Worked out, never written."""

    @cached_property
    def digest(self) -> str:
        """Of what somebody answered who answered this: its words and how strongly it asks, and of whom when it asked
        first, so that whoever is still asked need not answer again. How sure we are of it, and where it stands, may be
        mended without asking anybody again.
        """
        return self._digest(self.first_asked_of or self.applies_to)

    @cached_property
    def as_published(self) -> str:
        """A digest of all that this edition asks, and of whom."""
        return self._digest(self.applies_to)

    def _digest(self, bodies: tuple[str, ...]) -> str:
        said = "\n".join((self.id, self.says, self.strength, *sorted(bodies), self.condition))
        return sha256(said.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Framework:
    """One edition of a text. A date that nobody has announced is empty, never guessed."""

    id: str
    edition: int
    version: str
    title: str
    says: str
    published_by: str
    nation: str
    status: Status
    is_confirmed: bool
    legal_basis: str
    certainty: str
    sources: tuple[str, ...]
    requirements: tuple[Requirement, ...]
    effective_from: date | None = None
    effective_to: date | None = None
    """The first day without it."""
    replaces: str = ""
    """The framework whose place it took, or would take."""
    is_usual: bool = False
    """Whether a return asks about it unless the authority chooses otherwise."""

    def as_at(self, day: date) -> "Framework":
        """As it stood on a day, by its dates: before the first it had not started, and before the last it was not
        replaced. Where it has no first day nobody knows how it stood earlier, and it is left as it is.
        """
        if self.effective_from is None or self.status in (Status.BENCHMARK, Status.DRAFT):
            return self
        status = Status.IN_FORCE if day >= self.effective_from else Status.ENACTED
        if self.effective_to and day >= self.effective_to:
            status = Status.SUPERSEDED
        return self if status == self.status else replace(self, status=status)

    @property
    def is_draft(self) -> bool:
        return self.status == Status.DRAFT

    @property
    def is_asked(self) -> bool:
        """Whether anybody is asked about it: about a draft, and what has been superseded, nobody is."""
        return self.status not in (Status.DRAFT, Status.SUPERSEDED)

    @property
    def preview(self) -> str:
        """What switches on that people look at this draft: no draft of a later edition comes on with it."""
        return self.id if self.edition == 1 else f"{self.id}-{self.edition}"

    @property
    def is_law(self) -> bool:
        """Whether schools keep to it because of the law, from a day that may not be known yet."""
        return self.status in (Status.ENACTED, Status.IN_FORCE)

    @property
    def status_in_words(self) -> str:
        if self.status == Status.DRAFT:
            return "Draft, not law"
        if self.status == Status.ENACTED:
            return "Start date known" if self.is_confirmed else "Start date to be confirmed"
        if self.status == Status.IN_FORCE:
            return "In force" if self.is_confirmed else "In force unless replaced"
        return "Replaced" if self.status == Status.SUPERSEDED else "Benchmark, not law"

    @property
    def caveat(self) -> str:
        """What is said beside each thing that it asks while it is not in force; else nothing."""
        return "" if self.status == Status.IN_FORCE else self.status_in_words

    def in_sections(self) -> list[tuple[str, list[Requirement]]]:
        """The requirements under the titles they stand under, in their order."""
        return [(title, list(found)) for title, found in groupby(self.requirements, key=lambda each: each.section)]

    def of(self, body: str) -> list[Requirement]:
        """What it asks of this kind of body as a whole."""
        return [each for each in self.requirements if body in each.applies_to and not each.is_of_plans]
