"""The starter spreadsheet as a CSV file: its columns, what may stand in them, and how its rows are read."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator, validate_email

from handrail.core.jinja import any_of
from handrail.imports.cells import past_day
from handrail.imports.reading import ROWS_BETWEEN_REPORTS, Known, Reading, Report, problem
from handrail.imports.template_file import MayBeBlank, TemplateFile, letters, urn_column
from handrail.policies.models import SCHOOL_KINDS, Kind
from tenants.csv_file import Column, Problem, UnusableFile, text

OTHER_NAMES = {
    Kind.MEDICAL_CONDITIONS: ("medical", "medical conditions", "supporting pupils with medical conditions"),
    Kind.ALLERGY_SAFETY: ("allergy", "allergies", "allergy safety"),
    Kind.CANNOT_ATTEND: ("cannot attend", "children with health needs who cannot attend", "health needs"),
}
KINDS = any_of(kind.label for kind in SCHOOL_KINDS)


class NotTheStarter(UnusableFile):
    """The file is not a usable starter spreadsheet. Its text is one clear sentence saying what to do."""


def email(raw: str) -> str:
    """An e-mail address, or blank."""
    value = raw.removeprefix("mailto:")
    try:
        if value:
            validate_email(value)
    except ValidationError:
        raise ValueError("This must be an e-mail address, like name@example.com") from None
    if len(value) > 254:
        raise ValueError("This must have at most 254 characters")
    return value


def address(raw: str) -> str:
    """A web address, or blank; "www.school.example" is taken as https."""
    value = f"https://{raw}" if raw.casefold().startswith("www.") else raw
    try:
        if value:
            URLValidator(schemes=["http", "https"])(value)
    except ValidationError:
        raise ValueError("This must be a web address, like www.school.example/policy") from None
    if len(value) > 500:
        raise ValueError("This must have at most 500 characters")
    return value


def kind(raw: str) -> str:
    """Which policy, by its name or a shorter one; blank when the row is about contacts alone."""
    wanted = letters(raw).removesuffix("policy")
    for each in SCHOOL_KINDS:
        names = (each.label, each.value, *OTHER_NAMES[each])
        if wanted in {letters(name).removesuffix("policy") for name in names}:
            return str(each)
    if raw:
        raise ValueError(f"This must be blank or {KINDS}")
    return ""


@dataclass(frozen=True)
class About:
    """A column of the template, and whether its value belongs to the policy on the row or to the school."""

    field: str
    header: str
    is_of_policy: bool = True


OFFICE_EMAIL = About("office_email", "Office e-mail", is_of_policy=False)
LEAD_NAME = About("lead_name", "Lead's name")
LEAD_EMAIL = About("lead_email", "Lead's e-mail")
REVIEWED = About("reviewed_on", "Last reviewed on")
PUBLISHED = About("published_url", "Published at")
VALUES = (OFFICE_EMAIL, LEAD_NAME, LEAD_EMAIL, REVIEWED, PUBLISHED)
HEADINGS = (
    "URN",
    "School",
    OFFICE_EMAIL.header,
    LEAD_NAME.header,
    LEAD_EMAIL.header,
    "Policy",
    REVIEWED.header,
    PUBLISHED.header,
)
"""The template's columns. "School" is for people: it is not read."""


class StarterFile(TemplateFile):
    """One starter spreadsheet. A row is (URN, policy kind, and the VALUES)."""

    refusal: ClassVar[type[UnusableFile]] = NotTheStarter
    without_value: ClassVar[str] = "the rest of the row is kept"

    def __init__(self, source: Path, known: Known) -> None:
        columns = (
            urn_column(known),
            MayBeBlank("policy", "Policy", kind, is_essential=True),
            Column(OFFICE_EMAIL.field, OFFICE_EMAIL.header, email),
            Column(LEAD_NAME.field, LEAD_NAME.header, text(150)),
            Column(LEAD_EMAIL.field, LEAD_EMAIL.header, email),
            Column(REVIEWED.field, REVIEWED.header, past_day(known.today)),
            Column(PUBLISHED.field, PUBLISHED.header, address),
        )
        super().__init__(source, columns)


def read(source: Path, *, name: str, known: Known, report: Report) -> Reading:
    """Read a starter spreadsheet. The first of two different values for one thing counts. Raises NotTheStarter."""
    file = StarterFile(source, known)
    rows: list[dict[str, Any]] = []
    given: dict[tuple[str, ...], tuple[Any, int]] = {}
    for number, (urn, policy, *values) in enumerate(file, start=1):
        if number % ROWS_BETWEEN_REPORTS == 0:
            report(number, file.lines)
        row = {"line": file.line, "urn": urn, "policy": policy}
        for about, value in zip(VALUES, values, strict=True):
            if not value:
                continue
            whose = policy if about.is_of_policy else ""
            first, line = given.setdefault((urn, whose, about.field), (value, file.line))
            if about in (REVIEWED, PUBLISHED) and not policy:
                _leave_out(file, urn, about, value, "The row must say of which policy this is")
            elif value != first:
                _leave_out(file, urn, about, value, f"Line {line} says something else about the same school")
            else:
                row[about.field] = value
        rows.append(row)
    file.problems.sort(key=lambda found: found.line)
    return Reading(
        rows=rows,
        as_of=known.today,
        counts={"good": len(rows), "skipped": file.skipped},
        problems=[problem(found) for found in file.problems],
    )


def _leave_out(file: StarterFile, urn: str, about: About, value: Any, rule: str) -> None:
    shown = value.strftime("%d/%m/%Y") if isinstance(value, date) else str(value)
    advice = f"{rule}; {file.without_value}: correct it and send the file again."
    file.problems.append(Problem(file.line, urn, about.header, shown, advice, False))
