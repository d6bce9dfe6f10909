"""What stands behind the plans of the demonstration: medicines, training, spare kits with their checks, an incident.

Nobody here is real, and nothing is advice.
"""

from datetime import datetime, timedelta
from typing import Any

from handrail.care import actions
from handrail.care.expiry import TO_ACCEPT
from handrail.care.models import SpareKit, StaffTraining
from handrail.core.audit import Actor
from handrail.incidents.actions import record_incident
from handrail.plans.models import HealthcarePlan
from handrail.schools.models import School

Procedure = StaffTraining.Procedure
NURSE: dict[str, Any] = {
    "trainer": "Hollis Hale",
    "trainer_profession": "Community nurse",
    "confirmed_by": "Hollis Hale",
}
STAFF = (("Ann Able", False, 40), ("Bo Bell", True, 340), ("Cat Cole", True, 380))
"""Who helps a child, whether they stand in, and how many days ago they were trained."""

KITS = (
    (SpareKit.Kind.ADRENALINE, "Dining hall, by the door", 240, 12),
    (SpareKit.Kind.INHALER, "School office, first-aid shelf", 20, 45),
)
"""What is in a kit, where it is, in how many days it runs out, and how many days ago it was last checked."""


def furnish(school: School, *, by: Actor, at: datetime) -> None:
    """Give a school its kits and training, and what it holds for each child who has an emergency plan."""
    on = at.date()
    for kind, place, days_left, checked_days_ago in KITS:
        expires_on = on + timedelta(days=days_left)
        kit = actions.add_kit(
            school=school,
            kind=kind,
            place=place,
            batch="B2041",
            expires_on=expires_on,
            holder="Ann Able",
            by=by,
            at=at - timedelta(days=100),
        )
        for days in (checked_days_ago + 30, checked_days_ago):
            actions.check_kit(kit=kit, is_complete=True, by=by, at=at - timedelta(days=days))
    actions.record_training(
        school=school,
        person="Ann Able",
        procedure=Procedure.ADRENALINE,
        trained_on=on - timedelta(days=200),
        by=by,
        at=at,
        **NURSE,
    )
    plans = HealthcarePlan.objects.filter(pupil__school=school).select_related("pupil__school").order_by("pupil__name")
    for number, plan in enumerate(plans):
        _stand_behind(plan, is_covered=number != 1, by=by, at=at)


def _stand_behind(plan: HealthcarePlan, *, is_covered: bool, by: Actor, at: datetime) -> None:
    """Medicines as the emergency plan says, and who is trained; of one child nobody who stands in is, any more."""
    on, pupil = at.date(), plan.pupil
    version = plan.versions.order_by("-number").first()
    parent = pupil.contacts.order_by("priority").first()
    if version is None or version.says is None:
        return
    for medicine in version.says.medicines:
        actions.add_medicine(
            pupil=pupil,
            kind="medicine",
            name=medicine.name,
            dose=medicine.dose,
            place=medicine.place,
            given_by="Ann Able or Bo Bell",
            expires_on=medicine.expires_on,
            received_on=on - timedelta(days=60),
            accepted=list(TO_ACCEPT),
            is_emergency=True,
            is_prescribed=True,
            is_locked="locked" in medicine.place,
            consent_by=parent.name if parent else None,
            consent_on=on - timedelta(days=60) if parent else None,
            by=by,
            at=at,
        )
    staff = STAFF[:2] if is_covered else STAFF[::2]
    for person, is_cover, days_ago in staff:
        actions.record_training(
            school=pupil.school,
            pupil=pupil,
            person=person,
            procedure=Procedure.MEDICINES,
            trained_on=on - timedelta(days=days_ago),
            is_cover=is_cover,
            by=by,
            at=at,
            **NURSE,
        )


def near_miss(school: School, *, by: Actor, at: datetime) -> None:
    """Write down one near miss of the day before yesterday, about no child in particular."""
    happened_at = at - timedelta(days=2)
    record_incident(
        school=school,
        pupil=None,
        kind="near_miss",
        harm="none",
        happened_at=happened_at,
        place="Dining hall",
        what_happened="A tray with nuts stood beside the one without. A child’s friend noticed it.",
        what_was_done="The tray was taken away, and the kitchen was told.",
        what_is_learnt="Trays have a coloured label from now on.",
        by=by,
        at=happened_at + timedelta(hours=2),
    )
