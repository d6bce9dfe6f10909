"""Emergency access: a named officer at the authority sees one child's emergency plan for half an hour, with a reason.

The child is found by an exact name and date of birth, or by UPN: nobody browses. Right and wrong guesses are recorded,
wrong ones limited; the data protection lead and the school are told at once, and the lead reviews each within a
working day.
"""

import unicodedata
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.urls import reverse

from handrail.accounts.models import Membership, User
from handrail.accounts.roles import Role
from handrail.core import audit
from handrail.core.calendar import A_WORKING_DAY, day_of, working_time
from handrail.core.models import AuditEntry
from handrail.core.reference import reference
from handrail.notices.actions import NoLongerDue, Owed, owe
from handrail.notices.models import Notice
from handrail.plans.models import BreakGlass
from handrail.schools.models import Pupil

SUBJECT = "break_glass"
FOUND_NOBODY = "found nobody for emergency access"
OPENED = "opened an emergency access"
WRONG_TRIES = 5
WITHIN = timedelta(hours=1)

SCHOOL_LEADS = (Role.SCHOOL_LEAD, Role.SETTING_LEAD)
REVIEWERS = (Role.DATA_PROTECTION_LEAD,)
IN_THEIR_PLACE = (Role.AUTHORITY_ADMINISTRATOR,)
"""Who is told when the authority has nobody to review."""


class TooManyTries(Exception):
    """Somebody guessed wrong too often. The next try is possible `again_at`."""

    def __init__(self, again_at: datetime) -> None:
        super().__init__("too many tries")
        self.again_at = again_at


class Refused(ValueError):
    """What was asked cannot be done; the message says why in words for the person."""


class AlreadyReviewed(Refused):
    """An access is reviewed once."""


class OwnAccess(Refused):
    """Nobody reviews what they opened themselves."""


@transaction.atomic
def break_glass(
    *, by: User, at: datetime, reason: str, upn: str = "", name: str = "", born_on: date | None = None
) -> list[BreakGlass]:
    """Open the emergency plan of the child who has this UPN, or this full name and date of birth, for half an hour.

    Gives one access for each child who matches, and none when nobody does: that is recorded too. Raises TooManyTries.
    """
    User.objects.select_for_update().get(id=by.id)  # several tries at once are counted one after another
    wrong = AuditEntry.objects.filter(verb=FOUND_NOBODY, by=by.id, at__gt=at - WITHIN).order_by("-at")[:WRONG_TRIES]
    if len(wrong) == WRONG_TRIES:
        raise TooManyTries(wrong[WRONG_TRIES - 1].at + WITHIN)
    found = children_who_match(on=day_of(at), upn=upn, name=name, born_on=born_on)
    if not found:
        audit.record(FOUND_NOBODY, by=by, at=at, subject_kind=SUBJECT)
    return [_open(pupil, by=by, at=at, reason=reason) for pupil in found]


def children_who_match(*, on: date, upn: str = "", name: str = "", born_on: date | None = None) -> list[Pupil]:
    """The children at a school on the day `on` who have exactly this UPN, or this full name and date of birth."""
    here = Pupil.objects.on_roll(on=on).select_related("school").order_by("joined_on", "id")
    if upn:
        return list(here.filter(upn=upn))
    if not name or born_on is None:
        return []
    return [pupil for pupil in here.filter(born_on=born_on) if _folded(pupil.name) == _folded(name)]


@transaction.atomic
def review(*, access: BreakGlass, outcome: str, note: str, by: User, at: datetime) -> None:
    """Say whether an access was justified. Raises AlreadyReviewed, OwnAccess."""
    held = BreakGlass.objects.select_for_update(of=("self",)).get(id=access.id)
    if held.reviewed_at:
        raise AlreadyReviewed(f"{held.reviewed_by_name} has reviewed this already")
    if held.opened_by == by.id:
        raise OwnAccess("You opened this yourself, so somebody else must review it")
    held.outcome, held.note = outcome, note
    held.reviewed_at, held.reviewed_by, held.reviewed_by_name = at, by.id, by.name
    held.save(update_fields=["outcome", "note", "reviewed_at", "reviewed_by", "reviewed_by_name"])
    audit.record(
        "reviewed an emergency access",
        by=by,
        at=at,
        subject_kind=SUBJECT,
        subject_id=held.id,
        school_id=held.pupil.school_id,
        fields=["outcome", "note"],
    )


