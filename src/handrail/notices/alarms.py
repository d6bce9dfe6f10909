"""What administrators are told about the service itself: that reminders were late, or that nothing leaves.

The worst real failure is silence without an error, so what is expected is compared with what happened.
"""

import logging
from collections.abc import Iterable
from datetime import date, datetime, timedelta

from django.db.models import Max, Min, Sum
from django.urls import reverse

from handrail.accounts.models import Membership, User
from handrail.accounts.roles import Role
from handrail.core import calendar
from handrail.core.jinja import long_date, moment
from handrail.core.models import AuthoritySettings
from handrail.notices import actions
from handrail.notices.actions import NoLongerDue, Owed, owe
from handrail.notices.models import Notice, NoticeQuerySet, Sweep
from tenants.database import require_bound

SUBJECT = "service"
PATIENCE = timedelta(hours=1)
A_DAY_AND_MORE = timedelta(hours=26)

log = logging.getLogger(__name__)


def tell_administrators(wording: str, *, cycle: str, on: date, at: datetime) -> Owed:
    """Owe each administrator one message of this wording and cycle, to be sent at any hour."""
    administrators = Membership.objects.current(on=on).filter(role=Role.AUTHORITY_ADMINISTRATOR, user__is_active=True)
    emails = sorted({email.lower() for email in administrators.values_list("user__email", flat=True)})
    return owe(
        """SELECT 'service' AS subject_kind, %s::uuid AS subject_id, NULL::uuid AS school_id, %s AS cycle, %s AS step,
               %s::date AS step_on, email AS recipient, 'administrator' AS recipient_role, 'now' AS urgency,
               %s AS wording, '' AS suppressed_reason, NULL::uuid AS sent_by
           FROM unnest(%s::text[]) email""",
        [require_bound().id, cycle, wording, on, wording, emails],
        at=at,
    )


def close_sweep(sweep: Sweep, counts: Iterable[Owed], *, at: datetime) -> Owed:
    """Add what the sweep found to its day, and tell the administrators when it caught up on days that were missed."""
    found = actions.close_sweep(sweep, counts, at=at)
    if sweep.days_missed and (found.owed or found.suppressed):
        tell_administrators("late", cycle=sweep.on.isoformat(), on=sweep.on, at=at)
    return found


def check_silence(*, at: datetime) -> bool:
    """Tell the administrators, once a day, when messages wait for longer than an hour in which they could have left,
    or when nobody has looked for reminders for more than a day. Gives whether something is silent.
    """
    on = calendar.day_of(at)
    silent = False
    for wording, since in (("silence", _oldest_late(at)), ("no_sweep", _not_swept_since(at))):
        if since is not None:
            log.error("%s since %s in authority %s", wording, since, require_bound().code)
            tell_administrators(wording, cycle=on.isoformat(), on=on, at=at)
            silent = True
    return silent


def late(*, at: datetime) -> NoticeQuerySet:
    """The messages that should have left an hour ago or more."""
    waited = Notice.objects.waiting().filter(not_before__lt=at - PATIENCE).exclude(subject_kind=SUBJECT)
    if not AuthoritySettings.load().has_quiet_hours:
        return waited
    opened = calendar.opened_at(at)
    if opened is None or at - opened < PATIENCE:
        return waited.filter(urgency=Notice.Urgency.NOW)
    return waited


def still_true(notice: Notice, *, at: datetime) -> dict[str, str]:
    """What a message about the service needs to know. Raises NoLongerDue when it is another day's or has mended."""
    on = calendar.day_of(at)
    if notice.cycle != on.isoformat():
        raise NoLongerDue(Notice.Reason.SUPERSEDED)
    facts = {"role": notice.recipient_role, "path": reverse("notices:undelivered")}
    if notice.wording == "late":
        swept = Sweep.objects.filter(on=on).aggregate(Min("previous_on"), Sum("owed"), Sum("passed_over"))
        return facts | {
            "from_day": long_date(swept["previous_on__min"]),
            "to_day": long_date(on),
            "owed": str(swept["owed__sum"]),
            "passed_over": str(swept["passed_over__sum"]),
        }
    oldest = _oldest_late(at) if notice.wording == "silence" else _not_swept_since(at)
    if oldest is None:
        raise NoLongerDue(Notice.Reason.NOT_DUE)
    return facts | {"oldest": moment(oldest), "waiting": str(late(at=at).count())}


def _oldest_late(at: datetime) -> datetime | None:
    return late(at=at).aggregate(oldest=Min("not_before"))["oldest"]


def _not_swept_since(at: datetime) -> datetime | None:
    last = Sweep.objects.aggregate(last=Max("at"))["last"] or User.objects.aggregate(first=Min("joined_at"))["first"]
    return last if last is not None and at - last > A_DAY_AND_MORE else None
