"""An extract of the register of schools: read, compared with the authority's schools, imported and undone."""

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

from handrail.core import audit
from handrail.core.jinja import long_date, plural
from handrail.imports.reading import ROWS_BETWEEN_REPORTS, Comparison, Known, Reading, Report, problem
from handrail.policies.actions import open_policies
from handrail.schools.actions import FROM_REGISTER, Difference, apply_rows, preview_rows, take_back_rows
from handrail.schools.duty import Body
from handrail.schools.models import School
from tenants.database import require_bound
from tenants.register_file import FIELDS, NotTheRegister, RegisterFile, read_register

COLUMNS = {
    "name": "Name",
    "establishment_number": "Number",
    "type_name": "Type",
    "type_code": "Type code",
    "body": "Kind of body",
    "phase_name": "Phase",
    "phase_code": "Phase code",
    "is_proposed_to_close": "Proposed to close",
    "pupils": "Pupils",
    "trust_name": "Trust",
    "street": "Street",
    "town": "Town",
    "postcode": "Postcode",
    "website": "Website",
    "opened_on": "Opened",
    "closed_on": "Closed",
}
"""The columns of a school that the register decides, in the words and the order in which people read them."""

NAMED = {"type_code": "type_name", "phase_code": "phase_name"}
"""Codes that need not be shown when the name beside them has changed too."""

WRITTEN = (*FROM_REGISTER, "register_as_of")
BLANK = {column.field: column.clean("") for column in RegisterFile.columns if not column.is_essential}
MOST_IN_A_HUNDRED = 10


def read(source: Path, *, name: str, known: Known, report: Report) -> Reading:
    """Read a register file: the authority's own rows, and those of its schools that are now another's.

    A value that is faulty, or whose column the file lacks, is left out of its row. The date in the file's name says
    how new its facts are; without one they count as new as today. Raises NotTheRegister.
    """
    register = read_register(source)
    register.name = name
    rows: dict[str, dict[str, Any]] = {}
    others: set[str] = set()
    for number, values in enumerate(register, start=1):
        if number % ROWS_BETWEEN_REPORTS == 0:
            report(number, register.lines)
        row = dict(zip(FIELDS, values, strict=True))
        if row["la_code"] == known.code or row["urn"] in known.urns:
            rows[row["urn"]] = row
        else:
            others.add(row["urn"])
    for urn in register.skipped_keys:
        rows.pop(urn, None)
    for urn, row in rows.items():
        for name_of in BLANK:
            if name_of in register.absent or urn in register.doubtful.get(name_of, ()):
                del row[name_of]
    if not any(row["la_code"] == known.code for row in rows.values()):
        raise NotTheRegister(f"This file has no school of {known.name} ({known.code}). Send one that has.")
    return Reading(
        rows=list(rows.values()),
        as_of=register.file_date or max(known.today, known.register_as_of or known.today),
        counts={
            "good": sum(row["la_code"] == known.code for row in rows.values()),
            "others": len(others - register.skipped_keys),
            "skipped": register.skipped,
        },
        problems=[problem(found) for found in register.problems if found.is_skipped or found.key in rows],
    )


def compare(rows: list[dict[str, Any]], problems: list[dict[str, Any]], *, on: date, as_of: date) -> Comparison:
    """What the rows would do to the bound authority's schools. Writes nothing."""
    code, schools = require_bound().code, _schools()
    differences = preview_rows(_filled(rows, schools), on=on, as_of=as_of)
    in_file = {row["urn"]: row for row in rows}
    in_doubt = {each["urn"] for each in problems}
    open_schools = [school for school in schools.values() if school.is_open]
    moved = [
        school
        for school in open_schools
        if school.urn in in_file and in_file[school.urn]["la_code"] != code and not _is_newer(school, as_of)
    ]
    missing = [school for school in open_schools if school.urn not in in_file and school.urn not in in_doubt]
    new = [each for each in differences if each.is_new]
    closed = [each for each in differences if each.closes and not each.is_new]
    changed = [each for each in differences if not each.closes and not each.is_new]
    known_rows = [row for row in rows if row["la_code"] == code and row["urn"] in schools]
    counts = {
        "new": len(new),
        "changed": len(changed),
        "unchanged": len(known_rows) - len(changed) - len(closed),
        "closed": len(closed),
        "moved": len(moved),
        "missing": len(missing),
        "not_added": sum(row["la_code"] == code and row["urn"] not in schools for row in rows) - len(new),
        "older": sum(_is_newer(schools[row["urn"]], as_of) for row in rows if row["urn"] in schools),
    }
    changes = [
        *(_change(each, "Closes") for each in closed),
        *({"urn": each.urn, "name": each.name, "what": "Moves to another authority", "details": []} for each in moved),
        *({"urn": each.urn, "name": each.name, "what": "Not in the file", "details": []} for each in missing),
        *({"urn": each.urn, "name": each.name, "what": "New", "details": []} for each in new),
        *(_change(each, "Changes") for each in changed),
    ]
    return Comparison(counts, changes, _warning(counts, len(open_schools)))


