"""Who is owed a reminder about which policy, and whether it is still due when it is sent.

Owing asks "due and no row yet", never "due today": a missed day heals itself and a second run owes nothing. Of the
steps that were missed only the newest is sent.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import EmailField, F, Q, QuerySet, Value
from django.db.models.functions import Coalesce, Lower, NullIf
from django.urls import reverse

from handrail.accounts.models import Membership, User
from handrail.accounts.roles import Role
from handrail.core import audit, calendar
from handrail.core.jinja import long_date
from handrail.core.models import AuthoritySettings
from handrail.notices import actions, alarms, steps
from handrail.notices.actions import NoLongerDue, Owed
from handrail.notices.letters import in_words
from handrail.notices.models import Notice
from handrail.policies.models import NEEDED, Kind, Policy
from tenants.database import execute, require_bound

SUBJECT = "policy"
RULE = "policy reviews"
NEVER_RECORDED = "never-recorded"
BY_HAND_COUNTS_FOR = timedelta(days=3)
"""A reminder by hand takes the place of the automatic one that falls due within this time."""
BY_HAND_AT_MOST_EVERY = timedelta(hours=24)

NOBODY_TO_REMIND = Q(school__isnull=False, lead_email="", school__lead_email="", school__office_email="")
"""A school's policy without any address to write to: nothing is owed, and the chase list says so."""


IN_A_SENTENCE = {
    Kind.MEDICAL_CONDITIONS: "medical conditions policy",
    Kind.ALLERGY_SAFETY: "allergy safety policy",
    Kind.CANNOT_ATTEND: "policy for children with health needs who cannot attend school",
    Kind.SECTION_19: "section 19 policy",
}


@dataclass(frozen=True)
class Reminded:
    """What became of a reminder by hand, in policies."""

    sent: int
    reminded_recently: int
    nobody_to_remind: int


def watched() -> QuerySet[Policy]:
    """The policies somebody is reminded of: needed ones of open schools, and the authority's own."""
    return Policy.objects.filter(NEEDED, Q(school=None) | Q(school__closed_on=None))


# -- by themselves ---------------------------------------------------------------------------------------


def owe_review_reminders(*, on: date, at: datetime) -> Owed:
    """Owe the reminders that have fallen due by the day `on` and have no row yet: one statement for reviews with a
    date (before it, overdue, and the head's copy), one for policies on which nothing was ever recorded.

    A step that fell due while nobody asked, and has a newer one after it, is written as superseded.
    """
    settings = AuthoritySettings.load()
    sweep = actions.open_sweep(rule=RULE, on=on, at=at)
    people, parameters = contacts_of(watched(), on=on)
    dated = steps.asked(sweep, on=on, days_before=settings.reminder_days_before, settings=settings)
    unrecorded = [on, sweep.previous_on or on, settings.unrecorded_every_months]
    return alarms.close_sweep(
        sweep,
        [
            actions.owe(DUE.format(people=people), [*dated, *parameters], at=at),
            actions.owe(UNRECORDED.format(people=people), [*unrecorded, *parameters], at=at),
        ],
        at=at,
    )


def contacts_of(policies: QuerySet[Policy], *, on: date) -> tuple[str, list[Any]]:
    """The tables `item` and `contact` of a statement, with their parameters: the one place that says who is
    written to. The named lead, else the school's lead, else the office; the head as a copy; for the authority's
    own policy its administrators.
    """

    def filled(*names: str) -> Any:
        given = [NullIf(F(name), Value("")) for name in names]
        return Lower(Coalesce(*given, Value(""), output_field=EmailField()))

    policy = policies.annotate(
        joined_on=F("school__joined_on"),
        lead=filled("lead_email", "school__lead_email"),
        office=filled("school__office_email"),
        head=filled("school__head_email"),
    ).values("id", "school_id", "next_review_on", "joined_on", "lead", "office", "head")
    administrator = (
        Membership.objects.current(on=on)
        .filter(role=Role.AUTHORITY_ADMINISTRATOR, user__is_active=True)
        .annotate(email=Lower("user__email"))
        .values("email")
        .distinct()
    )
    policy_sql, policy_parameters = policy.order_by().query.sql_with_params()
    people_sql, people_parameters = administrator.order_by().query.sql_with_params()
    return PEOPLE.format(policy=policy_sql, administrator=people_sql), [*policy_parameters, *people_parameters]


