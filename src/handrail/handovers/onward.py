"""A sickness return about a child who lives in another authority is sent on to it, because that authority owes the
child education and may hear of it from nobody else.

What is sent is what the law asks of a return: who, where they live, of which school and since when; and later, where
the school has handed the child over, which setting that is and whether it teaches them. No more.
"""

import json
from datetime import date, datetime, timedelta
from typing import Any, cast
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, Subquery
from django.urls import reverse

from handrail.absences.models import SicknessReturn
from handrail.absences.reminders import who_decide
from handrail.core import audit
from handrail.core.calendar import day_of
from handrail.core.jinja import long_date
from handrail.core.reference import reference
from handrail.handovers import onward_cases
from handrail.handovers.actions import NotNow, Refused
from handrail.handovers.models import ExchangeKey, Handover, OnwardReturn
from handrail.handovers.moves import IN_WORDS, State
from handrail.handovers.onward_models import handed_over
from handrail.handovers.onward_moves import MOVES_MADE, SENT
from handrail.notices.actions import NoLongerDue, Owed, owe
from handrail.notices.models import Notice
from tenants import exchange
from tenants.database import execute, require_bound
from tenants.exchange import Card, Envelope

KIND = "return"
SUBJECT = "onward_return"
FORM = 1
LATER_DAYS = ("taught_since", "likely_on")
"""Days that an earlier release did not tell."""
LASTS = timedelta(days=28)
"""How long a return may wait to be opened. Then its content is destroyed."""
Way = OnwardReturn.Way
CAME, RAN_OUT, ERASED = "came", "ran-out", "erased"
"""Why somebody is told of one: it has to be opened or told, nobody there opened it in its time, or its sender has
erased the child.
"""


# -- going out -------------------------------------------------------------------------------------------


@transaction.atomic
def send_on(*, at: datetime) -> int:
    """Owe what schools have reported, changed or taken back of children of other authorities, and deposit what is
    owed. Gives the number.

    What cannot go keeps its words in `trouble` and is tried again, until somebody has told of it by hand. What the
    school changed before it went is not sent as it was.
    """
    _renew_handed_over(on=day_of(at))
    for made in _to_tell():
        _owe(made, at=at)
    sent = 0
    owed = OnwardReturn.objects.select_for_update(of=("self",), skip_locked=True).filter(way=Way.OUT, done_at=None)
    owed = owed.exclude(reference__in=exchange.ran_out(KIND)).select_related("returned__case__pupil__school")
    for onward in owed.order_by("owed_at", "edition", "-takes_back"):
        try:
            sent += _send(onward, at=at)
        except exchange.Refused as refusal:
            if not onward.trouble:
                _tell(onward, at=at)
            if onward.trouble != str(refusal)[:200]:
                onward.trouble = str(refusal)[:200]
                onward.save(update_fields=["trouble"])
    return sent


def _renew_handed_over(*, on: date) -> None:
    """Let a return of a child who is away still, and whose handover has moved since it was sent on, be sent again."""
    told = OnwardReturn.objects.filter(
        way=Way.OUT, returned=OuterRef("pk"), edition=OuterRef("edition"), takes_back=False
    )
    away = SicknessReturn.objects.standing().filter(Q(last_on=None) | Q(last_on__gte=on))
    moved = away.alias(made=MOVES_MADE, told=Subquery(told.values("moves_told")))
    moved.filter(made__gt=F("told")).update(edition=F("edition") + 1)


def _to_tell() -> list[SicknessReturn]:
    """The returns of which some other authority does not know how they stand now."""
    here = Q(lives_in__in=["", require_bound().code])
    out = OnwardReturn.objects.filter(way=Way.OUT)
    said = out.filter(returned=OuterRef("pk"), edition=OuterRef("edition"), takes_back=False)
    last = out.filter(returned=OuterRef("pk")).order_by("-edition", "takes_back").values("takes_back")[:1]
    told = SicknessReturn.objects.filter(id__in=out.values("returned")).alias(is_over=Subquery(last))
    return [
        *SicknessReturn.objects.standing().exclude(here).filter(~Exists(said)),
        *told.filter(here | Q(withdrawn_at__isnull=False), is_over=False),
    ]


