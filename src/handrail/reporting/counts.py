"""The tables that are counted: fixed, and of children only as it may be shown. What is asked chooses rows of them and
never what is counted.
"""

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Any

from django.db.models import TextChoices
from rest_framework import serializers

from handrail.core.jinja import MONTHS
from handrail.core.status import Status
from handrail.guidance.frameworks import Status as Standing
from handrail.guidance.frameworks import Strength
from handrail.guidance.published import frameworks
from handrail.handovers.watch import AGES, Stage
from handrail.overview import notice_counts as messages
from handrail.overview import plan_counts as tally
from handrail.overview.plan_conditions import LABELS
from handrail.policies.models import Kind, MonthEnd, Policy, PolicyMonth
from handrail.reporting.columns import Label

if TYPE_CHECKING:
    from handrail.reporting.tables import AsAt

Rows = list[dict[str, Any]]

# -- numbers of children and messages --------------------------------------------------------------------

HIDDEN = "Empty from 1 to 5, and where it would give such a number away."


def _count(says: str) -> serializers.IntegerField:
    return serializers.IntegerField(allow_null=True, help_text=f"{says} {HIDDEN}")


def _month() -> serializers.DateField:
    return serializers.DateField(help_text="The first day of the month, as at whose end it is.")


def _counted_on() -> serializers.DateField:
    return serializers.DateField(
        help_text="The day as at which plans were counted: the last of a month, but for a first count."
    )


class PlanCountsRow(serializers.Serializer):
    counted_on = _counted_on()
    phase = serializers.CharField(help_text="The phase of the schools, or “All schools”.")
    in_date = _count("Active plans in date.")
    due_soon = _count("Active plans due soon.")
    overdue = _count("Active plans overdue for review.")
    all_active = _count("All active plans.")
    covered = _count("Active plans of which everything that they ask for is in place.")


class SchoolPlanCountsRow(serializers.Serializer):
    counted_on = _counted_on()
    urn = serializers.CharField(help_text="The school.")
    school_name = serializers.CharField(help_text="The school’s name.")
    phase = serializers.CharField(help_text="The school’s phase.")
    in_date = _count("Active plans in date.")
    due_soon = _count("Active plans due soon.")
    overdue = _count("Active plans overdue for review.")
    all_active = _count("All active plans.")
    covered = _count("Active plans of which everything that they ask for is in place.")


class PlanMonthsRow(serializers.Serializer):
    month = _month()
    urn = serializers.CharField(help_text="The school.")
    school_name = serializers.CharField(help_text="The school’s name then.")
    phase = serializers.CharField(help_text="The school’s phase then.")
    in_date = _count("Active plans in date.")
    due_soon = _count("Active plans due soon.")
    overdue = _count("Active plans overdue for review.")
    all_active = _count("All active plans.")
    covered = _count("Active plans of which everything that they ask for is in place.")


class MonthPlanCountsRow(serializers.Serializer):
    counted_on = _counted_on()
    month = serializers.DateField(help_text="The first day of the month.")
    reviews_due = _count("Active plans in date that fall due in it.")


class ConditionCountsRow(serializers.Serializer):
    counted_on = serializers.DateField(
        help_text="The day on which they were counted. They are counted anew when enough plans have come or gone."
    )
    condition = serializers.ChoiceField(choices=[*LABELS.items()], help_text="The main condition that plans are for.")
    condition_label = Label(source="condition", words={}, help_text="The same in words.")
    plans = serializers.IntegerField(help_text="Active plans, to the nearest ten: 0 is fewer than five.")


class NoticeCountsRow(serializers.Serializer):
    month = serializers.DateField(help_text="The first day of the month in which the messages fell due.")
    outcome = serializers.ChoiceField(
        choices=["delivered", "sent", "not_delivered", "waiting", "not_needed"], help_text="What became of them."
    )
    messages = serializers.IntegerField(help_text="Messages about policies. None about a child is counted.")


class HandoverCountsRow(serializers.Serializer):
    month = _month()
    stage = serializers.ChoiceField(choices=[*Stage.choices, ("all", "All")], help_text="Where they stood.")
    stage_label = Label(source="stage", words={}, help_text="The same in words.")
    age = serializers.ChoiceField(
        choices=[*((each, each) for each in AGES), ("all", "all")],
        help_text="For how many school days they had stood there.",
    )
    handovers = _count("Handovers.")


