"""Lists of children on paper: of a class, for a trip, and for the first-aid room. Each has what is needed there first.

A list says where the rest is: on each child's emergency page, which the school's pack has in the same order.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any

from handrail.care.models import SpareKit, StaffTraining
from handrail.core.jinja import long_date, plural
from handrail.core.pdf import pdf
from handrail.plans.emergency import Emergency
from handrail.plans.models import PlanVersion, Stage
from handrail.plans.paper import medicine_in_words
from handrail.schools.models import School

LIST = Path(__file__).parent / "list.typ"
FIRST_STEPS = 2
"""So many of what to do now stand in a list; the page has them all."""


class Kind(StrEnum):
    """For whom a list is."""

    CLASS = "class"
    TRIP = "trip"
    FIRST_AID = "first_aid"


TITLES = {
    Kind.CLASS: "Class list: children with an emergency plan",
    Kind.TRIP: "Trip list: children with an emergency plan",
    Kind.FIRST_AID: "First-aid list: children with an emergency plan",
}


@dataclass(frozen=True)
class Listed:
    """What a list may say of one child, each in lines."""

    version: PlanVersion
    says: Emergency
    trained: list[str]
    on: date

    def child(self) -> list[str]:
        plan = self.version.plan
        not_agreed = [] if plan.stage == Stage.ACTIVE else ["Not agreed yet"]
        return [str(plan.pupil), *filter(None, [plan.pupil.class_name]), *not_agreed]

    def condition(self) -> list[str]:
        return [self.says.condition]

    def signs(self) -> list[str]:
        return list(self.says.signs)

    def steps(self) -> list[str]:
        """The first of what to do now, and how many more the child's page has."""
        more = len(self.says.steps) - FIRST_STEPS
        pointer = [f"Then {plural(more, 'more step', 'more steps')}: see the child’s page."] if more > 0 else []
        return [*self.says.steps[:FIRST_STEPS], *pointer]

    def medicines(self) -> list[str]:
        return [medicine_in_words(medicine, self.on) for medicine in self.says.medicines]

    def to_take(self) -> list[str]:
        """The same with a box to tick when it is packed."""
        return [f"☐ {medicine}" for medicine in self.medicines()]

    def trips(self) -> list[str]:
        said = self.version.answers.get("trips", {}).get("trips", "")
        return [line for line in said.splitlines() if line.strip()]

    def people(self) -> list[str]:
        return self.trained

    def contact(self) -> list[str]:
        return self.says.lines("contacts")[:1]

    def contacts(self) -> list[str]:
        return self.says.lines("contacts")


Column = tuple[str, float, Callable[[Listed], list[str]]]
"""A heading, how wide it is beside the others, and what stands below it."""

CHILD: Column = ("Child and class", 1.1, Listed.child)
CONDITION: Column = ("Condition", 1.2, Listed.condition)
STEPS: Column = ("What to do first", 2.1, Listed.steps)
MEDICINE: Column = ("Medicine, and where it is", 1.9, Listed.medicines)
TRAINED: Column = ("Trained", 1.1, Listed.people)

COLUMNS: dict[Kind, tuple[Column, ...]] = {
    Kind.CLASS: (CHILD, CONDITION, STEPS, MEDICINE, TRAINED, ("Whom to ring", 1.2, Listed.contact)),
    Kind.TRIP: (
        CHILD,
        CONDITION,
        STEPS,
        ("Medicine to take", 1.9, Listed.to_take),
        ("On trips", 1.5, Listed.trips),
        TRAINED,
        ("Whom to ring", 1.3, Listed.contacts),
    ),
    Kind.FIRST_AID: (CHILD, CONDITION, ("Signs", 1.7, Listed.signs), STEPS, MEDICINE, TRAINED),
}


def list_of_children(versions: Sequence[PlanVersion], *, kind: Kind, school: School, printed: str, on: date) -> bytes:
    """A PDF of these versions' children, a row for each, with the school's spare kits and who is trained at all.

    Raises VaultClosed.
    """
    counting = list(StaffTraining.objects.that_count(on=on).filter(school=school).order_by("person", "id"))
    trained: dict[Any, list[str]] = {}
    for each in counting:
        stands_in = " (stands in)" if each.is_cover else ""
        trained.setdefault(each.pupil_id, []).append(f"{each.person}{stands_in}")
    listed = [
        Listed(version, version.says, list(dict.fromkeys(trained.get(version.plan.pupil_id, []))), on)
        for version in versions
        if version.says
    ]
    columns = COLUMNS[kind]
    kits = SpareKit.objects.filter(school=school).in_use()
    return pdf(
        LIST,
        {
            "title": f"{TITLES[kind]}, {school.name}",
            "about": "It says what to do first. Each child’s emergency page, in the school’s pack in the same order, "
            "says the rest. In doubt, call 999.",
            "printed": printed,
            "headings": [heading for heading, _, _ in columns],
            "widths": [width for _, width, _ in columns],
            "children": [[cell(each) for _, _, cell in columns] for each in listed],
            "kits": [[kit.get_kind_display(), kit.place, long_date(kit.expires_on)] for kit in kits],
            "first_aiders": [
                [each.person, each.procedure_note or each.get_procedure_display(), long_date(each.expires_on)]
                for each in counting
                if each.pupil_id is None
            ],
        },
    )
