"""Everything that is held about children, found by following the tables: a new table about children is found by itself.

What records who did or saw what holds ids only and is not among it: it must outlive the child's rows.
"""

from collections.abc import Iterator
from typing import Any

from django.db import models
from django.db.models import QuerySet

from handrail.records.tables import columns, plain, table_name
from handrail.schools.models import Pupil

Rows = QuerySet[Any]


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
        for relation in rows.model._meta.related_objects:
            if not relation.many_to_many:
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
    return str(field.verbose_name).replace("_", " ").capitalize()


def _is_told(row: models.Model, field: Any) -> bool:
    return not (field.primary_key or field.is_relation) and getattr(row, field.attname) not in (None, "", [], {})


def _shown(row: models.Model, field: Any) -> Any:
    value = getattr(row, f"get_{field.name}_display")() if field.choices else getattr(row, field.attname)
    return {True: "Yes", False: "No"}.get(value, value) if isinstance(value, bool) else value
