"""Who is owed a reminder of what goes out of date: a child's medicine, training, a spare kit, and a kit's check.

What may be about a child goes to the school's leads, and its message says nothing but a reference. A message about a
kit goes to whoever leads on medical conditions, and names the school and where the kit is kept.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import DateField, F, Func, Q, QuerySet
from django.db.models.functions import Lower
from django.urls import reverse

from handrail.accounts.models import Membership
from handrail.accounts.roles import PERMISSIONS, Permission, Role
from handrail.care.models import Medicine, SpareKit, StaffTraining
from handrail.core import calendar
from handrail.core.jinja import long_date
from handrail.core.models import AuthoritySettings
from handrail.core.reference import reference
from handrail.notices import actions, alarms, steps
from handrail.notices.actions import NoLongerDue, Owed
from handrail.notices.models import Notice
from tenants.database import execute

RULE = "medicines, kits and training"
CHECK_DAYS_BEFORE = [0]
"""A check comes each month, so somebody is reminded of it on its day and not before."""

LEADS = [
    role for role in Role if Permission.EDIT_PLANS in PERMISSIONS[role] and Permission.KEEP_KITS in PERMISSIONS[role]
]

Items = QuerySet[Any, Any]


@dataclass(frozen=True)
class Rule:
    """One kind of thing that falls due. `items` gives what is watched on a day, with when it is `due`; `school` leads
    to its school; `before` and `overdue` are wordings.
    """

    items: Callable[[date], Items]
    school: str
    before: str
    overdue: str
    is_about_a_kit: bool = False
    days_before: list[int] | None = None


def _medicines(on: date) -> Items:
    found = Medicine.objects.in_use().filter(_is_there("pupil__", on), expires_on__isnull=False)
    return found.filter(pupil__school__closed_on=None).annotate(due=F("expires_on"))


def _trainings(on: date) -> Items:
    found = StaffTraining.objects.current().filter(Q(pupil=None) | _is_there("pupil__", on))
    return found.filter(school__closed_on=None).annotate(due=F("expires_on"))


def _kits(on: date) -> Items:
    return SpareKit.objects.in_use().filter(school__closed_on=None).annotate(due=F("expires_on"))


def _checks(on: date) -> Items:
    """The same rule as `expiry.next_check`, in SQL. A test holds the two together."""
    a_month_later = Func(
        F("checked_since"), template="(%(expressions)s + interval '1 month')::date", output_field=DateField()
    )
    found = SpareKit.objects.in_use().filter(school__closed_on=None).with_last_check()
    return found.annotate(due=a_month_later)


def _is_there(to_pupil: str, on: date) -> Q:
    """Whether the child has not left."""
    return Q(**{f"{to_pupil}left_on": None}) | Q(**{f"{to_pupil}left_on__gt": on})


RULES = {
    "medicine": Rule(_medicines, "pupil__school", "child_action", "child_action"),
    "training": Rule(_trainings, "school", "child_action", "child_action"),
    "kit": Rule(_kits, "school", "kit_expires", "kit_expired", is_about_a_kit=True),
    "kit_check": Rule(
        _checks, "school", "check_due", "check_overdue", is_about_a_kit=True, days_before=CHECK_DAYS_BEFORE
    ),
}
"""By the kind of a notice's subject."""


# -- by themselves ---------------------------------------------------------------------------------------


def owe_expiry_reminders(*, on: date, at: datetime) -> Owed:
    """Owe the reminders that have fallen due by the day `on` and have no row yet: one statement for each rule."""
    settings = AuthoritySettings.load()
    sweep = actions.open_sweep(rule=RULE, on=on, at=at)
    found = []
    for kind, rule in RULES.items():
        days_before = settings.reminder_days_before if rule.days_before is None else rule.days_before
        last_due_on = max(calendar.last_day_before_work(on), on + timedelta(days=max([*days_before, 0])))
        people, parameters = _people(rule, rule.items(on).filter(due__lte=last_due_on), on=on)
        asked = steps.asked(sweep, on=on, days_before=days_before, settings=settings)
        dated = steps.dated(before=rule.before, overdue=rule.overdue, copy=rule.overdue)
        statement = f"WITH {steps.ASKED}, {people}, step AS ({dated}), {steps.chosen(kind, several='leads')}"
        found.append(actions.owe(statement, [*asked, *parameters], at=at))
    return alarms.close_sweep(sweep, found, at=at)


