"""A school's sickness returns from a file: compared with what it has reported, imported and undone.

A child is known by UPN, else by name and date of birth; a return by the child and its first day. Rows about nobody at
the school, or about days that are reported already, are left out with a reason.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from handrail.absences import actions
from handrail.absences.models import CaseEntry, SicknessReturn
from handrail.core import audit
from handrail.core.jinja import long_date
from handrail.imports.absences_file import COLUMNS
from handrail.imports.children_file import NO, same_name
from handrail.imports.reading import Comparison
from handrail.imports.template_file import letters
from handrail.schools.authorities import authorities
from handrail.schools.models import Pupil, School
from tenants.database import require_bound

Facts = dict[str, Any]
NEW, CHANGED = "New", "Changed"
DAYS = ("first_on", "last_on")


@dataclass
class Step:
    """What is to be written about one child: a new return, or the end of one that is there."""

    child: Pupil
    row: Facts
    made: SicknessReturn | None = None


def compare(rows: list[Facts], *, school: School, on: date) -> Comparison:
    """What the rows would do at this school. Writes nothing."""
    steps, unchanged, problems = _steps(rows, school, on)
    counts = {
        "new": sum(step.made is None for step in steps),
        "changed": sum(step.made is not None for step in steps),
        "unchanged": unchanged,
        "refused": len(problems),
    }
    names = authorities()
    return Comparison(counts, [_change(step, names) for step in steps], problems=problems)


def commit(
    rows: list[Facts], *, school: School, marks_left: bool, on: date, by: audit.Actor, at: datetime
) -> tuple[Facts, list[Facts]]:
    """Write what the rows say. Gives what undoing will need, and what changed."""
    steps, _, _ = _steps(rows, school, on)
    names = authorities()
    changes = [_change(step, names) for step in steps]
    before: Facts = {"made": [], "changed": [], "at": at.isoformat()}
    for step in steps:
        row = step.row
        says = {"address": row["address"], "work": row["work"]}
        if step.made is None:
            made = actions.make_return(
                pupil=step.child,
                first_on=row["first_on"],
                from_pm=bool(row["from_pm"]),
                last_on=row["last_on"],
                until_am=bool(row["until_am"]),
                is_likely=row["is_likely"],
                says=says,
                lives_in=row["lives_in"],
                by=by,
                at=at,
            )
            before["made"].append(str(made.id))
        else:
            was = _dates(step.made)
            actions.change_return(
                made=step.made,
                last_on=row["last_on"],
                until_am=bool(row["until_am"]),
                is_likely=row["is_likely"],
                lives_in=row["lives_in"],
                says=step.made.says,
                by=by,
                at=at,
            )
            before["changed"].append({"id": str(step.made.id), "was": was})
    written = SicknessReturn.objects.in_bulk([UUID(each) for each in _ids(before)])
    before["now"] = {str(each.id): _dates(each) for each in written.values()}
    return before, changes


def undo(before: Facts, *, school: School, by: audit.Actor, at: datetime) -> list[str]:
    """Take back what nobody has touched since; say in sentences what was left, and why, child by child."""
    left = []
    theirs = SicknessReturn.objects.filter(case__pupil__school=school).select_related("case__pupil")
    rows = theirs.in_bulk([UUID(each) for each in _ids(before)])
    since = datetime.fromisoformat(before["at"])
    seen = set(
        CaseEntry.objects.filter(case__returns__in=list(rows), made_at__gte=since).values_list("case_id", flat=True)
    )
    was = {each["id"]: each["was"] for each in before["changed"]}
    for made in rows.values():
        if made.withdrawn_at or _dates(made) != _dates(made) | before["now"][str(made.id)]:
            left.append(f"{made.case.pupil.name}: this return has changed since and was left as it is.")
        elif made.case_id in seen:
            left.append(f"{made.case.pupil.name}: the authority has acted on this return, so it was kept.")
        elif str(made.id) in was:
            _put_back(made, was[str(made.id)], by=by, at=at)
        else:
            actions.withdraw_return(made=made, by=by, at=at)
    return left


def _steps(rows: list[Facts], school: School, on: date) -> tuple[list[Step], int, list[Facts]]:
    """What the rows would write, how many say nothing new, and which cannot be."""
    here = list(Pupil.objects.filter(school=school).on_roll(on=on))
    by_upn = {pupil.upn: pupil for pupil in here if pupil.upn}
    by_name: dict[Any, list[Pupil]] = {}
    for pupil in here:
        by_name.setdefault((same_name(pupil.name), pupil.born_on), []).append(pupil)
    standing: dict[UUID, list[SicknessReturn]] = {}
    for each in SicknessReturn.objects.standing().filter(case__pupil__in=here).select_related("case__pupil"):
        standing.setdefault(each.case.pupil_id, []).append(each)
    known = _codes()
    steps: list[Step] = []
    unchanged, problems = 0, []
    for row in (_dated(each) for each in rows):
        found = (
            [by_upn[row["upn"]]] if row["upn"] in by_upn else by_name.get((same_name(row["name"]), row["born_on"]), [])
        )
        if len(found) != 1:
            why = "is at the school" if not found else "alone is at the school: give the UPN"
            problems.append(_problem(row, "name", row["name"], f"No child with this name and date of birth {why}"))
            continue
        [child] = found
        theirs = standing.setdefault(child.id, [])
        made = next((each for each in theirs if each.first_on == row["first_on"]), None)
        try:
            row["lives_in"] = _lives_in(row.get("lives_in"), known, child=child, before=[made] if made else theirs)
            if made is None:
                actions.check_days(row["first_on"], row["last_on"], on=on)
            else:
                actions.check_last(row["first_on"], row["last_on"], on=on)
            if row["until_am"] and not row["last_on"]:
                raise actions.ImpossibleDays("Give the last day away", "last_on")
            _check_apart(row, [each for each in theirs if each is not made])
        except actions.Refused as refusal:
            column = refusal.field or "first_on"
            value = row.get(column)
            shown = long_date(value) if isinstance(value, date) else value or ""
            problems.append(_problem(row, column, shown, str(refusal)))
            continue
        if made is None:
            steps.append(Step(child, row))
            theirs.append(SicknessReturn(first_on=row["first_on"], last_on=row["last_on"], lives_in=row["lives_in"]))
        elif made._state.adding or _dates(made) == _wanted(row):
            unchanged += 1
        else:
            steps.append(Step(child, row, made))
    return steps, unchanged, problems


def _lives_in(said: str | None, known: Mapping[str, str], *, child: Pupil, before: list[SicknessReturn]) -> str:
    """The authority in which a child lives, as a code. What a file leaves empty stands as it was said of the child
    before. Raises Refused for what is called by nobody, and for a child of whom nobody has said it.
    """
    if not said:
        last = max(before, key=lambda each: each.first_on).lives_in if before else ""
        if not (last or child.lives_in):
            raise actions.WhereUnknown("Say which authority the child lives in: nobody has said it yet", "lives_in")
        return last or child.lives_in
    if letters(said) in NO:
        return require_bound().code
    if same_name(said) not in known:
        raise actions.Refused("Give the name or the three-digit code of the authority", "lives_in")
    return known[same_name(said)]


def _codes() -> dict[str, str]:
    """Codes of the authorities, by their codes and names."""
    return {same_name(name): code for code, called in authorities().items() for name in (code, called)}


def _check_apart(row: Facts, others: list[SicknessReturn]) -> None:
    for other in others:
        begins_before_its_end = other.last_on is None or row["first_on"] <= other.last_on
        ends_after_its_beginning = row["last_on"] is None or row["last_on"] >= other.first_on
        if begins_before_its_end and ends_after_its_beginning:
            raise actions.ReportedAlready(
                f"These days are in the return from {long_date(other.first_on)} already", "first_on"
            )


def _dated(row: Facts) -> Facts:
    """A row as it was kept, with its days as days again."""
    days = {name: date.fromisoformat(row[name]) if row[name] else None for name in (*DAYS, "born_on")}
    return {**row, **days}


def _dates(made: SicknessReturn) -> Facts:
    """What a file may change of a return, as JSON keeps it."""
    return {
        "last_on": made.last_on.isoformat() if made.last_on else None,
        "until_am": made.until_am,
        "likely": made.likely_on is not None,
        "lives_in": made.lives_in,
    }


def _wanted(row: Facts) -> Facts:
    return {
        "last_on": row["last_on"].isoformat() if row["last_on"] else None,
        "until_am": bool(row["until_am"]),
        "likely": row["is_likely"],
        "lives_in": row["lives_in"],
    }


def _put_back(made: SicknessReturn, was: Facts, *, by: audit.Actor, at: datetime) -> None:
    actions.change_return(
        made=made,
        last_on=date.fromisoformat(was["last_on"]) if was["last_on"] else None,
        until_am=was["until_am"],
        is_likely=was["likely"],
        lives_in=was.get("lives_in", ""),
        says=made.says,
        by=by,
        at=at,
    )


def _ids(before: Facts) -> list[str]:
    return [*before["made"], *(each["id"] for each in before["changed"])]


def _change(step: Step, names: Mapping[str, str]) -> Facts:
    """What is shown of a step: days only, no address and no words."""
    wanted = _wanted(step.row)
    was = _dates(step.made) if step.made else {"last_on": None, "until_am": False, "likely": None, "lives_in": ""}
    details = [] if step.made else [_detail("first_on", None, step.row["first_on"])]
    if step.made is None or wanted["last_on"] != was["last_on"]:
        details.append(_detail("last_on", step.made and step.made.last_on, step.row["last_on"] or "Away still"))
    if step.made is None or wanted["likely"] != was["likely"]:
        details.append(_detail("is_likely", was["likely"], wanted["likely"]))
    if wanted["lives_in"] != was["lives_in"]:
        details.append(_detail("lives_in", *(names.get(str(each["lives_in"])) for each in (was, wanted))))
    return {
        "child": str(step.child.id),
        "name": step.child.name,
        "what": CHANGED if step.made else NEW,
        "details": details,
    }


def _detail(column: str, was: Any, becomes: Any) -> Facts:
    return {"column": COLUMNS[column], "was": _words(was), "becomes": _words(becomes)}


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return long_date(value) if isinstance(value, date) else str(value or "")


def _problem(row: Facts, column: str, value: str, why: str) -> Facts:
    return {
        "line": row["line"],
        "child": row["name"],
        "column": COLUMNS.get(column, ""),
        "value": value,
        "advice": f"{why}; the row was skipped: correct it and send the file again.",
        "skipped": True,
    }
