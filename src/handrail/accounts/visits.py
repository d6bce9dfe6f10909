"""What is said of a session in words: the device it is on, and how the person got in."""

import re
from collections.abc import Iterable

BROWSERS = (
    ("Edge", r"\bEdg(e|A|iOS)?/"),
    ("Samsung Internet", r"\bSamsungBrowser/"),
    ("Opera", r"\b(OPR|Opera)/"),
    ("Firefox", r"\b(Firefox|FxiOS)/"),
    ("Chrome", r"\b(Chrome|CriOS|Chromium)/"),
    ("Safari", r"\bVersion/\S+ .*\bSafari/"),
)
"""The first that fits: most browsers also claim to be those further down."""

SYSTEMS = (
    ("an iPhone", r"\biPhone\b"),
    ("an iPad", r"\biPad\b"),
    ("Android", r"\bAndroid\b"),
    ("a Chromebook", r"\bCrOS\b"),
    ("Windows", r"\bWindows\b"),
    ("a Mac", r"\bMacintosh\b"),
    ("Linux", r"\bLinux\b"),
)

WAYS = {
    "code": "a code by e-mail",
    "password": "a password",
    "totp": "an authenticator app",
    "webauthn": "a passkey",
    "recovery_codes": "a recovery code",
    "socialaccount": "an account of your organisation",
}


def device_of(user_agent: str) -> str:
    """Firefox on Windows. Kept instead of what the browser sends, which tells more than anybody needs."""
    browser = _first(BROWSERS, user_agent) or "A browser"
    system = _first(SYSTEMS, user_agent)
    return f"{browser} on {system}" if system else browser


def way_in(methods: Iterable[str]) -> str:
    """A password and an authenticator app. Empty when it was none that we know."""
    return " and ".join(WAYS[each] for each in dict.fromkeys(methods) if each in WAYS)


def _first(known: Iterable[tuple[str, str]], user_agent: str) -> str:
    return next((name for name, pattern in known if re.search(pattern, user_agent)), "")