def _owe(made: SicknessReturn, *, at: datetime) -> None:
    """Owe to where the child lives how a return stands now, and to where it went before that it counts no more."""
    last = made.onward.filter(way=Way.OUT).order_by("-edition", "takes_back").first()
    stands = made.withdrawn_at is None and made.lives_in not in ("", require_bound().code)
    moves_told = SicknessReturn.objects.values_list(MOVES_MADE, flat=True).get(id=made.id)

    def owe(code: str, *, takes_back: bool) -> None:
        first = made.onward.filter(way=Way.OUT, lives_in=code).order_by("edition").first()
        reference = uuid4()
        OnwardReturn.objects.create(
            way=Way.OUT,
            returned=made,
            reference=reference,
            about=first.about or first.reference if first else reference,
            edition=made.edition,
            lives_in=code,
            takes_back=takes_back,
            moves_told=moves_told,
            owed_at=at,
        )

    if last and not last.takes_back and not (stands and last.lives_in == made.lives_in):
        owe(last.lives_in, takes_back=True)
    if stands:
        owe(made.lives_in, takes_back=False)


@transaction.atomic
def _send(onward: OnwardReturn, *, at: datetime) -> bool:
    """Deposit one that is owed in place of what nobody there has opened. Gives whether there was need to: not of what
    has changed again since, nor to take back what nobody there has heard of.
    """
    made = cast(SicknessReturn, onward.returned)
    before = made.onward.filter(way=Way.OUT, lives_in=onward.lives_in)
    sent = [each.reference for each in before.filter(envelope_id__isnull=False)]
    for each in sent:
        exchange.recall(each, at=at)
    before.held_up().exclude(envelope_id=None).update(done_at=at, trouble="")
    is_known = any(envelope and envelope.collected_at for envelope in map(exchange.envelope_sent, sent))
    is_known = is_known or before.told_by_hand().exists()
    if onward.edition == made.edition and (is_known or not onward.takes_back):
        _deposit(onward, made, at=at)
        return True
    onward.done_at, onward.trouble = at, ""
    onward.save()
    return False


def _deposit(onward: OnwardReturn, made: SicknessReturn, *, at: datetime) -> None:
    recipient = exchange.member(onward.lives_in)
    envelope = exchange.deposit(
        recipient=recipient,
        reference=onward.reference,
        kind=KIND,
        about=onward.about,
        card=Card(setting=recipient.name),
        content=json.dumps(_content(made, takes_back=onward.takes_back), ensure_ascii=False).encode(),
        at=at,
        expires_at=at + LASTS,
    )
    onward.other_role, onward.other_name = recipient.role, recipient.name
    onward.envelope_id, onward.sha256, onward.expires_at = envelope.id, envelope.sha256, envelope.expires_at
    onward.done_at, onward.trouble = at, ""
    onward.save()
    audit.record(
        "sent a return on to another authority",
        by=audit.CLOCK,
        at=at,
        subject_kind="sickness_return",
        subject_id=made.id,
        school_id=made.case.pupil.school_id,
    )


def let_run_out(*, at: datetime) -> int:
    """Hold up what nobody there opened in its time, so that somebody tells that authority. Gives the number.

    What the school changed or took back since is owed by itself.
    """
    later = Q(edition__gt=OuterRef("edition")) | Q(edition=OuterRef("edition"), takes_back__gt=OuterRef("takes_back"))
    newer = OnwardReturn.objects.filter(later, way=Way.OUT, returned=OuterRef("returned"))
    out = OnwardReturn.objects.filter(~Exists(newer), way=Way.OUT, done_at__isnull=False, done_by=None)
    found = list(out.filter(reference__in=exchange.ran_out(KIND)))
    for onward in found:
        onward.done_at, onward.trouble = None, f"Nobody there opened it within {LASTS.days} days."
        onward.save(update_fields=["done_at", "trouble"])
        _tell(onward, why=RAN_OUT, at=at)
    return len(found)


@transaction.atomic
def note_told(
    *, onward: OnwardReturn, whom: str, how: str, told_on: date, by: audit.Actor, at: datetime
) -> OnwardReturn:
    """Record that somebody told the authority where the child lives, because the return could not be sent on to it.

    What the school changes later is owed anew. Raises NotNow when it went meanwhile, or somebody has told already.
    """
    found = OnwardReturn.objects.held_up().select_for_update(of=("self",)).filter(id=onward.id).first()
    if found is None:
        raise NotNow("This has been sent or told meanwhile. Look at the list again.")
    found.says = {"whom": whom, "how": how, "told_on": told_on.isoformat()}
    found.done_at, found.done_by, found.done_by_name, found.trouble = at, by.actor_id, by.actor_name, ""
    found.save()
    made = cast(SicknessReturn, found.returned)
    audit.record(
        "told another authority of a return",
        by=by,
        at=at,
        subject_kind="sickness_return",
        subject_id=made.id,
        school_id=made.case.pupil.school_id,
    )
    return found


