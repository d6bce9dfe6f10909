"""Everything that is held about children, found by following the tables: a new table about children is found by itself.

What records who did or saw what holds ids only and is not among it: it must outlive the child's rows.
"""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import models
from django.db.models import QuerySet

from handrail.core.jinja import long_date, moment
from handrail.handovers import ledger
from handrail.records.hidden import hidden_in, is_hidden, without
from handrail.records.tables import columns, plain, table_name
from handrail.schools.models import Pupil

Rows = QuerySet[Any]
EMPTY: tuple[object, ...] = (None, "", [], {})
"""What says nothing, and is not told."""


def held_about(pupils: QuerySet[Pupil]) -> Iterator[Rows]:
    """The rows of every table about these children: the children first, then what hangs on what came before."""
    found: dict[type[models.Model], Rows] = {}
    waiting: list[Rows] = [pupils.order_by()]
    while waiting:
        rows = waiting.pop(0)
        if rows.model in found:
            continue
        found[rows.model] = rows
        yield rows
        ids = rows.values("pk")
        for relation in rows.model._meta.get_fields(include_hidden=True):  # also of keys that lead nowhere back
            if relation.one_to_many or (relation.one_to_one and relation.auto_created):
                waiting.append(relation.related_model._default_manager.filter(**{f"{relation.field.name}__in": ids}))


def delete(rows: Rows) -> int:
    """Delete these rows and what hangs on them; give the number of these alone. What went through the exchange stays
    in its ledger, as a count and a hash.
    """
    ledger.keep(rows)
    _, by_model = rows.delete()
    return by_model.get(rows.model._meta.label, 0)


def as_json(pupil: Pupil, *, to_parents: bool = False) -> dict[str, list[dict[str, Any]]]:
    """The rows about one child, by table, exact and with what is sealed opened; `to_parents` without what they must
    not be told. Raises VaultClosed.
    """
    kept = without if to_parents else _as_it_is
    return {
        table_name(rows.model): [
            {field.attname: plain(kept(getattr(row, field.attname))) for field in columns(rows.model)}
            for row in rows.order_by("pk")
            if not (to_parents and is_hidden(row))
        ]
        for rows in held_about(Pupil.objects.filter(id=pupil.id))
    }


class Fact(NamedTuple):
    """One thing that is held of a child, and whether parents must not be told of it."""

    label: str
    value: Any
    is_hidden: bool


Told = list[tuple[str, list[list[Fact]]]]
"""Of each table that has rows its name and, of each row, every fact that is not empty."""


def in_words(pupil: Pupil) -> Told:
    """The same for people. Raises VaultClosed."""
    found = []
    for rows in held_about(Pupil.objects.filter(id=pupil.id)):
        facts = [_facts(row) for row in rows.order_by("pk")]
        if facts:
            found.append((str(rows.model._meta.verbose_name).capitalize(), facts))
    return found


def has_hidden(told: Told) -> bool:
    """Whether there is anything that parents must not be told."""
    return any(fact.is_hidden for _, rows in told for facts in rows for fact in facts)


def for_parents(told: Told) -> Told:
    """What is left when that is left out."""
    kept = []
    for name, rows in told:
        left = [[fact for fact in facts if not fact.is_hidden] for facts in rows]
        kept.append((name, [facts for facts in left if facts]))
    return [(name, rows) for name, rows in kept if rows]


def _facts(row: models.Model) -> list[Fact]:
    """The facts of a row; one of which only a part is hidden is two."""
    found, whole = [], is_hidden(row)
    for field in columns(type(row)):
        if not _is_told(row, field):
            continue
        value, label = getattr(row, field.attname), _label(field)
        private = None if whole else hidden_in(value)
        shown = without(value) if private else value
        if shown not in EMPTY:
            found.append(Fact(label, _words(shown) if private else _shown(row, field), whole))
        if private:
            found.append(Fact(label, _words(private), is_hidden=True))
    return found


def _as_it_is(value: Any) -> Any:
    return value


def _label(field: Any) -> str:
    return _name(field.verbose_name)


def _name(key: Any) -> str:
    return str(key).replace("_", " ").capitalize()


def _is_told(row: models.Model, field: Any) -> bool:
    value = getattr(row, field.attname)
    return not (field.is_relation or isinstance(value, UUID) or value in EMPTY)


def _shown(row: models.Model, field: Any) -> Any:
    return _words(getattr(row, f"get_{field.name}_display")() if field.choices else getattr(row, field.attname))


def _words(value: Any) -> Any:
    """A value as people read it; of what holds several, each by its name."""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, date):
        return long_date(value)
    if isinstance(value, dict):
        parts = (f"{_name(key)}: {_words(each)}" for key, each in value.items() if each not in EMPTY)
        return "; ".join(parts)
    return "; ".join(str(_words(each)) for each in value) if isinstance(value, list | tuple) else value
