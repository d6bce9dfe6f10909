"""A child who arrived unannounced: the setting gives notice of the admission, and the home side says who it is.

The notice goes through the exchange as a pack does, sealed. At the home side the clock opens it, because only its
content says at which school the child is; it stays sealed there, and people read it on its page.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, cast
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction

from handrail.core import audit
from handrail.core.calendar import day_of
from handrail.core.jinja import long_date
from handrail.handovers import moves, steps
from handrail.handovers.actions import NotNow, Refused
from handrail.handovers.homes import Home
from handrail.handovers.models import Handover, Message, Setting
from handrail.handovers.moves import MOVES, Side, State
from handrail.handovers.own_copy import known_here
from handrail.schools.actions import add_pupil, change_pupil
from handrail.schools.models import Pupil, School
from tenants import exchange
from tenants.database import require_bound

FORM = 1
"""The form of a notice's content."""


class NotTheSame(Refused):
    """The child has another date of birth than the notice says, and nobody has said that it is the same child."""


# -- the setting ---------------------------------------------------------------------------------------------


@transaction.atomic
def admit(
    *,
    setting: Setting,
    name: str,
    born_on: date,
    admitted_on: date,
    home: Home,
    is_urgent: bool,
    by: audit.Actor,
    at: datetime,
) -> Handover:
    """Give notice that a child has arrived, and ask the home side for the pack. The child is known here from now on.

    Where the home side is not in the exchange, the handover waits in “Admitted, home not told” until `home_told`.
    Raises NotNow when the child is here already, and Refused for a setting without a school.
    """
    if setting.school is None:
        raise Refused("This provision has no school of its own in Handrail. Ask your authority.")
    School.objects.select_for_update().get(id=setting.school.id)  # of two who type the same child, the second is told
    pupil, by_handovers = known_here(setting.school, on=admitted_on, name__iexact=name, born_on=born_on)
    if pupil and Handover.objects.under_way().filter(side=Side.SETTING, pupil=pupil).exists():
        raise NotNow(f"{pupil} is here already. Open that handover instead.")
    by_handovers = by_handovers or pupil is None
    pupil = pupil or add_pupil(school=setting.school, name=name, born_on=born_on, joined_on=admitted_on, by=by, at=at)
    handover = Handover(
        reference=uuid4(),
        side=Side.SETTING,
        pupil=pupil,
        made_pupil=by_handovers,
        setting=setting,
        setting_name=setting.name,
        setting_urn=setting.school.urn,
        is_hospital=setting.is_hospital,
        other_role=home.role,
        other_name=home.authority[:100],
        home_authority="" if home.urn else home.code,
        school_authority=home.code if home.urn else "",
        host_authority=require_bound().code,
        is_urgent=is_urgent,
        starts_on=admitted_on,
        state=moves.after(None, "admit", by=Side.SETTING),
        since_on=day_of(at),
        due_on=day_of(at),
        notice=_content(setting, name, born_on, admitted_on, home),
        started_at=at,
    )
    handover.save(force_insert=True)
    steps.note(handover, MOVES["admit"], by=by, at=at)
    if home.role:
        steps.make(handover, "ask_for_pack", by=by, at=at)
        steps.owe(handover, Message.Kind.NOTICE, {**cast(Any, handover.notice), "move": "ask_for_pack"}, at=at)
    return handover


@transaction.atomic
def home_told(
    *,
    handover: Handover,
    home_authority: str,
    roll: str,
    ring: str,
    telephone: str,
    told_on: date,
    by: audit.Actor,
    at: datetime,
) -> Handover:
    """Record that a home side without Handrail was told of an admission, whom and on which day. The pack is asked for
    by that. Raises NotNow.
    """
    handover = steps.locked(handover)
    if handover.other_role:
        raise NotNow("The other side is told through Handrail.")
    handover.home_authority, handover.roll, handover.ring, handover.telephone = home_authority, roll, ring, telephone
    told = f"{ring}, {telephone}, told on {long_date(told_on)}"
    steps.make(handover, "ask_for_pack", by=by, at=at, said={"told": told})
    change_pupil(pupil=cast(Pupil, handover.pupil), lives_in=home_authority, by=by, at=at)
    return handover


def _content(setting: Setting, name: str, born_on: date, admitted_on: date, home: Home) -> dict[str, Any]:
    return {
        "form": FORM,
        "child": {"name": name, "born_on": born_on.isoformat()},
        "admitted_on": admitted_on.isoformat(),
        "school": {"name": home.school, "urn": home.urn},
        "ring": setting.ring,
        "telephone": setting.telephone,
    }


# -- the home side -------------------------------------------------------------------------------------------


