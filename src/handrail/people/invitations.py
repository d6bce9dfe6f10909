"""What an invitation is: a membership that its person has not taken up, and the messages that ask them to.

The message holds no secret. Whoever it reaches signs in with a code sent to the address that was invited.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from django.urls import reverse

from handrail.accounts.models import Membership, MembershipQuerySet, User
from handrail.accounts.roles import Role
from handrail.core.calendar import day_of
from handrail.core.jinja import long_date
from handrail.notices.actions import NoLongerDue
from handrail.notices.letters import in_words
from handrail.notices.models import Notice
from handrail.schools.models import School
from tenants.database import require_bound

SUBJECT = "invitation"
WORDING = "invitation"
INVITED = "invited"
"""What the recipient of the message is to us."""
STANDS_FOR = timedelta(days=30)
AGAIN_AFTER = timedelta(hours=1)
SHOWN_FOR = timedelta(days=60)
"""How long one that ran out is shown, for somebody to invite the person again."""

FAILED = frozenset({Notice.State.BOUNCED, Notice.State.DEAD})
MAY_HAVE_LEFT = frozenset({Notice.State.CLAIMED, Notice.State.UNKNOWN, Notice.State.ACCEPTED, Notice.State.DELIVERED})


@dataclass(frozen=True)
class Person:
    """A membership as it is shown, with the newest message that invited to it.

    `refuses_post`: whether the last message to the address, of those from where the role is, came back. It is not said
    what it was about: it may have been a child.
    """

    membership: Membership
    notice: Notice | None
    refuses_post: bool = False

    @property
    def runs_out_on(self) -> date | None:
        return runs_out_on(self.membership)

    @property
    def came_back(self) -> bool:
        """Whether the address does not take messages. Of somebody awaited, those that ask them to come: it must not be
        told of them that they are somebody already.
        """
        if not self.membership.is_awaited:
            return self.refuses_post
        return self.notice is not None and self.notice.state in FAILED

    @property
    def asked_at(self) -> datetime:
        return self.membership.invited_at or datetime.min.replace(tzinfo=UTC)

    @property
    def has_run_out(self) -> bool:
        """Whether it ended because nobody took it up, and not because somebody took it back."""
        until, ended_on = self.runs_out_on, self.membership.to_on
        return self.membership.is_awaited and bool(until and ended_on and ended_on >= until)


def runs_out_on(membership: Membership) -> date | None:
    """The first day on which an invitation that was not taken up does not stand any more."""
    return day_of(membership.invited_at + STANDS_FOR) if membership.invited_at else None


def people_at(school_id: UUID | None, *, by: User, on: date) -> list[Person]:
    """Those with a role at the school, or at the authority when none is given, by name; as `by` may see them."""
    current = Membership.objects.visible_to(by).current(on=on).filter(user__is_active=True)
    return with_messages(current.at_place(school_id))


def officers(*, on: date) -> list[Person]:
    """Those with a role at the authority, by name: everybody may know who sees their school."""
    return with_messages(Membership.objects.current(on=on).filter(user__is_active=True, school=None))


def ran_out_at(school_id: UUID | None, *, by: User, at: datetime) -> list[Person]:
    """The invitations that nobody took up, of the last 60 days, for those who were not given a role since."""
    ended = Membership.objects.visible_to(by).at_place(school_id).filter(pupil=None, to_on__lte=day_of(at))
    here = Membership.objects.at_place(school_id).filter(to_on=None).values("user_id")
    lately = ended.filter(invited_at__gt=at - STANDS_FOR - SHOWN_FOR).exclude(user_id__in=here)
    people = [person for person in with_messages(lately) if person.has_run_out]
    newest = {person.membership.user_id: person for person in sorted(people, key=lambda each: each.asked_at)}
    return list(newest.values())


def with_messages(memberships: MembershipQuerySet) -> list[Person]:
    """Each with the newest message that invited to it, by name. Three questions, however many at one place."""
    found = list(memberships.select_related("user", "school"))
    ids = [each.id for each in found]
    sent = Notice.objects.filter(subject_kind=SUBJECT, subject_id__in=ids).order_by("owed_at")
    newest = {notice.subject_id: notice for notice in sent}
    came_back = _addresses_that_came_back(found)
    people = [
        Person(each, newest.get(each.id), refuses_post=each.user.email in came_back[each.school_id]) for each in found
    ]
    return sorted(people, key=lambda person: person.membership.called)


def addresses_to_check(school: School, *, on: date) -> set[str]:
    """Of the people and the contacts of a school, the addresses from which its last message came back."""
    theirs = Membership.objects.current(on=on).filter(school=school, pupil=None, user__is_active=True)
    contacts = {each.lower() for each in (school.lead_email, school.head_email, school.office_email) if each}
    addresses = contacts | set(theirs.values_list("user__email", flat=True))
    return Notice.objects.filter(school_id=school.id, recipient__in=addresses).addresses_that_came_back()


def _addresses_that_came_back(memberships: list[Membership]) -> dict[UUID | None, set[str]]:
    """By place. A school is told what came back of its own messages, the authority of all."""
    sent = Notice.objects.filter(recipient__in={each.user.email for each in memberships})
    return {
        place: (sent if place is None else sent.filter(school_id=place)).addresses_that_came_back()
        for place in {each.school_id for each in memberships}
    }


def still_due(notice: Notice, *, at: datetime) -> dict[str, str]:
    """What a message that invites needs to know. Raises NoLongerDue when it was taken up, taken back or asked anew."""
    membership = Membership.objects.filter(id=notice.subject_id).select_related("user", "school").first()
    if membership is None or not membership.is_awaited or membership.to_on is not None:
        raise NoLongerDue(Notice.Reason.NOT_DUE)
    if membership.school and not membership.school.is_open:
        raise NoLongerDue(Notice.Reason.SCHOOL_CLOSED)
    if membership.user.email != notice.recipient or not membership.user.is_active:
        raise NoLongerDue(Notice.Reason.CONTACT_CHANGED)
    if Notice.objects.of_subject(SUBJECT, membership.id).filter(owed_at__gt=notice.owed_at).exists():
        raise NoLongerDue(Notice.Reason.SUPERSEDED)
    return _facts(notice, membership)


def example(*, email: str, whose: str, as_role: str, by: User, at: datetime) -> tuple[str, str]:
    """The subject and the text of an invitation that nobody has sent yet. Its link leads nowhere."""
    notice = Notice(wording=WORDING, recipient=email, recipient_role=INVITED, sent_by=by.actor_id)
    facts = _facts(notice, Membership(role=Role.SCHOOL_LEAD, invited_at=at)) | {"whose": whose, "as_role": as_role}
    subject, text, _ = in_words(notice, facts, authority=require_bound())
    return subject, text


def _facts(notice: Notice, membership: Membership) -> dict[str, str]:
    sender = User.objects.in_bulk([notice.sent_by]).get(notice.sent_by)
    authority = require_bound().name
    return {
        "role": notice.recipient_role,
        "sender": sender.name if sender else authority,
        "whose": membership.school.name if membership.school else authority,
        "as_role": Role(membership.role).label,
        "recipient": notice.recipient,
        "until": long_date(runs_out_on(membership)),
        "path": reverse("people:invitation", args=[membership.id]),
    }
