"""The way back: the setting's return pack, frozen as the one that came; and the plan, re-issued at the home school."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from django.db import transaction

from handrail.core import audit
from handrail.core.calendar import day_of
from handrail.handovers import actions, pack, return_pack, steps
from handrail.handovers.actions import NotNow, Refused
from handrail.handovers.following import UNREADABLE, opened
from handrail.handovers.models import Handover, Message, Pack
from handrail.handovers.moves import RETURN_FOLLOWS, State
from handrail.plans import versions
from handrail.plans.content import SECTIONS
from handrail.plans.emergency import PARTS, Emergency
from handrail.plans.models import PlanVersion
from handrail.schools.models import Pupil
from tenants import exchange

EMERGENCY = "emergency"


class GapsLeft(Refused):
    """The return pack lacks something that the home school cannot do without; `missing` names it."""

    def __init__(self, missing: list[str]) -> None:
        super().__init__("Fill in what is missing first. Nothing has been sent.")
        self.missing = missing


# -- the setting ---------------------------------------------------------------------------------------------


@transaction.atomic
def write(*, handover: Handover, said: Mapping[str, str], by: audit.Actor, at: datetime) -> Handover:
    """Keep what was written for the return pack. Raises NotNow when the child is not taught here now."""
    handover = steps.locked(handover)
    if handover.is_home or not (handover.state == State.ACTIVE or handover.takes_return(on=day_of(at))):
        raise NotNow(
            "A return pack can be written while the child is taught here or goes back in steps, and for "
            f"{RETURN_FOLLOWS.days} days afterwards."
        )
    known = {name: text for name, text in said.items() if name in return_pack.NAMES or return_pack.is_number(name)}
    handover.back = {**(handover.back or {}), **known}
    handover.save(update_fields=["back"])
    steps.record("wrote for a return pack", handover, by=by, at=at, fields=sorted(known))
    return handover


def content_of(handover: Handover) -> dict[str, Any]:
    """What a return pack would hold if it were sent now."""
    pupil, written = cast(Pupil, handover.pupil), handover.back or {}
    version = PlanVersion.objects.of_child(pupil).first()
    return {
        "form": return_pack.FORM,
        "child": {"name": pupil.name, "born_on": pupil.born_on.isoformat()},
        "setting": {"name": handover.setting_name, "urn": handover.setting_urn},
        "first_session_on": _day(handover.first_session_on),
        "return_from_on": _day(handover.return_from_on),
        "said": {name: written[name] for name in return_pack.NAMES if written.get(name)},
        "hours": written.get(return_pack.HOURS, ""),
        "attendance": {code: written[code] for code in return_pack.CODES if written.get(code)},
        "plan": {
            "number": version.number if version else 0,
            "emergency": version.emergency if version else None,
            "sections": version.sections if version else None,
        },
    }


def _day(day: Any) -> str:
    return day.isoformat() if day else ""


@transaction.atomic
def send(*, handover: Handover, by: audit.Actor, at: datetime) -> Pack:
    """Freeze the return pack and owe it to the home side. A later one corrects it. Raises GapsLeft and NotNow."""
    handover = steps.locked(handover)
    content = content_of(handover)
    missing = return_pack.gaps(content)
    if missing:
        raise GapsLeft(missing)
    if handover.is_over and not handover.takes_return(on=day_of(at)):
        raise NotNow(f"It is over for more than {RETURN_FOLLOWS.days} days. Ring the home school.")
    steps.make(handover, "send_back", by=by, at=at)
    made = _keep(handover, content, by_name=by.actor_name, at=at)
    owed = {"move": "send_back", "number": made.number, "pack": content}
    steps.owe(handover, Message.Kind.RETURN, owed, at=at)
    return made


def _keep(handover: Handover, content: dict[str, Any], *, by_name: str, at: datetime) -> Pack:
    return Pack.objects.create(
        handover=handover,
        is_return=True,
        number=handover.packs.filter(is_return=True).count() + 1,
        content=content,
        sha256=pack.digest(content),
        made_at=at,
        made_by_name=by_name,
    )


# -- the home side -------------------------------------------------------------------------------------------


@transaction.atomic
def open_back(*, handover: Handover, by: audit.Actor, at: datetime) -> Pack:
    """Open the newest return pack that came, and tell the setting that it arrived.

    Raises Refused when there is none, it was taken back or its time is over; and exchange.CannotOpen.
    """
    handover = steps.locked(handover)
    waiting = handover.messages.filter(way="in", kind=Message.Kind.RETURN, done_at=None).order_by("-number")
    message = waiting.first()
    if message is None or not handover.return_waits(on=day_of(at)):
        raise NotNow("There is no return pack here that waits to be opened.")
    try:
        made = _keep(handover, _read(opened(message, at=at)), by_name=handover.other_name, at=at)
    except exchange.Refused as refusal:
        raise Refused(str(refusal)) from refusal
    differs = differences(steps.child_in(handover), made.content)
    made.has_other_steps = any(part.name == EMERGENCY for part in differs)
    made.save(update_fields=["has_other_steps"])
    waiting.update(done_at=at)
    exchange.end(cast(UUID, message.envelope_id), at=at)
    actions.make_move(
        handover=handover, name="open_back", by=by, at=at, said={"by": by.actor_name, "digest": made.sha256}
    )
    return made


def _read(content: Any) -> dict[str, Any]:
    """What a setting sent back, if we know its form. Raises Refused and exchange.CannotOpen."""
    try:
        sent: dict[str, Any] = content["pack"]
        if sent["form"] != return_pack.FORM:
            raise Refused("This was made by a newer release of Handrail. Ask the sender to ring you.")
        _ = {**sent["said"], **sent["attendance"], **sent["plan"]}, sent["hours"]
        if sent["plan"]["emergency"]:
            Emergency.from_json(sent["plan"]["emergency"])
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        if isinstance(error, Refused):
            raise
        raise exchange.CannotOpen(UNREADABLE) from error
    return sent


@dataclass(frozen=True)
class Part:
    """A part of the plan in which the draft that came back differs from the school's own."""

    name: str
    title: str
    ours: list[str]
    theirs: list[str]