def arrived(card: exchange.Envelope, *, at: datetime) -> Handover:
    """A handover that a setting began: what its card says, until its notice is opened."""
    sender = exchange.member_of(card.sender)
    handover = Handover(
        reference=cast(UUID, card.about),
        side=Side.HOME,
        notice={},
        setting_name=card.card.setting[:200],
        setting_urn=card.card.urn[:6],
        other_role=card.sender,
        other_name=sender.name if sender else "An authority that has left",
        host_authority=sender.code if sender else "",
        is_urgent=card.card.is_urgent,
        state=State.ADMITTED,
        since_on=day_of(at),
        started_at=at,
    )
    steps.stand(handover, State.PACK_ASKED, MOVES["ask_for_pack"], at=at)
    handover.save(force_insert=True)
    steps.add_step(handover, MOVES["ask_for_pack"], at=at, said=None, by_name=handover.other_name)
    return handover


def hear(handover: Handover, content: Any, *, at: datetime) -> None:
    """Keep what a notice says, and lead it to the school it names. One that is not open here is the authority's to
    answer. Raises exchange.CannotOpen.
    """
    handover.notice = notice = _read(content)
    handover.starts_on = date.fromisoformat(notice["admitted_on"])
    handover.school = School.objects.open().filter(urn=notice["school"]["urn"]).first()
    handover.save()
    steps.record("heard of an admission", handover, by=audit.CLOCK, at=at)


def _read(content: Any) -> dict[str, Any]:
    try:
        if content["form"] != FORM:
            raise exchange.CannotOpen("This was sent by a newer release of Handrail. Ask the sender to ring you.")
        child, school = content["child"], content["school"]
        return {
            "form": FORM,
            "child": {"name": str(child["name"])[:150], "born_on": date.fromisoformat(child["born_on"]).isoformat()},
            "admitted_on": date.fromisoformat(content["admitted_on"]).isoformat(),
            "school": {"name": str(school["name"])[:200], "urn": str(school["urn"])[:6]},
            "ring": str(content["ring"])[:150],
            "telephone": str(content["telephone"])[:30],
        }
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise exchange.CannotOpen("This could not be read. Ask the other side to ring you.") from error


def candidates(handover: Handover, *, on: date) -> list[Pupil]:
    """The children at the school who may be the one of a notice: born that day, or with that name."""
    child = (handover.notice or {}).get("child")
    if not child or handover.school is None:
        return []
    here = Pupil.objects.filter(school=handover.school).on_roll(on=on)
    born = here.filter(born_on=date.fromisoformat(child["born_on"]))
    called = here.filter(name__iexact=child["name"]) | here.filter(known_as__iexact=child["name"])
    return list((born | called).order_by("name", "id")[:20])


@transaction.atomic
def say_who(
    *,
    handover: Handover,
    pupil: Pupil,
    is_same: bool,
    home_authority: str,
    roll: str,
    ring: str,
    telephone: str,
    by: audit.Actor,
    at: datetime,
) -> Handover:
    """Say which child of the school a notice is about. The pack is written for them.

    `is_same` is needed where the dates of birth differ. Raises NotTheSame, and NotNow when it was said before, the
    handover is over, or the child is in another one.
    """
    handover = steps.locked(handover)
    if not handover.is_home or handover.pupil_id or handover.state != State.PACK_ASKED or not handover.notice:
        raise NotNow("Somebody has answered this already. Look at it again.")
    if pupil.school_id != handover.school_id:
        raise NotNow("This child is not at the school that was asked.")
    if pupil.born_on.isoformat() != handover.notice["child"]["born_on"] and not is_same:
        raise NotTheSame("The dates of birth differ. Ring them, and say below that it is the same child.")
    other = Handover.objects.under_way().filter(side=Side.HOME, pupil=pupil).first()
    taken = (
        f"{pupil} is already being handed over{' to ' + other.setting_name if other else ''}. Withdraw one of the two."
    )
    handover.pupil, handover.roll, handover.home_authority = pupil, roll, home_authority
    handover.school_authority = require_bound().code
    handover.ring, handover.telephone = ring, telephone
    try:
        with transaction.atomic():
            handover.save()
    except IntegrityError as error:
        raise NotNow(taken) from error
    change_pupil(pupil=pupil, lives_in=home_authority, by=by, at=at)
    steps.record("said who was admitted", handover, by=by, at=at, fields=["pupil"])
    return handover


@transaction.atomic
def pass_to_school(*, handover: Handover, school: School, by: audit.Actor, at: datetime) -> Handover:
    """Lead a notice that found no school to the one where the child is. Raises NotNow."""
    handover = steps.locked(handover)
    if not handover.is_home or handover.pupil_id or handover.school_id or handover.is_over:
        raise NotNow("Somebody has answered this already. Look at it again.")
    handover.school = school
    handover.save(update_fields=["school"])
    steps.record("led a notice to a school", handover, by=by, at=at, fields=["school"])
    return handover


def words_of(notice: Mapping[str, Any] | None) -> dict[str, Any]:
    """What a notice says, as a page shows it; nothing where there is none."""
    if not notice or "child" not in notice:
        return {}
    child = notice["child"]
    return {
        "name": child["name"],
        "born_on": date.fromisoformat(child["born_on"]),
        "admitted_on": date.fromisoformat(notice["admitted_on"]),
        "school": notice["school"]["name"],
        "ring": ", ".join(filter(None, (notice["ring"], notice["telephone"]))),
    }
