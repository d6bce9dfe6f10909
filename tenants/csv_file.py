"""CSV files as people really send them: checked whole, read row by row, every problem named by its line.

A kind of file is a subclass of `CsvFile` that lists its columns. Nothing here touches the database.
"""

import codecs
import csv
import hashlib
import re
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import date
from itertools import chain
from operator import getitem, itemgetter
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

CHUNK = 1 << 20
MOST_PROBLEMS = 10_000
LONGEST_MEMORY = 100_000
UNREADABLE = "\N{REPLACEMENT CHARACTER}"

Source = str | Path | BinaryIO
Row = tuple[Any, ...]


class UnusableFile(ValueError):
    """The whole file is refused. Its text is for people: what is wrong and what to do."""


@dataclass(frozen=True)
class Column:
    """One column: our field, the header that names it, and what turns its text into a value.

    `clean` gets the text without surrounding blanks and raises ValueError with the rule that was broken. A row
    without the value of an essential column is skipped, and a file without that column is refused.
    """

    field: str
    header: str
    clean: Callable[[str], Any]
    is_essential: bool = False

    def read(self, raw: str) -> Any:
        """The value of one cell. Raises ValueError with the rule that was broken."""
        text = raw.strip()
        if self.is_essential and not text:
            raise ValueError("This must not be blank")
        if UNREADABLE in text:
            raise ValueError("This has a character that cannot be read")
        return self.clean(text)


@dataclass(frozen=True)
class Problem:
    """One faulty cell, or a faulty row (then `column` is blank), and what to do about it in one sentence."""

    line: int = field(metadata={"help": "the line of the file on which the row starts, counted from 1"})
    key: str
    column: str
    value: str
    advice: str
    is_skipped: bool = field(metadata={"help": "the whole row was left out, not this value alone"})


