"""Reading a table: a page of it, the whole of it as CSV, what changed in it, and whether it changed at all."""

import csv
import hashlib
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import chain, islice
from typing import IO, Any, NoReturn
from uuid import UUID

from django.db.models import F, Q
from django.http import FileResponse

from handrail.core.spreadsheet import BYTES_IN_MEMORY, harmless
from handrail.reporting import cursors, history
from handrail.reporting.columns import expressions, fields
from handrail.reporting.filters import Asked
from handrail.reporting.models import Change
from handrail.reporting.pseudonyms import hidden, shown
from handrail.reporting.tables import AsAt, Table
from tenants.database import copy_to, execute

Row = dict[str, Any]
Record = Callable[[str], tuple[str, list[Any]]]
"""Gives the SQL, and its parameters, that records the children of a part of a statement: see core.audit."""


@dataclass(frozen=True)
class Page:
    rows: list[Any]
    """Each by its columns' names, or as JSON."""
    next_cursor: str | None
    removed: list[Row] | None = None
    has_more: bool = False
    children: Sequence[UUID] = ()
    """Who is in the rows."""


EVERYTHING = Asked(Q(), limit=0, cursor="", is_all=True, filters=())


class Expired(ValueError):
    """What a cursor counted on is gone: the reader begins anew."""


def page(table: Table, asked: Asked, as_at: AsAt, *, about: Sequence[str], as_json: bool) -> Page:
    """As many rows as were asked for after the cursor. Raises NotACursor, and Expired where what is counted is another
    than when the cursor was given: its rows have no place of their own, so some would come twice or never.
    """
    about = (table.name, *(["counted"] if table.counted else []), *about, *asked.filters)
    [after] = cursors.read(asked.cursor, about=about) if asked.cursor else [None]
    children: list[UUID] = []
    if table.counted:
        whole = _counted(table, asked, as_at)
        digest = _digest(whole)
        begin, of = after or (0, digest)
        if of != digest:
            raise Expired("It was counted anew since this cursor was given. Read it from the beginning.")
        counted = whole[begin : begin + asked.limit]
        rows = [_as_json(row) for row in counted] if as_json else counted
        has_more = begin + len(rows) < len(whole)
        place: Any = begin + len(rows), digest
    else:
        if table.child and after is not None:
            after = shown(after)
        found = _rows(table, asked, as_at, after, as_json=as_json)
        has_more = len(found) > asked.limit
        found = found[: asked.limit]
        rows = [row[0] for row in found] if as_json else _named(table, found)
        children = [row[-2] for row in found if table.child]
        place = (hidden if table.child else str)(found[-1][-1]) if has_more else None
    return Page(rows, cursors.write([place], about=about) if has_more else None, has_more=has_more, children=children)


def count(table: Table, as_at: AsAt) -> int:
    """How many rows there are."""
    return len(table.counted(as_at)) if table.counted else table.query(as_at).count()


def changed_at(table: Table) -> datetime | None:
    """When a row was written or removed last, or what is counted was. None for what is counted anew each time."""
    of_rows = table.rests_on if table.counted else [table.name]
    newest = Change.objects.filter(table__in=of_rows).order_by("-changed_at").first()
    return newest.changed_at if newest else None


def _counted(table: Table, asked: Asked, as_at: AsAt) -> list[Row]:
    """The rows that were asked for. What is counted is the same whatever is asked."""
    return [row for row in table.counted(as_at) if asked.keeps(row)] if table.counted else []


def _rows(table: Table, asked: Asked, as_at: AsAt, after: Any, *, as_json: bool) -> list[tuple[Any, ...]]:
    """The rows after this one, and one more than were asked for: each with its child, if the table is of those, and at
    the end its place. As JSON PostgreSQL makes one text of each row.
    """
    make = _sql if table.child else _kept_sql
    sql, parameters = make(table, asked.condition, as_at, table.due_soon_days(as_at))
    begin = [] if after is None else [after]
    columns = ", ".join(fields(table.row))
    told, source = ("row_to_json(told)::text", f", LATERAL (SELECT {columns}) told") if as_json else (columns, "")
    asks = f"SELECT {told}, {f'{CHILD}, ' * bool(table.child)}place {sql}{source}"
    return execute(
        f"{asks} {'WHERE place > %s' if begin else ''} ORDER BY place LIMIT %s", [*parameters, *begin, asked.limit + 1]
    )


