"""Which code by e-mail is the newest: it ends those before it, in whichever browser they were asked for.

allauth keeps a code in the session that asked for it, and knows of no other. An address without an account is counted
like any other: no answer tells which it is.
"""

from enum import StrEnum
from hashlib import sha256
from secrets import token_urlsafe
from typing import Any

from django.conf import settings
from django.core.cache import cache

A_NEWER_ONE = "A newer code was asked for since then. Ask for a new one."


class For(StrEnum):
    """What a code is for."""

    SIGNING_IN = "sign-in"
    RESET = "reset"


def note_newest(session: Any, email: str, *, what: For) -> None:
    """The code that was just asked for in this session is now the only one for the address."""
    session[_place(what)] = mark = token_urlsafe(16)
    cache.set(_key(email, what), mark, timeout=settings.ACCOUNT_LOGIN_BY_CODE_TIMEOUT)


def is_newest(session: Any, email: str, *, what: For) -> bool:
    """Whether none was asked for elsewhere since. One that nobody remembers has run out by itself."""
    return cache.get(_key(email, what)) in (None, session.get(_place(what)))


def _place(what: For) -> str:
    return f"code-for-{what}"


def _key(email: str, what: For) -> str:
    return f"{_place(what)}:{sha256(email.lower().encode()).hexdigest()}"
