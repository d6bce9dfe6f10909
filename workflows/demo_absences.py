"""Children of the demonstration whom illness keeps from school, and what the authority has decided. Nobody is real."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from handrail.absences import decisions
from handrail.absences.actions import make_return, nothing_to_report
from handrail.absences.answers import recent_periods
from handrail.absences.models import Case, NilReturn
from handrail.absences.return_reminders import silent
from handrail.accounts.models import User
from handrail.core.audit import Actor
from handrail.core.calendar import LONDON
from handrail.schools.models import Pupil, School, Term
from tenants.database import require_bound

REPORTED = (12, 27, 16)
"""School days up to today that children have lost: near the threshold, long after it, and decided."""

SILENT_ONE_IN = 10
"""How many of the schools that reported nobody did not say so: another tenth in each month."""


def furnish(schools: Sequence[School | None], *, leads: Mapping[Any, User], officer: str, at: datetime) -> None:
    """Report a child of the first school and two of the second; the third school had nothing to report.

    `officer` is the address of who decides.
    """
    on, (first, second, *others) = at.date(), schools
    children = [*Pupil.objects.filter(school=first).order_by("name")[:1]]
    children += Pupil.objects.filter(school=second).order_by("name")[:2]
    cases = [
        _report(child, days, by=leads[child.school_id].as_at(on), at=at)
        for child, days in zip(children, REPORTED, strict=True)
    ]
    _decide(cases[-1], by=User.objects.get(email=officer).as_at(on), at=at)
    for period in recent_periods(on=on)[:2]:
        for school in filter(None, others):
            nothing_to_report(school=school, period=period, by=leads[school.id].as_at(on), at=at)


def furnish_answers(*, leads: Mapping[Any, User], on: date) -> None:
    """Of the schools that reported nobody in the periods before this one, most said so, and the others are silent."""
    NilReturn.objects.bulk_create(
        NilReturn(
            school=school,
            period_on=period.first_on,
            made_at=datetime.combine(period.last_on, time(15), LONDON),
            made_by=leads[school.id].id,
            made_by_name=leads[school.id].name,
        )
        for period in recent_periods(on=on)[1:]
        for school in silent(period)
        if school.id in leads and (int(school.urn) + period.first_on.month) % SILENT_ONE_IN
    )


def _report(child: Pupil, days: int, *, by: Actor, at: datetime) -> Case:
    calendar, day = Term.objects.calendar(), at.date()
    lost = 0
    while lost < days:
        lost += calendar.is_school_day(day)
        day -= timedelta(days=1)
    first_on = day + timedelta(days=1)
    says = {"address": f"{days} Abbey Row, Silverbridge", "work": "Worksheets each Monday", "evidence": "gp"}
    reported_at = at - timedelta(days=(at.date() - first_on).days // 2)
    return make_return(
        pupil=child,
        first_on=first_on,
        is_likely=days > REPORTED[0],
        lives_in=require_bound().code,
        says=says,
        by=by,
        at=reported_at,
    ).case


def _decide(case: Case, *, by: Actor, at: datetime) -> None:
    on, then = at.date(), at.date() + timedelta(weeks=6)
    decisions.decide(
        case=case,
        outcome="yes",
        decided_on=on - timedelta(days=4),
        evidence="The GP’s letter that the school has seen. A call with the family.",
        reasons="The child will not be at school for weeks, and no other education is there.",
        letter_on=on - timedelta(days=3),
        next_review_on=then,
        by=by,
        at=at - timedelta(days=3),
    )
    decisions.first_session(
        case=case,
        happened_on=on - timedelta(days=1),
        hours=Decimal("7.5"),
        why_not_full_time="As much as health allows now, one to one. It rises after the review.",
        next_review_on=then,
        by=by,
        at=at,
    )