class SicknessCountsRow(serializers.Serializer):
    month = _month()
    phase = serializers.CharField(help_text="The phase of the schools, or “All schools”.")
    returns = _count("Sickness returns made in the month.")


class Measure(TextChoices):
    """What the figures of a month are of."""

    POLICIES = "policies", "Policies that are needed"
    IN_DATE = "policies_in_date", "Of these, those in date"
    PUBLISHED = "policies_published", "Of these, those on record as published"
    ANSWERED = "policies_answered", "Medical conditions policies of schools whose return answers the 2017 criteria"
    ADEQUATE = "policies_adequate", "Of these, those adequate on the 2017 criteria"
    ADEQUATE_AND_PUBLISHED = "policies_adequate_and_published", "Of these, those published too"
    PLANS = "plans_active", "Active plans"
    PLANS_IN_DATE = "plans_in_date", "Active plans in date"
    PLANS_COVERED = "plans_covered", "Active plans that are covered"
    FIRST_LESSON = "first_lesson_days", "Median school days from the section 19 clock’s start to first lessons recorded"
    HANDOVERS = "handovers", "Handovers"
    SICKNESS_RETURNS = "sickness_returns", "Sickness returns made in the month"
    MESSAGES = "messages", "Messages about policies that fell due in the month"


class By(TextChoices):
    """By what a figure is grouped."""

    ALL = "all", "Nothing: the whole authority"
    PHASE = "phase", "Phase of school"
    TYPE = "type", "Establishment type"
    KIND = "kind", "Which policy"
    CONDITION = "condition", "Main condition, to the nearest ten, in months in which it was counted"
    STAGE_AND_AGE = "stage_and_age", "Where handovers stand and for how long"
    OUTCOME = "outcome", "What became of messages"


class MetricsRow(serializers.Serializer):
    month = _month()
    measure = serializers.ChoiceField(choices=Measure.choices, help_text="What is counted.")
    measure_label = Label(source="measure", words={}, help_text="The same in words.")
    by = serializers.ChoiceField(choices=By.choices, help_text="By what it is grouped.")
    group = serializers.CharField(help_text="Of which group it is. Empty for the whole authority.")
    value = _count("The figure. By condition to the nearest ten.")
    time_period = serializers.CharField(help_text="The month’s year, as the Department for Education’s files have it.")
    time_identifier = serializers.ChoiceField(choices=MONTHS, help_text="The month’s name, as they have it.")
    old_la_code = serializers.CharField(help_text="The authority’s three-digit code.")
    new_la_code = serializers.CharField(
        allow_null=True, help_text="The authority’s code in the register of schools, such as E10000014."
    )
    la_name = serializers.CharField(help_text="The authority’s name.")


def plan_counts(as_at: "AsAt") -> Rows:
    found = tally.plan_counts(on=as_at.on)
    names, counted_on = list(PlanCountsRow().fields), str(found.counted_on)
    return [
        dict(zip(names, (counted_on, line.label, *line.counts), strict=True)) for line in (*found.phases, found.total)
    ]


def plan_counts_by_school(as_at: "AsAt") -> Rows:
    names, counted_on = list(SchoolPlanCountsRow().fields), str(tally.plan_counts(on=as_at.on).counted_on)
    return [
        dict(zip(names, (counted_on, line.urn, line.label, line.phase, *line.counts), strict=True))
        for line in tally.plan_counts_by_school(on=as_at.on)
    ]


def plan_months(as_at: "AsAt") -> Rows:
    names = list(PlanMonthsRow().fields)
    return [
        dict(zip(names, (_first(counted_on), line.urn, line.label, line.phase, *line.counts), strict=True))
        for counted_on, line in tally.schools_at_month_ends(on=as_at.on)
    ]


def plan_counts_by_month(as_at: "AsAt") -> Rows:
    found = tally.plan_counts(on=as_at.on)
    counted_on = str(found.counted_on)
    return [{"counted_on": counted_on, "month": str(month), "reviews_due": count} for month, count in found.months]


