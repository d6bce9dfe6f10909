"""Which steps of a reminder have fallen due, and which of them is sent: SQL that the rooms make statements of.

Something falls due on a day; steps lie before it, on it and after it. Of the steps that were missed only the newest is
sent. A statement gives `asked` and two tables of its own: `item` (id, school_id, due) is what falls due, `contact`
(item_id, role, email) whom to write to about it. Its `step` is made with `dated`, and `chosen` ends it.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from django.db.models import Q, QuerySet

from handrail.core import calendar
from handrail.core.models import AuthoritySettings
from handrail.notices.actions import NoLongerDue
from handrail.notices.models import Notice, Sweep

ASKED = """asked (day, since, before, every, copy_after, deadline) AS (
    VALUES (%s::date, %s::date, %s::int[], %s::int, %s::int, %s::date))"""


def asked(sweep: Sweep, *, on: date, days_before: list[int], settings: AuthoritySettings) -> list[Any]:
    """The parameters of ASKED. The step of the due day itself is owed before days off, so that it leaves in time."""
    return [
        on,
        sweep.previous_on or on,
        days_before,
        settings.overdue_every_days,
        settings.copy_head_after_days,
        calendar.last_day_before_work(on) if settings.has_quiet_hours else on,
    ]


def dated(*, before: str, overdue: str, copy: str) -> str:
    """The steps of each item with a day by the day asked for, for each contact, in these wordings: the head is copied
    into those that are overdue for long enough.
    """
    return f"""
    SELECT item.id AS item_id, school_id, due::text AS cycle, each.step, each.step_on, role, email, each.urgency,
        CASE WHEN role = 'head' THEN '{copy}' ELSE each.wording END AS wording
    FROM asked, item
    JOIN contact ON contact.item_id = item.id AND contact.email <> ''
    CROSS JOIN LATERAL (
        SELECT 'before-' || days, due - days, CASE days WHEN 0 THEN 'deadline' ELSE 'routine' END, '{before}'
        FROM unnest(before) days
        UNION ALL
        SELECT 'overdue-' || times, due + times * every, 'routine', '{overdue}'
        FROM generate_series(greatest(1, (since - due) / nullif(every, 0)), (day - due) / nullif(every, 0)) times
    ) each (step, step_on, urgency, wording)
    WHERE due IS NOT NULL
        AND each.step_on <= CASE each.urgency WHEN 'deadline' THEN deadline ELSE day END
        AND (role <> 'head' OR each.step_on >= due + copy_after)"""


def once(wording: str) -> str:
    """One step of each item for whoever leads, on the day that it is seen: they are told of the same news once."""
    return f"""
    SELECT item.id AS item_id, school_id, due AS cycle, 'once' AS step, day AS step_on, role, email,
        'routine' AS urgency, '{wording}' AS wording
    FROM asked, item
    JOIN contact ON contact.item_id = item.id AND contact.email <> '' AND role <> 'head'"""


def contacts_of_school(lead: str) -> str:
    """The table `contact` of items that carry the addresses `lead`, `office` and `head` of their school: whoever leads,
    in this role, else the office. The head is copied.
    """
    return f"""
contact (item_id, role, email) AS (
    SELECT id, CASE lead WHEN '' THEN 'kit_office' ELSE '{lead}' END, coalesce(nullif(lead, ''), office) FROM item
    UNION ALL SELECT id, 'head', head FROM item)"""


def chosen(kind: str, *, several: str) -> str:
    """The notices about items of this kind that have no row yet, for `notices.actions.owe`.

    Older steps that fell due while nobody asked are written as superseded. A step that is on its way to somebody is
    not owed to whoever follows them, but to each of those in the role of which there are `several`.
    """
    return f"""
newest AS (SELECT *, step_on = max(step_on) OVER (PARTITION BY item_id, email) AS is_newest FROM step)
SELECT '{kind}' AS subject_kind, item_id AS subject_id, school_id, cycle, step, step_on,
    email AS recipient, role AS recipient_role, urgency, wording,
    CASE WHEN NOT is_newest THEN 'superseded'
         WHEN role <> 'head' AND EXISTS (
            SELECT 1 FROM notices_notice n
            WHERE n.subject_kind = '{kind}' AND n.subject_id = item_id AND n.cycle = newest.cycle
                AND n.sent_by IS NOT NULL AND n.state NOT IN ('suppressed', 'dead', 'bounced')
                AND n.step_on >= newest.step_on - 3) THEN 'reminded_by_hand'
         ELSE '' END AS suppressed_reason,
    NULL::uuid AS sent_by
FROM newest, asked
WHERE (is_newest OR step_on > since) AND NOT EXISTS (
    SELECT 1 FROM notices_notice n
    WHERE n.subject_kind = '{kind}' AND n.subject_id = item_id AND n.cycle = newest.cycle
        AND n.sent_by IS NULL AND n.step_on >= newest.step_on
        AND (n.recipient_role = 'head') = (role = 'head')
        AND (role <> '{several}' OR n.recipient = email)
        AND n.suppressed_reason <> 'contact_changed')
"""


def newer(notice: Notice) -> QuerySet[Notice]:
    """The messages to the same person about the same round that have taken this one's place."""
    later = Q(step_on__gt=notice.step_on) | Q(step_on=notice.step_on, owed_at__gt=notice.owed_at)
    same = Notice.objects.of_subject(notice.subject_kind, notice.subject_id).that_reached().order_by()
    return same.filter(later, cycle=notice.cycle, recipient=notice.recipient).exclude(id=notice.id)


def check_recipient(notice: Notice, contacts: Iterable[Sequence[str]]) -> None:
    """Whether a message still goes to the right person; `contacts` are roles and addresses as they are now.

    Raises NoLongerDue when there is nobody to write to, it would go to somebody else, or a newer one took its place.
    """
    now = [(role == "head", email) for role, email in contacts]
    if not now:
        raise NoLongerDue(Notice.Reason.NOT_DUE)
    if (notice.recipient_role == "head", notice.recipient) not in now:
        raise NoLongerDue(Notice.Reason.CONTACT_CHANGED)
    if newer(notice).exists():
        raise NoLongerDue(Notice.Reason.SUPERSEDED)
