"""The frameworks that Handrail works by."""

from collections.abc import Iterable, Sequence
from functools import cache

from handrail.guidance.frameworks import Framework, Requirement, Status
from handrail.guidance.reading import TEXTS, TextsAreWrong, problems, read


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
    """Everything that a healthcare plan should record."""
    return [each for one in frameworks() for each in one.requirements if each.is_of_plans]
