"""Our templates as people fill them in and send them back: what reading any of them needs."""

import re
from collections.abc import Generator
from pathlib import Path
from typing import Any

from handrail.imports.reading import Known
from tenants.csv_file import Column, CsvFile, digits


class MayBeBlank(Column):
    """A column that the file must have: a blank cell is good, and a faulty one costs the whole row."""

    def read(self, raw: str) -> Any:
        return self.clean(raw.strip())


class TemplateFile(CsvFile):
    """One file with columns of its own. `line` is where the row that was given last starts."""

    def __init__(self, source: Path, columns: tuple[Column, ...]) -> None:
        self.line = 0
        self.columns = columns  # type: ignore[misc]  # what is right depends on the authority and the day
        super().__init__(source)

    def _find_columns(self, header: list[bytes]) -> tuple[list[int], frozenset[str]]:
        """Take "Office Email" for "Office e-mail": only the letters of a heading count."""
        headings = {letters(column.header): column.header for column in self.columns}
        names = [name.decode(self.encoding, "replace") for name in header]
        return super()._find_columns([headings.get(letters(name), name).encode(self.encoding) for name in names])

    def _numbered_rows(self) -> Generator[tuple[int, list[bytes]], None, None]:
        for self.line, cells in super()._numbered_rows():
            yield self.line, cells


def letters(name: str) -> str:
    """What is left of a name without case, blanks and punctuation."""
    return re.sub(r"[^a-z]", "", name.casefold())


def urn_column(known: Known) -> Column:
    """The URN of an open school of the authority."""

    def urn(raw: str) -> str:
        value = digits(6, filled=False)(raw)
        if value not in known.open_urns:
            raise ValueError(f"There is no open school with this URN in {known.name}")
        return value

    return Column("urn", "URN", urn, is_essential=True)
