"""Emergency plans on paper: what stands on each page, in words. Lists of several children are in lists.py."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

from handrail.core.jinja import long_date, moment
from handrail.core.pdf import pdf
from handrail.plans.emergency import PARTS, Emergency, Medicine
from handrail.plans.models import PlanVersion

DOCUMENT = Path(__file__).parent / "emergency.typ"


def emergency_pages(versions: Iterable[PlanVersion], *, printed: str, on: date, has_contents: bool = False) -> bytes:
    """A PDF with a page for each of these versions' children, in this order. One without emergency steps has none.

    `printed` says at the foot of each page when and by whom; `has_contents` puts before them whose pages are where.
    Raises VaultClosed.
    """
    children = [_child(version, version.says, on) for version in versions if version.says]
    data = {"title": "Emergency plans", "printed": printed, "parts": PARTS, "children": children}
    return pdf(DOCUMENT, data | {"has_contents": has_contents})


def _child(version: PlanVersion, says: Emergency, on: date) -> dict[str, Any]:
    child = version.plan.pupil
    facts = [f"Born {long_date(child.born_on)}", child.class_name, child.school.name]
    return {
        "name": f"{child.known_as} ({child.name})" if child.known_as else child.name,
        "class": child.class_name,
        "about": ". ".join(fact for fact in facts if fact) + ".",
        "condition": says.condition,
        "medicines": [medicine_in_words(medicine, on) for medicine in says.medicines],
        "contacts": says.lines("contacts"),
        "version": f"Version {version.number}, saved on {moment(version.made_at)} by {version.made_by_name}."
        + (f" Review due by {long_date(version.plan.due_on)}." if version.plan.due_on else ""),
        **{part: list(getattr(says, part)) for part in ("signs", "steps", "call_999", "never")},
    }


def medicine_in_words(medicine: Medicine, on: date) -> str:
    """One medicine in a sentence; what is out of date is said first."""
    facts = [
        "OUT OF DATE" if medicine.is_out_of_date(on) else "",
        medicine.name,
        medicine.dose and f"dose {medicine.dose}",
        medicine.place and f"kept: {medicine.place}",
        medicine.expires_on and f"expires {long_date(medicine.expires_on)}",
    ]
    return "; ".join(fact for fact in facts if fact)
