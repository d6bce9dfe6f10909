"""Which schools are owed a message that they have not answered for a period, and whether it is still due.

It goes to whoever leads on medical conditions, else to the office; the head is copied in the end. It names the school
and no child, and does not say what the return is about.
"""

from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import CharField, Exists, OuterRef, QuerySet, Value
from django.db.models.functions import Lower
from django.urls import reverse

from handrail.absences.answers import asked, not_asked, recent_periods
from handrail.absences.models import NilReturn, SicknessReturn
from handrail.absences.periods import Period
from handrail.core import calendar
from handrail.core.calendar import beginning_of
from handrail.core.jinja import long_date
from handrail.core.models import AuthoritySettings
from handrail.notices import actions, alarms, steps
from handrail.notices.actions import NoLongerDue, Owed
from handrail.notices.models import Notice
from handrail.schools.models import School
from tenants.database import execute

SUBJECT = "school_return"
RULE = "school returns"
DAYS_BEFORE = [5, 0]
"""Days before the end of a period on which a school is reminded."""
PERIODS = 2
"""How many periods are asked about: the one that runs and the one before. What is older is on the officer's page."""


def owe_return_reminders(*, on: date, at: datetime) -> Owed:
    """Owe the messages about returns that have fallen due by the day `on` and have no row yet: one statement, for the
    oldest of the asked periods that each school has not answered.
    """
    settings = AuthoritySettings.load()
    sweep = actions.open_sweep(rule=RULE, on=on, at=at)
    asked_for = recent_periods(on=on)[:PERIODS]
    if not asked_for:
        return alarms.close_sweep(sweep, [], at=at)
    people, parameters = _people([(period, silent(period)) for period in reversed(asked_for)])
    asked = steps.asked(sweep, on=on, days_before=DAYS_BEFORE, settings=settings)
    return alarms.close_sweep(sweep, [actions.owe(DUE.format(people=people), [*asked, *parameters], at=at)], at=at)


def silent(period: Period) -> QuerySet[School]:
    """The schools that are asked for a period and have not answered for it."""
    made = SicknessReturn.objects.standing().filter(
        case__pupil__school=OuterRef("pk"),
        made_at__gte=beginning_of(period.first_on),
        made_at__lt=beginning_of(period.last_on + timedelta(days=1)),
    )
    nothing = NilReturn.objects.filter(school=OuterRef("pk"), period_on=period.first_on)
    return asked(period).filter(~Exists(made), ~Exists(nothing)).exclude(id__in=not_asked().values("id"))


def _people(asked_for: list[tuple[Period, QuerySet[School]]]) -> tuple[str, list[Any]]:
    """The tables `item` and `contact` of a statement, with their parameters: the one place that says who is written
    to. Of several periods the first is asked about.
    """
    statements: list[str] = []
    parameters: list[Any] = []
    for period, schools in asked_for:
        named = {name: Lower(f"{name}_email") for name in ("lead", "office", "head")}
        rows = schools.annotate(due=Value(period.last_on.isoformat(), CharField()), **named)
        sql, given = rows.order_by().values_list("id", "due", *named).query.sql_with_params()
        statements.append(f"({sql})")
        parameters += given
    return PEOPLE.format(schools=" UNION ALL ".join(statements)), parameters


PEOPLE = f"""
item AS (
    SELECT DISTINCT ON (id) id, id AS school_id, due::date AS due, lead, office, head
    FROM ({{schools}}) found (id, due, lead, office, head) ORDER BY id, due::date),
{steps.contacts_of_school("return_lead")}
"""

DUE = f"""
WITH {steps.ASKED},
{{people}},
step AS ({steps.dated(before="return_due", overdue="return_overdue", copy="return_overdue")}),
{steps.chosen(SUBJECT, several="return_lead")}
"""


def still_due(notice: Notice, *, at: datetime) -> dict[str, str]:
    """What the text of this notice needs to know. Raises NoLongerDue, with the reason, when it is not to be sent: the
    school has answered or closed, the recipient is not the contact any more, or a newer message took its place.
    """
    on = calendar.day_of(at)
    school = School.objects.filter(id=notice.subject_id).first()
    if school is None or not school.is_open:
        raise NoLongerDue(Notice.Reason.SCHOOL_CLOSED)
    period = next((each for each in recent_periods(on=on) if each.last_on.isoformat() == notice.cycle), None)
    if period is None:
        raise NoLongerDue(Notice.Reason.NOT_NEEDED)
    people, parameters = _people([(period, silent(period).filter(id=school.id))])
    steps.check_recipient(
        notice, execute(f"WITH {people} SELECT role, email FROM contact WHERE email <> ''", parameters)
    )
    return {
        "role": notice.recipient_role,
        "path": reverse("absences:returns", args=[school.urn]),
        "whose": school.name,
        "due": long_date(period.last_on),
    }
