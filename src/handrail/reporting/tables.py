"""The tables that programs read: their rows, what may be asked of them, and the right it takes. None is about a child.

A row's serializer is its description: the dictionary and OpenAPI are made from it, and the SQL of its columns.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db.models import QuerySet, Value
from rest_framework import serializers

from handrail.core.models import AuthoritySettings
from handrail.core.status import Status
from handrail.overview.notice_counts import notice_counts
from handrail.overview.plan_counts import plan_counts, plan_counts_by_school
from handrail.policies.models import Kind, Policy, PolicyReview
from handrail.reporting.columns import Code, Label
from handrail.reporting.filters import Day, Filter, OneOf, Urns, YesNo
from handrail.reporting.models import Scope
from handrail.schools.duty import Body
from handrail.schools.models import School
from tenants.routing import Authority

PHASES = {
    0: "not_applicable",
    1: "nursery",
    2: "primary",
    3: "middle_deemed_primary",
    4: "secondary",
    5: "middle_deemed_secondary",
    6: "16_plus",
    7: "all_through",
}
"""The register's codes of phases, in words."""

PHASE_CODES = {word: code for code, word in PHASES.items()}


def words(choices: Any) -> dict[str, str]:
    return {each.value: each.value for each in choices}


# -- rows ------------------------------------------------------------------------------------------------


class SchoolRow(serializers.Serializer):
    id = serializers.UUIDField(help_text="The row, for ever.")
    urn = serializers.CharField(help_text="Unique reference number of the register of schools: six digits, as text.")
    old_la_code = serializers.CharField(help_text="The authority’s three-digit code.")
    la_name = serializers.CharField(help_text="The authority’s name.")
    school_name = serializers.CharField(source="name", help_text="The school’s name.")
    phase = Code(source="phase_code", words=PHASES, allow_null=True, help_text="The phase in the register.")
    type_code = serializers.IntegerField(help_text="The establishment type’s number in the register.")
    type_name = serializers.CharField(help_text="The establishment type.")
    body = serializers.ChoiceField(choices=Body.choices, help_text="Which kind of body the law sees in it.")
    body_label = Label(source="body", words=dict(Body.choices), help_text="The same in words.")
    pupils = serializers.IntegerField(allow_null=True, help_text="Pupils, as the register last counted them.")
    trust_name = serializers.CharField(help_text="The trust’s name. Empty where there is none.")
    town = serializers.CharField(help_text="The town of its address.")
    postcode = serializers.CharField(help_text="The postcode of its address.")
    opened_on = serializers.DateField(allow_null=True, help_text="The day it opened, where the register has one.")
    closed_on = serializers.DateField(allow_null=True, help_text="The day it closed or left the authority.")
    joined_on = serializers.DateField(help_text="The day it joined Handrail.")


class PolicyRow(serializers.Serializer):
    id = serializers.UUIDField(help_text="The row, for ever.")
    urn = serializers.CharField(
        source="school.urn", allow_null=True, help_text="The school. Empty for the authority’s own section 19 policy."
    )
    kind = serializers.ChoiceField(choices=Kind.choices, help_text="Which policy it is.")
    kind_label = Label(source="kind", words=dict(Kind.choices), help_text="The same in words.")
    status = serializers.ChoiceField(choices=Status.choices, help_text="How it stands on the day you ask.")
    status_label = Label(source="status", words=dict(Status.choices), help_text="The same in words.")
    last_reviewed_on = serializers.DateField(allow_null=True, help_text="The day of its last review.")
    next_review_on = serializers.DateField(allow_null=True, help_text="The day by which it is to be reviewed.")
    is_inherited = serializers.BooleanField(
        help_text="Whether it came over when the school converted, and is still to be approved."
    )
    published_url = serializers.CharField(help_text="Where it is published. Empty where nobody has said.")


