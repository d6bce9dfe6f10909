"""The exchange between authorities: seal and deposit, collect the card, open, recall, expire.

Each function works inside the open door, as the bound authority, in its one transaction; no transaction stands in two.
Which rows it sees and which moves it may make is held by PostgreSQL (migration `0005_exchange`), not by this module.
Content is sealed to the recipient's public key (HPKE, RFC 9180) and bound to sender, recipient and reference, so it
opens nowhere else. The card lies open to sender and recipient: it names no child and no condition.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from tenants.database import execute, execute_count, require_bound

SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
LONDON = ZoneInfo("Europe/London")
LARGEST = 40_000_000
"""Bytes of content in one envelope."""


class Refused(ValueError):
    """What was asked cannot be done; the message says why and what to do."""


class CannotOpen(RuntimeError):
    """The content was changed or was sealed to another key: nothing of it is shown."""


@dataclass(frozen=True)
class Card:
    """What the recipient sees before it opens: where to, how urgent, and whom to ring. No child, no condition."""

    setting: str
    urn: str = ""
    is_urgent: bool = False
    ring: str = ""
    telephone: str = ""
    answers: int = 0  # requests for more that a pack's sender had heard of when it wrote it


@dataclass(frozen=True)
class Member:
    """An authority in the exchange. It can be written to while `key_id` is there, and it has neither left nor ceased.

    `followed_by` are the codes and names of the authorities in whose hands its schools are afterwards, and `hospitals`
    the URNs of what it has confirmed as hospital schools.
    """

    role: str
    authority_id: UUID
    code: str
    name: str
    key_id: UUID | None
    public_key: bytes | None
    joined_at: datetime | None
    left_at: datetime | None
    ceased_on: date | None
    followed_by: dict[str, str]
    hospitals: list[str]

    def has_ceased(self, at: datetime) -> bool:
        """Whether its day has come, from whose beginning in London others are in its place."""
        return self.ceased_on is not None and self.ceased_on <= at.astimezone(LONDON).date()

    @property
    def why_gone(self) -> str:
        """Of one that has ceased, when and which authorities followed it."""
        on = self.ceased_on
        return f"{self.name} ceased on {on:%-d %B %Y}. It was followed by {' and '.join(self.followed_by.values())}."

    @property
    def is_joined(self) -> bool:
        return self.joined_at is not None and self.left_at is None


@dataclass(frozen=True)
class Envelope:
    """One envelope as sender or recipient sees it. `reference` is the sender's own; `about` is the other side's."""

    id: UUID
    sender: str
    recipient: str
    reference: UUID
    kind: str
    about: UUID | None
    card: Card
    key_id: UUID
    sha256: str
    state: str
    deposited_at: datetime
    expires_at: datetime
    collected_at: datetime | None
    opened_at: datetime | None
    ended_at: datetime | None


BLOCKS = """SELECT 1 FROM exchange.block WHERE blocker = %s AND blocked = %s AND NOT EXISTS (SELECT 1
    FROM exchange.envelope WHERE about = %s AND (sender = %s OR recipient = %s AND opened_at IS NOT NULL))"""
"""A block stops nothing of a case of which the blocker has opened something, or sent something itself."""
_MEMBER = """SELECT role, authority_id, code, name, key_id, public_key, joined_at, left_at, ceased_on, followed_by,
    hospitals FROM exchange.member"""
_COLUMNS = """id, sender, recipient, reference, kind, about, card, key_id, sha256, state,
    deposited_at, expires_at, collected_at, opened_at, ended_at"""


# -- who is in it --------------------------------------------------------------------------------------------


def new_key() -> tuple[bytes, bytes]:
    """A private key and its public key, 32 bytes each. The private one is the caller's to keep, sealed."""
    private = X25519PrivateKey.generate()
    return private.private_bytes_raw(), private.public_key().public_bytes_raw()


