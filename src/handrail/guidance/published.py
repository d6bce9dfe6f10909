"""The frameworks that Handrail works by."""

from collections.abc import Collection, Iterable, Sequence
from functools import cache

from handrail.guidance.frameworks import Framework, Nation, Requirement, Status
from handrail.guidance.reading import TEXTS, TextsAreWrong, problems, read

NATION = Nation.ENGLAND
"""Whose schools answer and write plans: no return and no plan asks what another nation's guidance does."""


@cache
def editions() -> tuple[Framework, ...]:
    """Every edition of every framework.

    Raises TextsAreWrong, which says all that is wrong, when the texts cannot be relied on.
    """
    found = read(TEXTS)
    if wrong := problems(found, TEXTS):
        raise TextsAreWrong(wrong)
    return found


def frameworks() -> tuple[Framework, ...]:
    """Of each framework the edition that counts, what is in force first."""
    return current(editions())


def current(found: Sequence[Framework]) -> tuple[Framework, ...]:
    """Of each framework the edition that stands, else the newest that was replaced, else its newest draft."""
    by_id: dict[str, Framework] = {}
    for each in what_stands_first(found):
        by_id.setdefault(each.id, each)
    order = list(Status)
    return tuple(sorted(by_id.values(), key=lambda each: (order.index(each.status), each.id)))


def what_stands_first(found: Iterable[Framework]) -> list[Framework]:
    """Editions by how far they have come, and of those that have come as far the newest first."""
    order = list(Status)
    return sorted(found, key=lambda each: (order.index(each.status), -each.edition))


def framework(framework_id: str) -> Framework | None:
    """The edition that counts, if there is such a framework."""
    return next((each for each in frameworks() if each.id == framework_id), None)


def edition(framework_id: str, number: int) -> Framework | None:
    """One edition of a framework, whether or not it counts."""
    return next((each for each in editions() if (each.id, each.edition) == (framework_id, number)), None)


def drafts() -> tuple[Framework, ...]:
    """Of each framework the newest draft, unless a later edition counts."""
    counts = {each.id: each for each in frameworks()}
    newest = {each.id: each for each in sorted(editions(), key=lambda one: one.edition) if each.is_draft}
    return tuple(each for name, each in sorted(newest.items()) if each.edition >= counts[name].edition)


def edition_answered(one: Framework, digests: Collection[str]) -> Framework | None:
    """Of the other editions that which asks most of what has been answered, of several the newest; None where none
    does.
    """
    others = [each for each in editions() if each.id == one.id and each.edition != one.edition]
    answered = {each.edition: sum(asked.digest in digests for asked in each.requirements) for each in others}
    found = max(others, key=lambda each: (answered[each.edition], each.edition), default=None)
    return found if found and answered[found.edition] else None


def line_of(one: Framework) -> list[str]:
    """The id of a framework, and of those before it, each of which the one after it replaced."""
    by_id = {each.id: each for each in frameworks()}
    found = [one.id]
    while (before := by_id[found[-1]].replaces) and before not in found:
        found.append(before)
    return found


def elements_for(condition: str) -> list[Requirement]:
    """What a healthcare plan should record for a child with this condition: what counts for all, or for that one."""
    return [each for each in elements() if each.condition in ("", condition)]


def elements() -> list[Requirement]:
    """Everything that a healthcare plan should record, by what is asked today."""
    asked = (one for one in frameworks() if one.is_asked and one.nation == NATION)
    return [each for one in asked for each in one.requirements if each.is_of_plans]
