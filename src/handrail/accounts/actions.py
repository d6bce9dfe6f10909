"""Every write about people."""

from datetime import datetime
from uuid import UUID

from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from handrail.accounts.models import Membership, User
from handrail.accounts.roles import Role
from handrail.core import audit
from handrail.core.calendar import day_of


class NotAnEmailAddress(ValueError):
    """The address could not be written to."""


@transaction.atomic
def add_person(
    *, email: str, name: str, role: Role, by: audit.Actor, at: datetime, school_id: UUID | None = None
) -> User:
    """Give a person a role from today, making their account when they have none. Doing it twice changes nothing.

    The address counts as proved: they can only sign in with a code sent to it. Raises NotAnEmailAddress.
    """
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
        user=user, role=role, school_id=school_id, to_on=None, defaults={"from_on": day_of(at)}
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