def commit(
    rows: list[dict[str, Any]], *, on: date, as_of: date, by: audit.Actor, at: datetime
) -> dict[str, list[dict[str, Any]]]:
    """Bring the authority's schools to the rows, open the policies of new ones, and give what undoing will need."""
    code, schools = require_bound().code, _schools()
    filled = _filled(rows, schools)
    differences = preview_rows(filled, on=on, as_of=as_of)
    added = [each.urn for each in differences if each.is_new]
    touched = {each.urn for each in differences} | {row["urn"] for row in rows if row["la_code"] != code}
    before = _as_held(touched)
    apply_rows(filled, on=on, as_of=as_of, by=by, at=at)
    open_policies(on=on, at=at)
    after = _as_held(touched)
    return {
        "schools": [{"was": was, "became": after[urn]} for urn, was in before.items() if was != after[urn]],
        "added": [after[urn] for urn in added],
    }


def undo(before: dict[str, list[dict[str, Any]]], *, by: audit.Actor, at: datetime) -> list[str]:
    """Put back every school that nobody has changed since; say in sentences what was left, and why."""
    now = _as_held({each["was"]["urn"] for each in before["schools"]})
    untouched = [each["was"] for each in before["schools"] if now.get(each["was"]["urn"]) == each["became"]]
    take_back_rows(untouched, [each["urn"] for each in before["added"]], by=by, at=at)
    put_back = {each["urn"] for each in untouched}
    stayed = School.objects.filter(urn__in=[each["urn"] for each in before["added"]]).order_by("name")
    return [
        *(
            f"{each['became']['name']} ({each['became']['urn']}) has changed since, so it was left as it is."
            for each in before["schools"]
            if each["was"]["urn"] not in put_back
        ),
        *(f"{school} ({school.urn}) was kept: something has been recorded about it since." for school in stayed),
    ]


def _schools() -> dict[str, School]:
    return {school.urn: school for school in School.objects.order_by("name", "urn")}


def _filled(rows: list[dict[str, Any]], schools: dict[str, School]) -> list[dict[str, Any]]:
    """The rows with every column: what a row lacks is what the school has, or blank for a new one."""
    return [
        {name: getattr(schools.get(row["urn"]), name, blank) for name, blank in BLANK.items() if name not in row} | row
        for row in rows
    ]


def _is_newer(school: School, as_of: date) -> bool:
    """Whether what we hold comes from a newer register than the file."""
    return school.register_as_of is not None and school.register_as_of > as_of


def _as_held(urns: set[str]) -> dict[str, dict[str, Any]]:
    """What the register has decided about these schools, as JSON keeps it."""
    found = School.objects.filter(urn__in=urns).order_by("urn").values("urn", *WRITTEN)
    return {each["urn"]: json.loads(json.dumps(each, cls=DjangoJSONEncoder)) for each in found}


def _change(found: Difference, what: str) -> dict[str, Any]:
    names = [name for name in COLUMNS if name in found.changed and NAMED.get(name) not in found.changed]
    return {
        "urn": found.urn,
        "name": found.was["name"],
        "what": what,
        "details": [
            {
                "column": COLUMNS[name],
                "was": _words(name, found.was[name]),
                "becomes": _words(name, found.becomes[name]),
            }
            for name in names
        ],
    }


def _words(name: str, value: Any) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if name.endswith("_on"):
        return long_date(date.fromisoformat(value))
    return Body(value).label if name == "body" else str(value)


def _warning(counts: dict[str, int], open_schools: int) -> str:
    going = counts["closed"] + counts["moved"] + counts["missing"]
    if going * 100 <= open_schools * MOST_IN_A_HUNDRED:
        return ""
    parts = [
        (counts["closed"], "would close"),
        (counts["moved"], "would move to another authority"),
        (counts["missing"], "would be missing from the file and left as they are"),
    ]
    said = ", ".join(f"{count} {what}" for count, what in parts if count)
    return f"Of your {plural(open_schools, 'open school', 'open schools')}, {said}. That is more than 1 in 10."
