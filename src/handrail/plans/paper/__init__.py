"""Emergency plans on paper: what stands on each page, or in a list of several children, in words."""

from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from handrail.care.models import SpareKit, StaffTraining
from handrail.core.jinja import long_date, moment, plural
from handrail.core.pdf import pdf
from handrail.plans.emergency import PARTS, Emergency, Medicine
from handrail.plans.models import PlanVersion
from handrail.schools.models import School

DOCUMENT = Path(__file__).parent / "emergency.typ"
LIST = Path(__file__).parent / "list.typ"
FIRST_STEPS = 2
"""So many of what to do now stand in a list; the page has them all."""


def emergency_pages(versions: Iterable[PlanVersion], *, printed: str, on: date, has_contents: bool = False) -> bytes:
    """A PDF with a page for each of these versions' children, in this order. One without emergency steps has none.

    `printed` says at the foot of each page when and by whom; `has_contents` puts before them whose pages are where.
    Raises VaultClosed.
    """
    children = [_child(version, version.says, on) for version in versions if version.says]
    data = {"title": "Emergency plans", "printed": printed, "parts": PARTS, "children": children}
    return pdf(DOCUMENT, data | {"has_contents": has_contents})


def list_of_children(versions: Sequence[PlanVersion], *, school: School, printed: str, on: date) -> bytes:
    """A PDF of these versions' children, a row for each, with the school's spare kits and who is trained at all.

    For a class, a trip or the first-aid room: what is needed first. Raises VaultClosed.
    """
    counting = list(StaffTraining.objects.that_count(on=on).filter(school=school).order_by("person", "id"))
    trained: dict[Any, list[str]] = {}
    for each in counting:
        stands_in = " (stands in)" if each.is_cover else ""
        trained.setdefault(each.pupil_id, []).append(f"{each.person}{stands_in}")
    kits = SpareKit.objects.filter(school=school).in_use()
    data = {
        "title": f"Children with an emergency plan, {school.name}",
        "about": "It says what to do first. The emergency page of each child says the rest. In doubt, call 999.",
        "printed": printed,
        "children": [
            _listed(version, version.says, trained.get(version.plan.pupil_id, []), on)
            for version in versions
            if version.says
        ],
        "kits": [[kit.get_kind_display(), kit.place, long_date(kit.expires_on)] for kit in kits],
        "first_aiders": [
            [each.person, each.procedure_note or each.get_procedure_display(), long_date(each.expires_on)]
            for each in counting
            if each.pupil_id is None
        ],
    }
    return pdf(LIST, data)


def _listed(version: PlanVersion, says: Emergency, trained: list[str], on: date) -> dict[str, Any]:
    child = version.plan.pupil
    more = len(says.steps) - FIRST_STEPS
    return {
        "name": str(child),
        "about": child.class_name,
        "condition": says.condition,
        "steps": [
            *says.steps[:FIRST_STEPS],
            *([f"Then {plural(more, 'more step', 'more steps')}."] if more > 0 else []),
        ],
        "medicines": [_medicine(medicine, on) for medicine in says.medicines],
        "trained": list(dict.fromkeys(trained)),
        "contacts": says.lines("contacts")[:1],
    }


def _child(version: PlanVersion, says: Emergency, on: date) -> dict[str, Any]:
    child = version.plan.pupil
    facts = [f"Born {long_date(child.born_on)}", child.class_name, child.school.name]
    return {
        "name": f"{child.known_as} ({child.name})" if child.known_as else child.name,
        "class": child.class_name,
        "about": ". ".join(fact for fact in facts if fact) + ".",
        "condition": says.condition,
        "medicines": [_medicine(medicine, on) for medicine in says.medicines],
        "contacts": says.lines("contacts"),
        "version": f"Version {version.number}, saved on {moment(version.made_at)} by {version.made_by_name}."
        + (f" Review due by {long_date(version.plan.due_on)}." if version.plan.due_on else ""),
        **{part: list(getattr(says, part)) for part in ("signs", "steps", "call_999", "never")},
    }


def _medicine(medicine: Medicine, on: date) -> str:
    """One medicine in a sentence; what is out of date is said first."""
    facts = [
        "OUT OF DATE" if medicine.is_out_of_date(on) else "",
        medicine.name,
        medicine.dose and f"dose {medicine.dose}",
        medicine.place and f"kept: {medicine.place}",
        medicine.expires_on and f"expires {long_date(medicine.expires_on)}",
    ]
    return "; ".join(fact for fact in facts if fact)
