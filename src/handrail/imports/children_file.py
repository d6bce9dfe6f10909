"""A school's list of children as a CSV file or workbook: its columns, what may stand in them, and how rows are read."""

from collections import defaultdict
from collections.abc import Callable, Generator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

from handrail.accounts.addresses import NotAnEmailAddress, plain_address
from handrail.imports import workbook
from handrail.imports.cells import any_day, past_day
from handrail.imports.reading import ROWS_BETWEEN_REPORTS, Known, Reading, Report
from handrail.imports.template_file import MayBeBlank, TemplateFile, letters, plain_heading
from handrail.schools import upn
from handrail.schools.phone import NotAPhoneNumber, plain_phone
from tenants.csv_file import Column, Problem, UnusableFile, text

MOST_ROWS = 5_000
CONTACTS = (1, 2)
YES, NO = {"yes", "y", "true", "t"}, {"no", "n", "false", "f"}

Facts = dict[str, Any]


class NotTheList(UnusableFile):
    """The file is not a usable list of children. Its text is one clear sentence saying what to do."""


def words(longest: int) -> Callable[[str], str]:
    """Text of at most so many characters, or blank; never a formula."""
    clean = text(longest)

    def read(raw: str) -> str:
        if raw.startswith("="):
            raise ValueError("This is a formula and must be text")
        return clean(raw)

    return read


def year_group(raw: str) -> str:
    """ "5" is Year 5; anything else stays as it is."""
    return f"Year {int(raw)}" if raw.isascii() and raw.isdigit() and len(raw) <= 2 else words(20)(raw)


def number(raw: str) -> str:
    """A unique pupil number, or blank."""
    try:
        return upn.read(raw).text if raw else ""
    except upn.NotAUpn as error:
        raise ValueError(str(error)) from None


def phone(raw: str) -> str:
    """A phone number, or blank. One that a spreadsheet took for a number gets the nought back that it lost."""
    try:
        return plain_phone(f"0{raw}" if raw.isdigit() and len(raw) == 10 and raw[0] != "0" else raw) if raw else ""
    except NotAPhoneNumber:
        raise ValueError("This must be a phone number, like 01632 960 001") from None


def email(raw: str) -> str:
    """An e-mail address that is what it looks like, or blank."""
    try:
        return plain_address(raw.removeprefix("mailto:")) if raw else ""
    except NotAnEmailAddress as error:
        raise ValueError(str(error)) from None


def yes_or_no(raw: str) -> bool | None:
    """Yes, no, or nothing said."""
    said = letters(raw) or raw
    if said and said not in YES | NO:
        raise ValueError("This must be yes or no, or blank")
    return said in YES if said else None


OF_CHILD: Mapping[str, str] = {
    "name": "Name",
    "known_as": "Known as",
    "born_on": "Date of birth",
    "year_group": "Year group",
    "class_name": "Class",
    "upn": "UPN",
    "joined_on": "Joined on",
}
OF_CONTACT: Mapping[str, str] = {
    "name": "name",
    "relation": "relation",
    "phone": "phone",
    "email": "e-mail",
    "has_parental_responsibility": "parental responsibility",
}
OTHER_HEADINGS = {
    **dict.fromkeys(("fullname", "legalname", "pupilname", "childsname"), "Name"),
    "preferredname": "Known as",
    **dict.fromkeys(("dob", "birthdate", "born", "dateofbirthddmmyyyy"), "Date of birth"),
    **dict.fromkeys(("year", "yeargroupname", "nationalcurriculumyear"), "Year group"),
    **dict.fromkeys(("classname", "form", "reggroup", "registrationgroup"), "Class"),
    **dict.fromkeys(("uniquepupilnumber",), "UPN"),
    **dict.fromkeys(("joined", "datejoined", "admissiondate", "dateofadmission"), "Joined on"),
}


def heading_of_contact(place: int, field: str) -> str:
    return f"Contact {place} {OF_CONTACT[field]}"


HEADINGS = (*OF_CHILD.values(), *(heading_of_contact(place, field) for place in CONTACTS for field in OF_CONTACT))
"""The template's columns."""