def join(*, key_id: UUID, public_key: bytes, at: datetime) -> None:
    """Let the bound authority be written to, or give it a new key. What is under way keeps its old one."""
    execute(
        """UPDATE exchange.member SET key_id = %s, public_key = %s, joined_at = coalesce(joined_at, %s), left_at = NULL
           WHERE role = %s""",
        (key_id, public_key, at, _role()),
    )


def leave(*, at: datetime) -> None:
    """Take no more envelopes, and send none. What is under way can still be opened and answered by hand."""
    execute("UPDATE exchange.member SET left_at = %s WHERE role = %s", (at, _role()))


def publish_hospitals(urns: Iterable[str]) -> None:
    """Say which of the bound authority's schools are hospital schools. Everybody in the exchange reads it."""
    execute("UPDATE exchange.member SET hospitals = %s WHERE role = %s", (sorted(urns), _role()))


def members() -> list[Member]:
    """Every authority in the exchange, also those that have not joined yet, by name."""
    return [_member(row) for row in execute(f"{_MEMBER} ORDER BY name")]


def member(code: str) -> Member:
    """The authority with this DfE code. Raises Refused when it does not use the exchange."""
    rows = execute(f"{_MEMBER} WHERE code = %s", (code,))
    if not rows or not _member(rows[0]).is_joined:
        raise Refused("That authority has not joined the exchange. Ring them, and send a one-case guest page instead.")
    return _member(rows[0])


def member_of(role: str) -> Member | None:
    """Who sent, or gets, an envelope. None when that authority has been removed."""
    rows = execute(f"{_MEMBER} WHERE role = %s", (role,))
    return _member(rows[0]) if rows else None


def ceased(*, at: datetime) -> dict[str, Member]:
    """The authorities that have ceased, by their roles; perhaps the bound one among them."""
    found = map(_member, execute(f"{_MEMBER} WHERE ceased_on IS NOT NULL"))
    return {each.role: each for each in found if each.has_ceased(at)}


def block(role: str) -> None:
    """Take nothing new from that authority, which is told so when it tries."""
    execute("INSERT INTO exchange.block (blocked) VALUES (%s) ON CONFLICT DO NOTHING", (role,))


def unblock(role: str) -> None:
    execute("DELETE FROM exchange.block WHERE blocker = %s AND blocked = %s", (_role(), role))


def blocked() -> set[str]:
    """The authorities that the bound one takes nothing from."""
    return {each for (each,) in execute("SELECT blocked FROM exchange.block WHERE blocker = %s", (_role(),))}


# -- the sender ----------------------------------------------------------------------------------------------


def deposit(
    *,
    recipient: Member,
    reference: UUID,
    kind: str,
    card: Card,
    content: bytes,
    at: datetime,
    expires_at: datetime,
    about: UUID | None = None,
) -> Envelope:
    """Seal `content` to the recipient's key and put it into the exchange.

    A second deposit of the same reference is the first one again: nothing is sent twice. Raises Refused when either
    side has not joined or has ceased, the recipient blocks the sender, or the content is too large.
    """
    if len(content) > LARGEST:
        raise Refused("This is more than 40 MB. Leave out the largest file and send that another way.")
    key = X25519PublicKey.from_public_bytes(_key_to_seal_with(recipient, about=about, at=at))
    if sent := envelope_sent(reference):
        return sent
    ciphertext = SUITE.encrypt(content, key, info=_bound_to(require_bound().id, recipient.authority_id, reference))
    rows = execute(
        f"""INSERT INTO exchange.envelope
                (recipient, reference, kind, about, card, key_id, sha256, deposited_at, expires_at)
            VALUES (%s, %s, %s, %s, %s::jsonb, %s, %s, %s, %s) RETURNING {_COLUMNS}""",
        (
            *(recipient.role, reference, kind, about, json.dumps(asdict(card)), recipient.key_id),
            *(hashlib.sha256(ciphertext).hexdigest(), at, expires_at),
        ),
    )
    made = _envelope(rows[0])
    execute("INSERT INTO exchange.envelopebody (envelope_id, ciphertext) VALUES (%s, %s)", (made.id, ciphertext))
    return made


