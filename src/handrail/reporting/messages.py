"""Messages to schools about their policies and returns, one by one: what became of each, and not to whom it went."""

from typing import TYPE_CHECKING

from django.db.models import Case, F, OuterRef, QuerySet, Subquery, When
from rest_framework import serializers

from handrail.notices.models import Notice
from handrail.notices.wording import ABOUT_CHILDREN
from handrail.reporting.columns import Label
from handrail.reporting.filters import Day, OneOf, Urns
from handrail.schools.models import School

if TYPE_CHECKING:
    from handrail.reporting.tables import AsAt

ABOUT = {
    "policy": "A policy’s review",
    "published_policy": "Where a policy is published",
    "yearly_return": "The yearly return",
    "reopened_return": "What is open again in a return",
    "unsigned_return": "A signature that a return waits for",
}
"""What they are about. Nothing of a child is among it."""

OF_POLICIES = ("policy", "published_policy")


class NoticeRow(serializers.Serializer):
    id = serializers.UUIDField(help_text="The row, for ever.")
    urn = serializers.CharField(help_text="The school.")
    about = serializers.ChoiceField(source="subject_kind", choices=[*ABOUT.items()], help_text="What it is about.")
    about_label = Label(source="subject_kind", words=ABOUT, help_text="The same in words.")
    policy_id = serializers.UUIDField(allow_null=True, help_text="The policy, where it is about one.")
    recipient_role = serializers.CharField(help_text="As whom somebody gets it, such as lead or head. Never who it is.")
    due_on = serializers.DateField(source="step_on", help_text="The day on which it fell due.")
    state = serializers.ChoiceField(choices=Notice.State.choices, help_text="What became of it.")
    state_label = Label(source="state", words=dict(Notice.State.choices), help_text="The same in words.")
    reason = serializers.CharField(
        source="suppressed_reason", help_text="Why it was not sent, where it was not needed any more: a word."
    )
    owed_at = serializers.DateTimeField(help_text="When it was written down to be sent.")
    ended_at = serializers.DateTimeField(allow_null=True, help_text="When it had left, or was given up.")


FILTERS = {
    "urn": Urns("urn__in", "Only to these schools: URNs with commas between."),
    "about": OneOf("subject_kind__in", "Only about this.", {each: each for each in ABOUT}),
    "state": OneOf("state__in", "Only those of which this became.", {each: each for each in Notice.State.values}),
    "due_from": Day("step_on__gte", "Only those that fell due on this day or later."),
    "due_before": Day("step_on__lt", "Only those that fell due before this day."),
}


def of_schools(as_at: "AsAt") -> QuerySet[Notice]:
    """Those to schools."""
    school = School.objects.filter(id=OuterRef("school_id")).values("urn")
    found: QuerySet[Notice] = Notice.objects.filter(subject_kind__in=ABOUT, school_id__isnull=False)
    return found.exclude(wording__in=ABOUT_CHILDREN).annotate(
        urn=Subquery(school), policy_id=Case(When(subject_kind__in=OF_POLICIES, then=F("subject_id")))
    )
