"""Merging the register of schools into the public tables: the owner login's work, one transaction a file.

What a file may hold and how it is read is `tenants.register_file`; who followed whom is `tenants.links`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from typing import Any, NamedTuple

from django.utils import timezone
from psycopg import Connection, Cursor
from psycopg.types.json import Jsonb

from tenants.csv_file import CsvFile, Problem, Row
from tenants.models import Establishment, EstablishmentLink, RegisterImport
from tenants.register_file import FIELDS, LinksFile, RegisterFile

LARGEST_LOSS = 0.10
BLOCK = 1_000

REGISTER = f'public."{Establishment._meta.db_table}"'
IMPORTS = f'public."{RegisterImport._meta.db_table}"'
LINKS = f'public."{EstablishmentLink._meta.db_table}"'
OPEN = ", ".join(str(int(status)) for status in Establishment.OPEN_STATUSES)

Progress = Callable[[int, int], None]


class NeedsConfirmation(Exception):
    """Nothing was changed: the file would do something that a person should say yes to first.

    `reasons` holds one sentence for each; the text is all of them.
    """

    def __init__(self, reasons: Iterable[str]) -> None:
        self.reasons = tuple(reasons)
        super().__init__(" ".join(self.reasons))


@dataclass(frozen=True)
class LinksReport:
    """What an import did to the links. Counts are rows."""

    file_name: str
    rows: int
    new: int
    changed: int
    removed: int
    skipped: int
    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class RegisterReport:
    """What an import did. Counts are rows; `rows` is new, changed, unchanged and skipped together.

    `changed` counts a difference in a column that we keep; `closed` those of them that were open before and are
    not now; `gone` lists the URNs that we hold and the file does not have. They are kept, and never closed.
    """

    file_name: str
    file_date: date | None
    rows: int
    new: int
    changed: int
    unchanged: int
    closed: int
    skipped: int
    gone: tuple[str, ...]
    problems: tuple[Problem, ...]
    links: LinksReport | None

    def counts(self) -> dict[str, int]:
        """The figures that are kept with the import."""
        return {
            "rows": self.rows,
            "new": self.new,
            "changed": self.changed,
            "unchanged": self.unchanged,
            "closed": self.closed,
            "gone": len(self.gone),
            "skipped": self.skipped,
            "links": self.links.rows if self.links else 0,
        }


def import_register(
    connection: Connection[Row],
    file: RegisterFile,
    *,
    at: datetime,
    links: LinksFile | None = None,
    confirmed: bool = False,
    progress: Progress | None = None,
) -> RegisterReport:
    """Make the register what the file says it is, in one transaction, and record the import.

    Needs the owner login. Rows that differ in nothing that we keep are not written. A value that cannot be used,
    and a column that the file lacks, stay as they were. Unless `confirmed`, a file asks first when it is older
    than the newest one imported, or when more than 10 per cent of an authority's open schools would close, move
    to another authority or go missing. `progress` is told how many lines are done, and of how many.

    Raises NotTheRegister, and NeedsConfirmation; nothing is changed then.
    """
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {REGISTER} IN SHARE ROW EXCLUSIVE MODE")  # one import at a time; readers go on
        cursor.execute("SET LOCAL work_mem = '64MB'")  # a join of two whole registers stays in memory
        _stage(cursor, file, into="staged", like=REGISTER, progress=progress)
        _find_differences(cursor, file)
        losses = _losses(cursor)
        reasons = [*_older(cursor, file), *_too_many(losses)]
        if reasons and not confirmed:
            raise NeedsConfirmation(reasons)
        new, changed = _merge(cursor, file)
        gone = _mark_missing(cursor, on=file.file_date or timezone.localdate(at))
        links_report = _import_links(cursor, links) if links else None
        report = RegisterReport(
            file_name=file.name,
            file_date=file.file_date,
            rows=file.row_count,
            new=new,
            changed=changed,
            unchanged=file.row_count - new - changed - file.skipped,
            closed=sum(loss.closing for loss in losses),
            skipped=file.skipped,
            gone=gone,
            problems=tuple(sorted(file.problems, key=lambda problem: problem.line)),
            links=links_report,
        )
        cursor.execute(
            f"INSERT INTO {IMPORTS} (file_name, file_date, sha256, imported_at, counts) VALUES (%s, %s, %s, %s, %s)",
            [file.name[:200], file.file_date, file.sha256, at, Jsonb(report.counts())],
        )
    return report


def _stage(cursor: Cursor[Row], file: CsvFile, *, into: str, like: str, progress: Progress | None = None) -> None:
    """Copy the file's good rows into the temporary table `into`, with these columns of the table `like`."""
    fields = ", ".join(column.field for column in file.columns)
    cursor.execute(f"DROP TABLE IF EXISTS pg_temp.{into}")
    cursor.execute(f"CREATE TEMPORARY TABLE {into} ON COMMIT DROP AS SELECT {fields} FROM {like} WITH NO DATA")
    rows, done = file.rows(rendered=_copied), 0
    with cursor.copy(f"COPY {into} FROM STDIN") as copy:
        while block := list(islice(rows, BLOCK)):
            copy.write("\n".join(map("\t".join, block)) + "\n")
            done += len(block)
            if progress:
                progress(min(done, file.lines), file.lines)
    if progress:
        progress(file.lines, file.lines)


