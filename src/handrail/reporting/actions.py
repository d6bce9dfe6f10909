"""Every write about keys."""

import secrets
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from hashlib import sha256

from django.db import transaction

from handrail.core import audit
from handrail.core.calendar import day_of
from handrail.reporting.models import ApiKey, Scope
from tenants.database import require_bound

BYTES = 32
BEGINS = "handrail_"
"""So that a key which lies about is known for one."""

NOTED_EVERY = timedelta(minutes=1)


@transaction.atomic
def make_key(
    *, name: str, scopes: Sequence[Scope], expires_on: date, by: audit.Actor, at: datetime
) -> tuple[ApiKey, str]:
    """Let a program read these scopes until the day `expires_on`, or until whoever makes the key leaves the authority.

    Gives the key's row and the key, which is not kept.
    """
    secret = BEGINS + secrets.token_urlsafe(BYTES)
    key = ApiKey.objects.create(
        name=name,
        scopes=sorted(scopes),
        digest=digest_of(secret),
        expires_on=expires_on,
        made_at=at,
        made_by=by.actor_id,
        made_by_name=by.actor_name,
    )
    _record("made a key for a program", key, by=by, at=at, fields=["name", "scopes", "expires_on"])
    return key, secret


@transaction.atomic
def revoke_key(*, key: ApiKey, by: audit.Actor, at: datetime) -> None:
    """Let a key open nothing from now on. Revoking it twice changes nothing."""
    if ApiKey.objects.filter(id=key.id, revoked_at=None).update(revoked_at=at):
        _record("revoked a key of a program", key, by=by, at=at)


@transaction.atomic
def revoke_keys(*, by: audit.Actor, at: datetime) -> int:
    """Let no key open anything from now on. Gives the number of those that did."""
    keys = list(ApiKey.objects.filter(revoked_at=None, expires_on__gte=day_of(at)).select_for_update())
    for key in keys:
        revoke_key(key=key, by=by, at=at)
    return len(keys)


def note_use(*, key: ApiKey, at: datetime) -> None:
    """Note that a key is in use, once a minute at most. A call that finds another one noting it does not wait."""
    if key.last_used_at and at - key.last_used_at < NOTED_EVERY:
        return
    free = ApiKey.objects.select_for_update(skip_locked=True).filter(id=key.id).values_list("id", flat=True)
    ApiKey.objects.filter(id__in=list(free)).update(last_used_at=at.replace(second=0, microsecond=0))


def digest_of(secret: str) -> str:
    """What is kept of a key. It is bound to the authority: the same key in another's table would open nothing."""
    return sha256(f"{require_bound().id}:{secret}".encode()).hexdigest()


def _record(verb: str, key: ApiKey, *, by: audit.Actor, at: datetime, fields: list[str] | None = None) -> None:
    audit.record(verb, by=by, at=at, subject_kind="api_key", subject_id=key.id, fields=fields)
