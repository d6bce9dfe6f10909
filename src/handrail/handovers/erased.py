"""A child about whom everything was deleted, here or at the other side of a handover: the two tell each other that.
An authority to which a sickness return was sent on is told too.

What goes through the exchange says which handover it was, and of whom nothing.
"""

from contextlib import suppress
from datetime import datetime
from typing import cast
from uuid import UUID, uuid4

from handrail.handovers import onward, steps
from handrail.handovers.ceased import end_or_go_on, take_back
from handrail.handovers.models import ErasedEnvelope, ExchangeKey, Handover, OnwardReturn
from handrail.handovers.moves import ANSWERS_LAST
from handrail.schools.models import Pupil
from tenants import exchange
from tenants.exchange import Card, Envelope

KIND = "erased"


def owe_news(pupil: Pupil, *, at: datetime) -> None:
    """Take back what nobody has opened of a child who is about to be erased, and owe the news to each other side that
    has heard of a handover. The caller has the transaction.
    """
    for handover in Handover.objects.filter(pupil=pupil, alone_since=None).exclude(other_role=""):
        if take_back(handover, at=at):
            _owe(handover.other_role, handover.reference)
    sent_on = OnwardReturn.objects.filter(way=OnwardReturn.Way.OUT, returned__case__pupil=pupil)
    known = set()
    for each in sent_on.exclude(envelope_id=None):
        exchange.recall(each.reference, at=at)
        envelope = exchange.envelope_sent(each.reference)
        if envelope and envelope.collected_at:
            known.add((each.other_role, each.about or each.reference))
    for role, about in known:
        _owe(role, about)


def _owe(role: str, about: UUID) -> None:
    ErasedEnvelope.objects.create(way="out", other_role=role, about=about, reference=uuid4(), is_owed=True)


def deposit_owed(*, at: datetime) -> int:
    """Put the news that is owed into the exchange. Gives the number. Who takes nothing is told when it does again."""
    owed = ErasedEnvelope.objects.select_for_update(skip_locked=True).filter(is_owed=True)
    return sum(_deposit(each, at=at) for each in owed)


def _deposit(news: ErasedEnvelope, *, at: datetime) -> bool:
    recipient = exchange.member_of(news.other_role)
    if recipient is None or recipient.has_ceased(at):
        news.delete()  # there is nobody to tell
        return False
    try:
        envelope = exchange.deposit(
            recipient=recipient,
            reference=news.reference,
            kind=KIND,
            about=news.about,
            card=Card(setting=""),
            content=b"{}",
            at=at,
            expires_at=at + ANSWERS_LAST,
        )
    except exchange.Refused:
        return False
    news.sha256, news.is_owed = envelope.sha256, False
    news.save()
    return True


def take_up(card: Envelope, *, at: datetime) -> None:
    """Hear that the other side holds nothing of a child any more. What nobody opened here ends by that; what was opened
    is this side's own, and stays for as long as it keeps such records. The caller has the transaction.
    """
    about = cast(UUID, card.about)
    ErasedEnvelope.objects.create(
        way="in", other_role=card.sender, about=about, reference=card.reference, sha256=card.sha256
    )
    key = ExchangeKey.objects.filter(id=card.key_id).first()
    with suppress(exchange.CannotOpen):  # the card says it all: nothing is lost with what lies in it
        if key:
            exchange.open_envelope(card.id, private_key=bytes.fromhex(key.private_key), at=at)
            exchange.end(card.id, at=at)
    for handover in Handover.objects.filter(reference=about, other_role=card.sender):
        handover = steps.locked(handover)
        why = f"{handover.other_name} has erased what it held of this child."
        if not handover.is_over:
            end_or_go_on(handover, why=why, at=at)
    onward.sender_erased(about, sender=card.sender, at=at)
