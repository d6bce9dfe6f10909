"""The school is asked where its policy is, when it could not be found at its address for a week: once each time."""

from datetime import date, datetime

from django.urls import reverse

from handrail.core import calendar
from handrail.core.jinja import long_date
from handrail.notices import actions, alarms, steps
from handrail.notices.actions import NoLongerDue, Owed
from handrail.notices.models import Notice
from handrail.policies.models import Kind, Policy, WebsiteCheck
from handrail.policies.reminders import IN_A_SENTENCE, contacts_of, watched, whose
from tenants.database import execute

SUBJECT = "published_policy"
RULE = "published policies"

MISSING = """
WITH asked (day) AS (VALUES (%s::date)),
{people}
SELECT 'published_policy' AS subject_kind, item.id AS subject_id, item.school_id,
    (failing_since AT TIME ZONE 'Europe/London')::date::text AS cycle, 'not-found' AS step, day AS step_on,
    email AS recipient, role AS recipient_role, 'routine' AS urgency, 'policy_not_found' AS wording,
    '' AS suppressed_reason, NULL::uuid AS sent_by
FROM asked, item
JOIN policies_websitecheck website ON website.policy_id = item.id
JOIN contact ON contact.item_id = item.id AND role <> 'head' AND email <> ''
"""


def owe_website_reminders(*, on: date, at: datetime) -> Owed:
    """Ask about each policy that is missing from its address by now and was not asked about since it went missing."""
    sweep = actions.open_sweep(rule=RULE, on=on, at=at)
    missing = watched().filter(website__in=WebsiteCheck.objects.missing())
    contacts, parameters = contacts_of(missing, on=on)
    return alarms.close_sweep(sweep, [actions.owe(MISSING.format(people=contacts), [on, *parameters], at=at)], at=at)


def still_due(notice: Notice, *, at: datetime) -> dict[str, str]:
    """What the text needs to know. Raises NoLongerDue when the policy was found again, is published elsewhere or
    nowhere, or the recipient is not the contact any more.
    """
    found = WebsiteCheck.objects.missing().filter(policy=notice.subject_id, policy__in=watched())
    check = found.select_related("policy__school").first()
    if check is None or check.failing_since is None:
        raise NoLongerDue(Notice.Reason.NOT_DUE)
    if notice.cycle != calendar.day_of(check.failing_since).isoformat():
        raise NoLongerDue(Notice.Reason.NOT_DUE)
    policy: Policy = check.policy
    contacts, parameters = contacts_of(Policy.objects.filter(id=policy.id), on=calendar.day_of(at))
    rows = execute(f"WITH {contacts} SELECT role, email FROM contact WHERE role <> 'head'", parameters)
    steps.check_recipient(notice, rows)
    return {
        "whose": whose(policy),
        "policy": IN_A_SENTENCE[Kind(policy.kind)],
        "due": long_date(calendar.day_of(check.failing_since)),
        "role": notice.recipient_role,
        "path": reverse("policies:publish", kwargs=policy.place),
    }
