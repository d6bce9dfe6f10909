"""What became of each requirement from one edition of a framework to another, word by word, and which answers carry
over. Pure.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Generic, TypeVar

from handrail.guidance.frameworks import Requirement

Answer = TypeVar("Answer")


class Became(StrEnum):
    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True)
class Change:
    """One requirement in both editions. `before` is empty for one that was added, `after` for one that was removed."""

    before: Requirement | None
    after: Requirement | None

    @property
    def became(self) -> Became:
        if self.before is None:
            return Became.ADDED
        if self.after is None:
            return Became.REMOVED
        return Became.UNCHANGED if self.before.digest == self.after.digest else Became.CHANGED

    @property
    def requirement(self) -> Requirement:
        """As it stands, or as it stood last."""
        found = self.after or self.before
        if found is None:
            raise ValueError("a change is of a requirement that was or is there")
        return found

    @property
    def words(self) -> list["Run"]:
        return words(self.before.says if self.before else "", self.after.says if self.after else "")

    def back(self) -> "Change":
        return Change(self.after, self.before)


@dataclass(frozen=True)
class Difference:
    """All changes, in the order of the later edition, those that were removed last."""

    changes: tuple[Change, ...]
    ids_before: tuple[str, ...]
    ids_after: tuple[str, ...]

    def that(self, became: Became) -> list[Change]:
        return [each for each in self.changes if each.became == became]

    def before(self) -> tuple[Requirement, ...]:
        """The requirements of the earlier edition, as they were."""
        found = {each.before.id: each.before for each in self.changes if each.before}
        return tuple(found[each] for each in self.ids_before)

    def after(self) -> tuple[Requirement, ...]:
        """The requirements of the later edition, as they are."""
        found = {each.after.id: each.after for each in self.changes if each.after}
        return tuple(found[each] for each in self.ids_after)

    def back(self) -> "Difference":
        """The way back: what was added goes, and what was removed returns."""
        return difference(self.after(), self.before())


def difference(before: Sequence[Requirement], after: Sequence[Requirement]) -> Difference:
    """What becomes of each requirement of one edition in another. Requirements are the same when their ids are."""
    old, new = {each.id: each for each in before}, {each.id: each for each in after}
    kept = [Change(old.get(each.id), each) for each in after]
    gone = [Change(each, None) for each in before if each.id not in new]
    return Difference((*kept, *gone), tuple(old), tuple(new))


@dataclass(frozen=True)
class Run:
    """Words that stand together in both texts, or in one of them only."""

    text: str
    became: Became


def words(before: str, after: str) -> list[Run]:
    """Two texts as one, in runs of whole words: what was kept or removed is the first, kept or added the second."""
    old, new = _words(before), _words(after)
    runs = []
    for tag, from_old, to_old, from_new, to_new in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            runs.append(Run("".join(old[from_old:to_old]), Became.UNCHANGED))
            continue
        if from_old != to_old:
            runs.append(Run("".join(old[from_old:to_old]), Became.REMOVED))
        if from_new != to_new:
            runs.append(Run("".join(new[from_new:to_new]), Became.ADDED))
    return runs


def _words(text: str) -> list[str]:
    return re.findall(r"\S+|\s+", text)


@dataclass(frozen=True)
class Carried(Generic[Answer]):
    """What becomes of answers: which stand for a requirement of the later edition, and what has to be asked."""

    kept: dict[str, Answer] = field(default_factory=dict)
    reopened: list[Requirement] = field(default_factory=list)
    new: list[Requirement] = field(default_factory=list)
    gone: list[Answer] = field(default_factory=list)


def carry(answers: Mapping[str, tuple[str, Answer]], to: Iterable[Requirement]) -> Carried[Answer]:
    """Take answers, each with the digest of what was answered, over to the requirements of another edition.

    An answer stands where the requirement still asks the same. One that was changed is reopened, and no answer is
    altered or lost: those of requirements that are not there any more are `gone`, each as it was.
    """
    carried: Carried[Answer] = Carried()
    there = set()
    for each in to:
        there.add(each.id)
        if each.id not in answers:
            carried.new.append(each)
        elif answers[each.id][0] == each.digest:
            carried.kept[each.id] = answers[each.id][1]
        else:
            carried.reopened.append(each)
    carried.gone.extend(answer for name, (_, answer) in answers.items() if name not in there)
    return carried
