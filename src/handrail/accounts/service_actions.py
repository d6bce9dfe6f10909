"""Every write about sign-in services, and about the people who sign in with them."""

from datetime import datetime

from allauth.socialaccount.models import SocialAccount
from django.db import transaction

from handrail.accounts.models import SignInService, User
from handrail.accounts.second_step.actions import SHOWED_IT, LastOne, has_one
from handrail.core import audit

CHANGEABLE = ("name", "client_id", "second_factor_claim", "second_factor_value")


class IssuerTaken(ValueError):
    """The authority has a service with this issuer."""


class ConnectedToSomebodyElse(ValueError):
    """The sign-in belongs to another person here."""


@transaction.atomic
def add_service(
    *,
    name: str,
    issuer: str,
    client_id: str,
    client_secret: str,
    second_factor_claim: str,
    second_factor_value: str,
    by: audit.Actor,
    at: datetime,
) -> SignInService:
    """Add a sign-in service, switched off. `issuer` is the provider's own word for itself. Raises IssuerTaken."""
    service, is_new = SignInService.objects.get_or_create(
        issuer=issuer,
        defaults={
            "name": name,
            "client_id": client_id,
            "client_secret": client_secret,
            "second_factor_claim": second_factor_claim,
            "second_factor_value": second_factor_value,
            "added_at": at,
        },
    )
    if not is_new:
        raise IssuerTaken(f"{service.name} has this address already. Change that one instead")
    _record("added a sign-in service", service, by=by, at=at, fields=[*CHANGEABLE, "issuer", "client_secret"])
    return service


@transaction.atomic
def change_service(
    *,
    service: SignInService,
    name: str,
    client_id: str,
    client_secret: str,
    second_factor_claim: str,
    second_factor_value: str,
    by: audit.Actor,
    at: datetime,
) -> None:
    """Change a service; an empty secret keeps the one that it has. Changing nothing is recorded as nothing."""
    service = SignInService.objects.select_for_update().get(id=service.id)
    wanted = {
        "name": name,
        "client_id": client_id,
        "second_factor_claim": second_factor_claim,
        "second_factor_value": second_factor_value,
    }
    fields = [field for field in CHANGEABLE if getattr(service, field) != wanted[field]]
    for field in fields:
        setattr(service, field, wanted[field])
    if client_secret:
        service.client_secret = client_secret
        fields.append("client_secret")
    if fields:
        service.save(update_fields=fields)
        _record("changed a sign-in service", service, by=by, at=at, fields=fields)


@transaction.atomic
def switch_service(*, service: SignInService, is_on: bool, by: audit.Actor, at: datetime) -> None:
    """Offer a service to people, or stop it at once: also for those who are at the provider. Who is in stays in."""
    if SignInService.objects.filter(id=service.id, is_on=not is_on).update(is_on=is_on):
        _record(f"switched a sign-in service {'on' if is_on else 'off'}", service, by=by, at=at, fields=["is_on"])


@transaction.atomic
def remove_service(*, service: SignInService, by: audit.Actor, at: datetime) -> None:
    """Take a service away for good, with everybody's connection to it. Who is in stays in.

    Removing it twice changes nothing.
    """
    gone, _ = SignInService.objects.filter(id=service.id).delete()
    SocialAccount.objects.filter(provider=str(service.id)).delete()
    if gone:
        _record("removed a sign-in service", service, by=by, at=at)


@transaction.atomic
def connect_service(*, service: SignInService, user: User, subject: str, at: datetime) -> bool:
    """Let somebody who is signed in sign in with a service from now on, and give whether that is new.

    Raises ConnectedToSomebodyElse: one sign-in at the provider opens one account here.
    """
    account, is_new = SocialAccount.objects.get_or_create(
        provider=str(service.id), uid=subject, defaults={"user_id": user.id}
    )
    if account.user_id != user.id:
        raise ConnectedToSomebodyElse("The sign-in is connected to another account here.")
    if is_new:
        _record("connected a sign-in service", service, by=user, at=at)
    return is_new


@transaction.atomic
def note_second_factor(*, service: SignInService, subject: str, user: User, at: datetime) -> None:
    """Note that the service asked the person for a second factor: from now on it is one of theirs.

    Noting it twice changes nothing.
    """
    account = SocialAccount.objects.filter(provider=str(service.id), uid=subject, user_id=user.id)
    if account.exclude(extra_data__has_key=SHOWED_IT).update(extra_data={SHOWED_IT: True}):
        fields = ["sign_in_service"]
        audit.record("added a second step", by=user, at=at, subject_kind="user", subject_id=user.id, fields=fields)


@transaction.atomic
def disconnect_service(*, service: SignInService, user: User, at: datetime) -> bool:
    """Take that away again, and give whether there was something. A code by e-mail always works.

    Raises LastOne: somebody at the authority keeps a second step.
    """
    had_one = has_one(user)
    found, _ = SocialAccount.objects.filter(provider=str(service.id), user_id=user.id).delete()
    if user.is_at_authority and had_one and not has_one(user):
        raise LastOne(f"{service} is your second step, which your role needs. Set up another one first.")
    if found:
        _record("disconnected a sign-in service", service, by=user, at=at)
    return bool(found)


def _record(
    verb: str, service: SignInService, *, by: audit.Actor, at: datetime, fields: list[str] | None = None
) -> None:
    audit.record(verb, by=by, at=at, subject_kind="sign_in_service", subject_id=service.id, fields=fields)