def _copied(value: Any) -> str:
    """A value as COPY's text format has it. Cleaned text holds no tabs or line breaks."""
    return "\\N" if value is None else str(value).replace("\\", "\\\\")


def _find_differences(cursor: Cursor[Row], file: RegisterFile) -> None:
    """List in the temporary table `difference` what the file would make new, changed or gone."""
    for field, urns in file.doubtful.items():
        cursor.execute(
            f"UPDATE staged s SET {field} = e.{field} FROM {REGISTER} e WHERE e.urn = s.urn AND s.urn = ANY(%s)",
            [list(urns)],
        )
    compared = [field for field in FIELDS if field not in file.absent]
    cursor.execute("DROP TABLE IF EXISTS pg_temp.difference")
    cursor.execute(
        f"""
        CREATE TEMPORARY TABLE difference ON COMMIT DROP AS
        SELECT urn, CASE WHEN e.urn IS NULL THEN 'new' WHEN s.urn IS NULL THEN 'gone' ELSE 'changed' END AS kind,
            s.la_code, s.status_code
        FROM {REGISTER} e FULL JOIN staged s USING (urn)
        WHERE ({_listed("e.{0}", compared)}) IS DISTINCT FROM ({_listed("s.{0}", compared)}) AND urn <> ALL(%s)
        """,
        [list(file.skipped_keys)],
    )


class _Loss(NamedTuple):
    """How many of an authority's open schools the file would take away."""

    code: str
    name: str
    closing: int
    moving: int
    missing: int
    schools: int


def _losses(cursor: Cursor[Row]) -> list[_Loss]:
    """One for each authority of which the file closes, moves or misses an open school."""
    cursor.execute(
        f"""
        SELECT la_code, name, closing, moving, missing,
            (SELECT count(*) FROM {REGISTER} e WHERE e.la_code = loss.la_code AND status_code IN ({OPEN}))
        FROM (
            SELECT e.la_code, min(e.la_name) AS name,
                count(*) FILTER (WHERE d.status_code NOT IN ({OPEN})) AS closing,
                count(*) FILTER (WHERE d.status_code IN ({OPEN}) AND d.la_code <> e.la_code) AS moving,
                count(*) FILTER (WHERE d.kind = 'gone' AND e.missing_since IS NULL) AS missing
            FROM {REGISTER} e JOIN difference d USING (urn) WHERE e.status_code IN ({OPEN}) GROUP BY e.la_code
        ) loss
        WHERE closing + moving + missing > 0 ORDER BY la_code
        """
    )
    return [_Loss(*row) for row in cursor.fetchall()]


def _too_many(losses: list[_Loss]) -> list[str]:
    """One sentence naming the authorities that would lose too many of their open schools, if there are any."""
    losing = [
        f"{it.name} ({it.code}): {it.closing} close, {it.moving} move and {it.missing} go missing of {it.schools}"
        for it in losses
        if it.closing + it.moving + it.missing > LARGEST_LOSS * it.schools
    ]
    if not losing:
        return []
    return [
        f"More than {LARGEST_LOSS * 100:.0f} per cent of the open schools of "
        f"{'an authority' if len(losing) == 1 else f'{len(losing)} authorities'} would close, move to another "
        f"authority or go missing. {'; '.join(losing)}. Check that this is the whole register."
    ]


