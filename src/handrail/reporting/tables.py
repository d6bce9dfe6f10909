"""The tables that programs read: their rows, what may be asked of them, and the right it takes. None names a child.

A row's serializer is its description: the dictionary and OpenAPI are made from it, and the SQL of its columns.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

from django.db.models import Count, Q, QuerySet, Subquery, Value
from rest_framework import serializers

from handrail.core.models import AuthoritySettings
from handrail.core.status import Status
from handrail.guidance.frameworks import Status as Standing
from handrail.guidance.frameworks import Strength
from handrail.guidance.published import editions
from handrail.handovers.watch import Stage
from handrail.plans.models import HealthcarePlan, PlanReview
from handrail.plans.models import Stage as PlanStage
from handrail.policies.models import Kind, Policy, PolicyMonth, PolicyReview
from handrail.reporting import counts, messages, rows
from handrail.reporting.filters import Day, Filter, OfSchool, OneOf, Since, Urns, YesNo
from handrail.reporting.models import Scope
from handrail.reporting.pseudonyms import pseudonym
from handrail.returns.models import Answer, Verdict
from handrail.schools.duty import Body
from handrail.schools.models import School, not_left
from tenants.models import Establishment
from tenants.routing import Authority

PHASE_CODES = {word: code for code, word in rows.PHASES.items()}


def words(choices: Any) -> dict[str, str]:
    return {each.value: each.value for each in choices}


# -- tables ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class AsAt:
    """For whom a table is read, and as at which day."""

    authority: Authority
    on: date

    @cached_property
    def settings(self) -> AuthoritySettings:
        return AuthoritySettings.load()

    def new_la_code(self) -> QuerySet[Any]:
        """What the register calls the authority beside its three digits; of several, what most of its schools have."""
        named = Establishment.objects.filter(la_code=self.authority.code).exclude(la_ons_code="").values("la_ons_code")
        return named.annotate(of=Count("urn")).order_by("-of", "la_ons_code").values("la_ons_code")[:1]


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
    """The tables whose changes change it, as they are called where changes are noted. None of what is not noted."""
    knows_new_la_code: bool = False
    """Whether the authority's code in the register changes it too."""
    knows_due_soon: bool = False
    """Whether what counts as due soon, which is a setting of the authority's, changes it too."""
    child: str = ""
    """Of a table with a row for each child: the lookup of whom. It is read with a key alone, and each read recorded.

    Its rows go by their ids, which are made at random, and which no answer and no cursor tells.
    """

    def query(self, as_at: AsAt) -> QuerySet[Any]:
        """The rows, each with what its columns need. Raises TypeError for a table that is counted."""
        if self.rows is None:
            raise TypeError(f"{self.name} is counted")
        return self.rows(as_at)

    def due_soon_days(self, as_at: AsAt) -> int | None:
        return as_at.settings.due_soon_days if self.knows_due_soon else None


def _schools(as_at: AsAt) -> QuerySet[School]:
    found: QuerySet[School] = School.objects.annotate(
        old_la_code=Value(as_at.authority.code),
        la_name=Value(as_at.authority.name),
        new_la_code=Subquery(as_at.new_la_code()),
    )
    return found


def _policies(as_at: AsAt) -> QuerySet[Policy]:
    found: QuerySet[Policy] = Policy.objects.with_status(on=as_at.on, settings=as_at.settings)
    return found


def _plans(as_at: AsAt) -> QuerySet[HealthcarePlan]:
    there = not_left(on=as_at.on, of="pupil__") & Q(pupil__school__closed_on=None)
    found: QuerySet[HealthcarePlan] = HealthcarePlan.objects.filter(there, stage=PlanStage.ACTIVE)
    return found.annotate(pseudonym=pseudonym("id"))


def _plan_reviews(as_at: AsAt) -> QuerySet[PlanReview]:
    found: QuerySet[PlanReview] = PlanReview.objects.order_by()
    return found.annotate(pseudonym=pseudonym("id"), plan_pseudonym=pseudonym("plan_id"))


def _answers(as_at: AsAt) -> QuerySet[Answer]:
    found: QuerySet[Answer] = Answer.objects.annotate(is_carried=Q(carried_from__isnull=False))
    return found


FRAMEWORKS = {each.id: each.id for each in editions()}
REQUIREMENTS = {each.id: each.id for one in editions() for each in one.requirements if not each.is_of_plans}

OF_MONTH = {
    "month_from": Day("month__gte", "Only months that begin on this day or later."),
    "month_before": Day("month__lt", "Only months that begin before this day."),
}


def _since(table: str) -> Since:
    return Since(
        table,
        "Only rows written at this moment or later. What is written meanwhile may be missed: /changes misses nothing.",
    )


