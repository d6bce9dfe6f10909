"""What a pack that was opened becomes here: this side's own rows of the child, the contacts and the plan."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.db.models import F

from handrail.core import audit
from handrail.core.calendar import day_of
from handrail.handovers import pack
from handrail.handovers.actions import Refused
from handrail.handovers.models import Handover, Pack
from handrail.plans import versions
from handrail.plans.content import SECTIONS
from handrail.plans.emergency import Emergency
from handrail.plans.models import PlanVersion
from handrail.schools.models import Contact, Pupil, School


def take_in(handover: Handover, content: Any, school: School, *, by: audit.Actor, at: datetime) -> Pack:
    """Keep what a pack says, as it was sent and as this side's own rows. Raises Refused for a form we do not know."""
    sent = content["pack"]
    if sent["form"] != pack.FORM:
        raise Refused("This pack was made by a newer release of Handrail. Ask the sender to ring you.")
    handover.pupil = _own_copy(handover, sent, school, by=by, at=at)
    handover.home_authority, handover.roll = sent["home"]["authority"], sent["roll"]
    handover.ring, handover.telephone = sent["home"]["ring"][:150], sent["home"]["telephone"][:30]
    handover.starts_on = date.fromisoformat(sent["starts_on"]) if sent["starts_on"] else None
    handover.save()
    return Pack.objects.create(
        handover=handover,
        number=handover.packs.filter(is_return=False).count() + 1,
        content=sent,
        sha256=pack.digest(sent),
        version=PlanVersion.objects.of_child(handover.pupil).first(),
        made_at=at,
        made_by_name=handover.other_name,
    )


def known_here(school: School, *, on: date, **facts: Any) -> tuple[Pupil | None, bool]:
    """The child as a setting knows them, and whether it does by earlier handovers alone. One who had left is there
    again from the day `on`.
    """
    known = Pupil.objects.filter(school=school, **facts).order_by(F("left_on").desc(nulls_first=True)).first()
    if known is None or known.left_on is None:
        return known, False
    known.left_on, known.joined_on = None, on
    known.save(update_fields=["left_on", "joined_on"])
    return known, Handover.objects.filter(pupil=known, made_pupil=True).exists()


def _own_copy(handover: Handover, sent: Mapping[str, Any], school: School, *, by: audit.Actor, at: datetime) -> Pupil:
    """The child as this side knows them: a row of its own, which a later pack corrects."""
    child = sent["child"]
    values = {
        "name": child["name"],
        "known_as": child["known_as"],
        "born_on": date.fromisoformat(child["born_on"]),
        "year_group": child["year_group"],
        "upn": child["upn"],
        "lives_in": sent["home"]["authority"],
    }
    pupil = handover.pupil
    if pupil is None:
        on = day_of(at)
        pupil, by_handovers = known_here(school, on=on, upn=child["upn"] or None, born_on=values["born_on"])
        handover.made_pupil = by_handovers or pupil is None
        pupil = pupil or Pupil(school=school, joined_on=on)
    for name, value in values.items():
        setattr(pupil, name, value)
    pupil.save()
    pupil.contacts.all().delete()
    for priority, contact in enumerate(sent["contacts"], 1):
        Contact.objects.create(pupil=pupil, priority=priority, **contact)
    _copy_plan(pupil, sent["plan"], by=by, at=at)
    return pupil


def _copy_plan(pupil: Pupil, plan: Mapping[str, Any], *, by: audit.Actor, at: datetime) -> None:
    newest = PlanVersion.objects.of_child(pupil).first()
    number = newest.number if newest else 0
    if plan["emergency"]:
        says = Emergency.from_json(plan["emergency"])
        number = versions.write_emergency(pupil=pupil, says=says, based_on=number, by=by, at=at)[0].number
    for section in SECTIONS:
        answers = (plan["sections"] or {}).get(section.name)
        if answers:
            made, _ = versions.write_section(
                pupil=pupil, section=section.name, answers=answers, based_on=number, by=by, at=at
            )
            number = made.number
