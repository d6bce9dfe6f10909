"""Proof to be given away: files in a ZIP, with an index that says what each is, its size and its digest.

The same files give the same bytes. Each is written before the next is asked for, and what is a stream block by block,
so that memory does not grow.
"""

import csv
import hashlib
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO, StringIO
from typing import Any, BinaryIO

from handrail.core.spreadsheet import harmless

FIRST_MOMENT = (1980, 1, 1, 0, 0, 0)
"""What a ZIP says of each of its files, so that the same content is the same file."""

BLOCK = 1 << 20
"""Bytes of a stream that are in memory at a time."""


@dataclass(frozen=True)
class File:
    """One file: its name, what it is, and its content. A stream is open until the next file is asked for."""

    name: str
    what: str
    content: bytes | BinaryIO


def write_pack(out: BinaryIO, files: Iterable[File]) -> None:
    """Write the ZIP. `index.csv` is its last file."""
    rows = []
    with zipfile.ZipFile(out, "w") as archive:
        for each in files:
            rows.append((each.name, each.what, *_add(archive, each)))
        _add(archive, File("index.csv", "", rows_as_csv(("File", "What it is", "Bytes", "SHA-256"), rows)))


def _add(archive: zipfile.ZipFile, file: File) -> tuple[int, str]:
    """Write one file; give its size and digest. A stream is a document, packed as far as it will go already."""
    info, digest, size = zipfile.ZipInfo(file.name, FIRST_MOMENT), hashlib.sha256(), 0
    content = file.content
    if isinstance(content, bytes):
        info.compress_type, content = zipfile.ZIP_DEFLATED, BytesIO(content)
    with archive.open(info, "w") as target:
        while block := content.read(BLOCK):
            digest.update(block)
            size += len(block)
            target.write(block)
    return size, digest.hexdigest()


def rows_as_csv(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """A list that opens well in Excel and cannot harm whoever opens it."""
    text = StringIO(newline="")
    write = csv.writer(text)
    write.writerow(headings)
    write.writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def _cell(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else harmless(value)
