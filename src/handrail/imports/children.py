"""A school's list of children: compared with those at the school, imported and undone. It reaches no other school.

A child is known again by UPN, else by name and date of birth. A blank cell changes nothing. Who is not in the list has
left only if the person says so.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from handrail.core import audit
from handrail.core.jinja import long_date
from handrail.imports.children_file import OF_CHILD, OF_CONTACT, same_name
from handrail.imports.reading import Comparison
from handrail.schools import roll
from handrail.schools.models import Contact, Pupil, School

Facts = dict[str, Any]

COLUMNS = {**OF_CHILD, "left_on": "Left"}
DATES = ("born_on", "joined_on", "left_on")


@dataclass
class Step:
    """What is to be written about one child, by column, and about each of their contacts."""

    child: Pupil
    what: str
    wanted: Facts
    contacts: list[tuple[Contact, Facts]] = field(default_factory=list)


@dataclass
class _Known:
    """The children of a school as a list may name them: those who are there before those who have left."""

    by_upn: dict[str, Pupil] = field(default_factory=dict)
    by_name: dict[tuple[str, date], Pupil] = field(default_factory=dict)
    contacts: dict[UUID, list[Contact]] = field(default_factory=dict)


def compare(rows: list[Facts], *, school: School, on: date) -> Comparison:
    """What the rows would do at this school, and who of it is not among them. Writes nothing."""
    steps, left, unchanged = _steps(rows, school, on)
    counts = {
        "new": sum(step.what == NEW for step in steps),
        "changed": sum(step.what != NEW for step in steps),
        "unchanged": unchanged,
        "left": len(left),
    }
    return Comparison(counts, _changes([*steps, *left]))


def commit(
    rows: list[Facts], *, school: School, marks_left: bool, on: date, by: audit.Actor, at: datetime
) -> tuple[Facts, list[Facts]]:
    """Write what the rows say, and with `marks_left` that those who are not among them are gone from the day `on`.

    Gives what undoing will need, and what changed.
    """
    steps, left, _ = _steps(rows, school, on)
    if marks_left:
        steps += left
    changes = _changes(steps)
    children = roll.write_children([(step.child, step.wanted) for step in steps], by=by, at=at)
    contacts = roll.write_contacts([each for step in steps for each in step.contacts], by=by, at=at)
    return {"children": children, "contacts": contacts}, changes


def undo(before: Facts, *, school: School, by: audit.Actor, at: datetime) -> list[str]:
    """Put back what nobody has changed since; say in sentences what was left, and why, child by child."""
    left = roll.take_back(school, before["children"], before["contacts"], by=by, at=at)
    return [f"{name}: {_why(columns)}" for name, columns in left]


NEW, CHANGED, BACK, LEFT = "New", "Changed", "Back at the school", "Not in the list"


def _steps(rows: list[Facts], school: School, on: date) -> tuple[list[Step], list[Step], int]:
    """What the rows would write that is not so already; who is not among them; how many say nothing new."""
    pupils = list(roll.children_of(school))
    known = _known(pupils, roll.contacts_of(school))
    good = [_dated(row) for row in rows if not row.get("is_unsure")]
    found: dict[int, Pupil] = {row["line"]: known.by_upn[row["upn"]] for row in good if row.get("upn") in known.by_upn}
    taken = {pupil.id for pupil in found.values()}
    for row in good:
        pupil = known.by_name.get((same_name(row["name"]), row["born_on"]))
        if row["line"] not in found and pupil and pupil.id not in taken:
            found[row["line"]] = pupil
            taken.add(pupil.id)
    steps = [_step(row, found.get(row["line"]), known, school, on) for row in good]
    unsure = [row for row in rows if row.get("is_unsure")]
    names = {same_name(row["name"]) for row in unsure if row.get("name")}
    numbers = {row["upn"] for row in unsure if row.get("upn")}
    left = [
        Step(pupil, LEFT, {"left_on": on})
        for pupil in pupils
        if pupil.left_on is None
        and pupil.joined_on <= on
        and pupil.id not in taken
        and same_name(pupil.name) not in names
        and not (pupil.upn and pupil.upn in numbers)
    ]
    does = [step for step in steps if step.what == NEW or step.wanted or step.contacts]
    return does, left, len(steps) - len(does)


def _known(pupils: list[Pupil], contacts: Iterable[Contact]) -> _Known:
    known = _Known()
    # Whoever is written last is found: first those who left, the latest of them last, then those who are there.
    for pupil in sorted(pupils, key=lambda each: (each.left_on is None, each.left_on or date.max)):
        known.by_name[same_name(pupil.name), pupil.born_on] = pupil
        if pupil.upn:
            known.by_upn[pupil.upn] = pupil
    for contact in contacts:
        known.contacts.setdefault(contact.pupil_id, []).append(contact)
    return known


def _dated(row: Facts) -> Facts:
    """A row as it was kept, with its days as days again."""
    return {**row, **{name: date.fromisoformat(row[name]) for name in DATES if name in row}}


def _step(row: Facts, pupil: Pupil | None, known: _Known, school: School, on: date) -> Step:
    said = {name: row[name] for name in OF_CHILD if name in row}
    if pupil is None:
        step = Step(Pupil(school=school), NEW, {"joined_on": on, **said})
    else:
        wanted = {name: value for name, value in said.items() if getattr(pupil, name) != value}
        if pupil.left_on and pupil.left_on <= on:
            step = Step(pupil, BACK, {**wanted, "left_on": None})
        else:
            if pupil.left_on and wanted.get("joined_on", pupil.joined_on) > pupil.left_on:
                del wanted["joined_on"]
            step = Step(pupil, CHANGED, wanted)
    held = known.contacts.get(step.child.id, [])
    by_name = {same_name(each.name): each for each in held}
    for called, says in {same_name(each["name"]): each for each in row["contacts"]}.items():
        contact = by_name.setdefault(called, Contact(pupil=step.child, priority=len(by_name) + 1))
        if differs := {name: value for name, value in says.items() if getattr(contact, name) != value}:
            step.contacts.append((contact, differs))
    return step


def _changes(steps: list[Step]) -> list[Facts]:
    """What is shown of each step."""
    return [
        {
            "child": str(step.child.id),
            "name": step.wanted.get("name", "") if step.what == NEW else step.child.name,
            "what": step.what,
            "details": [
                *(_detail(COLUMNS[name], getattr(step.child, name), value) for name, value in step.wanted.items()),
                *(
                    _detail(_of_contact(contact, said, name), getattr(contact, name), value)
                    for contact, said in step.contacts
                    for name, value in said.items()
                ),
            ],
        }
        for step in steps
    ]


def _of_contact(contact: Contact, said: Facts, name: str) -> str:
    """What a column of a contact is called among the child's own."""
    is_new = contact._state.adding
    return "New contact" if is_new and name == "name" else f"{contact.name or said['name']}, {OF_CONTACT[name]}"


def _detail(column: str, was: Any, becomes: Any) -> Facts:
    return {"column": column, "was": _words(was), "becomes": _words(becomes)}


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return long_date(value) if isinstance(value, date) else str(value or "")


def _why(columns: list[str]) -> str:
    if not columns:
        return "something was recorded about them since, so they were kept."
    what = ", ".join(COLUMNS.get(name, OF_CONTACT.get(name, name)).lower() for name in columns)
    return f"this has changed since and was left as it is: {what}."
