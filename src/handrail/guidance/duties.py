"""What the law asks of policies, as dated data. A date that nobody has announced is empty, never guessed."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Duty:
    """Something the law adds: in which text, what it says in a sentence, and the day from which it counts."""

    reference: str
    says: str
    starts_on: date | None


ALLERGY_SAFETY = Duty(
    reference="CFA-100A",
    says=(
        "The Children’s Wellbeing and Schools Act 2026 asks schools for this policy and for a review of it at least "
        "once a year, from a day that has not been announced."
    ),
    starts_on=None,
)
