"""Every write about guest pages: sending and stopping one, getting in, and the answer that is given through it."""

import secrets
from collections.abc import Mapping
from datetime import date, datetime
from hashlib import sha256

from django.db import transaction
from django.urls import reverse

from handrail.accounts.guests import Tried, new_code, try_code
from handrail.accounts.models import User
from handrail.core import audit
from handrail.core.calendar import day_of
from handrail.core.jinja import long_date
from handrail.core.reference import reference
from handrail.handovers import actions, by_hand, steps
from handrail.handovers.actions import NotNow, Refused
from handrail.handovers.guest_models import GuestPage
from handrail.handovers.models import Handover, Pack, StepsRead
from handrail.handovers.moves import Side, State, may_be_made
from handrail.notices.actions import NoLongerDue, owe
from handrail.notices.models import Notice
from handrail.notices.wording import GUEST
from handrail.plans.emergency import Emergency
from handrail.plans.models import PlanVersion
from handrail.plans.versions import write_emergency
from handrail.schools.actions import add_contact, change_contact, change_pupil
from handrail.schools.models import Contact, Pupil
from handrail.schools.phone import dialled

SUBJECT = "guest_page"
ANSWERED = "answered"
"""Of a message that tells whoever sent a page that its guest has sent the pack."""
BYTES = 32
TELLS = ("open_back", "confirm_return")
"""What a guest of a home school may tell with one button."""
ANSWERS = ("accept", "ask_for_more", "decline")
"""What a guest may answer."""


# -- the home side -------------------------------------------------------------------------------------------


@transaction.atomic
def send(*, handover: Handover, name: str, email: str, by: User, at: datetime) -> GuestPage:
    """Send a named person on the other side an address of a page of its own. It works for seven days; an earlier one
    of the handover ends. A home side that has not been told of an admission is asked for the pack by it.

    Raises NotNow where the other side's authority uses Handrail, or nothing was sent to a setting yet.
    """
    handover = steps.locked(handover)
    if not may_have_one(handover):
        raise NotNow("A guest page is for a side without Handrail, once there is something for it to read.")
    for earlier in handover.guest_pages.filter(withdrawn_at=None).select_for_update():
        _withdraw(earlier, at=at)
    page: GuestPage = GuestPage.objects.create(
        handover=handover,
        name=name,
        email=email,
        sent_at=at,
        sent_by=by.id,
        sent_by_name=by.name,
        ends_at=at + GuestPage.LASTS,
    )
    steps.record("sent a guest page", handover, by=by, at=at)
    if handover.state == State.ADMITTED:
        steps.make(handover, "ask_for_pack", by=by, at=at, said={"told": f"{name}, rung and sent a guest page"})
    owe(
        """SELECT %s AS subject_kind, %s::uuid AS subject_id, NULL::uuid AS school_id, %s AS cycle, 'invited' AS step,
               %s::date AS step_on, %s AS recipient, %s AS recipient_role, 'now' AS urgency, 'guest_invited' AS wording,
               '' AS suppressed_reason, NULL::uuid AS sent_by""",
        [SUBJECT, page.id, at.strftime("%Y-%m-%d %H:%M:%S.%f"), day_of(at), email, GUEST],
        at=at,
    )
    return page


def may_have_one(handover: Handover) -> bool:
    """Whether there is something that a guest on the other side could read or answer."""
    is_there = handover.newest_pack() is not None if handover.is_home else handover.pupil_id is not None
    return handover.has_no_other_side and not handover.is_over and is_there


@transaction.atomic
def withdraw(*, page: GuestPage, by: User, at: datetime) -> None:
    """Let a guest page open nothing from now on. Doing it twice changes nothing."""
    page = _locked(page)
    if page.withdrawn_at is None:
        _withdraw(page, at=at)
        steps.record("withdrew a guest page", page.handover, by=by, at=at)


def _withdraw(page: GuestPage, *, at: datetime) -> None:
    page.withdrawn_at, page.code, page.draft = at, "", None
    page.save(update_fields=["withdrawn_at", "code", "draft"])


