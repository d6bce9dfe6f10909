"""Made-up numbers for plans and reviews, under which programs read them one by one.

They stay the same for an authority, whichever of its keys reads, so that a report can follow a plan. Elsewhere they
mean nothing: each authority has a key of its own to make them with, and without that key no number leads back.
"""

import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from secrets import token_hex
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db.models import F, Func, UUIDField, Value

from handrail.reporting.cursors import NotACursor
from handrail.reporting.models import PseudonymKey
from tenants.database import remembered


class _Made(Func):
    template = "encode(substring(sha256((%(expressions)s)::bytea) FOR 16), 'hex')::uuid"
    arg_joiner = "::text || "
    output_field = UUIDField()


def pseudonym(column: str) -> Func:
    """The made-up number of an id, in SQL. Raises VaultClosed."""
    return _Made(Value(_secret()), F(column))


def hidden(row_id: UUID) -> str:
    """An id as the text of a cursor may have it: it tells nothing, and is another one each time. Raises VaultClosed."""
    nonce = os.urandom(NONCE)
    return urlsafe_b64encode(nonce + _cipher().encrypt(nonce, row_id.bytes, None)).decode()


def shown(text: str) -> UUID:
    """The id that was hidden so. Raises NotACursor, VaultClosed."""
    cipher = _cipher()
    try:
        held = urlsafe_b64decode(text)
        return UUID(bytes=cipher.decrypt(held[:NONCE], held[NONCE:], None))
    except (InvalidTag, ValueError):
        raise NotACursor from None


NONCE = 12


def _cipher() -> AESGCM:
    return AESGCM(sha256(f"cursor:{_secret()}".encode()).digest())


def _secret() -> str:
    """The key, made when there is none. Of two who make it at once both are given the same."""
    notes = remembered()
    if MADE_WITH not in notes:
        found = PseudonymKey.objects.first()
        if found is None:
            PseudonymKey.objects.bulk_create([PseudonymKey(secret=token_hex(32))], ignore_conflicts=True)
            found = PseudonymKey.objects.get()
        notes[MADE_WITH] = found.secret
    secret: str = notes[MADE_WITH]
    return secret


MADE_WITH = "key of made-up numbers"