def _open(pupil: Pupil, *, by: User, at: datetime, reason: str) -> BreakGlass:
    access = BreakGlass.objects.create(
        pupil=pupil,
        opened_at=at,
        ends_at=at + BreakGlass.LASTS,
        opened_by=by.id,
        opened_by_name=by.name,
        reason=reason,
    )
    audit.record(OPENED, by=by, at=at, subject_kind=SUBJECT, subject_id=access.id, school_id=pupil.school_id)
    on = day_of(at)
    told = [(email, "reviewer") for email in reviewers(on=on)]
    told += [(email, "informed") for email in school_leads(access, on=on)]
    _tell(access, told, step="opened", on=on, at=at)
    return access


# -- whoever must know -----------------------------------------------------------------------------------


def reviewers(*, on: date) -> set[str]:
    """The addresses of those who review, or of the administrators while there is nobody."""
    return _emails(REVIEWERS, on=on) or _emails(IN_THEIR_PLACE, on=on)


def school_leads(access: BreakGlass, *, on: date) -> set[str]:
    return _emails(SCHOOL_LEADS, on=on, school_id=access.pupil.school_id)


def owe_review_reminders(*, at: datetime) -> Owed:
    """Remind those who review, once each working day, of what has waited for longer than one. Owes nothing twice."""
    owed, on = 0, day_of(at)
    told = [(email, "reviewer") for email in sorted(reviewers(on=on))]
    for access in BreakGlass.objects.waiting():
        days = working_time(access.opened_at, at) // A_WORKING_DAY
        if days:
            owed += _tell(access, told, step=f"overdue-{days}", on=on, at=at).owed
    return Owed(owed, 0)


def still_due(notice: Notice, *, at: datetime) -> dict[str, str]:
    """What the text of this notice needs to know. Raises NoLongerDue when it was reviewed, or is another's now."""
    access = BreakGlass.objects.select_related("pupil").filter(id=notice.subject_id).first()
    if access is None:
        raise NoLongerDue(Notice.Reason.NOT_NEEDED)
    if access.reviewed_at and notice.step != "opened":
        raise NoLongerDue(Notice.Reason.NOT_DUE)
    on = day_of(at)
    those = reviewers(on=on) if notice.recipient_role == "reviewer" else school_leads(access, on=on)
    if notice.recipient not in those:
        raise NoLongerDue(Notice.Reason.CONTACT_CHANGED)
    return {"role": notice.recipient_role, "path": reverse("overview:home"), "reference": reference(access.id)}


def _tell(access: BreakGlass, told: list[tuple[str, str]], *, step: str, on: date, at: datetime) -> Owed:
    """Owe a message to each address and role in `told`, to leave at any hour."""
    return owe(
        """SELECT %s AS subject_kind, %s::uuid AS subject_id, NULL::uuid AS school_id, 'review' AS cycle, %s AS step,
               %s::date AS step_on, recipient, recipient_role, 'now' AS urgency, 'child_action' AS wording,
               '' AS suppressed_reason, NULL::uuid AS sent_by
           FROM unnest(%s::text[], %s::text[]) AS told(recipient, recipient_role)""",
        [SUBJECT, access.id, step, on, [email for email, _ in told], [role for _, role in told]],
        at=at,
    )


def _emails(roles: tuple[Role, ...], *, on: date, school_id: UUID | None = None) -> set[str]:
    there = Membership.objects.current(on=on).filter(role__in=roles, user__is_active=True)
    there = there.filter(school_id=school_id) if school_id else there.filter(school=None)
    return set(there.values_list("user__email", flat=True))


def _folded(name: str) -> str:
    """A name as it is compared: capitals, spaces, and the shape of apostrophes and hyphens do not matter."""
    plain = name.translate(str.maketrans("’‘`´‐‑–", "''''---"))
    return " ".join(unicodedata.normalize("NFKC", plain).casefold().split())
