"""The links of the demonstration: a mother has opened hers and agreed, another has not yet. Nobody here is real."""

from datetime import datetime, timedelta
from typing import Any

from handrail.accounts.models import User
from handrail.plans import links
from handrail.plans.emergency import Contact as EmergencyContact
from handrail.plans.models import HealthcarePlan, PlanLink
from handrail.schools.models import Contact, School

AGREED, WAITS = "Anoushka Shah", "Benjamin Cole"
"""The children of the two mothers."""

SENT_AGO, OPENED_AGO = timedelta(days=3), timedelta(days=2)
QUESTION = "Thank you. Can the red bag go to swimming with her too?"


def facts_of(contact: EmergencyContact) -> dict[str, Any]:
    """Of somebody whom the emergency steps name, what the school knows of them."""
    return {
        "name": contact.name,
        "relation": contact.relation,
        "phone": contact.phone,
        "email": f"{contact.name.lower().replace(' ', '.')}@families.example",
        "has_parental_responsibility": contact.relation in ("Mother", "Father"),
    }


def furnish(school: School, *, by: User, at: datetime) -> None:
    """Send both links as the school would; the message of the second leaves in the demo itself."""
    plans = {
        plan.pupil.name: plan for plan in HealthcarePlan.objects.filter(pupil__school=school).select_related("pupil")
    }
    opened_at = at - OPENED_AGO
    link = _send(plans[AGREED], by=by, at=at - SENT_AGO)
    code = links.make_code(link=link, at=opened_at)
    links.try_to_get_in(link=link, code=code, born_on=plans[AGREED].pupil.born_on, at=opened_at)
    links.say(link=link, is_agreed=True, words="", at=opened_at + timedelta(minutes=4))
    links.say(link=link, is_agreed=None, words=QUESTION, at=opened_at + timedelta(minutes=5))
    _send(plans[WAITS], by=by, at=at)


def _send(plan: HealthcarePlan, *, by: User, at: datetime) -> PlanLink:
    mother = Contact.objects.get(pupil=plan.pupil, relation="Mother")
    return links.send(plan=plan, contact=mother, is_health_professional=False, by=by, at=at)