def _sql(
    table: Table, condition: Q, as_at: AsAt, due_soon_days: int | None, *, for_csv: bool = False
) -> tuple[str, tuple[Any, ...]]:
    """The SQL of what was asked for, from which rows are chosen, each with its key as `place`."""
    columns = [*expressions(table.row, for_csv=for_csv), *map(F, filter(None, [table.child])), F(table.key)]
    found = table.query(as_at).filter(condition).order_by().values_list(*columns)
    sql, parameters = found.query.sql_with_params()
    names = [*fields(table.row), *([CHILD] if table.child else []), "place"]
    return f"FROM ({sql}) found ({', '.join(names)})", parameters


_kept_sql = lru_cache(maxsize=500)(_sql)
"""The next page asks the same, and making SQL takes longer than the rows. All that is in it is among the arguments,
but for what made-up numbers are made with.
"""


def _named(table: Table, rows: Iterable[Sequence[Any]]) -> list[Row]:
    names = list(fields(table.row))
    return [dict(zip(names, row, strict=False)) for row in rows]


def _as_json(row: Row) -> str:
    return json.dumps(row, ensure_ascii=False)


def lines(table: Table, asked: Asked, as_at: AsAt, note_reads: Record, *, for_csv: bool = False) -> Iterator[bytes]:
    """All rows that were asked for, each as PostgreSQL copies it out as CSV.

    Of a table with a row for each child the same statement records who is in them.
    """
    execute("SET LOCAL work_mem = '64MB'")  # a whole table is joined and put in order in memory
    sql, parameters = _sql(table, asked.condition, as_at, table.due_soon_days(as_at), for_csv=for_csv)
    columns = ", ".join(fields(table.row))
    if table.child:
        recorded, of_record = note_reads("told")
        begin = f"WITH told AS MATERIALIZED (SELECT * {sql}), recorded AS ({recorded}) SELECT {columns} FROM told"
        parameters = (*parameters, *of_record)
    else:
        begin = f"SELECT {columns} {sql}"
    for line in copy_to(f"COPY ({begin} ORDER BY place) TO STDOUT (FORMAT csv)", parameters):
        yield line[:-1]


CHILD = "child"
"""Under which a row has its child, until that is recorded. No column is called so."""


def of_nobody(told: str) -> NoReturn:
    """For what is read of tables without children."""
    raise TypeError("whom this tells of must be recorded")


# -- CSV -------------------------------------------------------------------------------------------------


EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CONTENT_TYPES = {"csv": "text/csv; charset=utf-8", "xlsx": EXCEL}


def headings(table: Table) -> list[str]:
    return list(fields(table.row))


def page_as_csv(table: Table, rows: Iterable[Row]) -> IO[bytes]:
    """These rows as a file for spreadsheets."""
    return _file(table, (_line([_cell(value) for value in row.values()]) for row in rows))


def whole_as_csv(table: Table, asked: Asked, as_at: AsAt, note_reads: Record) -> IO[bytes]:
    """All rows that were asked for, copied out by PostgreSQL into a temporary file, inside the door.

    The answer is sent when the door has closed: a reader that is slow, or stops, holds no transaction. Memory does not
    grow with the rows. Children in them are recorded by `note_reads`.
    """
    if table.counted:
        return page_as_csv(table, _counted(table, asked, as_at))
    return _file(table, lines(table, asked, as_at, note_reads, for_csv=True))


def download(table: Table, file: IO[bytes], form: str) -> FileResponse:
    """An answer with such a file, or a workbook, which it closes."""
    return FileResponse(file, as_attachment=True, filename=f"{table.name}.{form}", content_type=CONTENT_TYPES[form])


LINES_AT_ONCE = 500


def _file(table: Table, lines: Iterable[bytes]) -> IO[bytes]:
    file = tempfile.SpooledTemporaryFile(max_size=BYTES_IN_MEMORY)  # noqa: SIM115 - the answer closes it
    file.write(b"\xef\xbb\xbf")
    rest = chain([_line(headings(table))], lines)
    while some := list(islice(rest, LINES_AT_ONCE)):
        file.write(b"\r\n".join([*some, b""]))
    file.seek(0)
    return file


