"""Where a child comes from: a school of any authority in the register, or the authority alone."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from handrail.schools import authorities as known
from handrail.schools.duty import SCHOOL_GROUPS
from tenants import exchange
from tenants.exchange import Member
from tenants.models import Establishment, EstablishmentLink

MOST = 20


class NotFound(ValueError):
    """No open school is called that; the message says what to do instead."""


@dataclass(frozen=True)
class Home:
    """An authority, with a school of it where one is known. `role` is empty while it is not in the exchange."""

    code: str
    authority: str
    role: str = ""
    urn: str = ""
    school: str = ""
    town: str = ""
    type_name: str = ""


def schools_called(words: str) -> list[Home]:
    """Open schools with this URN, or these words in their names. Raises NotFound, also when one has closed for good."""
    if words.isdigit():
        return _with_urn(words)
    found = Establishment.objects.filter(status_code__in=Establishment.OPEN_STATUSES, group_code__in=SCHOOL_GROUPS)
    for word in words.split():
        found = found.filter(name__icontains=word)
    homes = _as_homes(found.order_by("name", "urn")[:MOST])
    if not homes:
        raise NotFound("No open school is called that. Try fewer words, or its URN, or select the authority")
    return homes


def authorities() -> list[Home]:
    """Every authority of the register and of the exchange, by name."""
    members = {each.code: each for each in exchange.members()}
    return [Home(code, name, _role(members.get(code))) for code, name in known.authorities().items()]


def authority(code: str) -> Home:
    """The one with this code. Raises NotFound."""
    for each in authorities():
        if each.code == code:
            return each
    raise NotFound("Select the authority from the list")


def _with_urn(urn: str) -> list[Home]:
    """The open school with this URN, or those that followed it when it closed."""
    if len(urn) != 6:
        raise NotFound("A URN has six digits")
    school = Establishment.objects.filter(urn=urn).first()
    if school is None:
        raise NotFound(f"No school in the national register has the URN {urn}. Check it, or search for the name")
    if school.status_code in Establishment.OPEN_STATUSES:
        return _as_homes([school])
    followed = _as_homes(open_successors(urn))
    if not followed:
        raise NotFound(f"{school.name} has closed{_day(school.closed_on)}. Search for the child’s school now")
    return followed


def _day(on: date | None) -> str:
    return f", on {on.day} {on:%B %Y}" if on else ""


def open_successors(urn: str) -> Iterator[Establishment]:
    """The open schools at the end of the chain of successors, which may branch, and may lead round in a ring."""
    seen, waiting = {urn}, [urn]
    while waiting:
        links = EstablishmentLink.objects.filter(urn__in=waiting, link_type__startswith="Successor")
        following = {each.link_urn for each in links} - seen
        seen |= following
        schools = Establishment.objects.filter(urn__in=following).order_by("name", "urn")
        waiting = [each.urn for each in schools if each.status_code not in Establishment.OPEN_STATUSES]
        yield from (each for each in schools if each.urn not in waiting)


def _as_homes(schools: Iterable[Establishment]) -> list[Home]:
    members = {each.code: each for each in exchange.members()}
    return [
        Home(
            code=each.la_code,
            authority=each.la_name,
            role=_role(members.get(each.la_code)),
            urn=each.urn,
            school=each.name,
            town=each.town,
            type_name=each.type_name,
        )
        for each in schools
    ]


def _role(member: Member | None) -> str:
    return member.role if member and member.is_joined else ""
