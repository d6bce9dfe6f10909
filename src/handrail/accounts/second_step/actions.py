"""Every write about second steps. Who has shown one is in the session: see `accounts/factors.py`."""

from contextlib import suppress
from datetime import datetime
from typing import Any
from uuid import UUID

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from allauth.mfa.webauthn.internal.auth import WebAuthn
from allauth.socialaccount.models import SocialAccount
from django.db import transaction

from handrail.accounts.actions import end_sessions
from handrail.accounts.calendar_actions import stop_key
from handrail.accounts.models import SignInService, User
from handrail.accounts.second_step import recovery
from handrail.core import audit
from handrail.core.models import AuthoritySettings
from handrail.core.vault import CannotOpen

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
    """Keep an authenticator app's secret, proved by a code from it.

    Raises HasOne.
    """
    _hold(user)
    if of(user).filter(type=Authenticator.Type.TOTP).exists():
        raise HasOne("You have an authenticator app already. Remove it before you set up another.")
    app: Authenticator = TOTP.activate(user, secret).instance
    _record("added a second step", user, app, by=by, at=at)
    return app


@transaction.atomic
def add_passkey(*, user: User, name: str, credential: dict[str, Any], by: audit.Actor, at: datetime) -> Authenticator:
    """Keep a passkey that was just made and checked."""
    _hold(user)
    passkey: Authenticator = WebAuthn.add(user, name, credential).instance
    _record("added a second step", user, passkey, by=by, at=at)
    return passkey


@transaction.atomic
def remove(*, user: User, authenticator: Authenticator, by: audit.Actor, at: datetime, but: UUID | None = None) -> None:
    """Take away an app or a passkey, and the recovery codes with the last. Removing it twice changes nothing.

    What was begun with it ends: every session but `but`. Raises LastOne: who must have one keeps one.
    """
    _hold(user)
    others = set_up_by(user).exclude(id=authenticator.id)
    if not others.exists() and not by_service(user).exists() and must_have_one(user):
        raise LastOne("You need a second step here. Set up another one before you remove this one.")
    gone, _ = of(user).filter(id=authenticator.id).delete()
    if not gone:
        return
    if not others.exists():
        of(user).delete()
    end_sessions(user=user, by=by, at=at, but=but)
    _record("removed a second step", user, authenticator, by=by, at=at)


@transaction.atomic
def make_recovery_codes(*, user: User, by: audit.Actor, at: datetime) -> list[str]:
    """Make ten new recovery codes; the ones before no longer work. Gives them: nobody can read them later."""
    _hold(user)
    of(user).filter(type=Authenticator.Type.RECOVERY_CODES).delete()
    codes, kept = recovery.make()
    made = Authenticator.objects.create(user_id=user.id, type=Authenticator.Type.RECOVERY_CODES, data=kept)
    _record("made recovery codes", user, made, by=by, at=at)
    return codes


@transaction.atomic
def use_code(*, user: User, code: str) -> Authenticator | None:
    """What the person shows with this code: their app, or their recovery codes, of which it is then used up.

    None when it is wrong, has run out or was used. Raises AppsClosed, when it could be a code of an app.
    """
    is_recovery = recovery.looks_like_one(code)
    kind = Authenticator.Type.RECOVERY_CODES if is_recovery else Authenticator.Type.TOTP
    held: Authenticator | None = of(user).filter(type=kind).select_for_update().first()
    if held is None or not is_recovery:
        return held if held and held.wrap().validate_code(code) else None
    left = recovery.without(code, held.data)
    if left is None:
        return None
    held.data = left
    held.save(update_fields=["data"])
    return held


def record_use(*, user: User, authenticator: Authenticator, by: audit.Actor, at: datetime) -> None:
    """Record that a recovery code was used: it is used up, and may mean that something is lost."""
    if authenticator.type == Authenticator.Type.RECOVERY_CODES:
        _record("used a recovery code", user, authenticator, by=by, at=at)


@transaction.atomic
def seal_anew() -> list[int]:
    """Seal the secrets of all apps with the authority's newest key. Gives the rows that do not open.

    Raises VaultClosed.
    """
    unreadable, vault = [], get_adapter()
    for app in Authenticator.objects.filter(type=Authenticator.Type.TOTP).order_by("id").select_for_update():
        try:
            app.data["secret"] = vault.encrypt(vault.decrypt(app.data["secret"]))
        except (CannotOpen, ValueError):
            unreadable.append(app.pk)
            continue
        app.save(update_fields=["data"])
    return unreadable


def keys_in_use() -> list[UUID]:
    """The data key of each app's secret that says which it was sealed with."""
    found, vault = [], get_adapter()
    for app in Authenticator.objects.filter(type=Authenticator.Type.TOTP):
        with suppress(CannotOpen, ValueError):
            found.append(vault.key_of(app.data["secret"]))
    return found


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


def must_have_one(user: User) -> bool:
    """Whether the person opens nothing without a second step: at the authority, and wherever it asks for one."""
    return user.is_at_authority or AuthoritySettings.load().asks_second_step


def _hold(user: User) -> None:
    """Make what two tabs, or two people, do to one person's second steps happen one after the other."""
    User.objects.select_for_update().get(id=user.id)


def _record(verb: str, user: User, authenticator: Authenticator, *, by: audit.Actor, at: datetime) -> None:
    subject: UUID = user.id
    fields = [FIELDS[Authenticator.Type(authenticator.type)]]
    audit.record(verb, by=by, at=at, subject_kind="user", subject_id=subject, fields=fields)