PEOPLE = """
item (id, school_id, due, joined_on, lead, office, head) AS ({policy}),
contact (item_id, role, email) AS (
    SELECT id, CASE lead WHEN '' THEN 'office' ELSE 'lead' END, coalesce(nullif(lead, ''), office)
    FROM item WHERE school_id IS NOT NULL
    UNION ALL SELECT id, 'head', head FROM item WHERE school_id IS NOT NULL
    UNION ALL SELECT item.id, 'administrator', person.email
    FROM item, ({administrator}) person (email) WHERE school_id IS NULL)
"""

CHOSEN = steps.chosen("policy", several="administrator")

DUE = f"""
WITH {steps.ASKED},
{{people}},
step AS ({steps.dated(before="policy_due", overdue="policy_overdue", copy="policy_overdue_copy")}),
{CHOSEN}
"""

UNRECORDED = f"""
WITH asked (day, since, every) AS (VALUES (%s::date, %s::date, %s::int)),
{{people}},
watched AS (
    SELECT item.*, coalesce(joined_on, (SELECT min(joined_at)::date FROM accounts_user)) AS began_on
    FROM item WHERE due IS NULL),
step AS (
    SELECT watched.id AS item_id, school_id, 'never-recorded' AS cycle, 'unrecorded-' || times AS step,
        (began_on + times * every * interval '1 month')::date AS step_on, role, email,
        'routine' AS urgency, 'policy_unrecorded' AS wording
    FROM asked, watched
    JOIN contact ON contact.item_id = watched.id AND contact.email <> '' AND role <> 'head'
    CROSS JOIN LATERAL age(day, began_on) old
    CROSS JOIN LATERAL generate_series(
        1, (12 * extract(year FROM old) + extract(month FROM old))::int / nullif(every, 0)) times),
{CHOSEN}
"""


# -- by hand ---------------------------------------------------------------------------------------------


def remind(*, policies: QuerySet[Policy], by: User, at: datetime) -> Reminded:
    """Owe a reminder now about each of these policies of schools. One that somebody was reminded of in the last 24
    hours, and one that has nobody to remind, is passed over and counted. Those not needed, or of closed schools,
    are left out.
    """
    expected = forecast(policies=policies, at=at)
    people, parameters = contacts_of(_remindable(policies), on=calendar.day_of(at))
    asked = [calendar.day_of(at), at - BY_HAND_AT_MOST_EVERY, by.actor_id]
    found = actions.owe(BY_HAND.format(people=people), [*asked, *parameters], at=at)
    if found.owed:
        audit.record("asked for reminders", by=by, at=at, subject_kind=SUBJECT)
    return replace(expected, sent=found.owed)


def forecast(*, policies: QuerySet[Policy], at: datetime) -> Reminded:
    """What would become of a reminder by hand now about each of these policies. Writes nothing."""
    people, parameters = contacts_of(_remindable(policies), on=calendar.day_of(at))
    [counts] = execute(HOW_MANY.format(people=people), [at - BY_HAND_AT_MOST_EVERY, *parameters])
    return Reminded(*counts)


def example(*, policy: Policy, by: User, at: datetime) -> tuple[str, str]:
    """The subject and the text of a reminder by hand about one policy of a school."""
    led = policy.lead_email or (policy.school and policy.school.lead_email)
    notice = Notice(wording=BY_HAND_WORDING, recipient_role="lead" if led else "office", sent_by=by.actor_id)
    subject, text, _ = in_words(notice, _facts(policy, notice, at=at), authority=require_bound())
    return subject, text


def _remindable(policies: QuerySet[Policy]) -> QuerySet[Policy]:
    return watched().filter(id__in=policies.order_by().values("id"), school__isnull=False)


