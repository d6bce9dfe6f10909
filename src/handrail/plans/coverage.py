"""Whether a plan can be relied on today: not only that it is there, but that people and medicines stand behind it.

Covered is a plan that is active and in its review date, with one person trained for the child and one who stands in,
every medicine in date, and a written agreement to each: a parent's, or that of a young person who decides alone and
whose parents must not be told. A medicine of which the emergency steps speak is not looked at
here: only those that the school holds.
"""

from datetime import date
from enum import StrEnum

from django.db.models import Exists, OuterRef, Q

from handrail.care.models import Medicine, StaffTraining
from handrail.plans.models import HealthcarePlan, Stage


class Part(StrEnum):
    """What a covered plan has, in the order in which people are told that it is missing."""

    ACTIVE = "is_active"
    IN_DATE = "is_in_date"
    TRAINED = "has_trained"
    COVER = "has_cover"
    MEDICINES = "has_medicines_in_date"
    CONSENTS = "has_consents"


MISSING = {
    Part.ACTIVE: "The plan is not active",
    Part.IN_DATE: "The plan’s review is overdue",
    Part.TRAINED: "Nobody is trained for this child, with training that is in date",
    Part.COVER: "Nobody stands in, with training that is in date",
    Part.MEDICINES: "A medicine or device is out of date",
    Part.CONSENTS: "A medicine or device has no written agreement",
}
"""What is said of each part that is missing."""


def coverage_of(plan: HealthcarePlan, *, on: date) -> list[str]:
    """What the plan lacks on the day `on`, in words; nothing when it is covered. One question."""
    found = HealthcarePlan.objects.filter(id=plan.id).annotate(**_parts(on)).values(*Part).get()
    return [words for part, words in MISSING.items() if not found[part]]


def is_covered(*, on: date) -> Q:
    """The same for any number of plans, as a condition: `plans.filter(is_covered(on=on))`, or in an `annotate`."""
    whole = Q()
    for each in _parts(on).values():
        whole &= each
    return whole


def _parts(on: date) -> dict[str, Q]:
    """Each part as a condition on a plan."""
    trained = StaffTraining.objects.that_count(on=on).filter(pupil=OuterRef("pupil"), school=OuterRef("pupil__school"))
    held = Medicine.objects.in_use().filter(pupil=OuterRef("pupil"))
    return {
        Part.ACTIVE: Q(stage=Stage.ACTIVE),
        Part.IN_DATE: Q(due_on__gte=on, due_on__isnull=False),
        Part.TRAINED: Q(Exists(trained.filter(is_cover=False))),
        Part.COVER: Q(Exists(trained.filter(is_cover=True))),
        Part.MEDICINES: ~Q(Exists(held.filter(expires_on__lt=on))),
        Part.CONSENTS: ~Q(Exists(held.filter(consent_on=None))),
    }
