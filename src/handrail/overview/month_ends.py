"""What is written down when a month has ended, as at its last day, and never again: later edits change nothing of it.

How each needed policy stood, row by row (policies/models.py). Of messages and children numbers alone, kept as they may
be shown: `notices` by outcome, `handovers` by stage and age, `sickness_returns` of the month by phase, and
`first_lesson_days`, the median of the school days that the section 19 clock had run at the first sessions that were
recorded in the month: one that is recorded after the month in which it took place is in no other.
Plans have counts of their own (plan_counts.py).
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any

from django.db import transaction
from django.db.models import Case, F, OuterRef, Q, Subquery, When

from handrail.absences.counting import days_to_first_lessons
from handrail.absences.models import SicknessReturn
from handrail.core.calendar import beginning_of, day_of, month_end_before
from handrail.core.earlier import CHANGED_SINCE
from handrail.core.status import Status
from handrail.core.suppression import SMALLEST_SHOWN, suppressed
from handrail.handovers.watch import by_age, watched
from handrail.overview.notice_counts import notice_counts
from handrail.overview.plan_counts import ALL_SCHOOLS, CHILDREN_UNTIL, phase_of
from handrail.policies.models import Kind, MonthEnd, Policy, PolicyMonth, PolicyReview, WebsiteCheck
from handrail.policies.past import as_at
from handrail.returns.standing import adequate_by_school
from handrail.schools.duty import BOUND
from handrail.schools.models import School

ONE_DAY = timedelta(days=1)


@transaction.atomic
def take_month_ends(*, on: date, at: datetime) -> list[date]:
    """Take the figures of the month that has ended, and of those before it that nobody took, and give their last days.

    The first time there is one month. Of two runs at once the second takes nothing.
    """
    taken = []
    for ended_on in _owed(on=on):
        month = MonthEnd(ended_on=ended_on, taken_at=at, figures=_figures(ended_on, on=on))
        MonthEnd.objects.bulk_create([month], ignore_conflicts=True)
        if MonthEnd.objects.filter(id=month.id).exists():
            PolicyMonth.objects.bulk_create(_policies(month), batch_size=5000)
            taken.append(ended_on)
    return taken


def _owed(*, on: date) -> Iterator[date]:
    """The last days of the months that are to be taken, the oldest first."""
    newest, last = MonthEnd.objects.first(), month_end_before(on)
    ended_on = _end_after(newest.ended_on) if newest else last
    while ended_on <= last:
        yield ended_on
        ended_on = _end_after(ended_on)


def _end_after(ended_on: date) -> date:
    """The end of the month that follows one that ended on this day."""
    return month_end_before(ended_on + timedelta(days=32))


def _figures(ended_on: date, *, on: date) -> dict[str, Any]:
    """Messages by outcome, and of children what may be shown, while the month is not long over."""
    first_on = ended_on.replace(day=1)
    found: dict[str, Any] = {
        "notices": [[outcome, count] for month, outcome, count in notice_counts() if month == first_on]
    }
    if on - ended_on <= CHILDREN_UNTIL:
        days = days_to_first_lessons(since=first_on, until=ended_on)
        begun = [each for each in watched(on=ended_on) if day_of(each.handover.started_at) <= ended_on]
        found["handovers"] = by_age(begun)
        found["sickness_returns"] = _sickness_returns(first_on, ended_on)
        found["first_lesson_days"] = round(median(days)) if len(days) >= SMALLEST_SHOWN else None
    return found


def _sickness_returns(first_on: date, ended_on: date) -> list[tuple[str, int | None]]:
    """How many were made in the month and not taken back, by phase and at the end of all schools."""
    phases = School.objects.open().order_by("phase_name").values_list("phase_name", flat=True).distinct()
    counts = dict.fromkeys(sorted(map(phase_of, phases)), 0)
    made = SicknessReturn.objects.standing().filter(
        made_at__gte=beginning_of(first_on), made_at__lt=beginning_of(ended_on + ONE_DAY)
    )
    for name in made.values_list("case__pupil__school__phase_name", flat=True):
        phase = phase_of(name)
        counts[phase] = counts.get(phase, 0) + 1
    shown, total = suppressed(list(counts.values()))
    return [*zip(counts, shown, strict=True), (ALL_SCHOOLS, total)]


def _policies(month: MonthEnd) -> Iterator[PolicyMonth]:
    """The needed policies of the authority, and of schools that were open, as they were reviewed until that day, with
    the address that they had. What the register says of a school is told as it is when the month is taken.
    """
    ended_on = month.ended_on
    adequate = {school_id: said.is_adequate for school_id, said in adequate_by_school(on=ended_on).items()}
    missing = set(WebsiteCheck.objects.missing(at=beginning_of(ended_on + ONE_DAY)).values_list("policy_id", "url"))
    there = Q(school=None) | Q(school__joined_on__lte=ended_on) & (
        Q(school__closed_on=None) | Q(school__closed_on__gt=ended_on)
    )
    earlier = PolicyReview.objects.filter(
        policy=OuterRef("pk"), reviewed_on__lte=ended_on, next_review_on__isnull=False
    ).order_by("-reviewed_on", "-recorded_at")
    due_on = Case(
        When(last_reviewed_on__lte=ended_on, then=F("next_review_on")),
        default=Subquery(earlier.values("next_review_on")[:1]),
    )
    bound = Q(school=None) | Q(school__body__in=BOUND)
    policies = Policy.objects.filter(bound, there).select_related("school").annotate(due_on=due_on)
    for policy, then in zip(policies, as_at(policies, on=ended_on), strict=True):
        if then.status == Status.NOT_NEEDED:
            continue
        school = policy.school
        url = policy.published_url if then.published_url == CHANGED_SINCE else then.published_url
        about = (
            {
                "urn": school.urn,
                "school_name": school.name,
                "phase_code": school.phase_code,
                "phase_name": school.phase_name,
                "type_code": school.type_code,
                "type_name": school.type_name,
                "trust_name": school.trust_name,
            }
            if school
            else {}
        )
        yield PolicyMonth(
            month=month,
            policy_id=policy.id,
            kind=policy.kind,
            is_in_date=policy.due_on is not None and policy.due_on >= ended_on,
            is_published=bool(url) and (policy.id, url) not in missing,
            is_adequate=adequate.get(school.id) if school and policy.kind == Kind.MEDICAL_CONDITIONS else None,
            **about,
        )
