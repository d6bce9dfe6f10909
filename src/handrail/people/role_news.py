"""What is said to somebody whose role has changed or ended. Whoever has not taken it up yet hears of it by invitation,
and somebody asked about one child hears nothing: a message that concerns a child names nothing, so there is nothing
to say.
"""

from datetime import datetime

from django.urls import reverse

from handrail.accounts.models import Membership, User
from handrail.accounts.roles import Role
from handrail.core import audit
from handrail.core.calendar import day_of
from handrail.notices.actions import NoLongerDue, owe
from handrail.notices.models import Notice
from tenants.database import require_bound

SUBJECT = "role"
CHANGED, ENDED = "role_changed", "role_ended"
"""Their wordings; the second is about the role that has ended, the first about the one that has taken its place."""

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


def still_due(notice: Notice, *, at: datetime) -> dict[str, str]:
    """What a message about a role needs to know. Raises NoLongerDue when the role is not any more as it says."""
    membership = Membership.objects.filter(id=notice.subject_id).select_related("user", "school").first()
    if membership is None or (membership.to_on is not None) != (notice.wording == ENDED):
        raise NoLongerDue(Notice.Reason.NOT_DUE)
    if membership.user.email != notice.recipient:
        raise NoLongerDue(Notice.Reason.CONTACT_CHANGED)
    sender = User.objects.in_bulk([notice.sent_by]).get(notice.sent_by)
    authority = require_bound().name
    return {
        "role": notice.recipient_role,
        "sender": sender.name if sender else authority,
        "whose": membership.school.name if membership.school else authority,
        "as_role": Role(membership.role).label,
        "path": reverse("overview:home"),
    }