class PolicyReviewRow(serializers.Serializer):
    id = serializers.UUIDField(help_text="The row, for ever.")
    policy_id = serializers.UUIDField(help_text="The policy: its id in the table policies.")
    urn = serializers.CharField(
        source="policy.school.urn", allow_null=True, help_text="The school. Empty for the authority’s own policy."
    )
    kind = serializers.ChoiceField(source="policy.kind", choices=Kind.choices, help_text="Which policy it is of.")
    reviewed_on = serializers.DateField(help_text="The day of the review.")
    outcome = serializers.ChoiceField(choices=PolicyReview.Outcome.choices, help_text="What came of it.")
    outcome_label = Label(source="outcome", words=dict(PolicyReview.Outcome.choices), help_text="The same in words.")
    next_review_on = serializers.DateField(allow_null=True, help_text="The next review. Empty while it is in progress.")
    recorded_at = serializers.DateTimeField(help_text="When it was recorded.")


HIDDEN = "Empty from 1 to 5, and where it would give such a number away."


def _plans(says: str) -> serializers.IntegerField:
    return serializers.IntegerField(allow_null=True, help_text=f"{says} {HIDDEN}")


def _counted_on() -> serializers.DateField:
    return serializers.DateField(help_text="The day on which plans were counted. They are counted every four weeks.")


class PlanCountsRow(serializers.Serializer):
    counted_on = _counted_on()
    phase = serializers.CharField(help_text="The phase of the schools, or “All schools”.")
    in_date = _plans("Active plans in date.")
    due_soon = _plans("Active plans due soon.")
    overdue = _plans("Active plans overdue for review.")
    all_active = _plans("All active plans.")
    covered = _plans("Active plans of which everything that they ask for is in place.")


class SchoolPlanCountsRow(serializers.Serializer):
    counted_on = _counted_on()
    urn = serializers.CharField(help_text="The school.")
    school_name = serializers.CharField(help_text="The school’s name.")
    phase = serializers.CharField(help_text="The school’s phase.")
    in_date = _plans("Active plans in date.")
    due_soon = _plans("Active plans due soon.")
    overdue = _plans("Active plans overdue for review.")
    all_active = _plans("All active plans.")
    covered = _plans("Active plans of which everything that they ask for is in place.")


class MonthPlanCountsRow(serializers.Serializer):
    counted_on = _counted_on()
    month = serializers.DateField(help_text="The first day of the month.")
    reviews_due = _plans("Active plans in date that fall due in it.")


class NoticeCountsRow(serializers.Serializer):
    month = serializers.DateField(help_text="The first day of the month in which the messages fell due.")
    outcome = serializers.ChoiceField(
        choices=["delivered", "sent", "not_delivered", "waiting", "not_needed"], help_text="What became of them."
    )
    messages = serializers.IntegerField(help_text="Messages about policies. None about a child is counted.")


# -- tables ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class AsAt:
    """For whom a table is read, and as at which day."""

    authority: Authority
    on: date
    settings: AuthoritySettings


@dataclass(frozen=True, eq=False)
class Table:
    """One list. Either its rows are the database's, paged by `key`, or they are few and counted when asked for."""

    name: str
    title: str
    says: str
    scope: Scope
    row: type[serializers.Serializer]
    filters: Mapping[str, Filter] = field(default_factory=dict)
    key: str = ""
    rows: Callable[[AsAt], QuerySet[Any]] | None = None
    counted: Callable[[AsAt], list[dict[str, Any]]] | None = None
    rests_on: tuple[str, ...] = ()
    """The tables whose changes change it."""

    def query(self, as_at: AsAt) -> QuerySet[Any]:
        """The rows, each with what its columns need. Raises TypeError for a table that is counted."""
        if self.rows is None:
            raise TypeError(f"{self.name} is counted")
        return self.rows(as_at)


def _schools(as_at: AsAt) -> QuerySet[School]:
    names = {"old_la_code": Value(as_at.authority.code), "la_name": Value(as_at.authority.name)}
    found: QuerySet[School] = School.objects.annotate(**names)
    return found


def _policies(as_at: AsAt) -> QuerySet[Policy]:
    found: QuerySet[Policy] = Policy.objects.with_status(on=as_at.on, settings=as_at.settings)
    return found


def _plan_counts(as_at: AsAt) -> list[dict[str, Any]]:
    found = plan_counts(on=as_at.on)
    names, counted_on = list(PlanCountsRow().fields), str(found.counted_on)
    return [
        dict(zip(names, (counted_on, line.label, *line.counts), strict=True)) for line in (*found.phases, found.total)
    ]


