"""Invitations of many people at once, from a file or to schools' offices: compared, sent and taken back.

Whoever has a role at the school already is left as they are, and so is everybody at the authority: officers, who may
send these, see no child, and must not make themselves a lead who does.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db.models.functions import Lower

from handrail.accounts.actions import Newcomer
from handrail.accounts.addresses import NotAnEmailAddress, plain_address
from handrail.accounts.models import Membership
from handrail.accounts.roles import Role
from handrail.core import audit
from handrail.core.jinja import plural
from handrail.imports.reading import Comparison, Reading
from handrail.people.actions import invite_all, take_back
from handrail.schools.models import School

OFFICE = "School office"
"""What whoever reads a school's office address is called until they sign in."""

NEW_PERSON, NEW_ROLE = "New person", "New role"
"""What a row would do, in the words of the list."""


@dataclass(frozen=True)
class Invited:
    """Somebody whom a row would invite, and who has no role at the school yet."""

    school: School
    email: str
    name: str
    role: Role
    has_role_elsewhere: bool

    @property
    def what(self) -> str:
        return NEW_ROLE if self.has_role_elsewhere else NEW_PERSON


def template_rows() -> Iterator[list[str]]:
    """Rows to be filled in: every open school with its lead as it is known, else its office."""
    for school in School.objects.open().order_by("name", "urn"):
        name, email = school.lead_name, school.lead_email
        if not email:
            name, email = OFFICE if school.office_email else "", school.office_email
        yield [school.urn, school.name, name, email, Role.SCHOOL_LEAD.label]


def office_addresses(*, on: date) -> Reading:
    """The office of each school of which nobody has signed in; those whose address is missing or wrong are skipped."""
    rows, problems = [], []
    for school in School.objects.open().never_signed_in(on=on).order_by("name", "urn"):
        typed = school.office_email
        try:
            email = plain_address(typed) if typed else ""
            advice = "" if email else "The school has no office address. Add it to the school’s contacts"
        except NotAnEmailAddress as refusal:
            email, advice = "", str(refusal)
        if email:
            rows.append({"urn": school.urn, "email": email, "role": Role.SCHOOL_LEAD, "name": OFFICE})
        else:
            about = {"line": 0, "urn": school.urn, "column": "Office e-mail", "value": typed, "skipped": True}
            problems.append({**about, "advice": f"{advice}, then start again."})
    return Reading(rows, on, {"good": len(rows), "skipped": len(problems)}, problems)


def compare(rows: list[dict[str, Any]]) -> Comparison:
    """Whom the rows would invite. Writes nothing."""
    invited = _invited(rows)
    counts = {
        "schools": len({each.school.id for each in invited}),
        "people": sum(not each.has_role_elsewhere for each in invited),
        "memberships": sum(each.has_role_elsewhere for each in invited),
        "unchanged": len(rows) - len(invited),
    }
    changes = [
        {
            "urn": each.school.urn,
            "name": each.school.name,
            "what": each.what,
            "details": [
                {"column": column, "was": "", "becomes": value}
                for column, value in (("Name", each.name), ("E-mail", each.email), ("Role", each.role.label))
            ],
        }
        for each in invited
    ]
    return Comparison(counts, changes)


def commit(rows: list[dict[str, Any]], *, by: audit.Actor, at: datetime) -> list[str]:
    """Invite those who have no role at the school yet. Gives the roles that undoing would end."""
    newcomers = [Newcomer(each.email, each.name, each.role, each.school.id) for each in _invited(rows)]
    return [str(each.id) for each in invite_all(newcomers, by=by, at=at)]


def undo(before: list[str], *, by: audit.Actor, at: datetime) -> list[str]:
    """End the roles that nobody has taken up; say in sentences what could not be undone."""
    done = take_back([UUID(each) for each in before], by=by, at=at)
    left = plural(
        done.sent,
        "message had left and cannot be called back. Its link says",
        "messages had left and cannot be called back. Their links say",
    )
    return [
        *([f"{left} that the invitation has ended."] if done.sent else []),
        *(
            f"{each.called} ({each.user.email}) is still invited: {each.school} would have no lead."
            if each.is_awaited
            else f"{each.called} ({each.user.email}) has signed in since, and still can at {each.school}."
            for each in done.stay
        ),
    ]


def _invited(rows: list[dict[str, Any]]) -> list[Invited]:
    """By school, in two questions. A row about a school that has closed in the meantime invites nobody."""
    schools = {each.urn: each for each in School.objects.open().filter(urn__in={row["urn"] for row in rows})}
    wanted = {row["email"] for row in rows}
    held = Membership.objects.alias(known_as=Lower("user__email")).filter(to_on=None, pupil=None, known_as__in=wanted)
    roles = set(held.values_list("school_id", Lower("user__email")))
    elsewhere = {email for _, email in roles}
    return [
        Invited(school, row["email"], row["name"], Role(row["role"]), row["email"] in elsewhere)
        for row in sorted(rows, key=lambda row: (row["urn"], row["email"]))
        if (school := schools.get(row["urn"])) and not {(school.id, row["email"]), (None, row["email"])} & roles
    ]
