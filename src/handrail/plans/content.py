"""What a whole healthcare plan says beside its emergency steps: sections of a few questions, and which of the 24
elements they answer. Nothing here fills in clinical text. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from handrail.guidance.frameworks import Requirement
from handrail.guidance.published import elements_for

LONGEST = 4000
"""Characters in one answer."""


class Condition(StrEnum):
    """The commonest conditions, each with prompts of its own (`prompts.py`)."""

    ASTHMA = "asthma"
    ALLERGY = "allergy"
    DIABETES = "diabetes"
    EPILEPSY = "epilepsy"
    SICKLE_CELL = "sickle_cell"
    CONTINENCE = "continence"
    GASTRIC_FEEDING = "gastric_feeding"
    HEART = "heart"
    ARTHRITIS = "arthritis"
    MENTAL_HEALTH = "mental_health"
    OTHER = "other"


CONDITIONS = {
    Condition.ASTHMA: "Asthma",
    Condition.ALLERGY: "Anaphylaxis or another allergy",
    Condition.DIABETES: "Diabetes",
    Condition.EPILEPSY: "Epilepsy",
    Condition.SICKLE_CELL: "Sickle cell",
    Condition.CONTINENCE: "Continence",
    Condition.GASTRIC_FEEDING: "Gastric feeding",
    Condition.HEART: "A heart condition",
    Condition.ARTHRITIS: "Arthritis",
    Condition.MENTAL_HEALTH: "Mental health",
    Condition.OTHER: "Another condition",
}


@dataclass(frozen=True)
class Question:
    """One question of a section. `element` is the element of the guidance that its answer fills; `choices`, if any,
    are the only answers. `condition` names the only condition for which it is asked.
    """

    name: str
    label: str
    hint: str = ""
    element: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    condition: str = ""


@dataclass(frozen=True)
class Section:
    """`is_hidden_from_parents`: of a medicine that was prescribed without their knowledge, say. It is not printed."""

    name: str
    title: str
    questions: tuple[Question, ...]
    is_hidden_from_parents: bool = False

    def asked(self, condition: str) -> tuple[Question, ...]:
        """The questions that are asked about a child with this condition."""
        return tuple(each for each in self.questions if each.condition in ("", condition))


LEVELS = (
    ("alone", "Manages alone"),
    ("reminded", "Manages with reminding or watching"),
    ("helped", "Needs some help"),
    ("given", "Needs everything to be done by an adult"),
)

SECTIONS = (
    Section(
        "condition",
        "The condition",
        (
            Question(
                "kind",
                "What is the main condition?",
                "It decides which hints you see. Write the rest in your own words.",
                choices=tuple((str(kind), words) for kind, words in CONDITIONS.items()),
            ),
            Question("triggers", "What can bring it on?", "Triggers, and what to keep away from.", "IHPC-01"),
            Question("symptoms", "What does it look like, day to day?", "Signs and symptoms.", "IHPC-01"),
            Question(
                "treatment", "What treatment does the child have?", "At home, at school and in clinic.", "IHPC-01"
            ),
            Question("allergy", "How is the allergy managed at school?", element="IHPM-01", condition="allergy"),
            Question(
                "seizures", "What kinds of seizure are there, and what helps?", element="IHPM-02", condition="epilepsy"
            ),
            Question(
                "technology",
                "Which monitor, pump or phone does the child use, and what may they do with it in class?",
                element="IHPM-03",
                condition="diabetes",
            ),
        ),
    ),
    Section(
        "daily",
        "Daily care",
        (
            Question(
                "needs",
                "What does the child need at school?",
                "Time, a room, equipment, tests, food and drink, toilet breaks.",
                "IHPC-02",
            ),
            Question("routine", "What happens on an ordinary day?", "Who does what, and when.", "IHPT-05"),
            Question(
                "medicine",
                "How is each medicine given?",
                "Name, dose, method, when, side effects, and who gives it. Copy from the label or the prescriber.",
                "IHPT-04",
            ),
            Question("level", "How much does the child manage alone?", element="IHPC-04", choices=LEVELS),
            Question("watching", "How do you know that it was done?", "For a child who manages alone.", "IHPC-04"),
        ),
    ),
    Section(
        "learning",
        "Learning and wellbeing",
        (
            Question(
                "learning",
                "What helps with learning, and with how the child feels?",
                "Absence, exams, rest, catching up, friends, somebody to talk to.",
                "IHPC-03",
            ),
            Question("ehc", "Is there an education, health and care plan?", "Its reference, or “No”.", "IHPE-01"),
            Question(
                "reintegration",
                "What does a return to school need?",
                "After hospital or education elsewhere in the last 12 months. Write “No” if there was none.",
                "IHPE-02",
            ),
        ),
    ),
    Section(
        "people",
        "People",
        (
            Question("supporters", "Who helps the child, and who covers for them?", element="IHPC-05"),
            Question("training", "What training do they need or have?", "What, who and when.", "IHPT-08"),
            Question("know", "Who needs to know?", "Staff, kitchen, drivers, clubs.", "IHPC-06"),
            Question("responsible", "Who is responsible in an emergency, also off site?", element="IHPT-06"),
            Question("trusted", "Who may know what, if the family asks for privacy?", element="IHPC-09"),
            Question("clinic", "Clinic or hospital, and GP", "Names and phone numbers.", "IHPT-03"),
        ),
    ),
    Section(
        "trips",
        "Trips and activities",
        (Question("trips", "What is different on trips, in sport and in clubs?", element="IHPC-08"),),
    ),
    Section(
        "permission",
        "Permission",
        (
            Question(
                "parent",
                "Who gave permission for medicine at school, and when?",
                "The parent’s name and the date on the form.",
                "IHPC-07",
            ),
            Question(
                "head", "Who gave the school’s permission, and when?", "The headteacher or their deputy.", "IHPC-07"
            ),
            Question("copies", "Who holds a copy of this plan?", element="IHPT-09"),
        ),
    ),
    Section(
        "confidential",
        "Not shown to parents",
        (
            Question(
                "unknown",
                "Was a medicine prescribed without the parents’ knowledge?",
                "Its name, dose and prescriber, and who gives it. Write of it here and in no other part of the plan.",
            ),
            Question("privacy", "Who decided that the parents are not told, and why?", "The prescriber, and the day."),
        ),
        is_hidden_from_parents=True,
    ),
)
BY_NAME = {section.name: section for section in SECTIONS}
HIDDEN_FROM_PARENTS = [section.name for section in SECTIONS if section.is_hidden_from_parents]

Answers = Mapping[str, Mapping[str, str]]
"""Section -> question -> answer."""


def condition_of(answers: Answers) -> str:
    """The main condition that was chosen, or nothing."""
    return answers.get("condition", {}).get("kind", "")


def in_words(answers: Answers, *, for_parents: bool = False) -> list[tuple[Section, list[dict[str, str]]]]:
    """Each section, with the questions that somebody has answered and the words of the answers; `for_parents` without
    those that are hidden from them.
    """
    condition = condition_of(answers)
    found = []
    for section in SECTIONS:
        if for_parents and section.is_hidden_from_parents:
            continue
        written = answers.get(section.name, {})
        asked = [question for question in section.asked(condition) if written.get(question.name)]
        rows = [
            {"key": each.label, "value": dict(each.choices).get(written[each.name], written[each.name])}
            for each in asked
        ]
        found.append((section, rows))
    return found


@dataclass(frozen=True)
class Beside:
    """What is known of a child beside the answers: it fills elements too."""

    has_emergency_steps: bool = False
    has_family_contact: bool = False
    has_agreement: bool = False


def missing(answers: Answers, beside: Beside) -> list[Requirement]:
    """The elements that nothing has been written for, in their order. A question marked as not needed is answered."""
    return [each for each in elements_for(condition_of(answers)) if not _is_there(each.id, answers, beside)]


def how_complete(answers: Answers, beside: Beside) -> tuple[int, int]:
    """How many of the elements are there, and of how many."""
    wanted = elements_for(condition_of(answers))
    return len(wanted) - len(missing(answers, beside)), len(wanted)


def _is_there(element: str, answers: Answers, beside: Beside) -> bool:
    if element == "IHPT-01":
        return True  # the child's own page asks for it
    if element == "IHPC-10":
        return beside.has_emergency_steps
    if element == "IHPT-02":
        return beside.has_family_contact
    if element == "IHPT-07":
        return beside.has_agreement
    condition = condition_of(answers)
    asked = [
        (section.name, question.name)
        for section in SECTIONS
        for question in section.asked(condition)
        if question.element == element
    ]
    return bool(asked) and all(answers.get(section, {}).get(question) for section, question in asked)
