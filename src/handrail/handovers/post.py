"""Between the two sides: what is owed goes into the exchange, what came in is taken up, and a pack is opened.

Everything is done inside one authority, in its one transaction. A handover within an authority takes the same path.
"""

from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

from django.db import transaction

from handrail.core import audit
from handrail.core.audit import CLOCK
from handrail.core.calendar import beginning_of, day_of
from handrail.handovers import actions, admissions, erased, ledger, moves, onward, pack, steps
from handrail.handovers.actions import NotNow, Refused
from handrail.handovers.ceased import take_back
from handrail.handovers.following import FOLLOWED, UNREADABLE, follow_held_up, heard, held_up, opened
from handrail.handovers.models import ExchangeKey, Handover, Message, Pack
from handrail.handovers.moves import ANSWERS_LAST, LASTS, MOVES, ONE_DAY, OVER, RETURN_FOLLOWS, Side, State
from handrail.handovers.own_copy import take_in
from handrail.handovers.places import setting_of
from handrail.handovers.reminders import owe_news
from tenants import exchange
from tenants.exchange import Card, Envelope

AT_REST = timedelta(hours=1)
A_MOMENT = timedelta(microseconds=1)
"""By which what is about one handover goes later than what went before it, whatever a worker's clock says."""

# -- joining -------------------------------------------------------------------------------------------------


@transaction.atomic
def join_exchange(*, by: audit.Actor, at: datetime) -> ExchangeKey:
    """Let the authority write to others and be written to, or give it a new key; the earlier ones still open."""
    private_key, public_key = exchange.new_key()
    made = ExchangeKey(private_key=private_key.hex(), made_at=at, made_by=by.actor_id, made_by_name=by.actor_name)
    made.save(force_insert=True)
    exchange.join(key_id=made.id, public_key=public_key, at=at)
    audit.record("joined the exchange", by=by, at=at, subject_kind="exchange", subject_id=made.id)
    return made


@transaction.atomic
def block(role: str, *, by: audit.Actor, at: datetime) -> None:
    """Take no new handover from that authority, which is told so when it tries. Those under way are answered."""
    exchange.block(role)
    audit.record("blocked an authority in the exchange", by=by, at=at, subject_kind="exchange")


@transaction.atomic
def unblock(role: str, *, by: audit.Actor, at: datetime) -> None:
    """Take handovers from that authority again."""
    exchange.unblock(role)
    audit.record("unblocked an authority in the exchange", by=by, at=at, subject_kind="exchange")


# -- going out -----------------------------------------------------------------------------------------------


@transaction.atomic
def deposit_owed(*, at: datetime) -> int:
    """Put into the exchange what is owed, in the order in which it was written. Gives the number that went.

    What cannot go keeps its words in `trouble` and is tried again; what was written after it in the same handover
    waits, and so it does while somebody else is depositing what comes before it: nothing overtakes. A pack that a newer
    one replaces, or that was withdrawn, is taken back.
    """
    sent = 0
    owed = Message.objects.filter(way=Message.Way.OUT, done_at=None).order_by("owed_at", "number")
    for message in owed.select_for_update(of=("self",), skip_locked=True).select_related("handover"):
        before = Message.objects.filter(handover=message.handover_id, way=Message.Way.OUT, number__lt=message.number)
        went = list(before.values_list("done_at", flat=True))
        if None in went:
            continue
        try:
            _deposit(message, at=max([at, *(each + A_MOMENT for each in went if each)]))
        except exchange.Refused as refusal:
            if message.trouble != str(refusal)[:200]:
                message.trouble = str(refusal)[:200]
                message.save(update_fields=["trouble"])
            continue
        sent += 1
    return sent + erased.deposit_owed(at=at)


def _deposit(message: Message, *, at: datetime) -> None:
    handover = message.handover
    recipient = exchange.member_of(handover.other_role)
    if recipient is None:
        raise exchange.Refused(f"{handover.other_name} no longer uses Handrail. Ring them.")
    ends = _move_of(message) in ("withdraw", "end", "take_back")
    replaces = message.kind in (Message.Kind.PACK, Message.Kind.RETURN)
    expires_at = _expires_at(message, at=at)
    if expires_at <= at or ((replaces or ends) and not take_back(handover, at=at) and ends):
        message.done_at, message.content, message.trouble = at, None, ""
        message.save()
        return
    envelope = exchange.deposit(
        recipient=recipient,
        reference=message.reference,
        kind=message.kind,
        about=handover.reference,
        card=_card(handover, answers=(message.content or {}).get("answers", 0)),
        content=pack.to_plain(message.content),
        at=at,
        expires_at=expires_at,
    )
    message.envelope_id, message.sha256, message.expires_at = envelope.id, envelope.sha256, envelope.expires_at
    message.done_at, message.content, message.trouble = at, None, ""
    message.save()