def plan_counts_by_condition(as_at: "AsAt") -> Rows:
    """None before conditions could be told for the first time."""
    counted_on, counts = tally.plans_by_condition(on=as_at.on) or ("", {})
    return [
        {"counted_on": str(counted_on), "condition": each, "condition_label": LABELS[each], "plans": count}
        for each, count in counts.items()
    ]


def notice_counts(as_at: "AsAt") -> Rows:
    return [
        {"month": str(month), "outcome": outcome, "messages": count}
        for month, outcome, count in messages.notice_counts()
    ]


def handovers(as_at: "AsAt") -> Rows:
    labels = dict([*Stage.choices, ("all", "All")])
    return [
        {"month": month, "stage": stage, "stage_label": labels[stage], "age": age, "handovers": count}
        for month, figures in _figures(as_at)
        for stage, age, count in figures.get("handovers", [])
    ]


def sickness_returns(as_at: "AsAt") -> Rows:
    return [
        {"month": month, "phase": phase, "returns": count}
        for month, figures in _figures(as_at)
        for phase, count in figures.get("sickness_returns", [])
    ]


def metrics(as_at: "AsAt") -> Rows:
    """All figures of months that have ended, one a row."""
    found = [*_of_policies(as_at), *_of_plans(as_at), *_of_the_rest(as_at)]
    names, authority = list(MetricsRow().fields), as_at.authority
    new_la_code = next((each["la_ons_code"] for each in as_at.new_la_code()), None)
    last = authority.code, new_la_code, authority.name
    return [
        dict(zip(names, (month, measure, measure.label, by, group, value, *_in_files(month), *last), strict=True))
        for month, measure, by, group, value in sorted(found, key=lambda each: each[0])
    ]


Figure = tuple[str, Measure, By, str, int | None]


def _of_policies(as_at: "AsAt") -> Iterator[Figure]:
    """Those of schools. Whether they are adequate is asked of one kind alone."""
    measures = {
        "policies": Measure.POLICIES,
        "in_date": Measure.IN_DATE,
        "published": Measure.PUBLISHED,
        "answered": Measure.ANSWERED,
        "adequate": Measure.ADEQUATE,
        "adequate_and_published": Measure.ADEQUATE_AND_PUBLISHED,
    }
    columns = {By.ALL: (), By.PHASE: ("phase_name",), By.TYPE: ("type_name",), By.KIND: ("kind",)}
    of_schools = PolicyMonth.objects.filter(month__ended_on__lt=as_at.on).exclude(kind=Kind.SECTION_19)
    for by, column in columns.items():
        for row in of_schools.counted(*column):
            group = "".join(row[name] for name in column)
            for name, measure in measures.items():
                yield _first(row["month__ended_on"]), measure, by, group, row[name]


def _of_plans(as_at: "AsAt") -> Iterator[Figure]:
    """Those counted as at the end of a month: see overview/plan_counts.py."""
    places = {Measure.PLANS: tally.ALL, Measure.PLANS_IN_DATE: 0, Measure.PLANS_COVERED: -1}
    for month in tally.month_by_month(on=as_at.on):
        if not month.is_at_its_end or month.counted_on >= as_at.on:
            continue
        lines = [
            (By.ALL, "", month.total),
            *((By.PHASE, line.label, line) for line in month.phases),
            *((By.TYPE, line.label, line) for line in month.types),
        ]
        for by, group, line in lines:
            for measure, place in places.items():
                yield _first(month.counted_on), measure, by, group, line.counts[place]
        for condition, count in month.conditions.items():
            yield _first(month.counted_on), Measure.PLANS, By.CONDITION, condition, count


def _of_the_rest(as_at: "AsAt") -> Iterator[Figure]:
    for month, figures in _figures(as_at):
        for stage, age, count in figures.get("handovers", []):
            yield month, Measure.HANDOVERS, By.STAGE_AND_AGE, f"{stage}, {age}", count
        for phase, count in figures.get("sickness_returns", []):
            by, group = (By.ALL, "") if phase == tally.ALL_SCHOOLS else (By.PHASE, phase)
            yield month, Measure.SICKNESS_RETURNS, by, group, count
        if "first_lesson_days" in figures:
            yield month, Measure.FIRST_LESSON, By.ALL, "", figures["first_lesson_days"]
        for outcome, count in figures["notices"]:
            yield month, Measure.MESSAGES, By.OUTCOME, outcome, count