def still_due(notice: Notice, *, at: datetime) -> dict[str, str]:
    """What the text of this notice needs to know, a new address among it. Raises NoLongerDue."""
    page = GuestPage.objects.filter(id=notice.subject_id).select_for_update().first()
    child = page.handover.pupil if page else None
    if page is None or child is None or not page.stands(at):
        raise NoLongerDue(Notice.Reason.NOT_NEEDED)
    if notice.cycle == ANSWERED:
        newest = page.handover.newest_pack()
        if newest is None or newest.read_by.exists():
            raise NoLongerDue(Notice.Reason.NOT_NEEDED)
        path = reverse("handovers:handover", args=[page.handover_id])
        return {"role": notice.recipient_role, "path": path, "reference": reference(page.handover.reference)}
    token = secrets.token_urlsafe(BYTES)
    page.digests = [*page.digests, sha256(token.encode()).hexdigest()]
    page.save(update_fields=["digests"])
    return {
        "role": GUEST,
        "sender": page.sent_by_name,
        "whose": page.school,
        "until": long_date(day_of(page.ends_at)),
        "path": reverse("handovers:open_guest", args=[token]),
    }


def page_at(token: str) -> GuestPage | None:
    """The page that an address leads to, by what the address holds."""
    digest = sha256(token.encode()).hexdigest()
    found: GuestPage | None = GuestPage.objects.filter(digests__contains=[digest]).first()
    return found


# -- the guest -----------------------------------------------------------------------------------------------


@transaction.atomic
def make_code(*, page: GuestPage, at: datetime) -> str:
    """A code of six digits for the person's address; it ends the one before. Raises NotNow and NoCodeNow."""
    page = _locked(page)
    if not page.stands(at):
        raise NotNow("This page has stopped working. Ask the school for a new one.")
    return new_code(page, at=at)


@transaction.atomic
def try_to_get_in(*, page: GuestPage, code: str, born_on: date, at: datetime) -> Tried:
    """Let in whoever knows the newest code and the child's date of birth; the first time is the acknowledgement.

    Either of them wrong is one wrong try, and nothing tells which it was; the fifth in a row ends the page. It raises
    nothing, so that a wrong try stays counted. Each time somebody gets in is recorded.
    """
    page = _locked(page)
    if not page.stands(at):
        return Tried.STOPPED
    tried = try_code(page, code=code, is_birthday=_born_on(page) == born_on, at=at)
    if tried == Tried.IN:
        steps.record("opened a handover through a guest page", page.handover, by=page, at=at)
        if page.handover.is_home and page.handover.state == State.SUBMITTED:
            by_hand.note_theirs(handover=page.handover, name="acknowledge", by=page, at=at)
    elif tried == Tried.STOPPED:
        steps.record("stopped a guest page after wrong tries", page.handover, by=audit.CLOCK, at=at)
    return tried


@transaction.atomic
def answer(*, page: GuestPage, name: str, said: dict[str, str], starts_on: date | None, at: datetime) -> Handover:
    """Take the setting's answer. Raises Refused for what is no answer, ReasonMissing and NotNow."""
    page = _locked(page)
    if name not in ANSWERS or not page.stands(at):
        raise Refused("This page has stopped working. Ask the school for a new one.")
    if not may_answer(page.handover):
        raise NotNow("The school has your answer already. Ring the school if something changes.")
    dates = {"starts_on": starts_on} if name == "accept" and starts_on else {}
    forget_draft(page)
    return by_hand.note_theirs(handover=page.handover, name=name, said=said, by=page, at=at, seen=None, **dates)


def may_answer(handover: Handover) -> bool:
    """Whether a setting's guest may answer now. What was agreed they change on the telephone."""
    theirs = may_be_made(State(handover.state), by=Side.SETTING)
    return handover.state != State.ACCEPTED and any(move.name in ANSWERS for move in theirs)


@transaction.atomic
def keep_draft(*, page: GuestPage, typed: Mapping[str, str], at: datetime) -> bool:
    """Keep what a guest has typed and not sent, while the page stands. Gives whether it was kept."""
    page = _locked(page)
    if page.stands(at) and any(typed.values()):
        page.draft = dict(typed)
        page.save(update_fields=["draft"])
        return True
    return False


def forget_draft(page: GuestPage) -> None:
    """What was typed is sent. The caller has the page's row."""
    page.draft = None
    page.save(update_fields=["draft"])