def to_tell(onward: OnwardReturn) -> list[tuple[str, str]]:
    """What the other authority is told of a return, as pairs of label and words."""
    return in_words(_content(cast(SicknessReturn, onward.returned), takes_back=onward.takes_back))


def _content(made: SicknessReturn, *, takes_back: bool) -> dict[str, Any]:
    """What is said of a return. Where it counts no more, not where the child lives now."""
    pupil = made.case.pupil
    over = None if takes_back else Handover.objects.filter(SENT, pupil=pupil).order_by("-started_at").first()
    first_session_on = over.first_session_on if over else None
    return {
        "form": FORM,
        "name": pupil.name,
        "born_on": pupil.born_on.isoformat(),
        "address": "" if takes_back else made.says.get("address", ""),
        "school": pupil.school.name,
        "urn": pupil.school.urn,
        "first_on": made.first_on.isoformat(),
        "from_pm": made.from_pm,
        "last_on": made.last_on.isoformat() if made.last_on else "",
        "until_am": made.until_am,
        "is_likely": made.likely_on is not None,
        "likely_on": made.likely_on.isoformat() if made.likely_on else "",
        "takes_back": takes_back,
        "by": made.made_by_name,
        "setting": over.setting_name if over else "",
        "stands": IN_WORDS[State(over.state)] if over else "",
        "taught_since": first_session_on.isoformat() if first_session_on else "",
    }


# -- coming in -------------------------------------------------------------------------------------------


def take_up(card: Envelope, *, at: datetime) -> None:
    """Keep the card of a return that came, and tell those who decide. The caller has the transaction."""
    sender, about = exchange.member_of(card.sender), card.about or card.reference
    onward = OnwardReturn.objects.create(
        way=Way.IN,
        reference=card.reference,
        about=about,
        edition=1 + OnwardReturn.objects.filter(way=Way.IN, about=about, other_role=card.sender).count(),
        other_role=card.sender,
        other_name=sender.name if sender else "An authority that has left",
        envelope_id=card.id,
        key_id=card.key_id,
        sha256=card.sha256,
        owed_at=at,
        expires_at=card.expires_at,
    )
    _tell(onward, at=at)


@transaction.atomic
def open_return(*, onward: OnwardReturn, by: audit.Actor, at: datetime) -> OnwardReturn:
    """Open a return that came: it becomes one of this authority's own, in a case whose clock runs here.

    Raises NotNow, Refused when its time is over, and exchange.CannotOpen.
    """
    onward = OnwardReturn.objects.select_for_update().get(id=onward.id)
    if onward.done_at:
        raise NotNow(f"{onward.done_by_name} has opened this already. Look at it again.")
    if onward.newer:
        raise NotNow("A newer one of the same return has come. Open that one instead.")
    key = ExchangeKey.objects.filter(id=cast(UUID, onward.key_id)).first()
    if key is None:
        raise exchange.CannotOpen("The key for this is gone. Ask the other authority to ring you.")
    try:
        envelope = cast(UUID, onward.envelope_id)
        plain = exchange.open_envelope(envelope, private_key=bytes.fromhex(key.private_key), at=at)
        onward.says = _read(json.loads(plain))
    except exchange.Refused as refusal:
        raise Refused(str(refusal)) from refusal
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise exchange.CannotOpen("This could not be read. Ask the other authority to ring you.") from error
    onward.done_at, onward.done_by, onward.done_by_name = at, by.actor_id, by.actor_name
    onward.save()
    onward_cases.follow(onward, by=by, at=at)
    exchange.end(envelope, at=at)
    audit.record("opened a return from another authority", by=by, at=at, subject_kind=SUBJECT, subject_id=onward.id)
    return onward


def sender_erased(about: UUID, *, sender: str, at: datetime) -> None:
    """Note that whoever sent a return on has erased the child, and tell those who decide where a copy is here: they
    say whether it is to go. What nobody had opened is gone. The caller has the transaction.
    """
    came = OnwardReturn.objects.filter(way=Way.IN, about=about, other_role=sender)
    came.update(erased_on=day_of(at))
    came.filter(done_at=None, expires_at__gt=at).update(expires_at=at)
    newest = came.to_look_at().order_by("-edition").first()
    if newest:
        _tell(newest, why=ERASED, at=at)