def _expires_at(message: Message, *, at: datetime) -> datetime:
    handover = message.handover
    if message.kind == Message.Kind.RETURN and handover.is_over:
        return beginning_of(handover.since_on + RETURN_FOLLOWS + ONE_DAY)
    return at + (LASTS if message.kind == Message.Kind.PACK else ANSWERS_LAST)


def not_taken_up_since(handover: Handover, *, at: datetime) -> datetime | None:
    """Since when the other side has not taken up what was sent to it, where that is longer than its clock ever rests:
    it is suspended. What it opened, and what it is told meanwhile, waits for it.
    """
    since = exchange.waiting_since(handover.reference)
    return since if since and since < at - AT_REST and not handover.has_no_other_side else None


def _card(handover: Handover, *, answers: int) -> Card:
    """Where to, how urgent, and whom to ring on this side."""
    ours = handover if handover.is_home else handover.setting
    return Card(
        setting=handover.setting_name,
        urn=handover.setting_urn,
        is_urgent=handover.is_urgent,
        ring=ours.ring if ours else "",
        telephone=ours.telephone if ours else "",
        answers=answers,
    )


def _move_of(message: Message) -> str:
    return str((message.content or {}).get("move", ""))


# -- coming in -----------------------------------------------------------------------------------------------


@transaction.atomic
def collect(*, at: datetime) -> int:
    """Take up what came in: a pack waits for a named person, a move is followed at once. Gives the number."""
    cards = exchange.collect(at=at)
    followed = follow_held_up(at=at)
    for card in cards:
        if card.kind == onward.KIND:
            onward.take_up(card, at=at)
            continue
        if card.kind == erased.KIND:
            erased.take_up(card, at=at)
            continue
        message = _take_up(card, at=at)
        if message and message.kind in FOLLOWED and not held_up().filter(handover=message.handover_id).exists():
            FOLLOWED[message.kind](message, at=at)
    if cards or followed:
        owe_news(on=day_of(at), at=at)
    return len(cards)


def _take_up(card: Envelope, *, at: datetime) -> Message | None:
    """Keep a card. None for one that speaks of no handover between its sender and us: there is nothing to do."""
    is_pack, is_notice = card.kind == Message.Kind.PACK, card.kind == Message.Kind.NOTICE
    side = {"pack": Side.SETTING, "back": Side.HOME}.get(card.kind)
    if card.about is None:
        return None
    theirs = Handover.objects.filter(reference=card.about, side=Side.SETTING).exclude(other_role=card.sender)
    ours = Handover.objects.filter(reference=card.about, side=Side.HOME)
    if (is_pack and theirs.exists()) or (is_notice and ours.exists()):
        return None
    known = Handover.objects.select_for_update().filter(reference=card.about, other_role=card.sender)
    handovers = list(known.filter(side=side) if side else known)
    if is_notice:
        handovers = [admissions.arrived(card, at=at)]
    elif handovers and is_pack:
        _pack_followed(handovers[0], answers=card.card.answers, at=at)
    elif is_pack:
        handovers = [_arrived(card, at=at)]
    if not handovers:
        ledger.keep_if_erased(card)
        return None
    handover = handovers[0]
    if card.kind == Message.Kind.RETURN:
        heard(handover, "send_back", at=at)
    return Message.objects.create(
        handover=handover,
        way=Message.Way.IN,
        kind=card.kind,
        reference=card.reference,
        number=handover.messages.filter(way="in").count() + 1,
        envelope_id=card.id,
        key_id=card.key_id,
        sha256=card.sha256,
        owed_at=at,
        expires_at=card.expires_at,
    )


