"""Browsers in which somebody has signed in before: what is guessed elsewhere does not slow those down.

Such a browser holds a cookie that opens nothing. It is signed for one authority, and says for whom the browser is
known. What is tried there for one of them is counted for that browser and person, by the same limits; for anybody else
it counts as in a browser that nobody knows.
"""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core import signing
from django.http import HttpResponse
from django.utils.crypto import salted_hmac

from handrail.accounts.addresses import NotAnEmailAddress, plain_address
from tenants.database import require_bound

LASTS = timedelta(days=180)
"""From signing in. Many people at schools come three times a year."""
AT_MOST = 8
"""People in one browser; who signed in longest ago is forgotten first. Office computers are shared."""


@dataclass(frozen=True)
class Browser:
    """What a browser's cookie says: its own random name, and when each person last signed in, in seconds."""

    name: str
    people: dict[str, int]

    def knows(self, email: str) -> bool:
        return _mark(self.name, email) in self.people


def browser_of(request: Any) -> Browser | None:
    """The browser of the request, with those who signed in lately enough. None when it is new, or says so wrongly."""
    try:
        said = _signer().unsign_object(request.COOKIES.get(settings.KNOWN_BROWSER_COOKIE_NAME, ""))
    except (signing.BadSignature, ValueError):
        return None
    oldest = (request.now - LASTS).timestamp()
    return Browser(said["name"], {mark: at for mark, at in said["people"].items() if at > oldest})


def remember(email: str, *, request: Any, answer: HttpResponse) -> None:
    """The person has just signed in, with everything that was asked of them."""
    browser = browser_of(request) or Browser(secrets.token_hex(8), {})
    people = browser.people | {_mark(browser.name, email): int(request.now.timestamp())}
    newest = dict(sorted(people.items(), key=lambda each: each[1])[-AT_MOST:])
    answer.set_cookie(
        settings.KNOWN_BROWSER_COOKIE_NAME,
        _signer().sign_object({"name": browser.name, "people": newest}),
        max_age=LASTS,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def count_for(email: str, *, request: Any) -> str:
    """Have what is tried in this request for the person counted for the browser alone, if it knows them.

    `email` as it was typed. Gives what to count by besides the network address.
    """
    address, browser = _plain(email), browser_of(request)
    request.counted_as = None
    if browser and browser.knows(address):
        request.counted_as = f"browser-{browser.name}-{_mark(browser.name, address)}"
    return request.counted_as or address


def count_for_anybody(request: Any) -> None:
    """The same for what cannot be guessed, and does not say beforehand whose it is: in a browser that knows anybody."""
    browser = browser_of(request)
    request.counted_as = f"browser-{browser.name}" if browser and browser.people else None


def counted_as(request: Any) -> str | None:
    """What a request's tries are counted by instead of its network address. None in a browser that is not known."""
    return getattr(request, "counted_as", None)


def _signer() -> signing.Signer:
    return signing.Signer(salt=f"handrail.known-browser.{require_bound().id}")


def _mark(name: str, email: str) -> str:
    """What stands for a person in one browser: who reads its cookie learns no address."""
    return salted_hmac(f"handrail.known-browser.{require_bound().id}.{name}", email).hexdigest()[:24]


def _plain(typed: str) -> str:
    try:
        return plain_address(typed)
    except NotAnEmailAddress:
        return typed.strip().lower()
