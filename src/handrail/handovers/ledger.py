"""Whether this authority and the exchange remember the same envelopes. Both sides' ledgers agree when each does.

Of a child about whom everything was deleted, count and hash of each envelope stay, and nothing else.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, cast
from uuid import UUID

from django.db.models import QuerySet

from handrail.handovers.models import ErasedEnvelope, Message, OnwardReturn
from tenants import exchange
from tenants.database import require_bound
from tenants.exchange import Envelope

Way = tuple[str, str]
"""From one authority to another, each by its role in the exchange."""


@dataclass(frozen=True)
class Tally:
    """How many envelopes one side remembers of a way, and one digest over all their references and hashes."""

    count: int
    digest: str


def differences() -> list[str]:
    """Where this authority's own messages and the ledger of the exchange differ, a sentence each. No content."""
    own = {(each.way, each.reference): each for each in _remembered()}
    me = require_bound().schema_name
    found, seen = [], set()
    for envelope in exchange.ledger():
        ways = [way for way, role in (("out", envelope.sender), ("in", envelope.recipient)) if role == me]
        for way in ways:
            if way == "in" and not _arrived(envelope):
                continue
            message = own.get((way, envelope.reference))
            seen.add((way, envelope.reference))
            if message is None:
                found.append(f"The exchange has an envelope ({way}, {envelope.reference}) that is not known here.")
            elif message.sha256 != envelope.sha256:
                found.append(f"The envelope {envelope.reference} is not what was {way} here.")
    found += [
        f"The exchange lacks the envelope of a message ({way}, {reference})."
        for way, reference in sorted(set(own) - seen, key=str)
    ]
    return found


def tallies(*, before: datetime) -> dict[tuple[str, Way], Tally]:
    """What this authority's own messages say of what had arrived before a moment, each way and as which side: out or
    in. No content. What was still on its way is left out on both sides, so the two sides of a way say the same.
    """
    me = require_bound().schema_name
    on_the_way = {each.reference for each in exchange.ledger() if not _arrived(each, before=before)}
    found: dict[tuple[str, Way], list[tuple[UUID, str]]] = defaultdict(list)
    for message in _remembered():
        other = message.handover.other_role if isinstance(message, Message) else message.other_role
        way = (me, other) if message.way == Message.Way.OUT else (other, me)
        if message.reference not in on_the_way:
            found[message.way, way].append((message.reference, message.sha256))
    return {key: _tally(each) for key, each in found.items()}


def _remembered() -> Iterator[Message | OnwardReturn | ErasedEnvelope]:
    """All that has, or had, an envelope: messages of handovers, and returns that cross the border."""
    yield from Message.objects.exclude(envelope_id=None).select_related("handover")
    yield from OnwardReturn.objects.exclude(envelope_id=None)
    yield from ErasedEnvelope.objects.filter(is_owed=False)


def keep(rows: QuerySet[Any]) -> None:
    """Remember the envelopes of these rows, which are about to be deleted with their child."""
    if rows.model is Message:
        found = rows.select_related("handover").exclude(envelope_id=None)
        kept = [(each, each.handover.other_role, each.handover.reference) for each in found]
    elif rows.model is OnwardReturn:
        kept = [(each, each.other_role, each.about or each.reference) for each in rows.exclude(envelope_id=None)]
    else:
        return
    ErasedEnvelope.objects.bulk_create(
        ErasedEnvelope(way=row.way, other_role=other, about=about, reference=row.reference, sha256=row.sha256)
        for row, other, about in kept
    )


def keep_if_erased(card: Envelope) -> None:
    """Remember a card that came too late: it speaks of a child about whom nothing is held any more."""
    about, sender = cast(UUID, card.about), card.sender
    if ErasedEnvelope.objects.filter(about=about, other_role=sender).exists():
        ErasedEnvelope.objects.create(
            way="in", other_role=sender, about=about, reference=card.reference, sha256=card.sha256
        )


def _arrived(envelope: Envelope, *, before: datetime | None = None) -> bool:
    """Whether the recipient has taken up its card. What was taken back, or ran out, before that never arrived."""
    return envelope.collected_at is not None and (before is None or envelope.collected_at < before)


def _tally(remembered: Iterable[tuple[UUID, str]]) -> Tally:
    lines = sorted(f"{reference} {digest}" for reference, digest in remembered)
    return Tally(len(lines), sha256("\n".join(lines).encode()).hexdigest())
