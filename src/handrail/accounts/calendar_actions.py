"""The secret address of somebody's calendar: making it, stopping it, and whose it is."""

import secrets
from datetime import date, datetime
from hashlib import sha256

from django.db import transaction

from handrail.accounts.models import CalendarKey, User
from handrail.core import audit

BYTES = 32


@transaction.atomic
def make_key(*, user: User, at: datetime) -> str:
    """Give the person a new key to their calendar, which is not kept. One that they had opens nothing from then on."""
    key = secrets.token_urlsafe(BYTES)
    CalendarKey.objects.update_or_create(user=user, defaults={"digest": _digest(key), "made_at": at})
    _record("made a calendar address", user, by=user, at=at)
    return key


@transaction.atomic
def stop_key(*, user: User, by: audit.Actor, at: datetime) -> None:
    """Let the person's key open nothing any more. Stopping it twice changes nothing."""
    deleted, _ = CalendarKey.objects.filter(user=user).delete()
    if deleted:
        _record("stopped a calendar address", user, by=by, at=at)


def whose(key: str, *, on: date) -> User | None:
    """The person whose calendar this key opens on the day `on`: nobody's once their account or last role has ended."""
    found = CalendarKey.objects.filter(digest=_digest(key), user__is_active=True).select_related("user").first()
    if found is None:
        return None
    user: User = found.user.as_at(on)
    return user if user.current_memberships else None


def _digest(key: str) -> str:
    return sha256(key.encode()).hexdigest()


def _record(verb: str, user: User, *, by: audit.Actor, at: datetime) -> None:
    audit.record(verb, by=by, at=at, subject_kind="user", subject_id=user.id)