def _older(cursor: Cursor[Row], file: RegisterFile) -> list[str]:
    cursor.execute(
        f"SELECT file_name, file_date FROM {IMPORTS} WHERE file_date > %s ORDER BY file_date DESC LIMIT 1",
        [file.file_date],
    )
    return [
        f"This file is of {_written(file.file_date)}, older than {newer_name} of {_written(newer_date)}, "
        "which has been imported: schools would go back to what they were then."
        for newer_name, newer_date in cursor.fetchall()
        if file.file_date
    ]


def _merge(cursor: Cursor[Row], file: RegisterFile) -> tuple[int, int]:
    """Write the new rows and the changed ones: how many of each."""
    merged = [field for field in FIELDS if field != "urn" and field not in file.absent]
    cursor.execute(
        f"""
        UPDATE {REGISTER} e SET {_listed("{0} = s.{0}", merged)}
        FROM staged s JOIN difference d USING (urn) WHERE e.urn = s.urn AND d.kind = 'changed'
        """
    )
    changed = cursor.rowcount
    cursor.execute(
        f"""
        INSERT INTO {REGISTER} ({_listed("{0}", FIELDS)})
        SELECT {_listed("s.{0}", FIELDS)} FROM staged s JOIN difference d USING (urn) WHERE d.kind = 'new'
        """
    )
    new = cursor.rowcount
    if new:
        cursor.execute(f"ANALYZE {REGISTER} (urn, la_code, status_code)")  # authorities ask for their schools next
    return new, changed


def _mark_missing(cursor: Cursor[Row], *, on: date) -> tuple[str, ...]:
    """Date the rows that the file does not have, undate those that are back, and give the URNs it does not have."""
    cursor.execute(
        f"""
        UPDATE {REGISTER} e SET missing_since = %s FROM difference d
        WHERE d.urn = e.urn AND d.kind = 'gone' AND e.missing_since IS NULL
        """,
        [on],
    )
    cursor.execute(
        f"""
        UPDATE {REGISTER} e SET missing_since = NULL WHERE missing_since IS NOT NULL
        AND NOT EXISTS (SELECT FROM difference d WHERE d.urn = e.urn AND d.kind = 'gone')
        """
    )
    cursor.execute("SELECT urn FROM difference WHERE kind = 'gone' ORDER BY urn")
    return tuple(urn for (urn,) in cursor.fetchall())


def _import_links(cursor: Cursor[Row], file: LinksFile) -> LinksReport:
    """Replace the links of every establishment that the file names; a date once known outlasts a blank one."""
    same = "(l.urn, l.link_urn, l.link_type) = (s.urn, s.link_urn, s.link_type)"
    _stage(cursor, file, into="staged_links", like=LINKS)
    cursor.execute(
        f"""
        DELETE FROM {LINKS} l WHERE EXISTS (SELECT FROM staged_links s WHERE s.urn = l.urn)
        AND NOT EXISTS (SELECT FROM staged_links s WHERE {same})
        """
    )
    removed = cursor.rowcount
    cursor.execute(
        f"""
        UPDATE {LINKS} l SET established_on = s.established_on FROM staged_links s
        WHERE {same} AND s.established_on <> coalesce(l.established_on, '-infinity')
        """
    )
    changed = cursor.rowcount
    cursor.execute(
        f"""
        INSERT INTO {LINKS} (urn, link_urn, link_type, established_on)
        SELECT s.urn, s.link_urn, s.link_type, max(s.established_on) FROM staged_links s
        WHERE NOT EXISTS (SELECT FROM {LINKS} l WHERE {same})
        GROUP BY s.urn, s.link_urn, s.link_type
        """
    )
    new = cursor.rowcount
    if new:
        cursor.execute(f"ANALYZE {LINKS}")
    return LinksReport(
        file_name=file.name,
        rows=file.row_count,
        new=new,
        changed=changed,
        removed=removed,
        skipped=file.skipped,
        problems=tuple(file.problems),
    )


def _listed(pattern: str, fields: Iterable[str]) -> str:
    return ", ".join(pattern.format(field) for field in fields)


def _written(on: date) -> str:
    return f"{on.day} {on:%B %Y}"
