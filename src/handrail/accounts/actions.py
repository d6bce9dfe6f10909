"""Every write about people."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models.functions import Lower

from handrail.accounts.models import Membership, Session, User
from handrail.accounts.roles import Role
from handrail.core import audit
from handrail.core.calendar import day_of
from handrail.core.models import CacheEntry

KEPT = frozenset({Role.AUTHORITY_ADMINISTRATOR, Role.SCHOOL_LEAD})
"""The roles of which the authority, or each school, always keeps one person."""


A_DAY = timedelta(days=1)


class NotAnEmailAddress(ValueError):
    """The address could not be written to."""


class WrongPlace(ValueError):
    """A role of a school was given at no school, one of the authority at a school, or one about a child to none."""


class LastOne(ValueError):
    """Without this person a school would have no lead, or the authority no administrator."""


@dataclass(frozen=True)
class Newcomer:
    """Somebody who is to have a role; at the authority when no school is given."""

    email: str
    name: str
    role: Role
    school_id: UUID | None = None
    pupil_id: UUID | None = None


def add_person(
    *,
    email: str,
    name: str,
    role: Role,
    by: audit.Actor,
    at: datetime,
    school_id: UUID | None = None,
    pupil_id: UUID | None = None,
) -> User:
    """Give a person a role from today: see `add_people`."""
    [user] = add_people([Newcomer(email, name, role, school_id, pupil_id)], by=by, at=at)
    return user


@transaction.atomic
def add_people(people: Sequence[Newcomer], *, by: audit.Actor, at: datetime) -> list[User]:
    """Give people roles from today, making accounts for those who have none. Doing it twice changes nothing.

    The addresses count as proved: they can only sign in with a code sent to it. Gives a user for each of `people`.
    Raises NotAnEmailAddress and WrongPlace.
    """
    for each in people:
        _check(each)
    emails = {each.email.lower() for each in people}
    # Locked, so that two who add the same person wait for each other; the second then finds the role there.
    known = User.objects.alias(known_as=Lower("email")).filter(known_as__in=emails).order_by("id")
    users: dict[str, User] = {user.email.lower(): user for user in known.select_for_update(no_key=True)}
    made: dict[str, User] = {}
    for each in people:
        email = each.email.lower()
        if email not in users and email not in made:
            made[email] = User(email=email, name=each.name, joined_at=at)
            made[email].set_unusable_password()
    User.objects.bulk_create(made.values())
    EmailAddress.objects.bulk_create(
        EmailAddress(user=user, email=email, verified=True, primary=True) for email, user in made.items()
    )
    users |= made
    wanted = {
        (users[each.email.lower()].id, str(each.role), each.school_id, each.pupil_id): Membership(
            user=users[each.email.lower()],
            role=each.role,
            school_id=each.school_id,
            pupil_id=each.pupil_id,
            from_on=day_of(at),
        )
        for each in people
    }
    held = Membership.objects.filter(user__in=users.values(), to_on=None)
    there = set(held.values_list("user_id", "role", "school_id", "pupil_id"))
    new = [membership for role, membership in wanted.items() if role not in there]
    Membership.objects.bulk_create(new)
    _record_roles("added a person", new, by=by, at=at)
    return [users[each.email.lower()] for each in people]


@transaction.atomic
def end_membership(*, membership: Membership, by: audit.Actor, at: datetime) -> None:
    """Take a role from a person at once. The account stays, so that what they did keeps its name.

    Ending it twice changes nothing. Raises LastOne: a school keeps a lead and the authority an administrator.
    """
    role, on = Role(membership.role), day_of(at)
    open_ones = Membership.objects.filter(role=role, school_id=membership.school_id, to_on=None)  # type: ignore[misc]
    # Locked, so that two people who end each other's cannot both succeed.
    holders = {each.id: each for each in open_ones.select_for_update(of=("self",)).select_related("user")}
    mine = holders.pop(membership.id, None)
    if mine is None:
        return
    if role in KEPT and not any(each.user.is_active and each.from_on <= on for each in holders.values()):
        where = f"at {membership.school}" if membership.school else "at the authority"
        raise LastOne(f"Add another {role.label.lower()} {where} before you remove {mine.user.name}.")
    mine.to_on = max(on, mine.from_on)
    mine.save(update_fields=["to_on"])
    audit.record(
        "ended a role",
        by=by,
        at=at,
        subject_kind="user",
        subject_id=mine.user_id,
        school_id=mine.school_id,
        fields=["role"],
    )


@transaction.atomic
def take_back_leads(
    leads: Sequence[tuple[UUID, UUID]], *, since: datetime, by: audit.Actor, at: datetime
) -> set[tuple[UUID, UUID]]:
    """Undo `add_people` done at the moment `since` for school leads, by user's and school's id, who have not signed in
    from then on.

    An account that it made goes too when no other role is left. Gives those who are leads still.
    """
    held = Membership.objects.filter(role=Role.SCHOOL_LEAD, to_on=None, user_id__in={user for user, _ in leads})
    there = {(each.user_id, each.school_id): each for each in held.select_related("user")}
    asked = {key: there[key] for key in leads if key in there}
    stay = {key for key, each in asked.items() if each.user.last_login and each.user.last_login >= since}
    gone = [each for key, each in asked.items() if key not in stay]
    Membership.objects.filter(id__in=[each.id for each in gone]).delete()
    made = User.objects.filter(id__in={each.user_id for each in gone}, joined_at__gte=since, memberships=None)
    made.delete()
    _record_roles("took back a person", gone, by=by, at=at)
    return stay


@transaction.atomic
def close_account(*, user: User, by: audit.Actor, at: datetime) -> None:
    """End everything that a person may do, and let them in no more. What they did keeps their name.

    Closing it twice changes nothing. Raises LastOne: a school keeps a lead and the authority an administrator.
    """
    if not User.objects.select_for_update().filter(id=user.id, is_active=True).exists():
        return
    for membership in user.memberships.filter(to_on=None):
        end_membership(membership=membership, by=by, at=at)
    user.is_active = False
    user.save(update_fields=["is_active"])
    end_sessions(user=user, by=by, at=at)
    audit.record("closed an account", by=by, at=at, subject_kind="user", subject_id=user.id, fields=["is_active"])


@transaction.atomic
def end_sessions(*, user: User, by: audit.Actor, at: datetime, but: UUID | None = None) -> int:
    """Sign a person out everywhere at once, but in the session `but`. Gives the number of sessions."""
    others = user.sessions.exclude(id=but)  # type: ignore[misc]
    return _end(others, user_id=user.id, by=by, at=at)


@transaction.atomic
def end_session(*, session: Session, by: audit.Actor, at: datetime) -> None:
    """Sign a person out of one session. What its browser asks for next is asked for by nobody."""
    _end(Session.objects.filter(id=session.id), user_id=session.user_id, by=by, at=at)


def _end(sessions: Any, *, user_id: UUID | None, by: audit.Actor, at: datetime) -> int:
    """Those that are open. They go at once, so that nothing is kept for somebody who may be gone."""
    was_open = sessions.filter(expire_date__gt=at).count()
    sessions.all().delete()
    if was_open:
        audit.record("ended sessions", by=by, at=at, subject_kind="user", subject_id=user_id)
    return int(was_open)


@transaction.atomic
def forget_what_ended(*, at: datetime) -> int:
    """Delete sessions a day after they ended, and counts of tries that no longer mean anything. Gives their number.

    Not recorded: nothing that anybody did or could see is changed by it.
    """
    sessions, _ = Session.objects.filter(expire_date__lt=at - A_DAY).delete()
    counts, _ = CacheEntry.objects.filter(expires__lt=at).delete()
    return sessions + counts


def _check(person: Newcomer) -> None:
    role = person.role
    if role.is_at_authority != (person.school_id is None):
        place = "the authority: give no school" if role.is_at_authority else "a school: say which"
        raise WrongPlace(f"{role.label} is a role at {place}.")
    if role.is_about_one_child != (person.pupil_id is not None):
        child = "no child" if person.pupil_id else "one child: say which"
        raise WrongPlace(f"{role.label} is a role about {child}.")
    try:
        validate_email(person.email)
    except ValidationError as error:
        raise NotAnEmailAddress(
            f"Enter an e-mail address in the right form, like name@example.com: {person.email}"
        ) from error


def _record_roles(verb: str, memberships: Iterable[Membership], *, by: audit.Actor, at: datetime) -> None:
    about = [audit.Subject(each.user_id, each.school_id, ["role"]) for each in memberships]
    audit.record_each(verb, about, by=by, at=at, subject_kind="user")
