"""What is held about a child and parents must not be told, such as a medicine prescribed without their knowledge: found
wherever it stands in what is held. Pure.

Whatever people have written elsewhere of the same is theirs to find: whoever hands something over reads it first.
"""

from typing import Any

from handrail.plans.content import HIDDEN_FROM_PARENTS

HIDDEN = frozenset(HIDDEN_FROM_PARENTS)


def is_hidden(row: Any) -> bool:
    """Whether a whole row is: a medicine, or a version of a plan in which nothing else changed."""
    changed = getattr(row, "changed", None)
    only_hidden = isinstance(changed, list) and bool(changed) and HIDDEN.issuperset(changed)
    return only_hidden or bool(getattr(row, "is_hidden_from_parents", False))


def without(value: Any) -> Any:
    """A value without the parts that are hidden, however deep they lie, and without their names."""
    if isinstance(value, dict):
        return {key: without(each) for key, each in value.items() if key not in HIDDEN}
    if isinstance(value, list):
        return [without(each) for each in value if not (isinstance(each, str) and each in HIDDEN)]
    return value


def hidden_in(value: Any) -> Any:
    """The parts of a value that are hidden and say something, in the same places; nothing where there are none."""
    if isinstance(value, dict):
        found = {key: each if key in HIDDEN else hidden_in(each) for key, each in value.items()}
        return {key: each for key, each in found.items() if each}
    return [each for each in value if isinstance(each, str) and each in HIDDEN] if isinstance(value, list) else None
