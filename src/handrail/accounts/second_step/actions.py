"""Every write about second steps. Who has shown one is in the session: see `accounts/factors.py`."""

from datetime import datetime
from typing import Any
from uuid import UUID

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from allauth.mfa.webauthn.internal.auth import WebAuthn
from allauth.socialaccount.models import SocialAccount
from django.db import transaction

from handrail.accounts.actions import end_sessions
from handrail.accounts.calendar_actions import stop_key
from handrail.accounts.models import SignInService, User
from handrail.core import audit

FIELDS = {
    Authenticator.Type.TOTP: "authenticator_app",
    Authenticator.Type.WEBAUTHN: "passkey",
    Authenticator.Type.RECOVERY_CODES: "recovery_codes",
}

SHOWED_IT = "second_factor"
"""What is noted of a connected sign-in service: that it once said of this person that it asked for two factors."""


class HasOne(ValueError):
    """The person has an authenticator app already."""


class LastOne(ValueError):
    """Somebody who must have a second step would be left without one."""


class OwnSecondStep(ValueError):
    """Nobody resets their own: whoever sits at their computer could."""


@transaction.atomic
def add_app(*, user: User, secret: str, by: audit.Actor, at: datetime) -> Authenticator:
    """Keep an authenticator app's secret, proved by a code from it, and make recovery codes if there are none.

    Raises HasOne.
    """
    _hold(user)
    if of(user).filter(type=Authenticator.Type.TOTP).exists():
        raise HasOne("You have an authenticator app already. Remove it before you set up another.")
    return _added(TOTP.activate(user, secret).instance, by=by, at=at)


@transaction.atomic
def add_passkey(*, user: User, name: str, credential: dict[str, Any], by: audit.Actor, at: datetime) -> Authenticator:
    """Keep a passkey that was just made and checked, and make recovery codes if there are none."""
    _hold(user)
    return _added(WebAuthn.add(user, name, credential).instance, by=by, at=at)


@transaction.atomic
def remove(*, user: User, authenticator: Authenticator, by: audit.Actor, at: datetime, but: UUID | None = None) -> None:
    """Take away an app or a passkey, and the recovery codes with the last. Removing it twice changes nothing.

    What was begun with it ends: every session but `but`. Raises LastOne: somebody at the authority keeps one.
    """
    _hold(user)
    others = set_up_by(user).exclude(id=authenticator.id)
    if user.is_at_authority and not others.exists() and not by_service(user).exists():
        raise LastOne("You need a second step for your role. Set up another one before you remove this one.")
    gone, _ = of(user).filter(id=authenticator.id).delete()
    if not gone:
        return
    if not others.exists():
        of(user).delete()
    end_sessions(user=user, by=by, at=at, but=but)
    _record("removed a second step", user, authenticator, by=by, at=at)


@transaction.atomic
def make_recovery_codes(*, user: User, by: audit.Actor, at: datetime) -> None:
    """Make ten new recovery codes; the ones before no longer work."""
    _hold(user)
    of(user).filter(type=Authenticator.Type.RECOVERY_CODES).delete()
    _record("made recovery codes", user, RecoveryCodes.activate(user).instance, by=by, at=at)


def record_use(*, user: User, authenticator: Authenticator, by: audit.Actor, at: datetime) -> None:
    """Record that a recovery code was used: it is used up, and may mean that something is lost."""
    if authenticator.type == Authenticator.Type.RECOVERY_CODES:
        _record("used a recovery code", user, authenticator, by=by, at=at)


@transaction.atomic
def reset(*, user: User, by: audit.Actor, at: datetime) -> None:
    """Take everything away from somebody who has lost it, and end all their sessions and their calendar's address:
    they set up a new one.

    Raises OwnSecondStep.
    """
    if by.actor_id == user.id:
        raise OwnSecondStep("You cannot reset your own second step. Ask another administrator.")
    _hold(user)
    of(user).delete()
    SocialAccount.objects.filter(user_id=user.id).update(extra_data={})
    stop_key(user=user, by=by, at=at)
    end_sessions(user=user, by=by, at=at)
    audit.record("reset a second step", by=by, at=at, subject_kind="user", subject_id=user.id)


# -- reads: the tables are allauth's, and every one of them asks for one person's own ------------------------


def of(user: User) -> Any:
    """The person's app, passkeys and recovery codes, the oldest first."""
    return Authenticator.objects.filter(user_id=user.id).order_by("created_at")


def set_up_by(user: User) -> Any:
    """What the person signs in with: recovery codes are for when that is lost."""
    return of(user).exclude(type=Authenticator.Type.RECOVERY_CODES)


def services_of(user: User, **noted: Any) -> Any:
    """The authority's sign-in services by which the person can show two factors."""
    connected = SocialAccount.objects.filter(user_id=user.id, **noted).values_list("provider", flat=True)
    return SignInService.objects.with_second_factor().filter(id__in=list(connected))


def by_service(user: User) -> Any:
    """Those of them by which the person has shown two. One that never did is no more than a password."""
    return services_of(user, extra_data__has_key=SHOWED_IT)


def has_one(user: User) -> bool:
    """Whether the person has a second step. Who only reads their mail must then not set up another."""
    return bool(set_up_by(user).exists() or by_service(user).exists())


def _hold(user: User) -> None:
    """Make what two tabs, or two people, do to one person's second steps happen one after the other."""
    User.objects.select_for_update().get(id=user.id)


def _added(authenticator: Authenticator, *, by: audit.Actor, at: datetime) -> Authenticator:
    user: Any = authenticator.user
    _record("added a second step", user, authenticator, by=by, at=at)
    if not of(user).filter(type=Authenticator.Type.RECOVERY_CODES).exists():
        make_recovery_codes(user=user, by=by, at=at)
    return authenticator


def _record(verb: str, user: User, authenticator: Authenticator, *, by: audit.Actor, at: datetime) -> None:
    subject: UUID = user.id
    fields = [FIELDS[Authenticator.Type(authenticator.type)]]
    audit.record(verb, by=by, at=at, subject_kind="user", subject_id=subject, fields=fields)
