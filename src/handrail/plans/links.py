"""Every write about links to a plan: sending and withdrawing one, getting in, and what is said through it.

Whoever holds the address of a link is nobody yet. They are let in with the newest code, sent to the contact's address,
and the child's date of birth; and each time the link is asked whether it still stands.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction

from handrail.accounts import guests
from handrail.accounts.guests import Tried
from handrail.accounts.models import User
from handrail.core import audit
from handrail.core.calendar import day_of
from handrail.plans import link_mail
from handrail.plans.actions import Agreed, Refused, WrongStage, record_agreement
from handrail.plans.models import SHARED, Agreement, HealthcarePlan, Party, PlanComment, PlanLink
from handrail.plans.standing import Standing
from handrail.schools.models import Contact, Pupil


class NotEntitled(Refused):
    """The contact has no e-mail address, or neither parental responsibility nor the child's health in their care."""


class NoLongerOpen(Refused):
    """The link does not open the plan any more; `standing` says why."""

    def __init__(self, standing: Standing) -> None:
        super().__init__("This link has stopped working")
        self.standing = standing


# -- the school ------------------------------------------------------------------------------------------


@transaction.atomic
def send(*, plan: HealthcarePlan, contact: Contact, is_health_professional: bool, by: User, at: datetime) -> PlanLink:
    """Send a contact of the child a link to what the plan says now. It works for 14 days; earlier ones to them end, and
    what they had typed and not sent is found again through the new one.

    Somebody with parental responsibility takes part as a parent, nobody else does so. Raises NotEntitled, WrongStage.
    """
    pupil = Pupil.objects.select_for_update().get(id=plan.pupil_id)  # no version is saved meanwhile
    plan = HealthcarePlan.objects.get(id=plan.id)
    version = plan.versions.order_by("-number").first()
    if not pupil.school.is_open:
        raise WrongStage("This school has closed. Send the link from the child’s new school")
    if plan.stage not in SHARED or version is None or pupil.has_left(day_of(at)):
        raise WrongStage("A link can be sent while the plan is being written, agreed or active")
    contact = Contact.objects.get(id=contact.id, pupil=pupil)
    if not contact.email:
        raise NotEntitled("Add an e-mail address to the contact first")
    if not (contact.has_parental_responsibility or is_health_professional):
        raise NotEntitled("Send a link only to somebody with parental responsibility, or to a health professional")
    draft = None
    for earlier in PlanLink.objects.filter(contact=contact, withdrawn_at=None).select_for_update():
        draft = earlier.draft or draft
        _withdraw(earlier, by=by, at=at)
    link: PlanLink = PlanLink.objects.create(
        pupil=pupil,
        contact=contact,
        version=version,
        party=Party.PARENT if contact.has_parental_responsibility else Party.HEALTH,
        name=contact.name,
        email=contact.email,
        sent_at=at,
        sent_by=by.id,
        sent_by_name=by.name,
        ends_at=at + PlanLink.LASTS,
        draft=draft,
    )
    _record("sent a link to a plan", link, by=by, at=at)
    link_mail.tell_guest(link, link_mail.INVITED, at=at)
    return link


@transaction.atomic
def withdraw(*, link: PlanLink, by: User, at: datetime) -> None:
    """Let a link open nothing from now on, also where it is open in a browser. Doing it twice changes nothing."""
    link = _locked(link)
    if link.withdrawn_at is None:
        _withdraw(link, by=by, at=at)
        _record("withdrew a link to a plan", link, by=by, at=at)


@transaction.atomic
def answer(*, comment: PlanComment, words: str, by: User, at: datetime) -> bool:
    """Answer a comment, and write to whoever made it while their link stands. Gives whether that was done."""
    link = _locked(comment.link)
    comment.answer, comment.answered_at = words, at
    comment.answered_by, comment.answered_by_name = by.id, by.name
    comment.save(update_fields=["answer", "answered_at", "answered_by", "answered_by_name"])
    _record("answered a comment on a plan", link, by=by, at=at)
    is_told = link.standing(at) == Standing.STANDS
    if is_told:
        link_mail.tell_guest(link, link_mail.ANSWERED, at=at)
    return is_told


def _withdraw(link: PlanLink, *, by: User, at: datetime) -> None:
    link.withdrawn_at, link.withdrawn_by_name, link.code, link.draft = at, by.name, "", None
    link.save(update_fields=["withdrawn_at", "withdrawn_by_name", "code", "draft"])


# -- getting in ------------------------------------------------------------------------------------------


