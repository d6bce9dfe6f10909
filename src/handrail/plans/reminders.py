"""Who is owed a reminder about which plan, and whether it is still due when it is sent.

A plan on its way is to be ready by a day, an active one to be reviewed by one. Messages go to who coordinates it, else
to the school's leads, and say nothing but a reference: no notice about a plan names a school either.
"""

from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Case, F, Q, QuerySet, When
from django.db.models.functions import Lower
from django.urls import reverse

from handrail.accounts.models import Membership
from handrail.accounts.roles import PERMISSIONS, Permission, Role
from handrail.core import calendar
from handrail.core.models import AuthoritySettings
from handrail.core.reference import reference
from handrail.notices import actions, alarms, steps
from handrail.notices.actions import NoLongerDue, Owed
from handrail.notices.models import Notice
from handrail.plans.models import TO_BE_READY, HealthcarePlan, Stage
from tenants.database import execute

SUBJECT = "plan"
RULE = "plan reviews"
READY_DAYS_BEFORE = [7, 0]
"""Days before a plan is to be ready on which somebody is reminded, besides the day on which the school was told."""
TOLD = "told"

MAY_COORDINATE = [role for role in Role if Permission.SEE_PLANS in PERMISSIONS[role] and not role.is_about_one_child]
LEADS = [role for role in MAY_COORDINATE if Permission.EDIT_PLANS in PERMISSIONS[role]]


# -- by themselves ---------------------------------------------------------------------------------------


def owe_review_reminders(*, on: date, at: datetime) -> Owed:
    """Owe the reminders that have fallen due by the day `on` and have no row yet: one statement for plans on their way
    (when the school is told, a week before, on the day, overdue), one for reviews of active plans (as for policies).
    """
    settings = AuthoritySettings.load()
    sweep = actions.open_sweep(rule=RULE, on=on, at=at)
    first = max([*settings.reminder_days_before, 0])
    last_due_on = max(calendar.last_day_before_work(on), on + timedelta(days=first))
    found = []
    for statement, plans, days_before in (
        (TO_BE_READY_DUE, watched(on=on).filter(stage__in=TO_BE_READY), READY_DAYS_BEFORE),
        (ACTIVE_DUE, watched(on=on).filter(stage=Stage.ACTIVE, due_on__lte=last_due_on), settings.reminder_days_before),
    ):
        people, parameters = _people(plans, on=on)
        asked = steps.asked(sweep, on=on, days_before=days_before, settings=settings)
        found.append(actions.owe(statement.format(people=people), [*asked, *parameters], at=at))
    return alarms.close_sweep(sweep, found, at=at)


def watched(*, on: date) -> QuerySet[HealthcarePlan]:
    """The plans somebody is reminded of: those with a day, of children who have not left an open school."""
    there = Q(pupil__left_on=None) | Q(pupil__left_on__gt=on)
    return HealthcarePlan.objects.watched().filter(there, due_on__isnull=False, pupil__school__closed_on=None)


def _people(plans: QuerySet[HealthcarePlan], *, on: date) -> tuple[str, list[Any]]:
    """The tables `item` and `contact` of a statement, with their parameters: the one place that says who is written to.
    Whoever coordinates the plan, while they may; else the school's leads, else its lead's address; the head as a copy.
    """
    plan = plans.annotate(
        told_on=Case(When(stage=Stage.NOTIFIED, then=F("notified_on"))),
        place=F("pupil__school_id"),
        lead=Lower("pupil__school__lead_email"),
        head=Lower("pupil__school__head_email"),
    ).values("id", "due_on", "told_on", "coordinator_id", "place", "lead", "head")
    holder = (
        Membership.objects.current(on=on)
        .filter(role__in=MAY_COORDINATE, user__is_active=True)
        .annotate(email=Lower("user__email"), is_lead=Q(role__in=LEADS))
        .values("user_id", "school_id", "email", "is_lead")
    )
    plan_sql, plan_parameters = plan.order_by().query.sql_with_params()
    holder_sql, holder_parameters = holder.order_by().query.sql_with_params()
    return PEOPLE.format(plan=plan_sql, holder=holder_sql), [*plan_parameters, *holder_parameters]