class CsvFile:
    """One file of known columns: iterate it for its good rows, tuples of values in the order of `columns`.

    Columns are found by name, whatever their case, order and number. A column the file lacks reads as blank
    and is listed in `absent`. UTF-8 (with or without its mark) and Windows-1252 are told apart by the bytes.

    When the last row has been read, `row_count`, `problems` and `doubtful` are complete, and so, where the first
    column must be unique, are the `skipped_keys`: those whose rows were all left out. A row whose key is found
    again further down has been given out by then, and is to be dropped by the reader: `good_rows()` does.
    Raises the class's `refusal`, at once or on the way.
    """

    columns: tuple[Column, ...]
    refusal: ClassVar[type[UnusableFile]] = UnusableFile
    is_first_column_unique: ClassVar[bool] = False
    without_value: ClassVar[str] = "the value held before was left"
    """What becomes of a row with a faulty value in a column that is not essential."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.name = Path(source if isinstance(source, str | Path) else getattr(source, "name", None) or "file").name
        self.encoding, self.sha256, self.lines = self._scan()
        numbered = self._numbered_rows()
        _, header = next(numbered)
        self._width = len(header)
        self._positions, self.absent = self._find_columns(header)
        if next(numbered, None) is None:
            raise self.refusal("This file has column names but no rows. Get the file again and send it whole.")
        numbered.close()
        self._forget()

    def _forget(self) -> None:
        self.row_count = 0
        self.problems: list[Problem] = []
        self.skipped_keys: set[str] = set()
        self.doubtful: dict[str, set[str]] = {}  # field -> keys of rows kept without this value, which is faulty

    @property
    def skipped(self) -> int:
        """How many rows were left out."""
        return len({problem.line for problem in self.problems if problem.is_skipped})

    def good_rows(self) -> list[Row]:
        """Every good row, in memory."""
        rows = list(self)
        return [row for row in rows if row[0] not in self.skipped_keys]

    def __iter__(self) -> Iterator[Row]:
        return self.rows()

    def rows(self, rendered: Callable[[Any], Any] = lambda value: value) -> Iterator[Row]:
        """The good rows, each value `rendered`: worked out once for each different text of a column."""
        self._forget()
        memories = [_Memory(column, self.encoding, rendered) for column in self.columns]
        pick, width = itemgetter(*self._positions), self._width
        first_lines: dict[str, int] = {}
        short_line = None
        numbered = self._numbered_rows()
        next(numbered)
        for line, cells in numbered:
            self.row_count += 1
            is_whole, short_line = len(cells) == width, line if len(cells) < width else None
            cells.append(b"")  # where absent columns are read
            values: Row | None = None
            if is_whole:
                try:
                    values = tuple(map(getitem, memories, pick(cells)))
                except ValueError:
                    values = self._examine(line, pick(cells), rendered)
            else:
                count = len(cells) - 1
                self._skip(line, self._key(cells), "", f"{count} values", f"The file has {width} columns")
            key = self._key(cells) if values is None else values[0]
            if self.is_first_column_unique and key and first_lines.setdefault(key, line) != line:
                self._skip_both(first_lines[key], line, key)
            elif values is not None:
                yield values
            elif self.is_first_column_unique and key:
                self.skipped_keys.add(key)
        if short_line is not None:
            raise self.refusal(_cut_off(short_line))

    def _decoded(self, cell: bytes) -> str:
        return cell.decode(self.encoding, "replace")

    def _key(self, cells: list[bytes]) -> str:
        """The first column's value, or blank where it is faulty."""
        position = self._positions[0]
        try:
            return str(self.columns[0].read(self._decoded(cells[position]) if position < len(cells) else ""))
        except ValueError:
            return ""

    def _skip_both(self, first: int, line: int, key: str) -> None:
        """Two rows have the same key, so it is not known which one is right."""
        header = self.columns[0].header
        if key not in self.skipped_keys:
            self._skip(first, key, header, key, f"Line {line} has the same {header}")
        self._skip(line, key, header, key, f"Line {first} has the same {header}")
        self.skipped_keys.add(key)

    def _examine(self, line: int, cells: tuple[bytes, ...], rendered: Callable[[Any], Any]) -> Row | None:
        """The values of a row with faults, blank where faulty; None when the row must be skipped."""
        values: list[Any] = []
        faults: list[tuple[Column, str, str]] = []
        for column, raw in zip(self.columns, map(self._decoded, cells), strict=True):
            try:
                values.append(column.read(raw))
            except ValueError as error:
                values.append(None if column.is_essential else column.read(""))
                faults.append((column, raw, str(error)))
        is_skipped = any(column.is_essential for column, _, _ in faults)
        for column, raw, rule in faults:
            if is_skipped:
                self._skip(line, self._decoded(cells[0]).strip(), column.header, raw, rule)
            else:
                self._add(line, values[0], column.header, raw, f"{rule}; {self.without_value}", False)
                self.doubtful.setdefault(column.field, set()).add(values[0])
        return None if is_skipped else tuple(map(rendered, values))

    def _skip(self, line: int, key: str, column: str, value: str, rule: str) -> None:
        self._add(line, key, column, value, f"{rule}; the row was skipped", True)

    def _add(self, line: int, key: str, column: str, value: str, what: str, is_skipped: bool) -> None:
        if len(self.problems) == MOST_PROBLEMS:
            raise self.refusal(
                f"This file has more than {MOST_PROBLEMS:,} problems, the last on line {line} ({what}). "
                "Check that it is the right file and that it has not been changed."
            )
        advice = f"{what}: correct it and send the file again."
        self.problems.append(Problem(line, key, column, value[:200], advice, is_skipped))

    def _find_columns(self, header: list[bytes]) -> tuple[list[int], frozenset[str]]:
        """Where each column is (behind the last one when absent), and the fields of the absent ones."""
        names = [_plain(self._decoded(name)) for name in header]
        positions = []
        for column in self.columns:
            found = names.count(_plain(column.header))
            if found > 1:
                raise self.refusal(
                    f"This file has {found} {column.header} columns. Take the wrong ones out and send it again."
                )
            if not found and column.is_essential:
                raise self.refusal(
                    f"This file has no {column.header} column. "
                    "Send the file as it was downloaded, with its first row of column names."
                )
            positions.append(names.index(_plain(column.header)) if found else len(header))
        absent = (column.field for column, at in zip(self.columns, positions, strict=True) if at == len(header))
        return positions, frozenset(absent)

    def _scan(self) -> tuple[str, str, int]:
        """Look at all the bytes once: the encoding, the SHA-256 and the number of lines."""
        digest, lines, is_utf8 = hashlib.sha256(), 0, True
        decoder = codecs.getincrementaldecoder("utf-8")()
        is_empty = True
        with self._opened() as file:
            while chunk := file.read(CHUNK):
                if is_empty:
                    self._check_start(chunk)
                is_empty = is_empty and not chunk.removeprefix(codecs.BOM_UTF8).strip()
                if b"\0" in chunk:
                    raise self.refusal("This file is damaged: it holds NUL bytes. Get the file again.")
                found = chunk.count(b"\n")
                if len(chunk) == CHUNK and not found:
                    raise self.refusal("This is not a CSV file: a line of it is longer than a million bytes.")
                lines += found
                digest.update(chunk)
                try:
                    is_utf8 = is_utf8 and decoder.decode(chunk) is not None
                except UnicodeDecodeError:
                    is_utf8 = False
        if is_empty:
            raise self.refusal("This file is empty. Get the file again and send it whole.")
        return "utf-8" if is_utf8 else "cp1252", digest.hexdigest(), lines

    def _check_start(self, start: bytes) -> None:
        if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise self.refusal("This file is saved as UTF-16 (“Unicode text”). Save it as CSV UTF-8 and send it again.")
        if start.startswith(b"PK\x03\x04"):
            raise self.refusal("This is a ZIP file or an Excel workbook. Send the CSV file that it holds.")
        if start.removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"<"):
            raise self.refusal("This is a web page, not a CSV file: the download failed. Download it again.")

    def _numbered_rows(self) -> Generator[tuple[int, list[bytes]], None, None]:
        """Each row that is not empty, header included, with the line of the file on which it starts.

        Cells stay bytes until somebody wants their text. A line in the register's own style, all of it quoted
        and no quote within, is split: what the csv module would make of it, in a third of the time. That module
        gets all the others, as Latin-1, which turns any byte into one character and back.
        """
        number = 0
        with self._opened() as file:
            file.seek(len(codecs.BOM_UTF8) if file.read(3) == codecs.BOM_UTF8 else 0)

            def lines() -> Iterator[bytes]:
                nonlocal number
                for line in iter(file.readline, b""):
                    number += 1
                    yield line

            source = lines()
            try:
                for line in source:
                    start = number
                    cells = line[1:-3].split(b'","')
                    if line[:1] != b'"' or line[-3:] != b'"\r\n' or line.count(b'"') != 2 * len(cells):
                        rest = (each.decode("latin-1") for each in chain([line], source))
                        cells = [cell.encode("latin-1") for cell in next(csv.reader(rest, strict=True))]
                    if cells:
                        yield start, cells
            except csv.Error as error:
                if "unexpected end of data" in str(error):
                    raise self.refusal(_cut_off(start)) from error
                raise self.refusal(f"This is not a CSV file: see line {start}. Save it as CSV UTF-8.") from error

    @contextmanager
    def _opened(self) -> Iterator[BinaryIO]:
        with open(self._source, "rb") if isinstance(self._source, str | Path) else nullcontext(self._source) as file:
            file.seek(0)
            yield file