OF_SCHOOL = {
    "urn": Urns("school__urn__in", "Only of these schools: URNs with commas between."),
    "phase": OneOf("school__phase_code__in", "Only of schools of these phases.", PHASE_CODES),
    "school_open": OfSchool("school", "Only of schools that are open, or of those that are not."),
}

TABLES = {
    each.name: each
    for each in (
        Table(
            "schools",
            "Schools",
            "Every school of the authority, closed ones too.",
            Scope.SCHOOL,
            rows.SchoolRow,
            key="urn",
            rows=_schools,
            rests_on=("schools",),
            knows_new_la_code=True,
            filters={
                "modified_since": _since("schools"),
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
            rows.PolicyRow,
            key="id",
            rows=_policies,
            rests_on=("policies", "schools"),
            knows_due_soon=True,
            filters={
                "modified_since": _since("policies"),
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
            rows.PolicyReviewRow,
            key="id",
            rows=lambda as_at: PolicyReview.objects.order_by(),
            rests_on=("policy-reviews", "policies", "schools"),
            filters={
                "modified_since": _since("policy-reviews"),
                "urn": Urns("policy__school__urn__in", "Only of these schools: URNs with commas between."),
                "phase": OneOf("policy__school__phase_code__in", "Only of schools of these phases.", PHASE_CODES),
                "kind": OneOf("policy__kind__in", "Only of these policies.", words(Kind)),
                "outcome": OneOf("outcome__in", "Only with these outcomes.", words(PolicyReview.Outcome)),
                "reviewed_before": Day("reviewed_on__lt", "Only those before this day."),
                "reviewed_from": Day("reviewed_on__gte", "Only those on this day or later."),
            },
        ),
        Table(
            "plans",
            "Plans, one by one",
            "Each active plan of a child at an open school, under a made-up number: its school and its dates.",
            Scope.PUPIL,
            rows.PlanRow,
            key="id",
            rows=_plans,
            child="pupil_id",
            filters={
                "urn": Urns("pupil__school__urn__in", "Only of these schools: URNs with commas between."),
                "due_before": Day("due_on__lt", "Only those due before this day."),
                "due_from": Day("due_on__gte", "Only those due on this day or later."),
            },
        ),
        Table(
            "plan-reviews",
            "Reviews of plans, one by one",
            "Each review of a child’s plan that was recorded, under a made-up number: its school and its dates.",
            Scope.PUPIL,
            rows.PlanReviewRow,
            key="id",
            rows=_plan_reviews,
            child="plan__pupil_id",
            filters={
                "urn": Urns("plan__pupil__school__urn__in", "Only of these schools: URNs with commas between."),
                "reviewed_before": Day("reviewed_on__lt", "Only those before this day."),
                "reviewed_from": Day("reviewed_on__gte", "Only those on this day or later."),
            },
        ),
        Table(
            "policy-months",
            "Policies at the end of each month",
            "How each policy stood when a month had ended, with its school as it was then. Nothing changes it later.",
            Scope.SCHOOL,
            rows.PolicyMonthRow,
            key="id",
            rows=lambda as_at: PolicyMonth.objects.order_by(),
            rests_on=("policy-months",),
            filters={
                "modified_since": _since("policy-months"),
                "urn": Urns("urn__in", "Only of these schools: URNs with commas between."),
                "phase": OneOf("phase_code__in", "Only of schools of these phases.", PHASE_CODES),
                "kind": OneOf("kind__in", "Only these policies.", words(Kind)),
                "month_from": Day("month__ended_on__gte", "Only months that end on this day or later."),
                "month_before": Day("month__ended_on__lt", "Only months that end before this day."),
            },
        ),
        Table(
            "section-19-policy",
            "The authority’s own policy",
            "The authority’s policy for children who cannot attend school (section 19 of the Education Act 1996).",
            Scope.SCHOOL,
            counts.Section19Row,
            counted=counts.section_19,
        ),
        Table(
            "requirements",
            "Requirements",
            "What statutory guidance and the law ask for, in our words: each framework as it is today.",
            Scope.SCHOOL,
            counts.RequirementRow,
            counted=counts.requirements,
            filters={
                "framework": OneOf("framework_id__in", "Only of these frameworks.", FRAMEWORKS),
                "status": OneOf("status__in", "Only of frameworks that stand so.", words(Standing)),
                "strength": OneOf("strength__in", "Only what is asked so strongly.", words(Strength)),
            },
        ),
        Table(
            "answers",
            "Answers of returns",
            "What schools answered in returns that they submitted, and the authority about itself. What they wrote in "
            "words is left out.",
            Scope.SCHOOL,
            rows.AnswerRow,
            key="id",
            rows=_answers,
            rests_on=("answers", "schools", "cycles"),
            filters={
                "modified_since": _since("answers"),
                "urn": Urns("returned__school__urn__in", "Only of these schools: URNs with commas between."),
                "phase": OneOf("returned__school__phase_code__in", "Only of schools of these phases.", PHASE_CODES),
                "requirement": OneOf("requirement_id__in", "Only to these requirements.", REQUIREMENTS),
                "verdict": OneOf("verdict__in", "Only these answers.", words(Verdict)),
                "due_from": Day("returned__cycle__due_on__gte", "Only of returns due on this day or later."),
                "due_before": Day("returned__cycle__due_on__lt", "Only of returns due before this day."),
            },
        ),
        Table(
            "plan-counts-by-phase",
            "Plans by phase",
            "How many active plans there are and how they stand, by phase of school.",
            Scope.AGGREGATE,
            counts.PlanCountsRow,
            counted=counts.plan_counts,
        ),
        Table(
            "plan-counts-by-school",
            "Plans by school",
            "How many active plans each school has and how they stand. A count gives no number from 1 to 5 away. Two "
            "counts may, to somebody who knows how many children came and left in between.",
            Scope.AGGREGATE,
            counts.SchoolPlanCountsRow,
            counted=counts.plan_counts_by_school,
        ),
        Table(
            "plan-months",
            "Plans at the end of each month",
            "How the active plans of each school stood when a month had ended. Nothing changes it later. A month gives "
            "no number from 1 to 5 away. Two may, to somebody who knows how many children came and left in between.",
            Scope.AGGREGATE,
            counts.PlanMonthsRow,
            counted=counts.plan_months,
            rests_on=("plan-tallies",),
            filters={**OF_MONTH, "urn": Urns("urn__in", "Only of these schools: URNs with commas between.")},
        ),
        Table(
            "plan-counts-by-month",
            "Plans by month",
            "In which month how many active plans fall due.",
            Scope.AGGREGATE,
            counts.MonthPlanCountsRow,
            counted=counts.plan_counts_by_month,
        ),
        Table(
            "plan-counts-by-condition",
            "Plans by condition",
            "For which main conditions active plans are, in the whole authority. Never by school. To the nearest ten, "
            "and counted anew only when enough plans have come or gone, so that no two answers tell of a child.",
            Scope.AGGREGATE,
            counts.ConditionCountsRow,
            counted=counts.plan_counts_by_condition,
            rests_on=("plan-tallies",),
        ),
        Table(
            "notice-counts",
            "Messages",
            "What became of reminders about policies, by month.",
            Scope.AGGREGATE,
            counts.NoticeCountsRow,
            counted=counts.notice_counts,
        ),
        Table(
            "notices",
            "Messages, one by one",
            "What became of each message to a school about a policy or a return. Not to whom it went.",
            Scope.SCHOOL,
            messages.NoticeRow,
            key="id",
            rows=messages.of_schools,
            filters=messages.FILTERS,
        ),
        Table(
            "handovers",
            "Handovers",
            "How many children’s handovers stood where, and for how long, when a month had ended.",
            Scope.AGGREGATE,
            counts.HandoverCountsRow,
            counted=counts.handovers,
            rests_on=("month-ends",),
            filters={**OF_MONTH, "stage": OneOf("stage__in", "Only these stages.", words(Stage) | {"all": "all"})},
        ),
        Table(
            "sickness-returns",
            "Sickness returns",
            "How many sickness returns schools made in each month that has ended, by phase.",
            Scope.AGGREGATE,
            counts.SicknessCountsRow,
            counted=counts.sickness_returns,
            rests_on=("month-ends",),
            filters=OF_MONTH,
        ),
        Table(
            "metrics",
            "Figures at the end of each month",
            "How policies, plans, handovers, first lessons and messages stood when a month had ended. Nothing changes "
            "it later. There are none of plans in a month that ended within four weeks of the first count, and none by "
            "type where they would give a number from 1 to 5 away. Two months may give one away to somebody who knows "
            "how many children came and left in between, and which schools became of another type.",
            Scope.AGGREGATE,
            counts.MetricsRow,
            counted=counts.metrics,
            rests_on=("policy-months", "month-ends", "plan-tallies"),
            knows_new_la_code=True,
            filters={
                **OF_MONTH,
                "measure": OneOf("measure__in", "Only these figures.", words(counts.Measure)),
                "by": OneOf("by__in", "Only figures by these groups.", words(counts.By)),
            },
        ),
    )
}
"""Every table, by its name in the address."""