def draft_of(content: Mapping[str, Any]) -> tuple[Emergency | None, dict[str, dict[str, str]]]:
    """The plan that came back: the emergency steps, and the sections with what the return needs."""
    plan = content["plan"]
    sections = {name: dict(answers) for name, answers in (plan["sections"] or {}).items()}
    if timetable := content["said"].get("timetable"):
        sections.setdefault("learning", {})["reintegration"] = timetable
    return Emergency.from_json(plan["emergency"]) if plan["emergency"] else None, sections


def differences(pupil: Pupil, content: Mapping[str, Any]) -> list[Part]:
    """The parts of the plan that the setting has changed, in the order of the plan."""
    version = PlanVersion.objects.of_child(pupil).first()
    steps, sections = draft_of(content)
    ours = version.says if version else None
    found = []
    if steps and steps != ours:
        found.append(Part(EMERGENCY, "What to do in an emergency", _lines(ours), _lines(steps)))
    for section in SECTIONS:
        theirs = sections.get(section.name) or {}
        own = dict(version.answers.get(section.name, {})) if version else {}
        labels = {each.name: each.label for each in section.questions}
        if theirs and {**own, **theirs} != own:
            found.append(Part(section.name, section.title, _said(own, labels), _said({**own, **theirs}, labels)))
    return found


def _lines(says: Emergency | None) -> list[str]:
    return [f"{words}: {line}" for part, words in PARTS.items() for line in says.lines(part) if line] if says else []


def _said(answers: Mapping[str, str], labels: Mapping[str, str]) -> list[str]:
    return [f"{labels[name]} {text}" for name, text in answers.items() if name in labels and text]


@transaction.atomic
def reissue(
    *, handover: Handover, parts: Collection[str], based_on: int, by: audit.Actor, at: datetime
) -> PlanVersion | None:
    """Take these parts of the draft that came back into the school's own plan, as its next version.

    Without any the plan stands as it is, and that is noted too. Raises NotNow, and versions.ChangedMeanwhile when
    somebody changed such a part since version `based_on` was shown.
    """
    handover = steps.locked(handover)
    newest, pupil = handover.newest_pack(is_return=True), handover.pupil
    if not handover.is_home or newest is None or pupil is None:
        raise NotNow("There is no return pack here whose plan could be used.")
    emergency, sections = draft_of(newest.content)
    number = based_on
    own = PlanVersion.objects.of_child(pupil).first()
    if EMERGENCY in parts and emergency:
        number = versions.write_emergency(pupil=pupil, says=emergency, based_on=number, by=by, at=at)[0].number
    for section in SECTIONS:
        if section.name in parts and sections.get(section.name):
            kept = dict(own.answers.get(section.name, {})) if own else {}
            answers = {**kept, **sections[section.name]}
            made, _ = versions.write_section(
                pupil=pupil, section=section.name, answers=answers, based_on=number, by=by, at=at
            )
            number = made.number
    newest.version = PlanVersion.objects.of_child(pupil).first()
    newest.save(update_fields=["version"])
    steps.record("re-issued a plan after a return", handover, by=by, at=at, fields=sorted(parts))
    return newest.version