def _people(rule: Rule, items: Items, *, on: date) -> tuple[str, list[Any]]:
    """The tables `item` and `contact` of a statement, with their parameters: the one place that says who is written
    to; the head is copied.
    """
    named = {name: Lower(f"{rule.school}__{name}_email") for name in ("lead", "office", "head")}
    item = items.annotate(place_id=F(f"{rule.school}_id"), **named)
    item_sql, parameters = item.order_by().values_list("id", "due", "place_id", *named).query.sql_with_params()
    if rule.is_about_a_kit:
        return KIT_PEOPLE.format(item=item_sql), list(parameters)
    leads = Membership.objects.current(on=on).filter(role__in=LEADS, user__is_active=True)
    leads_sql, more = (
        leads.annotate(email=Lower("user__email")).values_list("school_id", "email").order_by().query.sql_with_params()
    )
    return CHILD_PEOPLE.format(item=item_sql, leads=leads_sql), [*parameters, *more]


KIT_PEOPLE = f"""
item AS (SELECT place AS school_id, * FROM ({{item}}) found (id, due, place, lead, office, head)),
{steps.contacts_of_school("kit_lead")}
"""

CHILD_PEOPLE = """
item AS (SELECT NULL::uuid AS school_id, * FROM ({item}) found (id, due, place, lead, office, head)),
leader (place, email) AS (SELECT DISTINCT * FROM ({leads}) found),
contact (item_id, role, email) AS (
    SELECT id, 'leads', email FROM item JOIN leader USING (place)
    UNION ALL SELECT id, 'contact', lead FROM item WHERE place NOT IN (SELECT place FROM leader)
    UNION ALL SELECT id, 'head', head FROM item)
"""


# -- at the moment of sending ----------------------------------------------------------------------------


def still_due(notice: Notice, *, at: datetime) -> dict[str, str]:
    """What the text of this notice needs to know. Raises NoLongerDue, with the reason, when it is not to be sent: it
    was renewed, has gone or is no longer watched, the recipient is not the contact any more, or a newer message has
    taken its place.
    """
    on, rule = calendar.day_of(at), RULES[notice.subject_kind]
    item = rule.items(on).filter(id=notice.subject_id).first()
    if item is None:
        raise NoLongerDue(Notice.Reason.NOT_NEEDED)
    if notice.cycle != item.due.isoformat():
        raise NoLongerDue(Notice.Reason.NOT_DUE)
    if notice.recipient not in _recipients(rule, item, notice.recipient_role, on=on):
        raise NoLongerDue(Notice.Reason.CONTACT_CHANGED)
    if steps.newer(notice).exists():
        raise NoLongerDue(Notice.Reason.SUPERSEDED)
    if rule.is_about_a_kit:
        return {
            "role": notice.recipient_role,
            "path": reverse("care:kits", args=[item.school.urn]),
            "whose": item.school.name,
            "place": item.place,
            "due": long_date(item.due),
        }
    path = reverse("care:item", args=[item.id])
    return {"role": notice.recipient_role, "path": path, "reference": reference(item.id)}


def _recipients(rule: Rule, item: Any, role: str, *, on: date) -> set[str]:
    """Whom a message in this role would go to today."""
    people, parameters = _people(rule, rule.items(on).filter(id=item.id), on=on)
    rows = execute(f"WITH {people} SELECT role, email FROM contact WHERE email <> ''", parameters)
    return {email for each, email in rows if (each == "head") == (role == "head")}
