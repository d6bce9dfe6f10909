"""What became of each requirement from one edition of a framework to another, word by word. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

from handrail.guidance.frameworks import Requirement


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
        return Became.UNCHANGED if self.before.as_published == self.after.as_published else Became.CHANGED

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