class ChildrenFile(TemplateFile):
    """One list of children. A row is (the columns of a child, then those of each contact)."""

    refusal: ClassVar[type[UnusableFile]] = NotTheList
    without_value: ClassVar[str] = "the rest of the row is kept"
    other_headings: ClassVar[Mapping[str, str]] = OTHER_HEADINGS

    def __init__(self, source: Path, known: Known) -> None:
        of_contacts = [
            Column(f"{field}_{place}", heading_of_contact(place, field), clean)
            for place in CONTACTS
            for field, clean in zip(OF_CONTACT, (words(150), words(50), phone, email, yes_or_no), strict=True)
        ]
        columns = (
            Column("name", OF_CHILD["name"], words(150), is_essential=True),
            Column("known_as", OF_CHILD["known_as"], words(150)),
            Column("born_on", OF_CHILD["born_on"], past_day(known.today), is_essential=True),
            Column("year_group", OF_CHILD["year_group"], year_group),
            Column("class_name", OF_CHILD["class_name"], words(50)),
            Column("upn", OF_CHILD["upn"], number),
            Column("joined_on", OF_CHILD["joined_on"], any_day),
            *of_contacts,
        )
        self.unsure: dict[int, Facts] = {}
        """What rows that were left out say about whom they are about, by line: these children are in the file."""
        super().__init__(source, columns)

    def _find_columns(self, header: list[bytes]) -> tuple[list[int], frozenset[str]]:
        if {"upn", "uniquepupilnumber"} & {plain_heading(self._decoded(name)) for name in header}:
            # A number that is wrong may be another child's: it costs the row.
            self.columns = tuple(
                MayBeBlank(each.field, each.header, each.clean, is_essential=True) if each.field == "upn" else each
                for each in self.columns
            )
        return super()._find_columns(header)

    def _numbered_rows(self) -> Generator[tuple[int, list[bytes]], None, None]:
        for line, self._cells in super()._numbered_rows():
            yield line, self._cells

    def _skip(self, line: int, key: str, column: str, value: str, rule: str) -> None:
        super()._skip(line, key, column, value, rule)
        about = {}
        for each, position in zip(self.columns, self._positions, strict=True):
            if each.field in ("name", "upn") and position < len(self._cells):
                with suppress(ValueError):
                    about[each.field] = each.read(self._decoded(self._cells[position]))
        self.unsure[line] = about


def read(source: Path, *, name: str, known: Known, report: Report) -> Reading:
    """Read a list of children, CSV or XLSX. Raises NotTheList, NotAWorkbook.

    Of two rows about one child neither counts: it is not known which is right. A row says only what is not blank in
    it. Rows that were left out are among `rows` too, as far as they say whom they are about, with `is_unsure`.
    """
    if workbook.is_workbook(source):
        source, packed = source.with_suffix(".written.csv"), source
        workbook.write_csv(packed, source, most_rows=MOST_ROWS)
    file = ChildrenFile(source, known)
    rows: list[Facts] = []
    for count, values in enumerate(file, start=1):
        if count > MOST_ROWS:
            raise NotTheList(f"This list has more than {MOST_ROWS:,} children. Send it in parts.")
        if count % ROWS_BETWEEN_REPORTS == 0:
            report(count, file.lines)
        rows.append(_row(file, values))
    rows = _without_doubles(file, rows)
    for row in rows:
        if warning := upn.read(row["upn"]).warning if "upn" in row else "":
            file.problems.append(Problem(row["line"], row["name"], "UPN", row["upn"], f"{warning} It is kept.", False))
    file.problems.sort(key=lambda found: found.line)
    return Reading(
        rows=[*rows, *({**about, "line": line, "is_unsure": True} for line, about in file.unsure.items())],
        as_of=known.today,
        counts={"good": len(rows), "skipped": file.skipped},
        problems=[
            {
                "line": found.line,
                "child": found.key,
                "column": found.column,
                "value": found.value,
                "advice": found.advice,
                "skipped": found.is_skipped,
            }
            for found in file.problems
        ],
    )


def same_name(name: str) -> str:
    """A name as it is compared with another."""
    return " ".join(name.split()).casefold()


def _row(file: ChildrenFile, values: tuple[Any, ...]) -> Facts:
    """What a row says, by column, and its contacts."""
    row: Facts = {"line": file.line, "contacts": []}
    row |= {field: value for field, value in zip(OF_CHILD, values, strict=False) if value}
    for place in CONTACTS:
        start = len(OF_CHILD) + (place - 1) * len(OF_CONTACT)
        said = zip(OF_CONTACT, values[start : start + len(OF_CONTACT)], strict=True)
        contact = {field: value for field, value in said if value not in ("", None)}
        if "name" in contact:
            row["contacts"].append(contact)
        elif contact:
            advice = "The contact’s name is missing, so the contact was left out: add it and send the file again."
            problem = Problem(file.line, row["name"], heading_of_contact(place, "name"), "", advice, False)
            file.problems.append(problem)
    return row


def _without_doubles(file: ChildrenFile, rows: list[Facts]) -> list[Facts]:
    """Leave out the rows that have a UPN together, or a name and date of birth without two different UPNs."""
    alike: dict[tuple[str, ...], list[Facts]] = defaultdict(list)
    for row in rows:
        alike["name and date of birth", same_name(row["name"]), str(row["born_on"])].append(row)
        if "upn" in row:
            alike["UPN", row["upn"]].append(row)
    doubles: dict[int, Problem] = {}
    for (what, *_), group in alike.items():
        numbers = [row["upn"] for row in group if "upn" in row]
        if len(group) == 1 or (what != "UPN" and len(set(numbers)) == len(group)):
            continue
        for row in group:
            other = next(each["line"] for each in group if each is not row)
            advice = f"Row {other} has the same {what}; the row was skipped: correct it and send the file again."
            column, value = ("UPN", row["upn"]) if what == "UPN" else ("", "")
            doubles.setdefault(row["line"], Problem(row["line"], row["name"], column, value, advice, True))
            file.unsure[row["line"]] = {field: row[field] for field in ("name", "upn") if field in row}
    file.problems += doubles.values()
    return [row for row in rows if row["line"] not in doubles]
