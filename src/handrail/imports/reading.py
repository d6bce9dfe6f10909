"""What is read from a file of either kind. Needs no database: it is read with no authority open."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from tenants.csv_file import Problem

ROWS_BETWEEN_REPORTS = 2_000

Report = Callable[[int, int], None]
"""Is told now and then how many rows of how many have been read."""


@dataclass(frozen=True)
class Known:
    """What a reader must know of the authority before it opens the file."""

    code: str
    name: str
    urns: frozenset[str]
    open_urns: frozenset[str]
    register_as_of: date | None
    today: date


@dataclass
class Reading:
    """The good rows that concern the authority, as they are kept until they are imported."""

    rows: list[dict[str, Any]]
    as_of: date
    counts: dict[str, int]
    problems: list[dict[str, Any]]


@dataclass
class Comparison:
    """What importing the rows would do. `warning` is given when it would do a great deal."""

    counts: dict[str, int]
    changes: list[dict[str, Any]]
    warning: str = ""
    problems: list[dict[str, Any]] = field(default_factory=list)


def problem(found: Problem) -> dict[str, Any]:
    """A problem as it is kept and shown."""
    return {
        "line": found.line,
        "urn": found.key,
        "column": found.column,
        "value": found.value,
        "advice": found.advice,
        "skipped": found.is_skipped,
    }
