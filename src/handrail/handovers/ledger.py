"""Whether this authority and the exchange remember the same envelopes. Both sides' ledgers agree when each does."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from handrail.handovers.models import Message, OnwardReturn
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
        other = message.other_role if isinstance(message, OnwardReturn) else message.handover.other_role
        way = (me, other) if message.way == Message.Way.OUT else (other, me)
        if message.reference not in on_the_way:
            found[message.way, way].append((message.reference, message.sha256))
    return {key: _tally(each) for key, each in found.items()}


def _remembered() -> Iterator[Message | OnwardReturn]:
    """All that has an envelope: messages of handovers, and returns that cross the border."""
    yield from Message.objects.exclude(envelope_id=None).select_related("handover")
    yield from OnwardReturn.objects.exclude(envelope_id=None)


def _arrived(envelope: Envelope, *, before: datetime | None = None) -> bool:
    """Whether the recipient has taken up its card. What was taken back, or ran out, before that never arrived."""
    return envelope.collected_at is not None and (before is None or envelope.collected_at < before)


def _tally(remembered: Iterable[tuple[UUID, str]]) -> Tally:
    lines = sorted(f"{reference} {digest}" for reference, digest in remembered)
    return Tally(len(lines), sha256("\n".join(lines).encode()).hexdigest())
