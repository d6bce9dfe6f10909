"""Our templates as people fill them in and send them back: what reading any of them needs."""

import re
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from handrail.imports.reading import Known
from tenants.csv_file import Column, CsvFile, digits


class MayBeBlank(Column):
    """A column that the file must have: a blank cell is good, and a faulty one costs the whole row."""

    def read(self, raw: str) -> Any:
        return self.clean(raw.strip())


class TemplateFile(CsvFile):
    """One file with columns of its own. `line` is where the row that was given last starts; blank rows are none."""

    other_headings: ClassVar[Mapping[str, str]] = {}
    """What else a column may be called, as `plain_heading` leaves it, and its header."""

    def __init__(self, source: Path, columns: tuple[Column, ...]) -> None:
        self.line = 0
        self.columns = columns  # what is right depends on the authority and the day
        super().__init__(source)

    def _find_columns(self, header: list[bytes]) -> tuple[list[int], frozenset[str]]:
        """Take "Office Email" for "Office e-mail": only the letters and digits of a heading count."""
        headings = {**self.other_headings, **{plain_heading(each.header): each.header for each in self.columns}}
        names = [name.decode(self.encoding, "replace") for name in header]
        return super()._find_columns([headings.get(plain_heading(name), name).encode(self.encoding) for name in names])

    def _numbered_rows(self) -> Generator[tuple[int, list[bytes]], None, None]:
        for self.line, cells in super()._numbered_rows():
            if any(map(bytes.strip, cells)):
                yield self.line, cells


def letters(name: str) -> str:
    """What is left of a name without case, blanks and punctuation."""
    return re.sub(r"[^a-z]", "", name.casefold())


def plain_heading(name: str) -> str:
    """What is left of a heading without case, blanks and punctuation."""
    return re.sub(r"[^a-z0-9]", "", name.casefold())


def urn_column(known: Known) -> Column:
    """The URN of an open school of the authority."""

    def urn(raw: str) -> str:
        value = digits(6, filled=False)(raw)
        if value not in known.open_urns:
            raise ValueError(f"There is no open school with this URN in {known.name}")
        return value

    return Column("urn", "URN", urn, is_essential=True)