class _Echo:
    """What `csv` writes to: gives the line back."""

    def write(self, text: str) -> bytes:
        return text.encode()


_write: Any = csv.writer(_Echo()).writerow


def _line(cells: Sequence[str]) -> bytes:
    line: bytes = _write(cells)
    return line.removesuffix(b"\r\n")


def _cell(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else harmless(value)


# -- what changed ----------------------------------------------------------------------------------------


def changes(table: Table, asked: Asked, as_at: AsAt, *, about: Sequence[str]) -> Page:
    """Rows that were written or removed since the cursor, in the order in which their transactions began to write.

    Only what can change no more is given: a transaction that is still at work holds back all that began after it, so
    that none is missed whatever the order in which they commit. There is always a next cursor; without more it is
    where to go on another day. Raises NotACursor and Expired.
    """
    about, epoch = (table.name, "changes", *about), _epoch(table, as_at)
    since: Any = cursors.read(asked.cursor, about=about) if asked.cursor else [epoch, 0, str(_FIRST)]
    if since[0] != epoch:
        raise Expired(
            "The database was restored, or the authority’s name or code changed, since this cursor was given. Read "
            "everything anew."
        )
    found = execute(CHANGED, [table.name, since[1], since[2], asked.limit + 1])
    has_more, found = len(found) > asked.limit, found[: asked.limit]
    ids = [row_id for row_id, _, _, is_removed in found if not is_removed]
    written = table.query(as_at).filter(id__in=ids).values_list(*expressions(table.row))
    rows = {row["id"]: row for row in _named(table, written)}
    removed = [{"id": str(row_id), "deleted_at": gone_at} for row_id, _, gone_at, is_removed in found if is_removed]
    place = [epoch, found[-1][1], str(found[-1][0])] if found else since
    return Page(
        [_as_json(rows[str(row_id)]) for row_id in ids if str(row_id) in rows],
        cursors.write(place, about=about),
        removed,
        has_more,
    )


def _epoch(table: Table, as_at: AsAt) -> str:
    """What every cursor into the changes of a table rests on: the history of the database, and what stands in each of
    its rows and is noted with none of them, which is what the authority is called.
    """
    if not table.knows_new_la_code:
        return history.epoch()
    return f"{history.epoch()} {_digest(_called(table, as_at))}"


def _called(table: Table, as_at: AsAt) -> tuple[Any, ...]:
    """What the authority is called, as far as the table tells it."""
    codes = as_at.new_la_code() if table.knows_new_la_code else ()
    return as_at.authority.code, as_at.authority.name, *codes


_FIRST = "00000000-0000-0000-0000-000000000000"

CHANGED = """
SELECT id, transaction, to_char(changed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), is_removed
FROM reporting_change
WHERE "table" = %s AND (transaction, id) > (%s, %s::uuid)
    AND transaction < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
ORDER BY transaction, id LIMIT %s
"""

MARK = """
SELECT coalesce(max(newest), 0), pg_current_snapshot()::text, pg_snapshot_xmin(pg_current_snapshot())::text::bigint
FROM unnest(%s::text[]) named (name), LATERAL (
    SELECT transaction AS newest FROM reporting_change WHERE "table" = name ORDER BY transaction DESC LIMIT 1
) found
"""


def etag(table: Table, asked: Asked, as_at: AsAt, *, about: Sequence[str], **more: str) -> str | None:
    """A weak tag of what was asked for and of its tables' newest change, found without reading them.

    While a transaction that began before that change is still at work the tag names the moment too: what it writes
    would not show in the newest number. None for what is counted anew each time.
    """
    if not table.rests_on:
        return None
    epoch = history.epoch()
    [[newest, snapshot, settled]] = execute(MARK, [list(table.rests_on)])
    moment = "" if newest < settled else snapshot
    parts = (table.name, *about, *asked.filters, asked.limit, asked.cursor, asked.is_all, as_at.on)
    of_changes = epoch, newest, moment
    of_authority = *_called(table, as_at), table.due_soon_days(as_at)
    told = (*map(str, parts), of_changes, of_authority, headings(table), sorted(more.items()))
    return f'W/"{_digest(told)}"'


def _digest(told: Any) -> str:
    return hashlib.sha256(repr(told).encode()).hexdigest()[:32]
