"""The columns of a table, read off its serializer: what each is called, means, and is in SQL.

PostgreSQL writes the text of dates, moments and labels itself, so JSON and CSV say the same and no row is built twice.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from django.db.models import Case, CharField, F, Func, TextField, Value, When
from django.db.models.expressions import Combinable, Expression
from django.db.models.functions import Cast
from rest_framework import serializers

from handrail.core.spreadsheet import STARTS_A_FORMULA


class Label(serializers.CharField):
    """The words of another column's code."""

    def __init__(self, *, source: str, words: Mapping[Any, str], **kwargs: Any) -> None:
        super().__init__(source=source, **kwargs)
        self.words = dict(words)


class Code(serializers.ChoiceField):
    """A word of a few for what the database keeps otherwise, such as a number of the register's."""

    def __init__(self, *, source: str, words: Mapping[Any, str], **kwargs: Any) -> None:
        super().__init__(source=source, choices=[(word, word) for word in words.values()], **kwargs)
        self.words = dict(words)


class Moment(Func):
    """A moment as text, in UTC."""

    template = """to_char(%(expressions)s AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')"""
    output_field = TextField()


class Harmless(Func):
    """A text as core.spreadsheet.harmless makes it: what a spreadsheet would run begins with an apostrophe."""

    template = f"""CASE WHEN ascii(%(expressions)s) IN ({", ".join(str(ord(each)) for each in STARTS_A_FORMULA)})
        THEN '''' || %(expressions)s ELSE %(expressions)s END"""
    output_field = TextField()

    def as_sql(self, compiler: Any, connection: Any, *args: Any, **more: Any) -> Any:
        sql, parameters = super().as_sql(compiler, connection, *args, **more)
        return sql, [*parameters] * 3


def fields(row: Any) -> dict[str, serializers.Field]:
    """The fields of a row by name, each knowing its source."""
    return _fields(row)


def expressions(row: Any, *, for_csv: bool = False) -> list[Combinable]:
    """The SQL of every column, in order."""
    return list(_expressions(row, for_csv))


# Both are worked out once: they are about columns alone, and hold nothing of an authority.


@cache
def _fields(row: Any) -> dict[str, serializers.Field]:
    return dict(row().fields)


@cache
def _expressions(row: Any, for_csv: bool) -> tuple[Combinable, ...]:
    return tuple(_expression(field, for_csv=for_csv) for field in _fields(row).values())


def _expression(field: serializers.Field, *, for_csv: bool) -> Combinable:
    column = "__".join(field.source_attrs)
    source: Any = F(column)
    if isinstance(field, Label | Code):
        return _words(column, field.words)
    if isinstance(field, serializers.DateTimeField):
        return Moment(source)
    if isinstance(field, serializers.DateField | serializers.UUIDField):
        return source if for_csv else Cast(source, TextField())
    if for_csv and isinstance(field, serializers.BooleanField):
        return Cast(source, TextField())
    if for_csv and type(field) is serializers.CharField:
        return Harmless(source)
    return source


def _words(column: str, words: Mapping[Any, str]) -> Expression:
    cases = [When(**{column: code}, then=Value(text)) for code, text in words.items()]
    return Case(*cases, default=None, output_field=CharField())
