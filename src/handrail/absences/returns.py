"""What a sickness return may say besides who and when. Nothing asks for a diagnosis. Pure."""

from datetime import date
from typing import Any

from handrail.core.jinja import long_date

CATEGORIES = {
    "physical": "Physical health",
    "mental": "Mental health",
    "awaiting": "Not known yet",
}
EVIDENCE = {
    "parent": "What the parent or carer says",
    "appointment": "An appointment card or letter",
    "gp": "A GP’s letter",
    "hospital": "A letter from a hospital or clinic",
    "none": "Nothing in writing",
}
YES_NO = {"yes": "Yes", "no": "No"}

LABELS = {
    "address": "Address",
    "work": "Work that is sent",
    "expected_on": "Expected back on",
    "category": "Kind of need",
    "evidence": "What the school has seen",
    "has_plan": "Has a healthcare plan",
    "has_ehcp": "Has an education, health and care plan",
    "family_view": "What the family wants",
    "wants_help": "The school asks for help",
}
"""What a return may say, by the name under which it is kept, in the order in which it is told."""

_WORDS: dict[str, dict[str, str]] = {
    "category": CATEGORIES,
    "evidence": EVIDENCE,
    **dict.fromkeys(("has_plan", "has_ehcp", "wants_help"), YES_NO),
}


def in_words(says: dict[str, Any]) -> list[tuple[str, str]]:
    """What a return says, as pairs of label and words."""
    return [(label, _said(name, says[name])) for name, label in LABELS.items() if name in says]


def _said(name: str, value: str) -> str:
    if name == "expected_on":
        return long_date(date.fromisoformat(value))
    return _WORDS.get(name, {}).get(value, value)
