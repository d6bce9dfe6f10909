"""What a return asks of a school, section by section, and what has been said to it. Pure.

What is asked is what the frameworks of its cycle say today. An answer stands while its requirement asks the same, so
the day guidance changes, only the changed and the new points are open again, and no answer is altered.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any
from uuid import UUID

from handrail.guidance.frameworks import Confidence, Framework, Read, Requirement, Status, Strength
from handrail.returns.models import UNMET, Said

UNKNOWN = Framework(
    id="", edition=0, version="", title="Points that this release of Handrail does not know",
    says="How strongly it asked is not known", published_by="", nation="", status=Status.SUPERSEDED,
    is_confirmed=False, legal_basis="", certainty="", sources=(), requirements=(),
)  # fmt: skip
"""In place of the framework of an answer to something that no edition here asks: a release that did was taken back."""

TYPED = ("verdict", "reason", "evidence", "evidence_page", "evidence_url")
"""What is typed of an answer: all but its file, which has a page of its own."""


def as_typed(said: Mapping[str, Any]) -> str:
    """A digest of what is typed of an answer: the same for the same words, however their lines end."""
    words = ["\n".join(str(said.get(name) or "").strip().splitlines()) for name in TYPED]
    return sha256("\0".join(words).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Point:
    """One requirement, and the answer that stands. `before` is one to what it asked before it was changed. One that
    `is_carried` is of an earlier return; that it `is_unsubmitted` says that it was saved for one, and no more. One that
    `is_changed` says something else than what was submitted last. `findings` are the authority's about it.
    """

    requirement: Requirement
    framework: Framework
    answer: Any = None
    is_carried: bool = False
    before: Any = None
    is_unsubmitted: bool = False
    is_changed: bool = False
    findings: Sequence[Any] = ()

    @property
    def strength(self) -> str:
        """How strongly it asks, and what keeps it from being law if anything does."""
        if self.framework is UNKNOWN:
            return UNKNOWN.says
        words = "Must" if self.requirement.strength == Strength.MUST else "Should"
        return f"{words}. {self.framework.caveat}" if self.framework.caveat else words

    @property
    def says(self) -> str:
        """What it asks, in a sentence that never looks like law when it is none."""
        return says(self.framework, self.requirement)

    @property
    def file_id(self) -> UUID | None:
        """The file that stands as evidence of it."""
        return self.answer.evidence_file_id if self.answer else None

    @property
    def shown(self) -> str:
        """What a page shows of it: the digests of what it asks, and of what is typed of the answer that stands."""
        return f"{self.requirement.digest}-{as_typed(self.answer.content if self.answer else {})}"

    @property
    def is_unmet(self) -> bool:
        return bool(self.answer) and self.answer.verdict in UNMET

    @property
    def is_gap(self) -> bool:
        """Whether something is missing: a must is not met, or a should is not and no reason is given for that."""
        return self.is_unmet and (self.requirement.strength == Strength.MUST or not self.answer.reason)


@dataclass(frozen=True)
class Section:
    """Points that are asked on one page."""

    number: int
    title: str
    framework: Framework
    points: list[Point]

    @property
    def answered(self) -> int:
        return sum(point.answer is not None for point in self.points)

    @property
    def is_done(self) -> bool:
        return self.answered == len(self.points)


def unknown(name: str, answer: Any = None) -> Point:
    """A point that no edition of this release asks, by its id, and an answer to it."""
    asked = Requirement(
        id=name, says=f"{name}: this release of Handrail does not know what it asked.", strength=Strength.SHOULD,
        applies_to=(), section=UNKNOWN.title, source="", read=Read.MEMORY, confidence=Confidence.LOW,
    )  # fmt: skip
    return Point(asked, UNKNOWN, answer)


def asked(frameworks: Iterable[Framework], body: str) -> list[tuple[Framework, Requirement]]:
    """What these frameworks ask of this kind of body."""
    return [(one, each) for one in frameworks if one.is_asked for each in one.of(body)]


def says(one: Framework, requirement: Requirement) -> str:
    """What a requirement asks, in a sentence that never looks like law when it is none."""
    return f"{requirement.says} ({one.caveat}.)" if one.caveat else requirement.says


def digest_of(requirements: Iterable[Requirement]) -> str:
    """What all returns have in common that were asked exactly this."""
    return sha256(",".join(sorted(each.digest for each in requirements)).encode()).hexdigest()[:16]


def sections(
    frameworks: Sequence[Framework],
    body: str,
    drafts: Iterable[Said],
    carried: Iterable[Said] = (),
    unsubmitted: Iterable[Said] = (),
    *,
    on: date | None = None,
) -> list[Section]:
    """What is asked, with the answers that stand: those being written, else those that were saved last and not
    submitted before the cycle closed, else those of the last return. How far a framework has come is told as at `on`.
    """
    written, saved, last = _by_id(drafts), _by_id(unsubmitted), _by_id(carried)
    return in_sections(
        _point(
            framework.as_at(on) if on else framework,
            requirement,
            *(each.get(requirement.id, {}) for each in (written, saved, last)),
        )
        for framework, requirement in asked(frameworks, body)
    )


def in_sections(points: Iterable[Point]) -> list[Section]:
    """Points under the titles they stand under, a section of one framework each."""
    found: dict[tuple[str, str], list[Point]] = {}
    for point in points:
        found.setdefault((point.framework.id, point.requirement.section), []).append(point)
    return [
        Section(number, title, here[0].framework, here)
        for number, ((_, title), here) in enumerate(found.items(), start=1)
    ]


def _by_id(answers: Iterable[Said]) -> dict[str, dict[str, Said]]:
    """By requirement, and then by what it asked."""
    found: dict[str, dict[str, Said]] = {}
    for each in answers:
        found.setdefault(each.requirement_id, {})[each.digest] = each
    return found


def _point(
    framework: Framework,
    requirement: Requirement,
    written: Mapping[str, Said],
    saved: Mapping[str, Said],
    last: Mapping[str, Said],
) -> Point:
    digest = requirement.digest
    answer = written.get(digest) or saved.get(digest) or last.get(digest)
    if answer:
        is_carried = digest not in written
        return Point(
            requirement,
            framework,
            answer,
            is_carried=is_carried,
            is_unsubmitted=is_carried and digest in saved,
            is_changed=digest not in last or answer.content != last[digest].content,
        )
    before = max((*written.values(), *saved.values(), *last.values()), key=lambda each: each.answered_at, default=None)
    return Point(requirement, framework, before=before)