def _plan_counts_by_school(as_at: AsAt) -> list[dict[str, Any]]:
    names, counted_on = list(SchoolPlanCountsRow().fields), str(plan_counts(on=as_at.on).counted_on)
    return [
        dict(zip(names, (counted_on, line.urn, line.label, line.phase, *line.counts), strict=True))
        for line in plan_counts_by_school(on=as_at.on)
    ]


def _plan_counts_by_month(as_at: AsAt) -> list[dict[str, Any]]:
    found = plan_counts(on=as_at.on)
    counted_on = str(found.counted_on)
    return [{"counted_on": counted_on, "month": str(month), "reviews_due": count} for month, count in found.months]


def _notice_counts(as_at: AsAt) -> list[dict[str, Any]]:
    return [{"month": str(month), "outcome": outcome, "messages": count} for month, outcome, count in notice_counts()]


OF_SCHOOL = {
    "urn": Urns("school__urn__in", "Only of these schools: URNs with commas between."),
    "phase": OneOf("school__phase_code__in", "Only of schools of these phases.", PHASE_CODES),
    "school_open": YesNo("school__closed_on__isnull", "Only of schools that are open, or of those that are not."),
}

TABLES = {
    each.name: each
    for each in (
        Table(
            "schools",
            "Schools",
            "Every school of the authority, closed ones too.",
            Scope.SCHOOL,
            SchoolRow,
            key="urn",
            rows=_schools,
            rests_on=("schools",),
            filters={
                "urn": Urns("urn__in", "Only these schools: URNs with commas between."),
                "phase": OneOf("phase_code__in", "Only of these phases.", PHASE_CODES),
                "body": OneOf("body__in", "Only bodies of these kinds.", words(Body)),
                "open": YesNo("closed_on__isnull", "Only schools that are open, or only those that are not."),
            },
        ),
        Table(
            "policies",
            "Policies",
            "Each policy that a school or the authority keeps, recorded or not, with its status on the day you ask.",
            Scope.SCHOOL,
            PolicyRow,
            key="id",
            rows=_policies,
            rests_on=("policies", "schools"),
            filters={
                **OF_SCHOOL,
                "kind": OneOf("kind__in", "Only these policies.", words(Kind)),
                "status": OneOf("status__in", "Only those that stand so.", words(Status)),
                "due_before": Day("next_review_on__lt", "Only those whose next review is before this day."),
                "due_from": Day("next_review_on__gte", "Only those whose next review is on this day or later."),
            },
        ),
        Table(
            "policy-reviews",
            "Reviews of policies",
            "Each review of a policy that was recorded.",
            Scope.SCHOOL,
            PolicyReviewRow,
            key="id",
            rows=lambda as_at: PolicyReview.objects.order_by(),
            rests_on=("policy-reviews",),
            filters={
                "urn": Urns("policy__school__urn__in", "Only of these schools: URNs with commas between."),
                "kind": OneOf("policy__kind__in", "Only of these policies.", words(Kind)),
                "outcome": OneOf("outcome__in", "Only with these outcomes.", words(PolicyReview.Outcome)),
                "reviewed_before": Day("reviewed_on__lt", "Only those before this day."),
                "reviewed_from": Day("reviewed_on__gte", "Only those on this day or later."),
            },
        ),
        Table(
            "plan-counts-by-phase",
            "Plans by phase",
            "How many active plans there are and how they stand, by phase of school.",
            Scope.AGGREGATE,
            PlanCountsRow,
            counted=_plan_counts,
        ),
        Table(
            "plan-counts-by-school",
            "Plans by school",
            "How many active plans each school has and how they stand.",
            Scope.AGGREGATE,
            SchoolPlanCountsRow,
            counted=_plan_counts_by_school,
        ),
        Table(
            "plan-counts-by-month",
            "Plans by month",
            "In which month how many active plans fall due.",
            Scope.AGGREGATE,
            MonthPlanCountsRow,
            counted=_plan_counts_by_month,
        ),
        Table(
            "notice-counts",
            "Messages",
            "What became of reminders about policies, by month.",
            Scope.AGGREGATE,
            NoticeCountsRow,
            counted=_notice_counts,
        ),
    )
}
"""Every table, by its name in the address."""