BY_HAND_WORDING = "policy_by_hand"


RECENTLY = """EXISTS (
    SELECT 1 FROM notices_notice n
    WHERE n.subject_kind = 'policy' AND n.subject_id = item.id AND n.owed_at > recent
        AND n.state NOT IN ('suppressed', 'dead', 'bounced'))"""

HOW_MANY = f"""
WITH asked (recent) AS (VALUES (%s::timestamptz)),
{{people}}
SELECT count(*) FILTER (WHERE email <> '' AND NOT {RECENTLY}), count(*) FILTER (WHERE email <> '' AND {RECENTLY}),
    count(*) FILTER (WHERE email = '')
FROM asked, item JOIN contact ON contact.item_id = item.id AND role <> 'head'
"""

BY_HAND = f"""
WITH asked (day, recent, person) AS (VALUES (%s::date, %s::timestamptz, %s::uuid)),
{{people}}
SELECT 'policy' AS subject_kind, item.id AS subject_id, school_id, coalesce(due::text, 'never-recorded') AS cycle,
    'by-hand-' || day AS step, day AS step_on, email AS recipient, role AS recipient_role, 'routine' AS urgency,
    '{BY_HAND_WORDING}' AS wording, '' AS suppressed_reason, person AS sent_by
FROM asked, item JOIN contact ON contact.item_id = item.id AND role <> 'head'
WHERE email <> '' AND NOT {RECENTLY}
"""


# -- at the moment of sending ----------------------------------------------------------------------------


def still_due(notice: Notice, *, at: datetime) -> dict[str, str]:
    """What the text of this notice needs to know. Raises NoLongerDue, with the reason, when it is not to be sent:
    the policy was reviewed, is not needed or its school has closed, the recipient is not the contact any more, or
    a newer message has taken its place.
    """
    policy = Policy.objects.select_related("school").filter(id=notice.subject_id).first()
    if policy is None or not policy.is_needed:
        raise NoLongerDue(Notice.Reason.NOT_NEEDED)
    if policy.school and not policy.school.is_open:
        raise NoLongerDue(Notice.Reason.SCHOOL_CLOSED)
    if notice.cycle != (policy.next_review_on.isoformat() if policy.next_review_on else NEVER_RECORDED):
        raise NoLongerDue(Notice.Reason.NOT_DUE)
    if notice.recipient not in _recipients(policy, notice.recipient_role, on=calendar.day_of(at)):
        raise NoLongerDue(Notice.Reason.CONTACT_CHANGED)
    if steps.newer(notice).exists():
        raise NoLongerDue(Notice.Reason.SUPERSEDED)
    return _facts(policy, notice, at=at)


def _recipients(policy: Policy, role: str, *, on: date) -> set[str]:
    """Whom a message in this role would go to today."""
    people, parameters = contacts_of(Policy.objects.filter(id=policy.id), on=on)
    rows = execute(f"WITH {people} SELECT role, email FROM contact", parameters)
    return {email for each, email in rows if (each == "head") == (role == "head")}


def _facts(policy: Policy, notice: Notice, *, at: datetime) -> dict[str, str]:
    sender = User.objects.filter(id=notice.sent_by).first() if notice.sent_by else None
    return {
        "whose": whose(policy),
        "policy": IN_A_SENTENCE[Kind(policy.kind)],
        "due": long_date(policy.next_review_on),
        "standing": _standing(policy, calendar.day_of(at)),
        "role": notice.recipient_role,
        "path": reverse("policies:record_review", kwargs=policy.place),
        "sender": sender.name if sender else "",
    }


def whose(policy: Policy) -> str:
    """The name of the school, or of the authority whose own policy it is."""
    return policy.school.name if policy.school else require_bound().name


def _standing(policy: Policy, on: date) -> str:
    """How the policy stands, in a sentence."""
    if policy.next_review_on is None:
        return "We have no record of when it was last reviewed."
    if policy.next_review_on < on:
        return f"It was due for review on {long_date(policy.next_review_on)}."
    return f"It is due for review by {long_date(policy.next_review_on)}."
