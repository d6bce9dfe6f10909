"""What is said of roles to whom they concern. Whoever has not taken theirs up yet hears of it by invitation, and
somebody asked about one child hears nothing: a message that concerns a child names nothing, so there is nothing to say.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import Q
from django.urls import reverse

from handrail.accounts.models import Membership, User
from handrail.accounts.roles import LEADS, Permission, Role
from handrail.core import audit
from handrail.core.calendar import day_of
from handrail.notices.actions import NoLongerDue, owe
from handrail.notices.models import Notice
from tenants.database import require_bound

SUBJECT = "role"
CHANGED, ENDED, GIVEN = "role_changed", "role_ended", "role_given"
"""Their wordings; the second is about the role that has ended, the first about the one that has taken its place, and
the third tells the school of somebody else's.
"""
LATELY = timedelta(days=30)
"""How long somebody who led at a school is still told who is let in there."""

OWE = """
SELECT %s AS subject_kind, %s::uuid AS subject_id, %s::uuid AS school_id, 'role' AS cycle, %s AS step,
    %s::date AS step_on, %s AS recipient, 'holder' AS recipient_role, 'now' AS urgency, %s AS wording,
    '' AS suppressed_reason, %s::uuid AS sent_by
"""


def tell(membership: Membership, wording: str, *, by: audit.Actor, at: datetime) -> None:
    """Owe the person of the role the message about it, at any hour: they may be the first to see that it is wrong."""
    if membership.is_awaited or membership.pupil_id:
        return
    about = [SUBJECT, membership.id, membership.school_id, wording, day_of(at)]
    owe(OWE, [*about, membership.user.email, wording, by.actor_id], at=at)


TELL_SCHOOL = """
SELECT %s AS subject_kind, given.id AS subject_id, given.school_id, 'role' AS cycle, %s AS step, %s::date AS step_on,
    given.recipient, given.recipient_role, 'now' AS urgency, %s AS wording, '' AS suppressed_reason, %s::uuid AS sent_by
FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::text[]) AS given (id, school_id, recipient, recipient_role)
"""


def tell_school(given: Iterable[Membership], *, by: audit.Actor, at: datetime) -> None:
    """Owe the school a message about each role that sees its children and that somebody at the authority has given.

    Nobody at the authority sees a child, and none of them must make themselves somebody who does without those knowing
    who answer for the children: who leads there, or did until lately, and the head. Where nobody has ever led there is
    nothing to see yet.
    """
    on = day_of(at)
    if by.actor_id is None or not Membership.objects.current(on=on).filter(user=by.actor_id, school=None).exists():
        return
    seeing = {each.id: each for each in given if each.school and Permission.SEE_CHILDREN in each.permissions}
    there = Membership.objects.filter(role__in=LEADS, school__in={each.school_id for each in seeing.values()})
    leads = there.filter(Q(to_on=None) | Q(to_on__gt=on - LATELY)).select_related("user", "school")
    led = [each for each in leads if not each.is_awaited and each.id not in seeing]
    told = {
        (each.id, each.school_id, *who)
        for each in seeing.values()
        for lead in led
        if lead.school_id == each.school_id
        for who in ((lead.user.email, "school_lead"), (lead.school and lead.school.head_email, "head"))
        if who[0] and who[0] != each.user.email
    }
    columns = [list(column) for column in zip(*sorted(told), strict=True)] or [[], [], [], []]
    owe(TELL_SCHOOL, [SUBJECT, GIVEN, on, GIVEN, by.actor_id, *columns], at=at)


def still_due(notice: Notice, *, at: datetime) -> dict[str, str]:
    """What a message about a role needs to know. Raises NoLongerDue when the role is not any more as it says."""
    membership = Membership.objects.filter(id=notice.subject_id).select_related("user", "school").first()
    if membership is None or not _is_so(membership, notice.wording):
        raise NoLongerDue(Notice.Reason.NOT_DUE)
    if notice.wording != GIVEN and membership.user.email != notice.recipient:
        raise NoLongerDue(Notice.Reason.CONTACT_CHANGED)
    sender = User.objects.in_bulk([notice.sent_by]).get(notice.sent_by)
    authority = require_bound().name
    return {
        "role": notice.recipient_role,
        "sender": sender.name if sender else authority,
        "whose": membership.school.name if membership.school else authority,
        "as_role": Role(membership.role).label,
        "who": f"{membership.called} ({membership.user.email})",
        "path": reverse("people:school", args=[membership.school.urn])
        if membership.school and notice.wording == GIVEN
        else reverse("overview:home"),
    }


def _is_so(membership: Membership, wording: str) -> bool:
    """Whether it is still as the message says. A school is also told of a role that was used and has ended."""
    if wording == GIVEN:
        return membership.to_on is None or not membership.is_awaited
    return (membership.to_on is not None) == (wording == ENDED)
