"""The columns of the tables whose rows are the database's: each serializer is its table's description."""

from rest_framework import serializers

from handrail.core.status import Status
from handrail.policies.models import Kind, PolicyReview
from handrail.reporting.columns import Code, Label
from handrail.returns.models import Verdict
from handrail.schools.duty import Body

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
    new_la_code = serializers.CharField(
        allow_null=True,
        help_text="The authority’s code in the register of schools, such as E10000014.",
    )


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
    kind_label = Label(source="policy.kind", words=dict(Kind.choices), help_text="The same in words.")
    reviewed_on = serializers.DateField(help_text="The day of the review.")
    outcome = serializers.ChoiceField(choices=PolicyReview.Outcome.choices, help_text="What came of it.")
    outcome_label = Label(source="outcome", words=dict(PolicyReview.Outcome.choices), help_text="The same in words.")
    next_review_on = serializers.DateField(allow_null=True, help_text="The next review. Empty while it is in progress.")
    recorded_at = serializers.DateTimeField(help_text="When it was recorded.")


class PlanRow(serializers.Serializer):
    pseudonym = serializers.UUIDField(help_text="A made-up number for the plan, the same for ever and nowhere else.")
    urn = serializers.CharField(source="pupil.school.urn", help_text="The school.")
    notified_on = serializers.DateField(allow_null=True, help_text="When the school was told that a plan is needed.")
    last_reviewed_on = serializers.DateField(allow_null=True, help_text="When it was agreed or reviewed last.")
    due_on = serializers.DateField(help_text="By when it is to be reviewed.")


class PlanReviewRow(serializers.Serializer):
    pseudonym = serializers.UUIDField(help_text="A made-up number for the review, the same for ever and nowhere else.")
    plan_pseudonym = serializers.UUIDField(
        help_text="The plan’s made-up number, as in the table plans. One that has ended is not there, nor is one of a "
        "child who has left or whose school has closed."
    )
    urn = serializers.CharField(source="plan.pupil.school.urn", help_text="The school.")
    reviewed_on = serializers.DateField(help_text="The day of the review.")
    next_due_on = serializers.DateField(allow_null=True, help_text="By when the next was due. Empty where none is.")


class PolicyMonthRow(serializers.Serializer):
    id = serializers.UUIDField(help_text="The row, for ever.")
    month_end = serializers.DateField(source="month.ended_on", help_text="The last day of the month.")
    policy_id = serializers.UUIDField(help_text="The policy: its id in the table policies.")
    kind = serializers.ChoiceField(choices=Kind.choices, help_text="Which policy it is.")
    kind_label = Label(source="kind", words=dict(Kind.choices), help_text="The same in words.")
    urn = serializers.CharField(help_text="The school. Empty for the authority’s own section 19 policy.")
    school_name = serializers.CharField(help_text="The school’s name, as it was then.")
    phase = Code(source="phase_code", words=PHASES, allow_null=True, help_text="Its phase then.")
    type_code = serializers.IntegerField(allow_null=True, help_text="Its establishment type’s number then.")
    type_name = serializers.CharField(help_text="Its establishment type then.")
    trust_name = serializers.CharField(help_text="Its trust then. Empty where there was none.")
    is_in_date = serializers.BooleanField(help_text="Whether it had been reviewed and was not overdue.")
    is_published = serializers.BooleanField(
        help_text="Whether it was on record where it is published, and not missing there."
    )
    is_adequate = serializers.BooleanField(
        allow_null=True,
        help_text="Whether the school’s return said that all nine points of the 2017 audit were met: “on the 2017 "
        "criteria”, which repeats no audit. Empty where it did not answer them, and for other policies.",
    )


class AnswerRow(serializers.Serializer):
    id = serializers.UUIDField(help_text="The row, for ever.")
    urn = serializers.CharField(
        source="returned.school.urn",
        allow_null=True,
        help_text="The school. Empty for the authority’s own self-assessment.",
    )
    school_year = serializers.IntegerField(
        source="returned.cycle.school_year", help_text="The year in which the school year of the return began."
    )
    return_number = serializers.IntegerField(
        source="returned.number",
        help_text="1, and more for corrections. Of the answers of a school, or the authority, to one thing in one "
        "year, by its digest, the one with the highest number stands.",
    )
    requirement_id = serializers.CharField(help_text="What was answered: its id in the table requirements.")
    digest = serializers.CharField(
        help_text="Which words were answered. Where the table requirements has another one, they have changed since."
    )
    verdict = serializers.ChoiceField(choices=Verdict.choices, help_text="What was answered.")
    verdict_label = Label(source="verdict", words=dict(Verdict.choices), help_text="The same in words.")
    evidence_page = serializers.CharField(help_text="On which page of the policy it is.")
    evidence_url = serializers.CharField(help_text="Where it can be seen.")
    is_carried = serializers.BooleanField(help_text="Whether it was taken over from an earlier return.")
    answered_at = serializers.DateTimeField(help_text="When it was answered.")
    submitted_at = serializers.DateTimeField(source="returned.submitted_at", help_text="When it was submitted.")