# -- a guest of the home side --------------------------------------------------------------------------------


@transaction.atomic
def send_pack(
    *,
    page: GuestPage,
    facts: Mapping[str, str],
    contact: Mapping[str, str],
    says: Emergency | None,
    said: Mapping[str, str],
    at: datetime,
) -> Pack:
    """Write down what the home school's guest says of a child who was admitted, and keep it as the pack. The setting
    is told that it came. Raises GapsLeft, with nothing written, without the smallest safe set; and NotNow.
    """
    page = _locked(page)
    handover, child = page.handover, page.handover.pupil
    if child is None or not page.stands(at) or not by_hand.may_keep_pack(handover):
        raise NotNow("This page has stopped working. Ask whoever sent it for a new one.")
    handover.ring, handover.telephone, handover.roll = facts["ring"], facts["telephone"], facts["roll"]
    handover.home_authority = facts["lives_in"]
    handover.save(update_fields=["ring", "telephone", "roll", "home_authority"])
    change_pupil(pupil=child, year_group=facts["year_group"], lives_in=facts["lives_in"], by=page, at=at)
    if contact["name"]:
        _keep_contact(child, contact, by=page, at=at)
    if says:
        newest = PlanVersion.objects.of_child(child).first()
        write_emergency(pupil=child, says=says, based_on=newest.number if newest else 0, by=page, at=at)
    actions.write(handover=handover, said=said, by=page, at=at)
    made = by_hand.keep_pack(handover=handover, by=page, opened_by=audit.CLOCK, at=at)
    forget_draft(page)
    owe(
        """SELECT %s AS subject_kind, %s::uuid AS subject_id, NULL::uuid AS school_id, %s AS cycle, %s AS step,
               %s::date AS step_on, lower(email) AS recipient, 'coordinator' AS recipient_role, 'now' AS urgency,
               'child_action' AS wording, '' AS suppressed_reason, NULL::uuid AS sent_by
           FROM accounts_user WHERE id = %s AND is_active""",
        [SUBJECT, page.id, ANSWERED, f"pack-{made.number}", day_of(at), page.sent_by],
        at=at,
    )
    return made


def _keep_contact(child: Pupil, given: Mapping[str, str], *, by: audit.Actor, at: datetime) -> None:
    """Add the parent whom a guest names, or correct them: the contact of that name, or with that relation and number.
    What the guest leaves empty stays as it was.
    """
    facts = {name: words for name, words in given.items() if words} | {"has_parental_responsibility": True}
    for each in Contact.objects.of_child(child):
        same_number = each.dialled and each.dialled == dialled(given["phone"]) and each.relation == given["relation"]
        if same_number or each.name.casefold() == given["name"].casefold():
            change_contact(contact=each, place=each.priority, by=by, at=at, **facts)
            return
    add_contact(pupil=child, place=1, by=by, at=at, **facts)


@transaction.atomic
def tell(*, page: GuestPage, name: str, at: datetime) -> Handover:
    """Note that the home school has the return pack, or that the child is back. Raises NotNow."""
    page = _locked(page)
    if name not in TELLS or not page.stands(at):
        raise NotNow("This page has stopped working. Ask whoever sent it for a new one.")
    return by_hand.note_theirs(handover=page.handover, name=name, by=page, at=at)


@transaction.atomic
def read_steps(*, page: GuestPage, at: datetime) -> None:
    """Note that the guest has read the emergency steps and knows where the medicine is. Twice changes nothing."""
    page = _locked(page)
    newest = page.handover.newest_pack()
    if newest is None or not page.handover.is_home or not page.stands(at):
        raise NotNow("This page has stopped working. Ask the school for a new one.")
    _, is_new = StepsRead.objects.get_or_create(pack=newest, by=page.id, defaults={"at": at, "by_name": page.name})
    if is_new:
        steps.record("read the emergency steps of a pack", page.handover, by=page, at=at)


def _locked(page: GuestPage) -> GuestPage:
    """The page as it is now, held until the end, with its handover."""
    found: GuestPage = (
        GuestPage.objects.select_for_update(of=("self",)).select_related("handover__pupil__school").get(id=page.id)
    )
    return found


def _born_on(page: GuestPage) -> date | None:
    return page.handover.pupil.born_on if page.handover.pupil else None
