"""Every write about inviting people and about who takes over from whom. The roles themselves are `accounts`'."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from handrail.accounts import actions as accounts
from handrail.accounts.actions import Newcomer
from handrail.accounts.addresses import plain_address
from handrail.accounts.models import Membership, User
from handrail.accounts.roles import Permission, Role
from handrail.core import audit
from handrail.core.calendar import day_of
from handrail.notices.actions import owe
from handrail.notices.models import Notice
from handrail.people.invitations import AGAIN_AFTER, INVITED, MAY_HAVE_LEFT, STANDS_FOR, SUBJECT, WORDING
from handrail.people.role_news import CHANGED, ENDED, tell, tell_school


class Refused(ValueError):
    """What was asked cannot be done; the message says why in words for the person."""


class AlreadyHere(Refused):
    """The address has a role at this place."""


class NotAwaited(Refused):
    """The person has signed in, or was asked a moment ago."""


@dataclass(frozen=True)
class Successor:
    """Who leads in somebody's place: a colleague, or somebody who is invited for it."""

    colleague: Membership | None = None
    name: str = ""
    email: str = ""


@transaction.atomic
def invite(*, email: str, name: str, role: Role, school_id: UUID | None, by: audit.Actor, at: datetime) -> Membership:
    """Give somebody a role from today and owe them a message that says so, and the school one if the authority lets
    them see its children. They have 30 days to sign in.

    What comes back is the same whether or not the address has an account for another place. Raises AlreadyHere,
    NotAnEmailAddress and WrongPlace.
    """
    here = Membership.objects.at_place(school_id).filter(pupil=None, to_on=None).select_related("user", "school")
    found = here.filter(user__email__iexact=plain_address(email)).first()
    if found:
        raise AlreadyHere(f"{found.called} has this address and a role here already: {found}. You can change the role")
    user = accounts.add_person(email=email, name=name, role=role, by=by, at=at, school_id=school_id, is_invited=True)
    membership: Membership = here.get(user=user)
    owe_invitations([membership], by=by, at=at)
    tell_school([membership], by=by, at=at)
    return membership


@transaction.atomic
def invite_all(people: Sequence[Newcomer], *, by: audit.Actor, at: datetime) -> list[Membership]:
    """Give many people roles from today and owe each a message, in as many statements as for one. Gives the roles.

    Whoever has the role already is not asked again. Raises NotAnEmailAddress and WrongPlace.
    """
    users = accounts.add_people(people, by=by, at=at, is_invited=True)
    given = Membership.objects.filter(user__in=users, invited_at=at, to_on=None, pupil=None)
    invited = list(given.select_related("user", "school"))
    owe_invitations(invited, by=by, at=at)
    tell_school(invited, by=by, at=at)
    return invited


@dataclass(frozen=True)
class TakenBack:
    """What is left of invitations that were taken back: the messages that had been sent, and the roles that stay."""

    sent: int
    stay: list[Membership]


@transaction.atomic
def take_back(ids: Collection[UUID], *, by: audit.Actor, at: datetime) -> TakenBack:
    """End those of these roles that nobody has taken up, but for the last lead of a school that somebody led before.
    Messages about them that have not been sent never are.
    """
    stay = accounts.end_awaited(ids, by=by, at=at)
    ended = set(ids) - {each.id for each in stay}
    sent = Notice.objects.filter(subject_kind=SUBJECT, subject_id__in=ended, state__in=MAY_HAVE_LEFT)
    return TakenBack(sent.count(), sorted(stay, key=lambda each: each.called))


@transaction.atomic
def invite_again(*, membership: Membership, by: audit.Actor, at: datetime) -> Membership:
    """Send the message once more, also when the invitation had run out. Raises NotAwaited and AlreadyHere."""
    held = Membership.objects.select_for_update(of=("self",)).select_related("user").get(id=membership.id)
    if not held.is_awaited or held.pupil_id:
        raise NotAwaited(f"{held.called} has signed in, so there is nothing to send again")
    if held.to_on is not None:
        again = (held.user.email, held.invited_as, Role(held.role))
        return invite(email=again[0], name=again[1], role=again[2], school_id=held.school_id, by=by, at=at)
    if held.invited_at and at - held.invited_at < AGAIN_AFTER:
        raise NotAwaited("An invitation was sent less than an hour ago. Wait a little before you send another")
    held.invited_at = at
    held.save(update_fields=["invited_at"])
    owe_invitations([held], by=by, at=at)
    audit.record(
        "invited a person again",
        by=by,
        at=at,
        subject_kind="user",
        subject_id=held.user_id,
        school_id=held.school_id,
        fields=["role"],
    )
    return held


