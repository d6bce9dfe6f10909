"""Proof to be given away: files in a ZIP, with an index that says what each is, its size and its digest.

The same files give the same bytes. Each is written before the next is asked for, so that memory does not grow.
"""

import csv
import hashlib
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import StringIO
from typing import Any, BinaryIO

from handrail.core.spreadsheet import harmless

FIRST_MOMENT = (1980, 1, 1, 0, 0, 0)
"""What a ZIP says of each of its files, so that the same content is the same file."""


@dataclass(frozen=True)
class File:
    """One file: its name, what it is, and its content."""

    name: str
    what: str
    content: bytes


def write_pack(out: BinaryIO, files: Iterable[File]) -> None:
    """Write the ZIP. `index.csv` is its last file."""
    rows = []
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for each in files:
            _add(archive, each)
            rows.append((each.name, each.what, len(each.content), hashlib.sha256(each.content).hexdigest()))
        _add(archive, File("index.csv", "", rows_as_csv(("File", "What it is", "Bytes", "SHA-256"), rows)))


def _add(archive: zipfile.ZipFile, file: File) -> None:
    archive.writestr(zipfile.ZipInfo(file.name, FIRST_MOMENT), file.content, zipfile.ZIP_DEFLATED)


def rows_as_csv(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """A list that opens well in Excel and cannot harm whoever opens it."""
    text = StringIO(newline="")
    write = csv.writer(text)
    write.writerow(headings)
    write.writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def _cell(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else harmless(value)
