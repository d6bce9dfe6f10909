"""A table as an Excel workbook of three sheets: the rows, what they are, and what the columns mean."""

import csv
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from itertools import count, islice
from typing import IO, Any

from rest_framework import serializers
from xlsxwriter import Workbook

from handrail.core.spreadsheet import BYTES_IN_MEMORY
from handrail.reporting.columns import fields
from handrail.reporting.filters import Asked
from handrail.reporting.openapi import dictionary
from handrail.reporting.reading import Record, lines
from handrail.reporting.tables import AsAt, Table

WIDTH = 22
"""Of a column, in characters."""

MOST_ROWS = 1_048_575
"""Of a sheet, below its headings. More are dropped without a word, so they go on another one."""

FIRST_YEAR = 1900
"""Excel knows no day before it: an earlier one stays a text."""

PLAIN = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
"""A text stays a text, whatever it looks like."""


def workbook(table: Table, asked: Asked, as_at: AsAt, note_reads: Record, *, at: datetime) -> IO[bytes]:
    """All rows that were asked for. Each is written to a temporary file as it comes, so memory does not grow with them.

    As with CSV the file is whole before it is sent, when the door has closed, and children in it are recorded.
    """
    file = tempfile.SpooledTemporaryFile(max_size=BYTES_IN_MEMORY)  # noqa: SIM115 - the answer closes it
    with Workbook(file, {"constant_memory": True, **PLAIN}) as book:
        formats = {
            "bold": book.add_format({"bold": True}),
            date: book.add_format({"num_format": "yyyy-mm-dd"}),
            datetime: book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
        }
        kinds = list(fields(table.row).values())
        rows = (map(_cell, kinds, row) for row in _rows(table, asked, as_at, note_reads))
        number = _write(book, "data", list(fields(table.row)), rows, formats)
        _write(book, "notes", ["About", table.title], _notes(table, asked, as_at, number, at=at), formats)
        meanings = [[*map(_text, each.values())] for each in dictionary(table)]
        _write(book, "dictionary", ["column", "meaning", "kind", "words", "may_be_empty"], meanings, formats)
    file.seek(0)
    return file


def _write(book: Any, name: str, headings: Sequence[str], rows: Iterable[Iterable[Any]], formats: Any) -> int:
    """Write a sheet, and further ones for what it has no room for. Give the number of rows below their headings."""
    rest, total = iter(rows), 0
    for part in count(1):
        sheet, number = book.add_worksheet(name if part == 1 else f"{name} {part}"), 0
        sheet.set_column(0, len(headings) - 1, WIDTH)
        sheet.freeze_panes(1, 0)
        sheet.write_row(0, 0, headings, formats["bold"])
        for number, row in enumerate(islice(rest, MOST_ROWS), start=1):
            for place, value in enumerate(row):
                sheet.write(number, place, value, formats.get(type(value)))
        total += number
        if number < MOST_ROWS:
            break
    return total


def _notes(table: Table, asked: Asked, as_at: AsAt, number: int, *, at: datetime) -> list[list[Any]]:
    return [
        ["What it is", table.says],
        ["Authority", f"{as_at.authority.name} ({as_at.authority.code})"],
        ["Read at (UTC)", f"{at:%Y-%m-%d %H:%M:%S}"],
        ["Filters", ", ".join(asked.filters) or "None: every row"],
        ["Rows", number],
        ["Where programs read it", f"/api/v1/{table.name}"],
    ]


def _rows(table: Table, asked: Asked, as_at: AsAt, note_reads: Record) -> Iterator[Iterable[Any]]:
    if table.counted:
        yield from (row.values() for row in table.counted(as_at) if asked.keeps(row))
        return
    for line in lines(table, asked, as_at, note_reads):
        yield next(csv.reader([line.decode()]))


def _cell(kind: serializers.Field, value: Any) -> Any:
    """What Excel is given: a day as a day, a number as a number. A code of digits stays a text."""
    if value is None or value == "":
        return None
    if isinstance(kind, serializers.DateTimeField):
        return datetime.fromisoformat(value).replace(tzinfo=None)
    if isinstance(kind, serializers.DateField):
        day = date.fromisoformat(value)
        return day if day.year >= FIRST_YEAR else value
    if isinstance(kind, serializers.BooleanField):
        return value in (True, "t")
    if isinstance(kind, serializers.IntegerField):
        return int(value)
    return value


def _text(value: Any) -> Any:
    return ", ".join(value) if isinstance(value, list) else value
