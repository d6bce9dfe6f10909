"""What may be asked of a table. Whatever is not known, or not understood, is named and never passed over."""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db.models import Q

from handrail.core.problems import Wrong
from handrail.reporting.models import Change

MOST_VALUES = 500
"""Values of one filter, so that no list of them makes a question that takes long."""


DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Refused(ValueError):
    """What is wrong with what was asked."""

    def __init__(self, *errors: Wrong) -> None:
        super().__init__(errors)
        self.errors = errors


class _NotUnderstood(ValueError):
    pass


@dataclass(frozen=True)
class Filter(ABC):
    """A question about one column, by a lookup of the rows."""

    lookup: str
    says: str

    @property
    @abstractmethod
    def schema(self) -> dict[str, Any]:
        """How the description of the API puts it."""

    @abstractmethod
    def value_of(self, text: str) -> Any:
        """What is asked for, in Python. Raises ValueError with a sentence's end."""

    def condition(self, text: str) -> Q:
        return Q(**{self.lookup: self.value_of(text)})

    def keeps(self, row: Mapping[str, Any], text: str) -> bool:
        """The same of a row that was counted, in which a day is text."""
        column, _, how = self.lookup.partition("__")
        return bool(HOLDS[how](row[column], self.value_of(text)))


HOLDS: Mapping[str, Callable[[Any, Any], bool]] = {
    "in": lambda found, wanted: found in wanted,
    "gte": lambda found, wanted: found >= str(wanted),
    "lt": lambda found, wanted: found < str(wanted),
}


@dataclass(frozen=True)
class OneOf(Filter):
    """One or more of some words, with commas between."""

    words: Mapping[str, Any] = field(default_factory=dict)

    @property
    def schema(self) -> dict[str, Any]:
        return {"type": "array", "items": {"type": "string", "enum": list(self.words)}, "minItems": 1}

    def value_of(self, text: str) -> list[Any]:
        asked = text.split(",")
        if not all(each in self.words for each in asked):
            raise _NotUnderstood(f"takes one or more of {', '.join(self.words)}")
        return [self.words[each] for each in asked]


@dataclass(frozen=True)
class Urns(Filter):
    """One or more URNs, with commas between."""

    @property
    def schema(self) -> dict[str, Any]:
        return {
            "type": "array",
            "items": {"type": "string", "pattern": "^[0-9]{6}$"},
            "minItems": 1,
            "maxItems": MOST_VALUES,
        }

    def value_of(self, text: str) -> list[str]:
        asked = text.split(",")
        if len(asked) > MOST_VALUES or not all(re.fullmatch("[0-9]{6}", each) for each in asked):
            raise _NotUnderstood(f"takes one to {MOST_VALUES} URNs of six digits, with commas between them")
        return asked


@dataclass(frozen=True)
class Day(Filter):
    @property
    def schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "date"}

    def value_of(self, text: str) -> date:
        try:
            if not DAY.fullmatch(text):
                raise ValueError
            return date.fromisoformat(text)
        except ValueError:
            raise _NotUnderstood("takes a day, like 2026-11-23") from None


@dataclass(frozen=True)
class Since(Filter):
    """The rows of a table that were written at a moment or later, as far as can be seen now."""

    @property
    def schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "date-time", "pattern": "^[0-9T:-]{19}Z$"}

    def value_of(self, text: str) -> Any:
        try:
            if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z", text):
                raise ValueError
            at = datetime.fromisoformat(text)
        except ValueError:
            raise _NotUnderstood("takes a moment in UTC, like 2026-11-23T09:05:00Z") from None
        return Change.objects.filter(table=self.lookup, changed_at__gte=at, is_removed=False).values("id")

    def condition(self, text: str) -> Q:
        return Q(id__in=self.value_of(text))


@dataclass(frozen=True)
class YesNo(Filter):
    @property
    def schema(self) -> dict[str, Any]:
        return {"type": "boolean"}

    def value_of(self, text: str) -> bool:
        if text not in ("true", "false"):
            raise _NotUnderstood("takes true or false")
        return text == "true"


@dataclass(frozen=True)
class OfSchool(YesNo):
    """The rows of a school that is open, or of one that is not. What is of no school is neither."""

    def condition(self, text: str) -> Q:
        of_school = Q(**{f"{self.lookup}__isnull": False})
        return of_school & Q(**{f"{self.lookup}__closed_on__isnull": self.value_of(text)})


@dataclass(frozen=True)
class Asked:
    """What was asked of a list, understood."""

    condition: Q
    limit: int
    cursor: str
    is_all: bool
    filters: tuple[str, ...]
    """The filters as text, in order of their names: what a cursor and an ETag are bound to."""
    chosen: tuple[tuple[Filter, str], ...] = ()

    def keeps(self, row: Mapping[str, Any]) -> bool:
        """Whether a row that was counted is among those asked for."""
        return all(each.keeps(row, text) for each, text in self.chosen)


LIMIT, MOST, CURSOR, ALL = 200, 1000, "cursor", "all"
PAGES = frozenset({"limit", CURSOR})


def understood(given: Mapping[str, list[str]], filters: Mapping[str, Filter], *, takes: frozenset[str]) -> Asked:
    """What was asked by these parameters. Where none of them is about pages, everything is.

    Raises Refused, with everything that is wrong.
    """
    errors, conditions = [], Q()
    known = {*filters, *takes}
    for name, texts in given.items():
        if name not in known:
            words = (
                "is for CSV alone"
                if name == ALL
                else f"is not known here; there are {', '.join(sorted(known)) or 'none'}"
            )
            errors.append(Wrong("unknown_parameter", f"/{shown(name)}", f"The parameter “{shown(name)}” {words}."))
        elif len(texts) != 1:
            errors.append(Wrong("given_twice", f"/{name}", f"The parameter “{name}” was given more than once."))
        elif name in filters:
            try:
                conditions &= filters[name].condition(texts[0])
            except _NotUnderstood as why:
                errors.append(Wrong("invalid_value", f"/{name}", f"The filter “{name}” {why}."))
    asked = {name: texts[0] for name, texts in given.items() if texts and name in known}
    limit = asked.get("limit", str(LIMIT))
    if not re.fullmatch("[0-9]{1,4}", limit) or not 1 <= int(limit) <= MOST:
        errors.append(Wrong("invalid_value", "/limit", f"The parameter “limit” takes a number from 1 to {MOST}."))
    if asked.get(ALL, "true") != "true":
        errors.append(Wrong("invalid_value", f"/{ALL}", f"The parameter “{ALL}” takes true, or is left out."))
    if not asked.get(CURSOR, "given"):
        errors.append(Wrong("invalid_cursor", f"/{CURSOR}", "The cursor is empty. Leave it out to begin anew."))
    if ALL in asked and {"limit", CURSOR} & set(asked):
        errors.append(Wrong("contradiction", f"/{ALL}", "With “all” there are no pages: leave limit and cursor out."))
    if errors:
        raise Refused(*errors)
    filtered = tuple(f"{name}={asked[name]}" for name in sorted(filters) if name in asked)
    chosen = tuple((filters[name], asked[name]) for name in filters if name in asked)
    return Asked(conditions, int(limit), asked.get(CURSOR, ""), ALL in asked or not takes, filtered, chosen)


def shown(name: str) -> str:
    """A parameter's name as it may be repeated: short, and without what no name has."""
    return re.sub(r"[^\w.-]", "?", name[:40])
