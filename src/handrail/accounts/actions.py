"""Every write about people."""

from datetime import datetime
from uuid import UUID

from allauth.account.models import EmailAddress
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from handrail.accounts.models import Membership, User
from handrail.accounts.roles import Role
from handrail.core import audit
from handrail.core.calendar import day_of
from handrail.core.models import CacheEntry

KEPT = frozenset({Role.AUTHORITY_ADMINISTRATOR, Role.SCHOOL_LEAD})
"""The roles of which the authority, or each school, always keeps one person."""


class NotAnEmailAddress(ValueError):
    """The address could not be written to."""


class WrongPlace(ValueError):
    """A role of a school was given at no school, one of the authority at a school, or one about a child to none."""


class LastOne(ValueError):
    """Without this person a school would have no lead, or the authority no administrator."""


@transaction.atomic
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
    """Give a person a role from today, making their account when they have none. Doing it twice changes nothing.

    The address counts as proved: they can only sign in with a code sent to it. Raises NotAnEmailAddress
    and WrongPlace.
    """
    if role.is_at_authority != (school_id is None):
        place = "the authority: give no school" if role.is_at_authority else "a school: say which"
        raise WrongPlace(f"{role.label} is a role at {place}.")
    if role.is_about_one_child != (pupil_id is not None):
        raise WrongPlace(f"{role.label} is a role about {'one child: say which' if not pupil_id else 'no child'}.")
    try:
        validate_email(email)
    except ValidationError as error:
        raise NotAnEmailAddress(f"Enter an e-mail address in the right form, like name@example.com: {email}") from error
    user = User.objects.filter(email__iexact=email).first()
    if user is None:
        user = User(email=email.lower(), name=name, joined_at=at)
        user.set_unusable_password()
        user.save()
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    _, is_new = Membership.objects.get_or_create(  # type: ignore[misc]
        user=user, role=role, school_id=school_id, pupil_id=pupil_id, to_on=None, defaults={"from_on": day_of(at)}
    )
    if is_new:
        audit.record(
            "added a person",
            by=by,
            at=at,
            subject_kind="user",
            subject_id=user.id,
            school_id=school_id,
            fields=["role"],
        )
    return user


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
def take_back_person(
    *, user_id: UUID, role: Role, school_id: UUID, since: datetime, by: audit.Actor, at: datetime
) -> bool:
    """Undo `add_person` done at the moment `since`, for somebody who has not signed in from then on.

    An account that it made goes too when no other role is left. Gives whether the person is without the role now.
    """
    membership = Membership.objects.filter(user_id=user_id, role=role, school_id=school_id, to_on=None).first()
    if membership is None:
        return True
    user = membership.user
    if user.last_login and user.last_login >= since:
        return False
    membership.delete()
    if user.joined_at >= since and not user.memberships.exists():
        user.delete()
    audit.record(
        "took back a person",
        by=by,
        at=at,
        subject_kind="user",
        subject_id=user_id,
        school_id=school_id,
        fields=["role"],
    )
    return True


@transaction.atomic
def forget_what_ended(*, at: datetime) -> int:
    """Delete sessions, and counts of tries, that no longer mean anything. Gives their number.

    Not recorded: nothing that anybody did or could see is changed by it.
    """
    sessions, _ = Session.objects.filter(expire_date__lt=at).delete()
    counts, _ = CacheEntry.objects.filter(expires__lt=at).delete()
    return sessions + counts