@transaction.atomic
def make_code(*, link: PlanLink, at: datetime) -> str:
    """A code of six digits, to be sent to the contact's address; it ends the one before.

    Raises NoLongerOpen, and NoCodeNow within a minute of the last.
    """
    link = _locked(link)
    _check_stands(link, at)
    return guests.new_code(link, at=at)


@transaction.atomic
def try_to_get_in(*, link: PlanLink, code: str, born_on: date, at: datetime) -> Tried:
    """Let in whoever knows the newest code and the child's date of birth.

    Either of them wrong is one wrong try, and nothing tells which it was. The fifth in a row ends the link, and the
    school is told. It raises nothing, so that a wrong try stays counted.
    """
    link = _locked(link)
    if link.standing(at) != Standing.STANDS:
        return Tried.STOPPED
    tried = guests.try_code(link, code=code, is_birthday=born_on == link.pupil.born_on, at=at)
    if tried == Tried.IN:
        link.last_opened_at = at
        link.save(update_fields=["last_opened_at"])
        _record("opened a plan through a link", link, by=link, at=at)
    elif tried == Tried.STOPPED:
        _record("stopped a link after wrong tries", link, by=audit.CLOCK, at=at)
        link_mail.tell_school(link, at=at)
    return tried


# -- what is said ----------------------------------------------------------------------------------------


@transaction.atomic
def say(*, link: PlanLink, is_agreed: bool | None, words: str, at: datetime) -> None:
    """Record that the contact agreed to the version they were sent, wants a change of it, or only said something.

    `is_agreed` is empty for the last. The school is told. Raises NoLongerOpen.
    """
    Pupil.objects.select_for_update().get(id=link.pupil_id)  # no version is saved meanwhile
    link = _locked(link)
    _check_stands(link, at)
    if is_agreed is None:
        PlanComment.objects.create(link=link, made_at=at, words=words)
        _record("commented on a plan", link, by=link, at=at)
    else:
        said = Agreed(
            party=link.party,
            name=link.name,
            agreed_on=day_of(at),
            how=Agreement.How.LINK,
            is_agreed=is_agreed,
            comment=words,
        )
        record_agreement(plan=link.version.plan, agreed=said, by=link, at=at)
    link.draft = None
    link.save(update_fields=["draft"])
    link_mail.tell_school(link, at=at)


@transaction.atomic
def keep_draft(*, link: PlanLink, typed: dict[str, str], at: datetime) -> bool:
    """Keep what was typed and not sent, sealed, for the next time the link is opened. Gives whether there was any.

    Not recorded: nobody else sees it, and it changes nothing.
    """
    link = _locked(link)
    if not typed.get("words", "").strip() or link.standing(at) not in (Standing.STANDS, Standing.CHANGED):
        return False
    link.draft = typed
    link.save(update_fields=["draft"])
    return True


# -- what the school sees --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shown:
    """A link as the school sees it."""

    link: PlanLink
    standing: Standing
    came_back: bool
    comments: list[PlanComment]

    @property
    def is_open(self) -> bool:
        return self.standing in (Standing.STANDS, Standing.CHANGED)


def as_shown(pupil: Pupil, *, at: datetime) -> list[Shown]:
    """The links that were sent about a child, the newest first, without those withdrawn before anybody opened them."""
    sent = PlanLink.objects.filter(pupil=pupil).select_related("contact", "pupil__school", "version__plan")
    found = [
        Shown(link, link.standing(at), link_mail.came_back(link), list(link.comments.all()))
        for link in sent.order_by("-sent_at", "id").prefetch_related("comments")
    ]
    return [each for each in found if each.is_open or each.link.opened_at or not each.link.withdrawn_at]


# -- shared ----------------------------------------------------------------------------------------------


def _locked(link: PlanLink) -> PlanLink:
    """The link as it is now, held until the end."""
    found: Any = PlanLink.objects.select_related("contact", "pupil__school", "version__plan")
    held: PlanLink = found.select_for_update(of=("self",)).get(id=link.id)
    return held


def _check_stands(link: PlanLink, at: datetime) -> None:
    standing = link.standing(at)
    if standing != Standing.STANDS:
        raise NoLongerOpen(standing)


def _record(verb: str, link: PlanLink, *, by: audit.Actor, at: datetime) -> None:
    audit.record(
        verb,
        by=by,
        at=at,
        subject_kind="plan",
        subject_id=link.version.plan_id,
        school_id=link.pupil.school_id,
        fields=[link.party],
    )