def _arrived(card: Envelope, *, at: datetime) -> Handover:
    """A handover that begins here: what its card says, and no more until a named person opens it."""
    sender = exchange.member_of(card.sender)
    setting = setting_of(card.card.urn)
    handover = Handover(
        reference=cast(UUID, card.about),
        side=Side.SETTING,
        setting=setting,
        setting_name=card.card.setting[:200],
        setting_urn=card.card.urn[:6],
        is_hospital=bool(setting and setting.is_hospital),
        other_role=card.sender,
        other_name=sender.name if sender else "An authority that has left",
        school_authority=sender.code if sender else "",
        is_urgent=card.card.is_urgent,
        ring=card.card.ring[:150],
        telephone=card.card.telephone[:30],
        state=State.DRAFT,
        since_on=day_of(at),
        started_at=at,
    )
    steps.stand(handover, State.SUBMITTED, MOVES["submit"], at=at)
    handover.save(force_insert=True)
    heard(handover, "submit", at=at)
    return handover


def _pack_followed(handover: Handover, *, answers: int, at: datetime) -> None:
    """Another pack came for a handover that is known: what was asked for, or a correction. One that was written before
    its sender heard that more is asked for crossed that, and is no answer to it.
    """
    is_answer = answers >= handover.times_asked
    move = "submit" if is_answer and handover.state in MOVES["submit"].of else "correct"
    if not handover.is_over:
        steps.stand(handover, moves.follow(State(handover.state), move), MOVES[move], at=at)
        handover.save()
    heard(handover, move, at=at)


# -- a pack is opened ----------------------------------------------------------------------------------------


@transaction.atomic
def open_pack(*, handover: Handover, by: audit.Actor, at: datetime) -> Pack:
    """Open the newest pack that came in, and make this side's own copy of the child and the plan.

    Opening tells the other side that it arrived. Raises Refused when there is none, it was taken back, or its time is
    over; and exchange.CannotOpen. Nothing is changed then.
    """
    handover = Handover.objects.select_for_update(of=("self",)).select_related("setting__school").get(id=handover.id)
    waiting = handover.messages.filter(way="in", kind="pack", done_at=None).order_by("-number")
    message = waiting.first()
    if handover.is_home or message is None:
        raise NotNow("There is no pack here that waits to be opened.")
    if handover.is_over:
        raise NotNow("This handover is over, so its pack can no longer be opened. Ring the sender if you need it.")
    school = handover.setting.school if handover.setting else None
    if school is None:
        raise Refused("An officer of your authority has to confirm this setting first. Ask them.")
    try:
        content = opened(message, at=at)
        made = take_in(handover, content, school, by=by, at=at)
    except exchange.Refused as refusal:
        raise Refused(str(refusal)) from refusal
    except Refused:
        raise
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise exchange.CannotOpen(UNREADABLE) from error
    waiting.update(done_at=at)
    exchange.end(cast(UUID, message.envelope_id), at=at)
    if handover.state == State.SUBMITTED:
        said = {"by": by.actor_name, "plan": str(made.plan_number or ""), "digest": made.sha256}
        actions.make_move(handover=handover, name="acknowledge", by=by, at=at, said=said)
    return made


# -- what runs out --------------------------------------------------------------------------------------------


@transaction.atomic
def let_run_out(*, at: datetime) -> int:
    """End handovers whose pack nobody opened in its time, on either side, and hold such returns up. Gives the number
    of handovers.
    """
    exchange.expire(at=at)
    _let_returns_run_out(at=at)
    onward.let_run_out(at=at)
    ended = 0
    waiting = Handover.objects.select_for_update().filter(state=State.SUBMITTED, alone_since=None)
    for handover in waiting:
        newest = handover.messages.filter(kind="pack").order_by("-number").first()
        way = Message.Way.OUT if handover.is_home else Message.Way.IN
        if newest is None or newest.way != way or newest.expires_at is None or newest.expires_at > at:
            continue
        envelope = exchange.envelope(cast(UUID, newest.envelope_id))
        if envelope and envelope.opened_at:
            continue  # this side was suspended, and hears of it in a moment
        steps.stand(handover, State.EXPIRED, MOVES["expire"], at=at)
        handover.save()
        steps.add_step(handover, MOVES["expire"], at=at, said=None, by_name=CLOCK.actor_name)
        ended += 1
    return ended


def _let_returns_run_out(*, at: datetime) -> None:
    """Take back the return packs of what has been over for too long, with all that is left of their content."""
    late = Message.objects.filter(
        way=Message.Way.OUT,
        kind=Message.Kind.RETURN,
        handover__state__in=OVER,
        handover__since_on__lt=day_of(at) - RETURN_FOLLOWS,
    )
    late.filter(done_at=None).update(done_at=at, content=None, trouble="")
    for message in late.filter(expires_at__gt=at):
        exchange.recall(message.reference, at=at)
        message.expires_at = at
        message.save(update_fields=["expires_at"])
