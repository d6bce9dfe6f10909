"""What a pack that was opened becomes here: this side's own rows of the child, the contacts and the plan.

Of the contacts, the emergency steps and each section of the plan the pack brings what is new in it: where the setting
has written its own, or changed what came before, its own stays, and `others` says what the pack has instead.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, cast

from django.db.models import F

from handrail.core import audit
from handrail.core.calendar import day_of
from handrail.core.jinja import long_date
from handrail.handovers import pack
from handrail.handovers.actions import Refused
from handrail.handovers.models import Handover, Pack
from handrail.plans import versions
from handrail.plans.content import BY_NAME, SECTIONS
from handrail.plans.emergency import PARTS, Emergency
from handrail.plans.models import PlanVersion
from handrail.schools.models import Contact, Pupil, School

CONTACTS, EMERGENCY = "contacts", "emergency"
OF_CONTACT = ("name", "relation", "phone", "email", "has_parental_responsibility")


def take_in(handover: Handover, content: Any, school: School, *, by: audit.Actor, at: datetime) -> Pack:
    """Keep what a pack says, as it was sent and as this side's own rows. Raises Refused for a form we do not know."""
    sent = content["pack"]
    if sent["form"] != pack.FORM:
        raise Refused("This pack was made by a newer release of Handrail. Ask the sender to ring you.")
    handover.pupil = _own_copy(handover, sent, school, by=by, at=at)
    handover.home_authority = sent["home"]["authority"]
    handover.ring, handover.telephone = sent["home"]["ring"][:150], sent["home"]["telephone"][:30]
    if not handover.steps.filter(move="accept").exists():  # then what was agreed stands, whatever was asked for
        handover.roll = sent["roll"]
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
    """The child as this side knows them: a row of its own, which a later pack corrects. Raises Refused."""
    child = sent["child"]
    values = {
        "name": child["name"],
        "known_as": child["known_as"],
        "born_on": date.fromisoformat(child["born_on"]),
        "year_group": child["year_group"],
        "upn": child["upn"],
        "lives_in": sent["home"]["authority"],
    }
    pupil = _listed(handover, school, upn=child["upn"], born_on=values["born_on"]) or handover.pupil
    if pupil is None:
        on = day_of(at)
        pupil, by_handovers = known_here(school, on=on, upn=child["upn"] or None, born_on=values["born_on"])
        handover.made_pupil = by_handovers or pupil is None
        pupil = pupil or Pupil(school=school, joined_on=on)
    for name, value in values.items():
        setattr(pupil, name, value)
    pupil.save()
    came, own = _parts(sent), _own_parts(pupil)
    before, agreed = _before(handover, pupil)
    new = {
        part: says
        for part, says in came.items()
        if says not in (own.get(part), before.get(part))
        and own.get(part) in (None, *(each.get(part) for each in agreed))
    }
    if CONTACTS in new:
        pupil.contacts.all().delete()
        for priority, contact in enumerate(sent["contacts"], 1):
            Contact.objects.create(pupil=pupil, priority=priority, **contact)
    _copy_plan(pupil, new, by=by, at=at)
    return pupil


