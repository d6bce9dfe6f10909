"""Messages about a link to a plan: to whoever it is for, and to the school when something came of it.

What the address of a link holds is random and made as a message is put into words; it is nowhere but in that message,
and we keep a digest. So a message that is tried again has another address, and all of them lead to the same link.
"""

import secrets
from datetime import datetime
from hashlib import sha256

from django.urls import reverse

from handrail.core.calendar import day_of
from handrail.core.jinja import long_date
from handrail.core.reference import reference
from handrail.notices.actions import NoLongerDue, owe
from handrail.notices.models import Notice
from handrail.notices.wording import GUEST
from handrail.plans.actions import may_coordinate
from handrail.plans.models import PlanLink
from handrail.plans.standing import Standing

SUBJECT = "plan_link"
INVITED, ANSWERED, NEWS = "invited", "answered", "news"
WORDINGS = {INVITED: "guest_invited", ANSWERED: "guest_answered", NEWS: "child_action"}
BYTES = 32


def tell_guest(link: PlanLink, step: str, *, at: datetime) -> None:
    """Owe the contact a message, to leave at once."""
    _tell(link, step, [(link.email, GUEST)], at=at)


def tell_school(link: PlanLink, *, at: datetime) -> None:
    """Owe the school a message that something is to be looked at. It says nothing but a reference."""
    _tell(link, NEWS, _who_sees_to_it(link, at=at), at=at)


def link_at(token: str) -> PlanLink | None:
    """The link that an address leads to, by what the address holds."""
    found: PlanLink | None = (
        PlanLink.objects.filter(digests__contains=[_digest(token)])
        .select_related("contact", "pupil__school", "version__plan")
        .first()
    )
    return found


def came_back(link: PlanLink) -> bool:
    """Whether the contact's address does not take messages."""
    newest = Notice.objects.of_subject(SUBJECT, link.id).filter(recipient_role=GUEST).first()
    return newest is not None and newest.state in (Notice.State.BOUNCED, Notice.State.DEAD)


def still_due(notice: Notice, *, at: datetime) -> dict[str, str]:
    """What the text of this notice needs to know; for the contact a new address among it.

    Raises NoLongerDue when the link has stopped working, or the recipient does not see to the plan any more.
    """
    link = (
        PlanLink.objects.filter(id=notice.subject_id)
        .select_related("contact", "pupil__school", "version__plan")
        .select_for_update(of=("self",))
        .first()
    )
    if link is None:
        raise NoLongerDue(Notice.Reason.NOT_NEEDED)
    if notice.step == NEWS:
        if (notice.recipient, notice.recipient_role) not in _who_sees_to_it(link, at=at):
            raise NoLongerDue(Notice.Reason.CONTACT_CHANGED)
        called = reference(link.version.plan_id)
        return {"role": notice.recipient_role, "path": reverse("plans:item", args=[called]), "reference": called}
    if link.standing(at) != Standing.STANDS:
        raise NoLongerDue(Notice.Reason.NOT_DUE)
    token = secrets.token_urlsafe(BYTES)
    link.digests = [*link.digests, _digest(token)]
    link.save(update_fields=["digests"])
    return {
        "role": GUEST,
        "sender": link.sent_by_name,
        "whose": link.pupil.school.name,
        "until": long_date(day_of(link.ends_at)),
        "path": reverse("plans:open_link", args=[token]),
    }


def _who_sees_to_it(link: PlanLink, *, at: datetime) -> list[tuple[str, str]]:
    """The addresses to write to at the school and as whom: who sent it, else who keeps the plan in date, else all who
    may change it.
    """
    people = {each.id: each.email for each in may_coordinate(link.pupil.school_id, on=day_of(at))}
    for one in (link.sent_by, link.version.plan.coordinator_id):
        if one in people:
            return [(people[one], "coordinator")]
    return [(email, "leads") for email in people.values()]


def _tell(link: PlanLink, step: str, told: list[tuple[str, str]], *, at: datetime) -> None:
    owe(
        """SELECT %s AS subject_kind, %s::uuid AS subject_id, NULL::uuid AS school_id, %s AS cycle, %s AS step,
               %s::date AS step_on, recipient, recipient_role, %s AS urgency, %s AS wording,
               '' AS suppressed_reason, NULL::uuid AS sent_by
           FROM unnest(%s::text[], %s::text[]) AS told(recipient, recipient_role)""",
        [
            *(SUBJECT, link.id, at.strftime("%Y-%m-%d %H:%M:%S.%f"), step, day_of(at)),
            *("routine" if step == NEWS else "now", WORDINGS[step]),
            [email for email, _ in told],
            [role for _, role in told],
        ],
        at=at,
    )


def _digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()