class _Memory(dict[bytes, Any]):
    """What each cell of a column became: files repeat themselves, and a look-up is faster than reading."""

    def __init__(self, column: Column, encoding: str, rendered: Callable[[Any], Any]) -> None:
        self._column, self._encoding, self._rendered = column, encoding, rendered

    def __missing__(self, cell: bytes) -> Any:
        if len(self) >= LONGEST_MEMORY:
            self.clear()
        value = self[cell] = self._rendered(self._column.read(cell.decode(self._encoding, "replace")))
        return value


def _plain(name: str) -> str:
    return " ".join(name.split()).casefold()


def _cut_off(line: int) -> str:
    return f"This file stops in the middle of a row (line {line}). Get the file again and send it whole."


# -- what cells hold -------------------------------------------------------------------------------------


def text(longest: int) -> Callable[[str], str]:
    """Text of at most so many characters; runs of blanks and line breaks become one space."""

    def clean(raw: str) -> str:
        value = " ".join(raw.split())
        if len(value) > longest:
            raise ValueError(f"This must have at most {longest} characters")
        return value

    return clean


def digits(length: int, *, filled: bool) -> Callable[[str], str]:
    """A code of digits kept as text: exactly so many, or, when `filled`, leading zeros may be missing."""
    rule = f"This must be {'at most' if filled else 'exactly'} {length} digits"

    def clean(raw: str) -> str:
        value = raw.zfill(length) if raw and filled else raw
        if raw and not (raw.isascii() and raw.isdigit() and len(value) == length):
            raise ValueError(rule)
        return value

    return clean


def whole_number(most: int) -> Callable[[str], int | None]:
    """A whole number from 0; blank is None."""

    def clean(raw: str) -> int | None:
        if not raw:
            return None
        if not (raw.isascii() and raw.isdigit() and len(raw) <= 12 and int(raw) <= most):
            raise ValueError(f"This must be a whole number from 0 to {most}")
        return int(raw)

    return clean


def day(raw: str) -> date | None:
    """A date written dd-mm-yyyy or dd/mm/yyyy; blank is None."""
    if not raw:
        return None
    if found := re.fullmatch(r"(\d\d)([-/])(\d\d)\2(\d{4})", raw, re.ASCII):
        try:
            return date(int(found[4]), int(found[3]), int(found[1]))
        except ValueError:
            pass
    raise ValueError("This must be a real date written dd-mm-yyyy or dd/mm/yyyy")
