"""Which schools and provision teach children who are too ill for school: an officer confirms each; and finding them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from handrail.core import audit
from handrail.core.calendar import day_of
from handrail.handovers.actions import Destination
from handrail.handovers.homes import open_successors
from handrail.handovers.models import Handover, Setting
from handrail.handovers.moves import MOVES, Side, State, due_on
from handrail.handovers.reminders import owe_news
from handrail.schools.duty import SETTINGS
from handrail.schools.models import School, Term
from handrail.schools.own_schools import OWN, NoneLeft, add_without_urn
from tenants import exchange
from tenants.database import require_bound
from tenants.exchange import Member
from tenants.models import Establishment


class NoSetting(ValueError):
    """A type of school that cannot be a hospital school or the like."""


@transaction.atomic
def confirm_setting(
    *, school: School | None, name: str, kind: str, ring: str, telephone: str, by: audit.Actor, at: datetime
) -> Setting:
    """Confirm that a school, or provision without a URN, teaches children who are too ill for school.

    A name that says “hospital” proves nothing, so an officer confirms each. Provision without a URN becomes a school
    of the authority's own, so that people can be invited there and receive children. Raises NoSetting.
    """
    if school and school.has_urn and not school.may_be_a_setting:
        raise NoSetting(f"{school.name} is a {school.type_name.lower()}, which cannot be a hospital school or the like")
    school = school or _without_urn(name, kind, by=by, at=at)
    values = {
        "name": school.name,
        "kind": kind,
        "ring": ring,
        "telephone": telephone,
        "confirmed_at": at,
        "confirmed_by": by.actor_id,
        "confirmed_by_name": by.actor_name,
    }
    setting, _ = Setting.objects.update_or_create(school=school, defaults=values)
    publish_hospitals()
    take_in(setting, at=at)
    audit.record(
        "confirmed a setting",
        by=by,
        at=at,
        subject_kind="setting",
        subject_id=setting.id,
        school_id=school.id,
    )
    return setting


def take_in(setting: Setting, *, at: datetime) -> None:
    """Give a setting what came for it before anybody had confirmed it, or under the number of the school that it was.
    The clocks began when each came. The caller has the transaction.
    """
    calendar = Term.objects.calendar()
    waiting = Handover.objects.filter(side=Side.SETTING, setting=None).under_way().select_for_update()
    found = [each for each in waiting if setting_of(each.setting_urn) == setting]
    for handover in found:
        handover.setting, handover.is_hospital = setting, setting.is_hospital
        if handover.state == State.SUBMITTED:
            is_hospital = setting.is_hospital
            handover.due_on = due_on(MOVES["submit"], on=handover.since_on, calendar=calendar, is_hospital=is_hospital)
        handover.save(update_fields=["setting", "is_hospital", "due_on"])
    if found:
        owe_news(on=day_of(at), at=at)


def setting_of(urn: str) -> Setting | None:
    """The confirmed setting with this URN in the bound authority, or the one that a school with this URN became or was
    merged into, where the register says just one.
    """
    there: Any = Setting.objects.filter(school__closed_on=None)
    followed = {each.urn for each in open_successors(urn)}
    same, became = Q(school__urn=urn), Q(school__converted_from__urn=urn)
    merged = Q(school__urn__in=followed if len(followed) == 1 else [])
    return next(filter(None, (there.filter(each).first() for each in (same, became, merged))), None)


def publish_hospitals() -> None:
    """Let the other authorities know which of the settings are hospital schools: they wait a day for those."""
    hospitals = Setting.objects.filter(kind=Setting.Kind.HOSPITAL).exclude(school__urn__startswith=OWN)
    exchange.publish_hospitals(hospitals.values_list("school__urn", flat=True))


def _without_urn(name: str, kind: str, *, by: audit.Actor, at: datetime) -> School:
    known: School | None = School.objects.filter(urn__startswith=OWN, name=name).first()
    if known:
        return known
    try:
        return add_without_urn(name=name, type_name=Setting.Kind(kind).label, by=by, at=at)
    except NoneLeft as error:
        raise NoSetting(str(error)) from error


# -- settings of any authority, in the register of schools ---------------------------------------------------

MOST = 20


@dataclass(frozen=True)
class Place:
    """A school in the register that may be a setting, and its authority if that is in the exchange."""

    urn: str
    name: str
    town: str
    type_name: str
    authority_name: str
    authority_code: str
    member: Member | None

    def as_destination(self) -> Destination:
        """Of an authority that is not in the exchange `role` is empty: the setting is rung, or has a guest page.

        Whether it is a hospital school says its own authority: a name or a type of school does not.
        """
        member = self.member
        own = Setting.objects.filter(school__urn=self.urn).first()
        return Destination(
            role=member.role if member else "",
            authority=member.name if member else self.authority_name,
            authority_code=self.authority_code,
            setting=self.name,
            urn=self.urn,
            is_hospital=bool((own and own.is_hospital) or (member and self.urn in member.hospitals)),
        )


def places_called(words: str) -> list[Place]:
    """Open schools of a type that may be a setting, by URN or by words of their name, in every authority. Of a URN that
    has closed, the ones that followed it.
    """
    found = Establishment.objects.filter(type_code__in=SETTINGS, status_code__in=Establishment.OPEN_STATUSES)
    if words.isdigit():
        followed = [each.urn for each in open_successors(words)] if closed_place(words) else []
        found = found.filter(urn__in=[words, *followed])
    for word in () if words.isdigit() else words.split():
        found = found.filter(name__icontains=word)
    members = {each.code: each for each in exchange.members()}
    own = _own_called(words, members)
    return (own + [_place(each, members) for each in found.order_by("name", "urn")[:MOST]])[:MOST]


def closed_place(urn: str) -> Establishment | None:
    """The school with this URN if it has closed: whoever looks for it is told."""
    return Establishment.objects.filter(urn=urn, status_code=Establishment.Status.CLOSED).first()


def _own_called(words: str, members: Mapping[str, Member]) -> list[Place]:
    """The authority's own settings without a URN, which no register has."""
    found = Setting.objects.filter(school__urn__startswith=OWN, school__closed_on=None).select_related("school")
    for word in words.split():
        found = found.filter(school__urn=word) if words.isdigit() else found.filter(name__icontains=word)
    own = require_bound()
    member = members.get(own.code)
    return [
        Place(
            urn=each.school.urn if each.school else "",
            name=each.name,
            town="",
            type_name=each.get_kind_display(),
            authority_name=own.name,
            authority_code=own.code,
            member=member if member and member.is_joined else None,
        )
        for each in found
    ]


def place_of(urn: str) -> Place | None:
    """The one with this URN, if it is open and may be a setting."""
    return next((each for each in places_called(urn) if each.urn == urn), None) if urn.isdigit() else None


def _place(each: Establishment, members: Mapping[str, Member]) -> Place:
    member = members.get(each.la_code)
    return Place(
        urn=each.urn,
        name=each.name,
        town=each.town,
        type_name=each.type_name,
        authority_name=each.la_name,
        authority_code=each.la_code,
        member=member if member and member.is_joined else None,
    )
