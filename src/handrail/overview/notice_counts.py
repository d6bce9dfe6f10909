"""What became of messages about policies. Those about children are not counted: a single one would tell of a child."""

from datetime import date

from django.db.models import Case, CharField, Count, Value, When
from django.db.models.functions import TruncMonth

from handrail.notices.models import Notice
from handrail.policies.reminders import SUBJECT

OUTCOMES = {
    "delivered": [Notice.State.DELIVERED],
    "sent": [Notice.State.ACCEPTED],
    "not_delivered": [Notice.State.BOUNCED, Notice.State.DEAD],
    "waiting": [Notice.State.OWED, Notice.State.CLAIMED, Notice.State.UNKNOWN],
    "not_needed": [Notice.State.SUPPRESSED],
}


def notice_counts() -> list[tuple[date, str, int]]:
    """The first day of each month, each outcome in it, and how many."""
    outcome = Case(
        *(When(state__in=states, then=Value(name)) for name, states in OUTCOMES.items()), output_field=CharField()
    )
    counted = (
        Notice.objects.filter(subject_kind=SUBJECT)
        .annotate(month=TruncMonth("step_on"), outcome=outcome)
        .values_list("month", "outcome")
        .annotate(messages=Count("id"))
        .order_by("month", "outcome")
    )
    return list(counted)
