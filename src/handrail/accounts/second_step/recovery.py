"""Recovery codes: of each only a slow hash is kept, so that they are read once, when they are made, and never again.

Those of one person have a salt together: to try a code takes one hash, whichever of them it is.
"""

import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings

DIGITS, COUNT = 12, settings.MFA_RECOVERY_CODE_COUNT
"""Digits, because telephones show keys for digits alone. Twelve, because a hash of eight is soon tried out."""

MEMORY = 2**26
"""Bytes that one hash may take."""


def make() -> tuple[list[str], dict[str, Any]]:
    """New codes, and what is kept of them."""
    codes = [f"{secrets.randbelow(10**DIGITS):0{DIGITS}}" for _ in range(COUNT)]
    salt, cost = secrets.token_hex(16), settings.RECOVERY_CODE_COST
    return codes, {"salt": salt, "cost": cost, "hashes": [_hash(each, salt, cost) for each in codes]}


def looks_like_one(code: str) -> bool:
    """Whether a code, without what was put between its digits, may be one of these and not an app's."""
    return len(code) == DIGITS and code.isascii() and code.isdigit()


def without(code: str, kept: Mapping[str, Any]) -> dict[str, Any] | None:
    """What is kept once the code is used up. None when it is none of them, or was used before."""
    mine = _hash(code, kept["salt"], kept["cost"])
    others = [each for each in kept["hashes"] if not hmac.compare_digest(each, mine)]
    return {**kept, "hashes": others} if len(others) < len(kept["hashes"]) else None


def spaced(codes: Sequence[str]) -> list[str]:
    """As they are shown: in groups of four."""
    return [" ".join(each[place : place + 4] for place in range(0, DIGITS, 4)) for each in codes]


def _hash(code: str, salt: str, cost: Mapping[str, int]) -> str:
    return hashlib.scrypt(code.encode(), salt=bytes.fromhex(salt), maxmem=MEMORY, dklen=32, **cost).hex()
