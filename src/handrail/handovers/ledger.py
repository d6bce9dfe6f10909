"""Whether this authority and the exchange remember the same envelopes. Both sides' ledgers agree when each does."""

from handrail.handovers.models import Message
from tenants import exchange
from tenants.database import require_bound


def differences() -> list[str]:
    """Where this authority's own messages and the ledger of the exchange differ, a sentence each. No content."""
    own = {(each.way, each.reference): each for each in Message.objects.exclude(envelope_id=None)}
    me = require_bound().schema_name
    found, seen = [], set()
    for envelope in exchange.ledger():
        ways = [way for way, role in (("out", envelope.sender), ("in", envelope.recipient)) if role == me]
        for way in ways:
            if way == "in" and envelope.state in ("deposited", "recalled", "expired") and not envelope.collected_at:
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
