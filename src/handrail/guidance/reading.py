"""Reads the texts of frameworks and says in words what is wrong with them. `texts/README.md` says how to add one."""

import re
import tomllib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import MISSING, fields, replace
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from handrail.guidance.frameworks import ID_LENGTH, Confidence, Framework, Nation, Read, Requirement, Status, Strength

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

TEXTS = Path(__file__).parent / "texts"

DIGESTS = "digests.txt"
"""Beside the texts: the digest of what each requirement of each edition asks. Lines are added, never changed."""

LAST_EDITION = 9999
"""Addresses of pages take an edition of four digits."""

Word = TypeVar("Word", bound=StrEnum)
Kind = TypeVar("Kind", bound="DataclassInstance")


class TextsAreWrong(ValueError):
    """The texts cannot be relied on. `problems` says why, a sentence each."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = list(problems)


def read(folder: Path) -> tuple[Framework, ...]:
    """Every edition in a folder, by framework, the newest first. Raises TextsAreWrong for a file it cannot read."""
    found, wrong = [], []
    for path in sorted(folder.glob("*.toml")):
        try:
            found.append(_framework(tomllib.loads(path.read_text())))
        except (tomllib.TOMLDecodeError, ValueError) as error:
            wrong.append(f"{path.name}: {error}")
    if wrong:
        raise TextsAreWrong(wrong)
    return tuple(sorted(_as_first_asked(found), key=lambda each: (each.id, -each.edition)))


def _as_first_asked(found: Iterable[Framework]) -> Iterator[Framework]:
    """Editions whose requirements know of whom the oldest that says the same asked it."""
    first: dict[tuple[str, ...], tuple[str, ...]] = {}
    for one in sorted(found, key=lambda each: each.edition):
        asked = [
            replace(each, first_asked_of=of_whom) if of_whom != each.applies_to else each
            for each in one.requirements
            for of_whom in [first.setdefault((each.id, each.says, each.strength, each.condition), each.applies_to)]
        ]
        yield replace(one, requirements=tuple(asked))


def _framework(data: dict[str, Any]) -> Framework:
    bound = _texts(data.pop("applies_to", []), "applies_to")
    sections = data.pop("sections", [])
    data["nation"] = _word(Nation, data.get("nation"), "nation")
    data["status"] = _word(Status, data.get("status"), "status")
    data["sources"] = _texts(data.get("sources", []), "sources")
    data["requirements"] = tuple(each for section in sections for each in _section(dict(section), bound))
    one = _made(Framework, data, data.get("id", "the framework"))
    _check_id(one.id, ID_LENGTH - len(f"-{LAST_EDITION}"))
    if not 1 <= one.edition <= LAST_EDITION:
        raise ValueError(f"edition = {one.edition} is not between 1 and {LAST_EDITION}")
    return one


def _section(section: dict[str, Any], bound: tuple[str, ...]) -> Iterator[Requirement]:
    title = section.pop("title", "")
    above = {"source": section.pop("source", ""), "is_of_plans": section.pop("is_of_plans", False)}
    bound = _texts(section.pop("applies_to", bound), "applies_to")
    for row in section.pop("requirements", []):
        data = {**above, **row, "section": title}
        name = data.get("id", f"a requirement of “{title}”")
        data["strength"] = _word(Strength, data.get("strength"), name)
        data["read"] = _word(Read, data.get("read"), name)
        data["confidence"] = _word(Confidence, data.get("confidence"), name)
        data["applies_to"] = _texts(data.get("applies_to", bound), name)
        requirement = _made(Requirement, data, name)
        _check_id(requirement.id, ID_LENGTH)
        yield requirement
    if section:
        raise ValueError(f"the section “{title}” has {_listed(section)}, which means nothing here")


def _made(kind: type[Kind], data: Mapping[str, Any], name: str) -> Kind:
    known: tuple[Any, ...] = fields(kind)
    if strange := set(data) - {each.name for each in known if each.name != "first_asked_of"}:
        raise ValueError(f"{name} has {_listed(strange)}, which means nothing here")
    if absent := {each.name for each in known if each.default is MISSING} - set(data):
        raise ValueError(f"{name} has no {_listed(absent)}")
    for each in known:
        value = data.get(each.name)
        wanted = {str: str, int: int, bool: bool, date | None: date}.get(each.type)
        if wanted and value is not None and (not isinstance(value, wanted) or isinstance(value, datetime)):
            raise ValueError(f"{name} has {each.name} = {value!r}, which is of the wrong kind")
    return kind(**data)


def _check_id(value: str, longest: int) -> None:
    """An id stands in addresses, in columns and, between spaces, in DIGESTS."""
    if not re.fullmatch("[A-Z0-9]+(-[A-Z0-9]+)*", value):
        raise ValueError(f"id = {value!r} is not of capital letters and digits, with hyphens between")
    if len(value) > longest:
        raise ValueError(f"id = {value!r} is longer than {longest} characters")


def _word(kind: type[Word], value: object, name: str) -> Word:
    try:
        return kind(str(value))
    except ValueError:
        raise ValueError(f"{name} says {value!r}, which is none of {_listed(kind)}") from None


def _texts(value: object, name: str) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(each, str) for each in value):
        raise ValueError(f"{name} takes a list of texts")
    return tuple(value)


def _listed(names: Iterable[object]) -> str:
    return ", ".join(sorted(str(each) for each in names))


def problems(found: Sequence[Framework], folder: Path, bodies: Collection[str] = ()) -> list[str]:
    """What is wrong with frameworks that could be read, a sentence each; nothing if they can be relied on.

    `bodies` are those that a requirement may bind. None given, whom it names is not looked at.
    """
    return [
        *_named_twice(found),
        *(wrong for each in found for wrong in _of_one(each, bodies)),
        *_of_editions(found),
        *_changed(found, digests(folder)),
    ]


def _named_twice(found: Sequence[Framework]) -> Iterator[str]:
    for (framework_id, edition), times in Counter((each.id, each.edition) for each in found).items():
        if times > 1:
            yield f"{framework_id} has edition {edition} {times} times."
    owner: dict[str, str] = {}
    for each in found:
        for requirement_id, times in Counter(one.id for one in each.requirements).items():
            if times > 1:
                yield f"{each.id}, edition {each.edition}, has {requirement_id} {times} times."
            if owner.setdefault(requirement_id, each.id) != each.id:
                yield f"{requirement_id} is in {owner[requirement_id]} and in {each.id}."


def _of_one(one: Framework, bodies: Collection[str]) -> Iterator[str]:
    name = f"{one.id}, edition {one.edition}"
    file = f"{one.id}-{one.edition}.toml"
    if one.status == Status.SUPERSEDED and one.effective_to is None:
        yield f"{file}: status is superseded, so effective_to is the first day without force."
    if one.effective_to and one.status != Status.SUPERSEDED:
        yield f"{file}: effective_to is set, so status is superseded. Leave it out while schools are asked about it."
    if one.effective_from and one.effective_to and one.effective_to <= one.effective_from:
        yield f"{name}, ends before it begins. Leave effective_from out where it never began."
    if one.is_draft and (one.is_confirmed or one.effective_from):
        yield f"{name}, is a draft: it is not confirmed and has no day from which it counts."
    if one.status == Status.IN_FORCE and one.is_confirmed and one.effective_from is None:
        yield f"{name}, is in force and confirmed: it has a day from which it counts, or is not confirmed."
    if one.status == Status.ENACTED and one.is_confirmed != bool(one.effective_from):
        yield f"{name}, is enacted: it is confirmed when it has a day from which it counts, and not before."
    if not one.sources or not all(each.startswith("https://") for each in one.sources):
        yield f"{name}, needs sources that are addresses beginning with https://."
    if not one.requirements:
        yield f"{name}, has no requirements."
    for requirement in one.requirements:
        if not requirement.source:
            yield f"{name}: {requirement.id} does not say where it stands."
        if not requirement.applies_to:
            yield f"{name}: {requirement.id} is asked of nobody."
        if strange := set(requirement.applies_to) - set(bodies or requirement.applies_to):
            yield f"{file}: applies_to of {requirement.id} names {_listed(strange)}, which is no kind of body."


def _of_editions(found: Sequence[Framework]) -> Iterator[str]:
    there = {each.id for each in found}
    for each in found:
        if each.replaces and each.replaces not in there - {each.id}:
            yield f"{each.id}, edition {each.edition}, replaces {each.replaces}, which is not there."
    standing = Counter(each.id for each in found if each.is_asked)
    for framework_id, times in standing.items():
        if times > 1:
            yield f"{framework_id} has {times} editions that count: all but one are superseded or drafts."


def _changed(found: Sequence[Framework], known: Mapping[str, str]) -> Iterator[str]:
    current = _lines(found)
    new = Counter(key.rpartition(" ")[0] for key in current if key not in known)
    for name, count in new.items():
        yield f"{name} has {count} requirements that are not in {DIGESTS}: README.md beside it says how to add them."
    for key, digest in current.items():
        if known.get(key, digest) != digest:
            yield f"{key} no longer says what it said. Give the framework a new edition instead."
    for key in known:
        if key not in current:
            yield f"{key} has gone, though people may have answered it."


def _lines(found: Iterable[Framework]) -> dict[str, str]:
    return {f"{each.id} {each.edition} {one.id}": one.as_published for each in found for one in each.requirements}


def digests(folder: Path) -> dict[str, str]:
    """What each requirement of each edition asked when it was first published: its digest, by name."""
    path = folder / DIGESTS
    lines = path.read_text().splitlines() if path.exists() else []
    return {key: digest for key, _, digest in (line.rpartition(" ") for line in lines)}


def add_digests(folder: Path) -> None:
    """Write down what is new in a folder. What is there already stays, right or wrong."""
    noted = _lines(read(folder)) | digests(folder)
    (folder / DIGESTS).write_text("".join(f"{key} {noted[key]}\n" for key in sorted(noted)))


if __name__ == "__main__":
    add_digests(TEXTS)
