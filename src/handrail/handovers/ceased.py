"""An authority that has ceased or is not there any more, with handovers under way: what nobody has opened comes back,
and is sent again. One that is only suspended is waited for.

What was opened stays where it is. The two sides of it go on without the exchange, as with a side that never used
Handrail: an answer to an authority that has ceased goes to nobody by itself, since its successors do not hold the case.
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from handrail.core.audit import CLOCK, Actor
from handrail.core.calendar import day_of
from handrail.handovers import actions, steps
from handrail.handovers.actions import Destination, GapsLeft, NotNow, ReasonMissing
from handrail.handovers.models import Handover, Message, OnwardReturn
from handrail.handovers.moves import MOVES, State
from handrail.handovers.places import place_of
from tenants import exchange
from tenants.database import require_bound
from tenants.exchange import Member

LOST = "What was on its way between you, and nobody had opened, is gone. Tell each other another way."


@transaction.atomic
def follow_ceased(*, at: datetime) -> int:
    """Take back what an authority that has ceased did not open, or what the bound one sent if it has itself. A handover
    whose pack nobody ever opened ends by that; another goes on alone. Gives the number of handovers.
    """
    removed = _follow_removed(at=at)
    gone = exchange.ceased(at=at)
    if not gone:
        return removed
    own = gone.get(require_bound().schema_name)
    everybody = [each.role for each in exchange.members()]
    back = exchange.give_back(to=everybody if own else gone, at=at)
    found = _with_another_side()
    concerned = found if own else found.filter(other_role__in=gone)
    for handover in concerned:
        end_or_go_on(steps.locked(handover), why=(own or gone[handover.other_role]).why_gone, at=at)
    owed = Message.objects.filter(way="out", done_at=None)
    (owed if own else owed.filter(handover__other_role__in=gone)).update(done_at=at, content=None, trouble="")
    _hold_returns(gone, back, at=at)
    return removed + len(concerned)


def _follow_removed(*, at: datetime) -> int:
    """The same for an authority that was removed, whose envelopes ended with it. Gives the number of handovers."""
    roles = [each.role for each in exchange.members()]
    concerned = _with_another_side().exclude(other_role__in=roles)
    for handover in concerned:
        end_or_go_on(steps.locked(handover), why=_removed(handover), at=at)
        handover.messages.filter(way="out", done_at=None).update(done_at=at, content=None, trouble="")
    _waiting_returns(at=at).exclude(other_role__in=roles).update(expires_at=at)
    return len(concerned)


def _with_another_side() -> QuerySet[Handover]:
    found = Handover.objects.under_way().filter(alone_since=None)
    return found.exclude(other_role="").exclude(state=State.DRAFT)


def _removed(handover: Handover) -> str:
    return f"{handover.other_name} no longer uses Handrail."


def _waiting_returns(*, at: datetime) -> QuerySet[OnwardReturn]:
    """Those that came and that nobody has opened."""
    return OnwardReturn.objects.filter(way=OnwardReturn.Way.IN, done_at=None, expires_at__gt=at)


def end_or_go_on(handover: Handover, *, why: str, at: datetime) -> None:
    """What becomes of a handover whose other side is not there any more. The caller holds its row."""
    take_back(handover, at=at)
    if handover.state == State.SUBMITTED and not _was_opened(handover):
        steps.make(handover, "come_back", by=CLOCK, at=at, said={"reason": why})
        return
    handover.alone_since = day_of(at)
    steps.make(handover, "go_on_alone", by=CLOCK, at=at, said={"reason": f"{why} {LOST}"})
    handover.messages.filter(done_at=None).update(done_at=at, content=None, trouble="")


@transaction.atomic
def go_on_by_hand(*, handover: Handover, told: str, by: Actor, at: datetime) -> Handover:
    """Go on without the exchange where what was written cannot be sent: whom somebody has told stands in the story, and
    what the other side has not opened is taken back. Of what is over only that is recorded. Raises ReasonMissing, and
    NotNow where nothing is held up.
    """
    if not told.strip():
        raise ReasonMissing("Enter whom you have told.", "told")
    handover = steps.locked(handover)
    why = handover.why_held_up
    if not why:
        raise NotNow("What was held up has gone meanwhile, or somebody has told them. Look at it again.")
    said = {"reason": why, "told": told.strip(), "by": by.actor_name}
    if not handover.is_over:
        take_back(handover, at=at)
        handover.alone_since = day_of(at)
        steps.make(handover, "go_on_alone", by=CLOCK, at=at, said=said)
    else:
        steps.add_step(handover, MOVES["go_on_alone"], at=at, said=said, by_name=CLOCK.actor_name)
    handover.messages.filter(way="out", done_at=None).update(done_at=at, content=None, trouble="")
    steps.record("told the other side of a handover by hand", handover, by=by, at=at)
    return handover


def take_back(handover: Handover, *, at: datetime, but_return: bool = False) -> bool:
    """Take back the packs and the notice that nobody has opened; whether the other side knows of the handover."""
    began = handover.messages.filter(way="out", kind__in=["pack", "note", "back"]).exclude(envelope_id=None)
    sent = [each.reference for each in began]
    for each in began:
        if not (but_return and each.kind == Message.Kind.RETURN):
            exchange.recall(each.reference, at=at)
    is_seen = any(envelope and envelope.collected_at for envelope in map(exchange.envelope_sent, sent))
    return is_seen or handover.messages.filter(way="in").exists()


def _was_opened(handover: Handover) -> bool:
    """Whether this side knows the child by a pack or a notice, or the other one has opened a pack of this one."""
    if not handover.is_home:
        return handover.pupil_id is not None
    sent = handover.messages.filter(way="out", kind=Message.Kind.PACK).exclude(envelope_id=None)
    envelopes = map(exchange.envelope_sent, sent.values_list("reference", flat=True))
    return any(each and each.opened_at for each in envelopes)


def _hold_returns(gone: Mapping[str, Member], back: list[UUID], *, at: datetime) -> None:
    """A return that came back is owed again: that is refused in words, until the school says where the child lives."""
    out = OnwardReturn.objects.filter(way=OnwardReturn.Way.OUT)
    for member in gone.values():
        out.filter(reference__in=back, takes_back=False, lives_in=member.code).update(done_at=None)
        out.filter(takes_back=True, lives_in=member.code, done_at=None).update(done_at=at, trouble="")
    _waiting_returns(at=at).filter(other_role__in=gone).update(expires_at=at)


# -- sent again ----------------------------------------------------------------------------------------------


def where_to(handover: Handover, *, at: datetime) -> list[Destination]:
    """Where a handover that came back, or is only being prepared, may go instead of to an authority that has ceased.

    The register says which authority has the setting now. Until it does, each of those that followed may.
    """
    ceased = exchange.ceased(at=at).get(handover.other_role)
    if not ceased or not handover.is_home or handover.state not in (State.DRAFT, State.CAME_BACK):
        return []
    place = place_of(handover.setting_urn)
    if place and place.authority_code != ceased.code:
        return [place.as_destination()]
    joined = {each.code: each.role for each in exchange.members() if each.is_joined}
    return [
        Destination(
            role=joined.get(code, ""),
            authority=name,
            authority_code=code,
            setting=handover.setting_name,
            urn=handover.setting_urn,
            is_hospital=handover.is_hospital,
        )
        for code, name in ceased.followed_by.items()
    ]


def why_gone(handover: Handover, *, at: datetime) -> str:
    """Why the other side is not in the exchange any more, or nothing."""
    member = exchange.member_of(handover.other_role)
    if member is None:
        return _removed(handover) if handover.other_role else ""
    return member.why_gone if member.has_ceased(at) else ""


@transaction.atomic
def send_again(*, handover: Handover, code: str, by: Actor, at: datetime) -> Handover:
    """Hand the child over to the authority that now has the setting, by a new handover with what was written before.

    It is sent at once when nothing is missing. Raises NotNow when somebody has done so, or the child is in another one.
    """
    handover = steps.locked(handover)
    to = next((each for each in where_to(handover, at=at) if each.authority_code == code), None)
    if to is None or handover.later.exists():
        raise NotNow("Somebody has sent this again, or it cannot go there. Look at it again.")
    if handover.state == State.DRAFT:
        actions.make_move(handover=handover, name="withdraw", by=by, at=at, said={"reason": f"Sent to {to.authority}."})
    made = actions.prepare(
        pupil=steps.child_in(handover),
        to=to,
        home_authority=handover.home_authority,
        roll=handover.roll,
        starts_on=handover.starts_on,
        is_urgent=handover.is_urgent,
        ring=handover.ring,
        telephone=handover.telephone,
        by=by,
        at=at,
    )
    made.earlier, made.about = handover, handover.about
    made.save(update_fields=["earlier", "about"])
    try:
        actions.submit(handover=made, by=by, at=at)
    except GapsLeft:
        return made
    return steps.locked(made)
