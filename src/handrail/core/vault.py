"""Sealing what tells of somebody's health, with keys that each authority has for itself.

A data key of the bound authority seals; it lies in the authority's own table, wrapped by a key that is not in the
database: one of the environment's, or one of AWS KMS. What is sealed is bound to the authority and to the place it
was sealed for, so that nothing opens that was moved or changed.
"""

import hashlib
import os
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.apps import apps
from django.conf import settings
from django.utils.module_loading import import_string

from tenants.database import remembered, require_bound

if TYPE_CHECKING:
    from handrail.core.models import DataKey

VERSION = b"\x01"
KEY_ID = slice(1, 17)
HEADER = slice(0, 17)
NONCE = slice(17, 29)
CONTENT = slice(29, None)
"""A sealed value: the version, the data key's id, the nonce, then the ciphertext with its tag."""


class VaultClosed(RuntimeError):
    """No key is at hand that unwraps, or wraps, the authority's data keys. The message says which; it holds none."""

    page = "vault_closed.html"
    """What people are told: that health records cannot be opened."""


class CannotOpen(RuntimeError):
    """A sealed value was changed, or was sealed for another place, or its key is gone."""


class Wrapping(Protocol):
    """A key outside the database that wraps data keys. `context` must be the same when unwrapping."""

    name: str

    def wrap(self, key: bytes, context: dict[str, str]) -> bytes:
        """Raises VaultClosed."""
        ...

    def unwrap(self, wrapped: bytes, context: dict[str, str]) -> bytes:
        """Raises VaultClosed, CannotOpen."""
        ...


def seal(content: bytes, place: bytes) -> bytes:
    """The content, for the bound authority and this place alone. Raises VaultClosed."""
    key_id, key = _newest()
    header, nonce = VERSION + key_id.bytes, os.urandom(12)
    return header + nonce + AESGCM(key).encrypt(nonce, content, _bound_to(header, place))


def unseal(sealed: bytes, place: bytes) -> bytes:
    """What was sealed for this place in the bound authority. Raises VaultClosed, CannotOpen."""
    _require_a_wrapping()
    key = _key(key_of(sealed))
    try:
        return AESGCM(key).decrypt(sealed[NONCE], sealed[CONTENT], _bound_to(sealed[HEADER], place))
    except InvalidTag as error:
        raise CannotOpen("this was changed, or sealed for another place") from error


def key_of(sealed: bytes) -> UUID:
    """The data key that sealed it. Raises CannotOpen."""
    if sealed[:1] != VERSION or len(sealed) < CONTENT.start:
        raise CannotOpen("this was not sealed by us")
    return UUID(bytes=sealed[KEY_ID])


def require_open() -> None:
    """Raises VaultClosed when nothing could be sealed now. For work that has effects outside the transaction."""
    _newest()


def _bound_to(header: bytes, place: bytes) -> bytes:
    return header + require_bound().id.bytes + place


# -- data keys ---------------------------------------------------------------------------------------------

NEWEST = "newest data key"

_unwrapped: dict[tuple[UUID, UUID], bytes] = {}
"""By authority and key. A key's id is never given twice, as the number of a key whose making was undone would be."""


def make_key(number: int) -> None:
    """Make the authority's data key of this number, unless another transaction did so first."""
    made = _keys().model(number=number)
    _wrap(made, AESGCM.generate_key(256))
    _keys().bulk_create([made], ignore_conflicts=True)  # waits for the other transaction to end
    remembered().pop(NEWEST, None)


def rewrap(data_key: "DataKey") -> None:
    """Wrap a data key with the key that wraps new ones. Raises VaultClosed, CannotOpen."""
    _wrap(data_key, _unwrap(data_key))
    data_key.save(update_fields=["wrapped", "wrapped_by"])


def _newest() -> tuple[UUID, bytes]:
    """The data key that seals, made when there is none. Asked of the database once in each transaction."""
    _require_a_wrapping()
    notes = remembered()
    if NEWEST not in notes:
        newest = _keys().order_by("-number")
        if not newest.exists():
            make_key(1)
        notes[NEWEST] = newest.values_list("id", flat=True)[0]
    key_id: UUID = notes[NEWEST]
    return key_id, _key(key_id)


def _key(key_id: UUID) -> bytes:
    place = (require_bound().id, key_id)
    if place not in _unwrapped:
        data_key = _keys().filter(id=key_id).first()
        if data_key is None:
            raise CannotOpen("there is no such data key in this authority")
        _unwrapped[place] = _unwrap(data_key)
    return _unwrapped[place]


def _wrap(data_key: "DataKey", key: bytes) -> None:
    outer = wrapping()
    data_key.wrapped, data_key.wrapped_by = outer.wrap(key, _context_of(data_key)), outer.name


def _unwrap(data_key: "DataKey") -> bytes:
    return wrapping_named(data_key.wrapped_by).unwrap(bytes(data_key.wrapped), _context_of(data_key))


def _context_of(data_key: "DataKey") -> dict[str, str]:
    """What a wrapped data key is bound to."""
    return {"authority": str(require_bound().id), "data_key": str(data_key.id)}


def _keys() -> Any:
    return apps.get_model("core", "DataKey").objects  # models.py needs fields.py, which needs this module


# -- keys outside the database -----------------------------------------------------------------------------


class EnvironmentKey:
    """A key that this process was given by whoever started it."""

    def __init__(self, key: bytes) -> None:
        self._aes = AESGCM(key)
        self.name = f"environment:{hashlib.sha256(b'handrail vault' + key).hexdigest()[:16]}"

    def wrap(self, key: bytes, context: dict[str, str]) -> bytes:
        nonce = os.urandom(12)
        return nonce + self._aes.encrypt(nonce, key, repr(sorted(context.items())).encode())

    def unwrap(self, wrapped: bytes, context: dict[str, str]) -> bytes:
        try:
            return self._aes.decrypt(wrapped[:12], wrapped[12:], repr(sorted(context.items())).encode())
        except (InvalidTag, ValueError) as error:
            raise CannotOpen("a data key was changed, or belongs to another authority") from error


def wrapping() -> Wrapping:
    """The key that wraps: that of KMS, else the first of the environment. Raises VaultClosed when there is none."""
    _require_a_wrapping()
    return _kms(settings.VAULT_KMS_KEY) if settings.VAULT_KMS_KEY else EnvironmentKey(settings.VAULT_KEYS[0])


def wrapping_named(name: str) -> Wrapping:
    """A key that wrapped. Raises VaultClosed when this process does not have it."""
    if name.startswith("arn:"):
        return _kms(name)
    for each in map(EnvironmentKey, settings.VAULT_KEYS):
        if each.name == name:
            return each
    raise VaultClosed(f"this process was not given the key {name}")


def _kms(key: str) -> Wrapping:
    made: Wrapping = import_string("handrail.core.aws.KeyOfKms")(key)
    return made


def _require_a_wrapping() -> None:
    if not (settings.VAULT_KEYS or settings.VAULT_KMS_KEY):
        raise VaultClosed("this process was given no key: set HANDRAIL_VAULT_KEY or HANDRAIL_VAULT_KMS_KEY")
