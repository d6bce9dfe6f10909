"""Who is owed a message because there is a plan to read: on the first day, a week later, and each week after that.

It goes to whoever must know the plan and has an account, and says nothing but a reference. A changed plan begins anew.
"""

from datetime import date, datetime
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Lower
from django.urls import reverse

from handrail.core import calendar
from handrail.core.models import AuthoritySettings
from handrail.core.reference import reference
from handrail.notices import actions, alarms, steps
from handrail.notices.actions import NoLongerDue, Owed
from handrail.notices.models import Notice
from handrail.plans.models import HealthcarePlan, PlanVersion, Stage
from handrail.plans.readers import Reader, ReadReceipt
from handrail.schools.models import Pupil
from tenants.database import execute

SUBJECT = "plan_to_read"
RULE = "plans to read"
DAYS_BEFORE = [7, 0]
"""The plan is to be read within a week of the day on which it was saved, or the person was asked: `due` below."""


def owe_reading_reminders(*, on: date, at: datetime) -> Owed:
    """Owe the messages that have fallen due by the day `on` and have no row yet, in one statement."""
    sweep = actions.open_sweep(rule=RULE, on=on, at=at)
    people, parameters = _people(_unread(on=on))
    asked = steps.asked(sweep, on=on, days_before=DAYS_BEFORE, settings=AuthoritySettings.load())
    return alarms.close_sweep(sweep, [actions.owe(OWED.format(people=people), [*asked, *parameters], at=at)], at=at)


def _unread(*, on: date) -> QuerySet[Reader]:
    """Those with an account who have not read the newest version of an active plan of a child at an open school."""
    newest = PlanVersion.objects.filter(plan=OuterRef("plan")).order_by("-number")
    children = Pupil.objects.not_left(on=on).filter(school__closed_on=None)
    plans = HealthcarePlan.objects.filter(stage=Stage.ACTIVE, pupil__in=children)
    asked = Reader.objects.asked(on=on).filter(person__isnull=False, plan__in=plans)
    found = asked.annotate(version=newest.values("id")[:1], saved_at=newest.values("made_at")[:1])
    read = ReadReceipt.objects.filter(reader=OuterRef("pk"), version=OuterRef("version"))
    return found.filter(~Exists(read), version__isnull=False)


def _people(readers: QuerySet[Reader]) -> tuple[str, list[Any]]:
    """The tables `item` and `contact` of a statement, with their parameters."""
    reader = readers.annotate(email=Lower("person__email")).values_list("id", "saved_at", "asked_at", "email")
    sql, parameters = reader.order_by().query.sql_with_params()
    return PEOPLE.format(reader=sql), list(parameters)


PEOPLE = """
reader (id, saved_at, asked_at, email) AS ({reader}),
item (id, school_id, due) AS (
    SELECT id, NULL::uuid, (greatest(saved_at, asked_at) AT TIME ZONE 'Europe/London')::date + 7 FROM reader),
contact (item_id, role, email) AS (SELECT id, 'reader', email FROM reader)
"""

OWED = f"""
WITH {steps.ASKED}, {{people}},
step AS ({steps.dated(before="child_action", overdue="child_action", copy="child_action")}),
{steps.chosen(SUBJECT, several="reader")}
"""


def still_due(notice: Notice, *, at: datetime) -> dict[str, str]:
    """What the text of this notice needs to know. Raises NoLongerDue when the plan was read, changed or rests, or the
    person need not know it any more.
    """
    on = calendar.day_of(at)
    people, parameters = _people(_unread(on=on).filter(id=notice.subject_id))
    rows = execute(f"WITH {people} SELECT due, email FROM item JOIN contact ON item_id = id", parameters)
    if not rows:
        raise NoLongerDue(Notice.Reason.NOT_NEEDED)
    [(due, email)] = rows
    if notice.cycle != due.isoformat():
        raise NoLongerDue(Notice.Reason.NOT_DUE)
    if notice.recipient != email:
        raise NoLongerDue(Notice.Reason.CONTACT_CHANGED)
    if steps.newer(notice).exists():
        raise NoLongerDue(Notice.Reason.SUPERSEDED)
    plan_id = Reader.objects.values_list("plan_id", flat=True).get(id=notice.subject_id)
    return {"role": "coordinator", "path": reverse("plans:to_read"), "reference": reference(plan_id)}
