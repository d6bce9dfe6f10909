"""The content of a pack, from what a school holds of a child. Reads only."""

from typing import Any

from handrail.handovers import pack
from handrail.handovers.models import Handover
from handrail.plans.models import PlanVersion
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


def content_of(handover: Handover, pupil: Pupil) -> dict[str, Any]:
    """What the pack of this handover of `pupil` would hold if it were sent now; at a setting, if it were written down
    now from what a home side without Handrail sent by another way.
    """
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
        },
        "plan": {
            "number": version.number if version else 0,
            "emergency": version.emergency if version else None,
            "sections": version.sections if version else None,
        },
        "about": handover.about or {},
        "roll": handover.roll,
        "starts_on": handover.starts_on.isoformat() if handover.starts_on else "",
    }
