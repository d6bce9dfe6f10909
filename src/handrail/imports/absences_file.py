"""A school's sickness returns as a CSV file or workbook: its columns, what may stand in them, and how rows are read."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from handrail.imports import workbook
from handrail.imports.cells import any_day, past_day
from handrail.imports.children_file import number, same_name, words, yes_or_no
from handrail.imports.reading import ROWS_BETWEEN_REPORTS, Known, Reading, Report
from handrail.imports.template_file import TemplateFile
from tenants.csv_file import Column, Problem, UnusableFile

MOST_ROWS = 1_000
LONGEST = 4000

Facts = dict[str, Any]


class NotReturns(UnusableFile):
    """The file is not a usable list of sickness returns. Its text is one clear sentence saying what to do."""


def said(clean: Callable[[str], Any], rule: str) -> Callable[[str], Any]:
    """What `clean` gives, which must be something."""

    def read(raw: str) -> Any:
        value = clean(raw)
        if value is None:
            raise ValueError(rule)
        return value

    return read


COLUMNS: Mapping[str, str] = {
    "name": "Name",
    "born_on": "Date of birth",
    "upn": "UPN",
    "first_on": "First day away",
    "from_pm": "At school that morning",
    "last_on": "Last day away",
    "until_am": "Back for that afternoon",
    "is_likely": "15 days likely",
    "address": "Address",
    "lives_in": "Lives in another authority",
    "work": "Work sent home",
}
HEADINGS = tuple(COLUMNS.values())
OTHER_HEADINGS = {
    **dict.fromkeys(("fullname", "legalname", "pupilname"), "Name"),
    **dict.fromkeys(("dob", "birthdate", "born"), "Date of birth"),
    "uniquepupilnumber": "UPN",
    **dict.fromkeys(("firstday", "from", "startdate", "firstdayofabsence"), "First day away"),
    **dict.fromkeys(("lastday", "to", "enddate", "lastdayofabsence"), "Last day away"),
    **dict.fromkeys(("likely15days", "fifteendayslikely"), "15 days likely"),
    **dict.fromkeys(("livesin", "homeauthority", "authority"), "Lives in another authority"),
    **dict.fromkeys(("work", "worksent", "workbeingsent"), "Work sent home"),
}


class ReturnsFile(TemplateFile):
    """One file of sickness returns. A row is the columns in order."""

    refusal: ClassVar[type[UnusableFile]] = NotReturns
    without_value: ClassVar[str] = "the rest of the row is kept"
    other_headings: ClassVar[Mapping[str, str]] = OTHER_HEADINGS

    def __init__(self, source: Path, known: Known) -> None:
        day = said(any_day, "This must be a date")
        columns = (
            Column("name", COLUMNS["name"], words(150), is_essential=True),
            Column(
                "born_on", COLUMNS["born_on"], said(past_day(known.today), "This must be a date"), is_essential=True
            ),
            Column("upn", COLUMNS["upn"], number),
            Column("first_on", COLUMNS["first_on"], day, is_essential=True),
            Column("from_pm", COLUMNS["from_pm"], yes_or_no),
            Column("last_on", COLUMNS["last_on"], any_day),
            Column("until_am", COLUMNS["until_am"], yes_or_no),
            Column("is_likely", COLUMNS["is_likely"], said(yes_or_no, "This must be yes or no"), is_essential=True),
            Column("address", COLUMNS["address"], words(LONGEST), is_essential=True),
            Column("lives_in", COLUMNS["lives_in"], words(100)),
            Column("work", COLUMNS["work"], words(LONGEST)),
        )
        super().__init__(source, columns)


def read(source: Path, *, name: str, known: Known, report: Report) -> Reading:
    """Read sickness returns, CSV or XLSX. Raises NotReturns, NotAWorkbook.

    Of two rows about one child and first day neither counts: it is not known which is right.
    """
    if workbook.is_workbook(source):
        source, packed = source.with_suffix(".written.csv"), source
        workbook.write_csv(packed, source, most_rows=MOST_ROWS)
    file = ReturnsFile(source, known)
    rows: list[Facts] = []
    for count, values in enumerate(file, start=1):
        if count > MOST_ROWS:
            raise NotReturns(f"This file has more than {MOST_ROWS:,} rows. Send it in parts.")
        if count % ROWS_BETWEEN_REPORTS == 0:
            report(count, file.lines)
        rows.append({"line": file.line, **dict(zip(COLUMNS, values, strict=True))})
    rows = _without_doubles(file, rows)
    file.problems.sort(key=lambda found: found.line)
    return Reading(
        rows=[
            {key: value.isoformat() if key.endswith("_on") and value else value for key, value in row.items()}
            for row in rows
        ],
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


def _without_doubles(file: ReturnsFile, rows: list[Facts]) -> list[Facts]:
    alike: dict[tuple[str, Any, Any], list[Facts]] = {}
    for row in rows:
        alike.setdefault((same_name(row["name"]), row["born_on"], row["first_on"]), []).append(row)
    for group in alike.values():
        for row in group if len(group) > 1 else ():
            other = next(each["line"] for each in group if each is not row)
            advice = f"Row {other} is about the same child and day; the row was skipped: send one of them again."
            file.problems.append(Problem(row["line"], row["name"], "", "", advice, True))
    return [row for group in alike.values() if len(group) == 1 for row in group]
