"""Which codes by e-mail count: a new one ends those before it without letting anybody end somebody else's.

A code counts only in the browser that asked for it: allauth keeps it in that session, and asking there again ends the
one before at once. In other browsers it ends when a newer one has been entered rightly. Asking alone ends nothing
there: whoever knows an address can ask for as many as they like, and only its owner can enter one. What can be guessed
is the same either way, since each code takes five tries and an address is sent a few.

A code that has ended so is answered like a wrong one: no answer tells that somebody has signed in.
"""

from collections.abc import Mapping
from enum import StrEnum
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.core.cache import cache


class For(StrEnum):
    """What a code is for."""

    SIGNING_IN = "sign-in"
    RESET = "reset"


def note_entered(asked: Mapping[str, Any], *, what: For) -> None:
    """The code was entered rightly that was `asked` for: what allauth keeps of it, `email` and `at`."""
    key = _key(asked["email"], what)
    cache.set(key, max(asked["at"], cache.get(key, 0)), timeout=settings.ACCOUNT_LOGIN_BY_CODE_TIMEOUT)


def has_ended(asked: Mapping[str, Any], *, what: For) -> bool:
    """Whether one that was asked for later has been entered rightly."""
    return bool(asked["at"] < cache.get(_key(asked["email"], what), 0))


def _key(email: str, what: For) -> str:
    return f"code-entered-for-{what}:{sha256(email.lower().encode()).hexdigest()}"
