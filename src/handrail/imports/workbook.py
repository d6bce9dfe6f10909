"""Excel workbooks (XLSX), read as the CSV file they would be saved as. What is in one is data, whoever sent it.

A workbook is an archive of XML. It is looked at before a byte of it is unpacked, and one whose parts would fill memory
is refused. Formulas are never worked out: what Excel last showed of one is what is read. Entities in its XML are
refused by defusedxml, which openpyxl uses where it is installed.
"""

import csv
import zipfile
from datetime import date, datetime
from pathlib import Path
from typing import Any, BinaryIO

from openpyxl import load_workbook

from tenants.csv_file import UnusableFile

MEGABYTE = 1 << 20
MOST_UNPACKED = 50 * MEGABYTE
MOST_PARTS = 1_000
MOST_COLUMNS = 200
LAST_ROW = 1 << 20
"""Excel's own: a row that says it is further down is nonsense."""

ARCHIVE, LOCKED = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"


class NotAWorkbook(UnusableFile):
    """The file is not a usable workbook. Its text is one clear sentence saying what to do."""


def is_workbook(source: Path) -> bool:
    """Whether the file is one, or was one before it was given a password: told by its first bytes, not its name."""
    with source.open("rb") as file:
        return file.read(4) in (ARCHIVE, LOCKED)


def write_csv(source: Path, target: Path, *, most_rows: int) -> None:
    """Write the first sheet of a workbook as CSV, each row on the line of its own number.

    Raises NotAWorkbook, also for one with more than so many rows that are not blank.
    """
    _look_at(source)
    try:
        with source.open("rb") as file, target.open("w", encoding="utf-8", newline="") as out:
            _write_rows(file, csv.writer(out), most_rows)
    except UnusableFile:
        raise
    except Exception as error:
        # openpyxl does not say which errors a broken file may raise in it.
        raise NotAWorkbook("This workbook is damaged. Open it in Excel, save a new copy, and send that.") from error


def _look_at(source: Path) -> None:
    """Refuse what cannot be opened or would be too much when it is. Nothing is unpacked."""
    with source.open("rb") as file:
        if file.read(4) == LOCKED:
            raise NotAWorkbook("This workbook has a password. Save a copy without one, as XLSX or CSV, and send that.")
    try:
        with zipfile.ZipFile(source) as archive:
            parts = archive.infolist()
    except zipfile.BadZipFile as error:
        raise NotAWorkbook("This workbook is damaged. Open it in Excel, save a new copy, and send that.") from error
    # An archive that lies about the size of a part is no danger: no more than it says is unpacked.
    if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_UNPACKED:
        raise NotAWorkbook("This workbook is too large. Copy the list alone into a new one and send that.")


def _write_rows(source: BinaryIO, sheet: Any, most_rows: int) -> None:
    workbook = load_workbook(source, read_only=True, data_only=True, keep_links=False)
    try:
        width = rows = blank = 0
        filler: Any = None
        cells = workbook.worksheets[0].iter_rows(max_row=LAST_ROW, max_col=MOST_COLUMNS, values_only=True)
        for row in cells:
            # Rows that are not in the file are given as one and the same, and there may be a million of them.
            values = [] if row is filler else [as_text(value) for value in row]
            if not any(values):
                blank, filler = blank + 1, row
                continue
            while values and not (values[-1] or width):
                values.pop()
            width = width or len(values)
            rows += 1
            if rows > most_rows + 1:
                raise NotAWorkbook(f"This workbook has more than {most_rows:,} rows. Send it in parts.")
            sheet.writerows([] for _ in range(blank))
            blank = 0
            sheet.writerow((values + [""] * width)[:width])
    finally:
        workbook.close()


def as_text(value: Any) -> str:
    """A cell as one line of text: dates with the year first, whole numbers without a fraction."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, datetime):
        value = value.date()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return " ".join(str(value).split())