def recall(reference: UUID, *, at: datetime) -> bool:
    """Take back an envelope that is not opened yet, with its content. False when it is too late, or long over."""
    where = "reference = %s AND state IN ('deposited', 'collected')"
    return bool(_taken_out(where, (reference,), state="recalled", at=at))


def expire(*, at: datetime) -> int:
    """End what nobody opened in its time, and destroy its content. Gives the number."""
    return len(_taken_out("expires_at <= %s AND state IN ('deposited', 'collected')", (at,), state="expired", at=at))


def give_back(*, to: Iterable[str], at: datetime) -> list[UUID]:
    """Take back all that these authorities have not opened, and no longer will. Gives the references."""
    where = "recipient = ANY(%s) AND state IN ('deposited', 'collected')"
    ended = _taken_out(where, (list(to),), state="recalled", at=at)
    return [each for (each,) in execute("SELECT reference FROM exchange.envelope WHERE id = ANY(%s)", (ended,))]


def envelope_sent(reference: UUID) -> Envelope | None:
    """The bound authority's own envelope of this reference."""
    own = f"SELECT {_COLUMNS} FROM exchange.envelope WHERE sender = %s AND reference = %s"
    rows = execute(own, (_role(), reference))
    return _envelope(rows[0]) if rows else None


def ran_out(kind: str) -> list[UUID]:
    """The references of what the bound authority has sent of this kind and nobody opened in its time."""
    where = "sender = %s AND kind = %s AND state = 'expired'"
    return [each for (each,) in execute(f"SELECT reference FROM exchange.envelope WHERE {where}", (_role(), kind))]


def waiting_since(about: UUID) -> datetime | None:
    """When the oldest of what the bound authority has sent about a case was sent that the other has not taken up."""
    [(since,)] = execute(
        "SELECT min(deposited_at) FROM exchange.envelope WHERE sender = %s AND about = %s AND state = 'deposited'",
        (_role(), about),
    )
    found: datetime | None = since
    return found


# -- the recipient -------------------------------------------------------------------------------------------


def collect(*, at: datetime) -> list[Envelope]:
    """The cards that came in since the last look, oldest first. Each is given once: keep it in the same transaction.

    None comes to an authority that has ceased.
    """
    if _role() in ceased(at=at):
        return []
    rows = execute(
        f"""UPDATE exchange.envelope SET state = 'collected', collected_at = %s
            WHERE recipient = %s AND state = 'deposited' AND expires_at > %s RETURNING {_COLUMNS}""",
        (at, _role(), at),
    )
    return sorted(map(_envelope, rows), key=lambda each: each.deposited_at)


def open_envelope(envelope_id: UUID, *, private_key: bytes, at: datetime) -> bytes:
    """Take the content out, once. Raises Refused when it was recalled, expired or opened before, and CannotOpen.

    With CannotOpen nothing is changed, because the caller's transaction ends by it.
    """
    if own := ceased(at=at).get(_role()):
        raise Refused(f"{own.why_gone} What nobody had opened before went back to its sender.")
    rows = execute(
        f"""UPDATE exchange.envelope SET state = 'opened', opened_at = %s
            WHERE id = %s AND recipient = %s AND state = 'collected' AND expires_at > %s RETURNING {_COLUMNS}""",
        (at, envelope_id, _role(), at),
    )
    if not rows:
        raise Refused(_why_not_opened(envelope_id, at))
    envelope = _envelope(rows[0])
    [(ciphertext,)] = execute(
        "DELETE FROM exchange.envelopebody WHERE envelope_id = %s RETURNING ciphertext", (envelope_id,)
    )
    sender = member_of(envelope.sender)
    if sender is None or hashlib.sha256(ciphertext).hexdigest() != envelope.sha256:
        raise CannotOpen("This is not what was sent. Ring the sender, and ask for it again.")
    try:
        return SUITE.decrypt(
            bytes(ciphertext),
            X25519PrivateKey.from_private_bytes(private_key),
            info=_bound_to(sender.authority_id, require_bound().id, envelope.reference),
        )
    except InvalidTag as error:
        raise CannotOpen("This cannot be opened with your authority's key. Ask the sender to send it again.") from error