@transaction.atomic
def delete_copy(*, onward: OnwardReturn, by: audit.Actor, at: datetime) -> None:
    """Delete what is held here of a return, every edition of it, once its sender has erased the child. The ledger keeps
    count and hash. Doing it twice changes nothing. Raises NotNow while the sender still holds the child.
    """
    of_it = {name: getattr(onward, name) for name in ("way", "about", "other_role")}
    if OnwardReturn.objects.filter(**of_it, erased_on=None).exists():
        raise NotNow(f"{onward.other_name} still holds this child. Ask them before you delete your copy.")
    if OnwardReturn.objects.to_look_at().filter(**of_it).update(says=None):
        audit.record(
            "deleted a return from another authority", by=by, at=at, subject_kind=SUBJECT, subject_id=onward.id
        )


def _read(content: Any) -> dict[str, Any]:
    """What is kept of a return that came. Raises ValueError and the like for what is none."""
    if content["form"] != FORM:
        raise ValueError("a form that this release does not know")
    days = *(content[name] for name in ("born_on", "first_on", "last_on")), *map(content.get, LATER_DAYS)
    for day in filter(None, days):
        date.fromisoformat(day)
    words = ("name", "born_on", "address", "school", "urn", "first_on", "last_on", "by")
    found: dict[str, Any] = {name: str(content[name])[:4000] for name in words}
    found |= {name: str(content.get(name) or "")[:200] for name in ("setting", "stands", *LATER_DAYS)}
    found |= {name: bool(content.get(name)) for name in ("takes_back", "from_pm", "until_am")}
    return found | {"is_likely": bool(content["is_likely"])}


def in_words(says: dict[str, Any]) -> list[tuple[str, str]]:
    """What a return that came says, as pairs of label and words."""
    return [
        ("Date of birth", long_date(date.fromisoformat(says["born_on"]))),
        ("Address", says["address"] or "Not given"),
        ("School", f"{says['school']}, URN {says['urn']}"),
        ("First day away", _day(says["first_on"], ", from the afternoon" if says.get("from_pm") else "")),
        ("Last day away", _day(says["last_on"], ", until midday" if says.get("until_am") else "") or "Away still"),
        ("15 days likely", "Yes" if says["is_likely"] else "No"),
        ("Reported by", says["by"]),
        *([("Handed over", handed_over(says))] if says.get("setting") else []),
    ]


def _day(text: str, half: str) -> str:
    return f"{long_date(date.fromisoformat(text))}{half}" if text else ""


# -- whoever must know -----------------------------------------------------------------------------------

TOLD = """
WITH {people}
SELECT %s AS subject_kind, %s::uuid AS subject_id, NULL::uuid AS school_id, %s AS cycle, %s AS step,
    %s::date AS step_on, email AS recipient, role AS recipient_role, 'now' AS urgency, 'child_action' AS wording,
    '' AS suppressed_reason, NULL::uuid AS sent_by
FROM person WHERE role = 'officer'
"""


def _tell(onward: OnwardReturn, *, at: datetime, why: str = CAME) -> Owed:
    people, parameters = who_decide(day_of(at))
    return owe(TOLD.format(people=people), [*parameters, SUBJECT, onward.id, why, why, day_of(at)], at=at)


def still_due(notice: Notice, *, at: datetime) -> dict[str, str]:
    """What the text of this notice needs to know. Raises NoLongerDue when it was opened or told, or is too late, or a
    copy that was to be looked at is gone.
    """
    mine = OnwardReturn.objects.filter(id=notice.subject_id)
    if notice.cycle == ERASED:
        onward = mine.to_look_at().first()
    else:
        onward = mine.to_open(at=at).first() or mine.held_up().first()
    if onward is None:
        raise NoLongerDue(Notice.Reason.NOT_NEEDED)
    people, parameters = who_decide(day_of(at))
    if (notice.recipient,) not in execute(f"WITH {people} SELECT email FROM person WHERE role = 'officer'", parameters):
        raise NoLongerDue(Notice.Reason.CONTACT_CHANGED)
    return {"role": notice.recipient_role, "path": reverse("handovers:board"), "reference": reference(onward.reference)}
