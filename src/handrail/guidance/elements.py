"""What a healthcare plan should say: the ten points of the statutory guidance of December 2015, those that the
Department's template adds, and the links and details that other guidance asks for. As data, with where each is from.
"""

from dataclasses import dataclass
from enum import StrEnum


class Source(StrEnum):
    GUIDANCE = "Supporting pupils at school with medical conditions, December 2015"
    TEMPLATE = "The Department for Education’s template for a healthcare plan"
    LINKED = "Guidance on linked plans and on returning to school"


@dataclass(frozen=True)
class Element:
    """One thing to consider recording. `condition` names the only condition for which it counts, if any."""

    id: str
    label: str
    source: Source
    condition: str = ""


ELEMENTS = (
    Element("IHPC-01", "The condition, its triggers, signs, symptoms and treatments", Source.GUIDANCE),
    Element("IHPC-02", "The child’s needs: medicine, time, facilities, equipment, food and drink", Source.GUIDANCE),
    Element("IHPC-03", "Support for learning, and social and emotional needs", Source.GUIDANCE),
    Element("IHPC-04", "How much support is needed, and how far the child manages alone", Source.GUIDANCE),
    Element("IHPC-05", "Who gives the support, their training and their cover", Source.GUIDANCE),
    Element("IHPC-06", "Who needs to know", Source.GUIDANCE),
    Element("IHPC-07", "Written permission from the parent and the headteacher for medicine", Source.GUIDANCE),
    Element("IHPC-08", "Arrangements for trips and activities", Source.GUIDANCE),
    Element("IHPC-09", "Who is trusted with the information, where that is asked for", Source.GUIDANCE),
    Element("IHPC-10", "What to do in an emergency, and whom to contact", Source.GUIDANCE),
    Element("IHPT-01", "Name, class and date of birth", Source.TEMPLATE),
    Element("IHPT-02", "Family contacts", Source.TEMPLATE),
    Element("IHPT-03", "Clinic or hospital, and GP", Source.TEMPLATE),
    Element("IHPT-04", "Each medicine: dose, method, when, side effects, who gives it", Source.TEMPLATE),
    Element("IHPT-05", "Daily care", Source.TEMPLATE),
    Element("IHPT-06", "Who is responsible in an emergency, also off site", Source.TEMPLATE),
    Element("IHPT-07", "Whom the plan was made with", Source.TEMPLATE),
    Element("IHPT-08", "Training that staff need or have had", Source.TEMPLATE),
    Element("IHPT-09", "Who holds a copy", Source.TEMPLATE),
    Element("IHPE-01", "Any education, health and care plan", Source.LINKED),
    Element("IHPE-02", "What a return to school needs", Source.LINKED),
    Element("IHPM-01", "How the allergy is managed", Source.LINKED, "allergy"),
    Element("IHPM-02", "Kinds of seizure, and rescue medicine", Source.LINKED, "epilepsy"),
    Element("IHPM-03", "Diabetes technology at school", Source.LINKED, "diabetes"),
)


def elements_for(condition: str) -> tuple[Element, ...]:
    """The elements that count for a child with this condition: those of no other."""
    return tuple(element for element in ELEMENTS if element.condition in ("", condition))