def end(envelope_id: UUID, *, at: datetime) -> bool:
    """Close an opened envelope for good, when the case that it began is over. False when it is not open."""
    return bool(
        execute_count(
            """UPDATE exchange.envelope SET state = 'ended', ended_at = %s
               WHERE id = %s AND recipient = %s AND state = 'opened'""",
            (at, envelope_id, _role()),
        )
    )


# -- both sides ----------------------------------------------------------------------------------------------


def ledger() -> Iterator[Envelope]:
    """Every envelope that the bound authority sent or was sent, oldest first. No content."""
    for row in execute(f"SELECT {_COLUMNS} FROM exchange.envelope ORDER BY deposited_at, id"):
        yield _envelope(row)


def envelope(envelope_id: UUID) -> Envelope | None:
    """One of them."""
    rows = execute(f"SELECT {_COLUMNS} FROM exchange.envelope WHERE id = %s", (envelope_id,))
    return _envelope(rows[0]) if rows else None


def _key_to_seal_with(recipient: Member, *, about: UUID | None, at: datetime) -> bytes:
    """Refuses in words what the database would refuse without any."""
    own = member_of(_role())
    for each in filter(None, (own, recipient)):
        if each.has_ceased(at):
            raise Refused(each.why_gone)
    if own is None or not own.is_joined:
        raise Refused("Your authority has not joined the exchange. Its data protection lead does that once.")
    if not recipient.is_joined or recipient.public_key is None:
        raise Refused(f"{recipient.name} has not joined the exchange, or has left it. Ring them.")
    if execute(BLOCKS, (recipient.role, _role(), about, recipient.role, recipient.role)):
        raise Refused(f"{recipient.name} takes nothing new from your authority through the exchange. Ring them.")
    return recipient.public_key


def _why_not_opened(envelope_id: UUID, at: datetime) -> str:
    found = envelope(envelope_id)
    if found is None or found.recipient != _role():
        return "There is no such envelope for your authority."
    if found.state == "recalled":
        return "The sender has taken this back. Ring them if you expected it."
    if found.state == "expired" or found.expires_at <= at:
        return "This was not opened in time, and its content is gone. Ask the sender to send it again."
    if found.state == "deposited":
        return "This has not arrived in your inbox yet. Try again in a minute."
    return "Somebody in your authority has already opened this."


def _taken_out(where: str, parameters: tuple[Any, ...], *, state: str, at: datetime) -> list[UUID]:
    """End the bound authority's own envelopes that are so, and destroy their content."""
    ended = [
        each
        for (each,) in execute(
            f"UPDATE exchange.envelope SET state = %s, ended_at = %s WHERE sender = %s AND {where} RETURNING id",
            (state, at, _role(), *parameters),
        )
    ]
    execute("DELETE FROM exchange.envelopebody WHERE envelope_id = ANY(%s)", (ended,))
    return ended


def _bound_to(sender: UUID, recipient: UUID, reference: UUID) -> bytes:
    return b"handrail exchange 1" + sender.bytes + recipient.bytes + reference.bytes


def _role() -> str:
    return require_bound().schema_name


def _member(row: tuple[Any, ...]) -> Member:
    values = dict(zip(Member.__dataclass_fields__, row, strict=True))
    values["public_key"] = values["public_key"] and bytes(values["public_key"])
    values["followed_by"] = _plain(values["followed_by"])
    return Member(**values)


def _envelope(row: tuple[Any, ...]) -> Envelope:
    values = dict(zip(Envelope.__dataclass_fields__, row, strict=True))
    values["card"] = Card(**_plain(values["card"]))
    return Envelope(**values)


def _plain(given: Any) -> Any:
    return json.loads(given) if isinstance(given, str) else given
