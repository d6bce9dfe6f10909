"""A list of people to invite as a CSV file: its columns, what may stand in them, and how its rows are read."""

from pathlib import Path
from typing import Any, ClassVar

from handrail.accounts.addresses import plain_address
from handrail.accounts.roles import Role
from handrail.core.jinja import any_of
from handrail.imports.reading import ROWS_BETWEEN_REPORTS, Known, Reading, Report, problem
from handrail.imports.template_file import MayBeBlank, TemplateFile, letters, urn_column
from tenants.csv_file import Column, Problem, UnusableFile, text

HEADINGS = ("URN", "School", "Name", "E-mail", "Role")
"""The template's columns. "School" is for people: it is not read."""
ROLES = {
    Role.SCHOOL_LEAD: ("lead",),
    Role.SCHOOL_ADMINISTRATOR: ("administrator", "admin"),
    Role.GOVERNOR: (),
}
"""The roles that may be given by a file, and what else people call them."""


class NotInvitations(UnusableFile):
    """The file is not a usable list of people. Its text is one clear sentence saying what to do."""


def role(raw: str) -> str:
    """A role at a school by its name; a blank is a lead."""
    if not raw:
        return Role.SCHOOL_LEAD
    for each, others in ROLES.items():
        if letters(raw) in {letters(name) for name in (each.label, *others)}:
            return each
    raise ValueError(f"This must be blank or {any_of(each.label for each in ROLES)}")


class InvitationsFile(TemplateFile):
    """One list of people. A row is (URN, e-mail, role, name)."""

    refusal: ClassVar[type[UnusableFile]] = NotInvitations
    without_value: ClassVar[str] = "the rest of the row is kept"

    def __init__(self, source: Path, known: Known) -> None:
        columns = (
            urn_column(known),
            Column("email", "E-mail", lambda raw: plain_address(raw.removeprefix("mailto:")), is_essential=True),
            MayBeBlank("role", "Role", role, is_essential=True),
            Column("name", "Name", text(150)),
        )
        super().__init__(source, columns)


def read(source: Path, *, name: str, known: Known, report: Report) -> Reading:
    """Read a list of people to invite. Of two rows with one address for one school the first counts.

    Somebody without a name is called by their address. Raises NotInvitations.
    """
    file = InvitationsFile(source, known)
    rows: list[dict[str, Any]] = []
    lines: dict[tuple[str, str], int] = {}
    for number, (urn, email, as_role, called) in enumerate(file, start=1):
        if number % ROWS_BETWEEN_REPORTS == 0:
            report(number, file.lines)
        first = lines.setdefault((urn, email), file.line)
        if first != file.line:
            advice = f"Line {first} has the same address for this school, so this row was skipped. One is enough."
            file.problems.append(Problem(file.line, urn, "E-mail", email, advice, True))
        else:
            rows.append({"urn": urn, "email": email, "role": as_role, "name": called or email.partition("@")[0]})
    file.problems.sort(key=lambda found: found.line)
    return Reading(
        rows=rows,
        as_of=known.today,
        counts={"good": len(rows), "skipped": file.skipped},
        problems=[problem(found) for found in file.problems],
    )