def _figures(as_at: "AsAt") -> list[tuple[str, dict[str, Any]]]:
    """The first day of each month that had ended, and what was written down then."""
    found = MonthEnd.objects.filter(ended_on__lt=as_at.on).order_by("ended_on").values_list("ended_on", "figures")
    return [(_first(ended_on), figures) for ended_on, figures in found]


def _in_files(month: str) -> tuple[str, str]:
    """The year and the name of the month that begins on a day."""
    return month[:4], MONTHS[date.fromisoformat(month).month - 1]


def _first(day: date) -> str:
    return str(day.replace(day=1))


# -- what is not about children --------------------------------------------------------------------------


class Section19Row(serializers.Serializer):
    id = serializers.UUIDField(help_text="The policy: its id in the table policies.")
    status = serializers.ChoiceField(choices=Status.choices, help_text="How it stands on the day you ask.")
    status_label = Label(source="status", words={}, help_text="The same in words.")
    last_reviewed_on = serializers.DateField(allow_null=True, help_text="The day of its last review.")
    next_review_on = serializers.DateField(allow_null=True, help_text="The day by which it is to be reviewed.")
    approved_by = serializers.CharField(
        help_text="Who approved it, as somebody wrote it: a body, or a person. Empty where nobody has said."
    )
    approved_on = serializers.DateField(allow_null=True, help_text="When it was approved.")
    published_url = serializers.CharField(help_text="Where it is published. Empty where nobody has said.")


def section_19(as_at: "AsAt") -> Rows:
    found = []
    for policy in Policy.objects.filter(school=None, kind=Kind.SECTION_19):
        status, current = policy.status_on(as_at.on, as_at.settings), policy.versions.filter(is_current=True).first()
        found.append(
            {
                "id": str(policy.id),
                "status": str(status),
                "status_label": status.label,
                "last_reviewed_on": _day(policy.last_reviewed_on),
                "next_review_on": _day(policy.next_review_on),
                "approved_by": current.approved_by if current else "",
                "approved_on": _day(current.approved_on) if current else None,
                "published_url": policy.published_url,
            }
        )
    return found


class RequirementRow(serializers.Serializer):
    requirement_id = serializers.CharField(help_text="The requirement.")
    digest = serializers.CharField(help_text="Which words of it: they change with an edition, and this with them.")
    framework_id = serializers.CharField(help_text="The framework that asks for it.")
    framework = serializers.CharField(help_text="The framework’s title.")
    edition = serializers.IntegerField(help_text="The framework’s edition here.")
    status = serializers.ChoiceField(
        choices=[(each.value, each.value) for each in Standing], help_text="How far the framework has come."
    )
    status_label = serializers.CharField(help_text="The same in words.")
    effective_from = serializers.DateField(allow_null=True, help_text="Its first day. Empty where nobody has said.")
    section = serializers.CharField(help_text="Under which heading it stands.")
    says = serializers.CharField(help_text="What it asks for, in our words.")
    strength = serializers.ChoiceField(
        choices=[(each.value, each.value) for each in Strength], help_text="How strongly it asks."
    )
    applies_to = serializers.CharField(help_text="Of which kinds of body, with commas between.")
    source = serializers.CharField(help_text="Where the framework says so.")
    read = serializers.CharField(help_text="From what we know it.")
    confidence = serializers.CharField(help_text="How sure we are of it.")


def requirements(as_at: "AsAt") -> Rows:
    """A draft is there where the authority looks at it. What is about one child’s plan is not."""
    return [
        {
            "requirement_id": each.id,
            "digest": each.digest,
            "framework_id": one.id,
            "framework": one.title,
            "edition": one.edition,
            "status": str(one.status),
            "status_label": one.status_in_words,
            "effective_from": _day(one.effective_from),
            "section": each.section,
            "says": each.says,
            "strength": str(each.strength),
            "applies_to": ",".join(each.applies_to),
            "source": each.source,
            "read": str(each.read),
            "confidence": str(each.confidence),
        }
        for one in frameworks()
        if not one.is_draft or one.preview in as_at.settings.previewed
        for each in one.requirements
        if not each.is_of_plans
    ]


def _day(day: date | None) -> str | None:
    return str(day) if day else None