PEOPLE = """
item AS (
    SELECT NULL::uuid AS school_id, * FROM ({plan}) plan (id, due, told_on, coordinator_id, place, lead, head)),
holder (user_id, place, email, is_lead) AS ({holder}),
coordinator (item_id, email) AS (
    SELECT DISTINCT item.id, email FROM item JOIN holder ON user_id = coordinator_id AND holder.place = item.place),
leader (place, email) AS (SELECT DISTINCT place, email FROM holder WHERE is_lead),
without (id, place, lead) AS (
    SELECT id, place, lead FROM item WHERE id NOT IN (SELECT item_id FROM coordinator)),
contact (item_id, role, email) AS (
    SELECT item_id, 'coordinator', email FROM coordinator
    UNION ALL SELECT id, 'leads', email FROM without JOIN leader ON leader.place = without.place
    UNION ALL SELECT id, 'contact', lead FROM without WHERE place NOT IN (SELECT place FROM leader)
    UNION ALL SELECT id, 'head', head FROM item)
"""

WORDING = "child_action"
DATED = steps.dated(before=WORDING, overdue=WORDING, copy=WORDING)
CHOSEN = steps.chosen(SUBJECT, several="leads")

ACTIVE_DUE = f"""
WITH {steps.ASKED},
{{people}},
step AS ({DATED}),
{CHOSEN}
"""

TO_BE_READY_DUE = f"""
WITH {steps.ASKED},
{{people}},
step AS ({DATED}
    UNION ALL
    SELECT item.id, school_id, due::text, '{TOLD}', told_on, role, email, 'routine', '{WORDING}'
    FROM asked, item JOIN contact ON contact.item_id = item.id AND contact.email <> '' AND role <> 'head'
    WHERE told_on <= day),
{CHOSEN}
"""


# -- at the moment of sending ----------------------------------------------------------------------------


def still_due(notice: Notice, *, at: datetime) -> dict[str, str]:
    """What the text of this notice needs to know. Raises NoLongerDue, with the reason, when it is not to be sent: the
    plan was reviewed or rests, the child has left, the school has closed, the recipient is not the contact any more or
    may not see the plan, or a newer message has taken its place.
    """
    on = calendar.day_of(at)
    plan = HealthcarePlan.objects.select_related("pupil__school").filter(id=notice.subject_id).first()
    if plan is None or not plan.is_watched:
        raise NoLongerDue(Notice.Reason.NOT_NEEDED)
    if plan.pupil.left_on and plan.pupil.left_on <= on:
        raise NoLongerDue(Notice.Reason.LEFT)
    if not plan.pupil.school.is_open:
        raise NoLongerDue(Notice.Reason.SCHOOL_CLOSED)
    is_decided = notice.step == TOLD and plan.stage != Stage.NOTIFIED
    if is_decided or plan.due_on is None or notice.cycle != plan.due_on.isoformat():
        raise NoLongerDue(Notice.Reason.NOT_DUE)
    if notice.recipient not in _recipients(plan, notice.recipient_role, on=on):
        raise NoLongerDue(Notice.Reason.CONTACT_CHANGED)
    if steps.newer(notice).exists():
        raise NoLongerDue(Notice.Reason.SUPERSEDED)
    called = reference(plan.id)
    return {"role": notice.recipient_role, "path": reverse("plans:item", args=[called]), "reference": called}


def _recipients(plan: HealthcarePlan, role: str, *, on: date) -> set[str]:
    """Whom a message in this role would go to today."""
    people, parameters = _people(HealthcarePlan.objects.filter(id=plan.id), on=on)
    rows = execute(f"WITH {people} SELECT role, email FROM contact WHERE email <> ''", parameters)
    return {email for each, email in rows if (each == "head") == (role == "head")}