def _before(handover: Handover, pupil: Pupil) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What the newest pack of this handover said that was opened, and what of the child came or went last: where the
    setting's own is still one of these, it has not changed it since.
    """
    if opened := handover.newest_pack():
        before = _parts(opened.content)
        return before, [before]
    earlier = Pack.objects.filter(handover__pupil=pupil, handover__side=handover.side).order_by("-made_at", "-number")
    last = [earlier.filter(is_return=is_return).first() for is_return in (False, True)]
    return {}, [_parts(each.content) for each in last if each]


def _listed(handover: Handover, school: School, *, upn: str, born_on: date) -> Pupil | None:
    """The other child on the setting's list who has the UPN of the pack, and so is the one whom it is about. What the
    notice of an admission made of them goes, where nothing was written there. Raises Refused.
    """
    listed = Pupil.objects.filter(school=school, left_on=None, upn=upn).first() if upn else None
    if listed is None or listed == handover.pupil:
        return None
    if listed.born_on != born_on:
        raise Refused(
            f"{listed.name}, born on {long_date(listed.born_on)}, is on your list with the unique pupil number of this "
            f"pack, whose child was born on {long_date(born_on)}. Find out which is right, correct your list or ask "
            "the sender for a corrected pack, and open it then."
        )
    second = handover.pupil
    if second and second.left_on is None and not (handover.made_pupil and _is_empty(second, but=handover)):
        raise Refused(
            f"{listed.name} is on your list with the unique pupil number of this pack, and this handover is about "
            f"{second.name}, of whom something is written here. They are one child. Copy what is needed to "
            f"{listed.name}, record that {second.name} left, and open the pack then."
        )
    handover.pupil, handover.made_pupil = listed, False
    handover.save(update_fields=["pupil", "made_pupil"])
    if second and second.left_on is None:
        second.delete()
    return listed


def _is_empty(pupil: Pupil, *, but: Handover) -> bool:
    """Whether nothing is written of a child here but this handover."""
    relations = [each for each in Pupil._meta.get_fields(include_hidden=True) if each.one_to_many or each.one_to_one]
    for relation in cast(Any, relations):
        rows = relation.related_model._base_manager.filter(**{relation.field.name: pupil})
        if (rows.exclude(id=but.id) if relation.related_model is Handover else rows).exists():
            return False
    return True


def _copy_plan(pupil: Pupil, parts: Mapping[str, Any], *, by: audit.Actor, at: datetime) -> None:
    newest = PlanVersion.objects.of_child(pupil).first()
    number = newest.number if newest else 0
    if EMERGENCY in parts:
        says = parts[EMERGENCY]
        number = versions.write_emergency(pupil=pupil, says=says, based_on=number, by=by, at=at)[0].number
    for section in SECTIONS:
        if section.name in parts:
            made, _ = versions.write_section(
                pupil=pupil, section=section.name, answers=parts[section.name], based_on=number, by=by, at=at
            )
            number = made.number


# -- part by part --------------------------------------------------------------------------------------------


def _parts(content: Mapping[str, Any]) -> dict[str, Any]:
    """What a pack says, by the parts that are copied one by one. What it does not say is not there."""
    plan = content.get("plan") or {}
    contacts = [{name: each[name] for name in OF_CONTACT} for each in content.get("contacts", ())]
    steps = Emergency.from_json(plan["emergency"]) if plan.get("emergency") else None
    return _said(contacts, steps, plan.get("sections") or {})


def _own_parts(pupil: Pupil) -> dict[str, Any]:
    """The same of what the setting itself has."""
    newest = PlanVersion.objects.of_child(pupil).first()
    contacts = [{name: getattr(each, name) for name in OF_CONTACT} for each in Contact.objects.of_child(pupil)]
    return _said(contacts, newest.says if newest else None, newest.answers if newest else {})


def _said(contacts: list[Any], steps: Emergency | None, sections: Mapping[str, Any]) -> dict[str, Any]:
    kept = {
        section.name: {each.name: answers[each.name] for each in section.questions if answers.get(each.name)}
        for section in SECTIONS
        if (answers := sections.get(section.name))
    }
    found = {CONTACTS: contacts, EMERGENCY: steps, **kept}
    return {part: says for part, says in found.items() if says}


@dataclass(frozen=True)
class Other:
    """A part of which the setting has its own and the pack says something else, each in lines."""

    title: str
    ours: list[str]
    theirs: list[str]


def others(handover: Handover) -> list[Other]:
    """Where the newest pack that was opened says something else than the setting's own, in the order of need."""
    newest, pupil = handover.newest_pack(), handover.pupil
    if handover.is_home or handover.is_over or not handover.other_role or newest is None or pupil is None:
        return []
    came, own = _parts(newest.content), _own_parts(pupil)
    titles = {EMERGENCY: "What to do in an emergency", CONTACTS: "Contacts"}
    titles |= {section.name: section.title for section in SECTIONS}
    return [
        Other(title, _lines(part, own.get(part)), _lines(part, came[part]))
        for part, title in titles.items()
        if part in came and came[part] != own.get(part)
    ]


def _lines(part: str, says: Any) -> list[str]:
    if not says:
        return []
    if part == EMERGENCY:
        return [f"{words}: {line}" for name, words in PARTS.items() for line in says.lines(name) if line]
    if part == CONTACTS:
        return [
            ", ".join(filter(None, (each["name"], each["relation"], each["phone"], each["email"]))) for each in says
        ]
    return [f"{each.label} {says[each.name]}" for each in BY_NAME[part].questions if each.name in says]
