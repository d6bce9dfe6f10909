"""The content of a pack, from what a school holds of a child. Reads only."""

from datetime import date
from typing import Any

from handrail.absences.models import SicknessReturn
from handrail.accounts.models import Membership
from handrail.accounts.roles import Role
from handrail.handovers import pack
from handrail.handovers.models import Handover
from handrail.plans.models import HealthcarePlan, PlanVersion
from handrail.schools.authorities import called
from handrail.schools.models import Contact, Pupil


def child_of(pupil: Pupil) -> dict[str, Any]:
    """Who the child is."""
    return {
        "name": pupil.name,
        "known_as": pupil.known_as,
        "born_on": pupil.born_on.isoformat(),
        "year_group": pupil.year_group,
        "upn": pupil.upn,
    }


def content_of(handover: Handover, pupil: Pupil, *, on: date) -> dict[str, Any]:
    """What the pack of this handover of `pupil` would hold if it were sent on the day `on`; at a setting, if it were
    written down then from what a home side without Handrail sent by another way.
    """
    due_on = HealthcarePlan.objects.filter(pupil=pupil).values_list("due_on", flat=True).first()
    version = PlanVersion.objects.of_child(pupil).first()
    own = {"name": pupil.school.name, "urn": pupil.school.urn}
    school = own if handover.is_home or not handover.notice else handover.notice["school"]
    return {
        "form": pack.FORM,
        "child": child_of(pupil),
        "contacts": [
            {
                "name": each.name,
                "relation": each.relation,
                "phone": each.phone,
                "email": each.email,
                "has_parental_responsibility": each.has_parental_responsibility,
            }
            for each in Contact.objects.of_child(pupil)
        ],
        "home": {
            "school": school["name"],
            "urn": school["urn"],
            "ring": handover.ring,
            "telephone": handover.telephone,
            "authority": handover.home_authority,
            "lives_in": called(handover.home_authority) if handover.home_authority else "",
            "school_authority": called(handover.school_authority) if handover.school_authority else "",
            "named_officer": _named_officers(on) if handover.is_home else "",
        },
        "plan": {
            "number": version.number if version else 0,
            "emergency": version.emergency if version else None,
            "sections": version.sections if version else None,
            "review_on": due_on.isoformat() if version and due_on else "",
        },
        "about": handover.about or {},
        "roll": handover.roll,
        "starts_on": handover.starts_on.isoformat() if handover.starts_on else "",
    }


def _named_officers(on: date) -> str:
    """Who at the bound authority answers for children who are too ill for school, with their addresses."""
    held = Membership.objects.current(on=on).filter(role=Role.NAMED_OFFICER, user__is_active=True)
    people = held.order_by("user__name").values_list("user__name", "user__email")
    return ", ".join(f"{name} ({email})" for name, email in people)


def known_of(pupil: Pupil) -> dict[str, str]:
    """What the school has said elsewhere of what the pack asks: the address, in the last return about an absence."""
    told = SicknessReturn.objects.standing().filter(case__pupil=pupil).order_by("-made_at").first()
    return {"address": str(told.says.get("address", ""))} if told else {}
