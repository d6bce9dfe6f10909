"""Everything that is held about children, found by following the tables: a new table about children is found by itself.

What records who did or saw what holds ids only and is not among it: it must outlive the child's rows.
"""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import QuerySet

from handrail.core.jinja import long_date, moment
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


def as_json(pupil: Pupil) -> dict[str, list[dict[str, Any]]]:
    """The rows about one child, by table, exact and with what is sealed opened. Raises VaultClosed."""
    return {
        table_name(rows.model): [
            {field.attname: plain(getattr(row, field.attname)) for field in columns(rows.model)}
            for row in rows.order_by("pk")
        ]
        for rows in held_about(Pupil.objects.filter(id=pupil.id))
    }


def in_words(pupil: Pupil) -> list[tuple[str, list[list[tuple[str, Any]]]]]:
    """The same for people: of each table that has rows its name and, of each row, every fact that is not empty."""
    found = []
    for rows in held_about(Pupil.objects.filter(id=pupil.id)):
        facts = [
            [(_label(field), _shown(row, field)) for field in columns(rows.model) if _is_told(row, field)]
            for row in rows.order_by("pk")
        ]
        if facts:
            found.append((str(rows.model._meta.verbose_name).capitalize(), facts))
    return found


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