@transaction.atomic
def change_role(
    *, membership: Membership, role: Role, by: audit.Actor, at: datetime, successor: Successor | None = None
) -> Membership:
    """Give a person another role at the same place, after naming who leads there instead when that is said, and owe
    them a message that says so.

    Raises LastOne, NoLongerAllowed, WrongPlace, and what `invite` raises.
    """
    _name(successor, membership, by=by, at=at)
    changed = accounts.change_role(membership=membership, role=role, by=by, at=at)
    if changed.id != membership.id:
        if changed.is_awaited:
            owe_invitations([changed], by=by, at=at)
        tell(changed, CHANGED, by=by, at=at)
        if Permission.SEE_CHILDREN not in membership.permissions:
            tell_school([changed], by=by, at=at)
    return changed


@transaction.atomic
def end_role(*, membership: Membership, by: audit.Actor, at: datetime, successor: Successor | None = None) -> None:
    """Take a person's role at once, after naming who leads there instead when that is said, and owe them a message
    that says so.

    Raises LastOne, NoLongerAllowed, and what `invite` raises.
    """
    _name(successor, membership, by=by, at=at)
    accounts.end_membership(membership=membership, by=by, at=at)
    tell(membership, ENDED, by=by, at=at)


@transaction.atomic
def close_account(*, user: User, by: audit.Actor, at: datetime) -> None:
    """Close somebody's account, and owe them a message about each role that ends with it.

    Raises LastOne and NoLongerAllowed.
    """
    for membership in user.memberships.filter(to_on=None).select_related("user", "school"):
        end_role(membership=membership, by=by, at=at)
    accounts.close_account(user=user, by=by, at=at)


@transaction.atomic
def end_unused(*, at: datetime) -> int:
    """End the roles that nobody took up for 30 days, and give their number.

    The last lead's stays: a school without a lead is a dead end that nobody there can mend.
    """
    ended = 0
    old = Membership.objects.filter(to_on=None, pupil=None, invited_at__lte=at - STANDS_FOR).select_related("user")
    for membership in old:
        if membership.is_awaited:
            try:
                accounts.end_membership(membership=membership, by=audit.CLOCK, at=at)
            except accounts.LastOne:
                continue
            ended += 1
    return ended


OWE = """
SELECT %s AS subject_kind, id AS subject_id, school_id, 'invitation' AS cycle,
    'sent-' || 1 + (SELECT count(*) FROM notices_notice n WHERE n.subject_kind = %s AND n.subject_id = invited.id)
        AS step,
    %s::date AS step_on, email AS recipient, %s AS recipient_role, 'now' AS urgency, %s AS wording,
    '' AS suppressed_reason, %s::uuid AS sent_by
FROM unnest(%s::uuid[], %s::uuid[], %s::text[]) AS invited (id, school_id, email)
"""


def owe_invitations(memberships: Sequence[Membership], *, by: audit.Actor, at: datetime) -> None:
    """Owe each the message that invites to it, at any hour: somebody waits for it. One statement."""
    owe(
        OWE,
        [
            *(SUBJECT, SUBJECT, day_of(at), INVITED, WORDING, by.actor_id),
            [each.id for each in memberships],
            [each.school_id for each in memberships],
            [each.user.email for each in memberships],
        ],
        at=at,
    )


def _name(successor: Successor | None, leaving: Membership, *, by: audit.Actor, at: datetime) -> None:
    if successor is None:
        return
    role = Role(leaving.role)
    if successor.colleague:
        change_role(membership=successor.colleague, role=role, by=by, at=at)
    else:
        invite(email=successor.email, name=successor.name, role=role, school_id=leaving.school_id, by=by, at=at)
