"""Who is owed a message about what a school does each year, or has planned, and whether it is still due: the return,
the allergy safety policy that people were told of a year ago, and what it or the authority planned after a return. The
authority's self-assessment falls due with the return of its schools. And a school is told when guidance opens points of
its return again, and whoever may sign what was submitted that it waits for them.

It goes to whoever leads on medical conditions at the school, else to the office; that about what was planned to whoever
is named to see to it, that about the self-assessment to everybody who may answer it, that about a signature to all who
may sign. The head is copied in the end.
None says what anybody answered.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db.models import (
    Case,
    CharField,
    Count,
    DateField,
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    UUIDField,
    Value,
    When,
)  # fmt: skip
from django.db.models.functions import Cast, Coalesce, Lower, NullIf
from django.db.models.lookups import LessThan
from django.urls import reverse

from handrail.accounts.models import Membership
from handrail.accounts.roles import PERMISSIONS, Permission, Role
from handrail.core import calendar
from handrail.core.forms.wording import in_sentence
from handrail.core.jinja import long_date
from handrail.core.models import AuthoritySettings
from handrail.notices import actions, alarms, steps
from handrail.notices.actions import NoLongerDue, Owed
from handrail.notices.models import Notice
from handrail.policies.models import NEEDED, Kind, Policy, called, telling_began
from handrail.returns.models import Answer, Cycle, PlannedAction, Return, place_of
from handrail.returns.questions import asked, digest_of
from handrail.returns.standing import asking, is_met
from handrail.schools.duty import Body
from handrail.schools.models import School
from tenants.database import execute, require_bound

RULE = "yearly returns"


def _who_may(permission: Permission) -> list[Role]:
    return [role for role in Role if permission in PERMISSIONS[role]]


Items = QuerySet[Any, Any]


@dataclass(frozen=True)
class Rule:
    """One kind of thing that falls due. `items` gives what is open on a day, with when it is `due` and, at a school,
    `to` whom a message goes first; `school` leads to its school, and `lead` is the role of whoever is written to.

    What `is_news` is told once, on the day that it is seen: of it `due` says which news it is. Where a rule names
    `roles`, everybody is written to who holds one of them where the thing is, but whoever submitted it.
    """

    items: Callable[[date], Items]
    school: str
    lead: str
    before: str
    overdue: str
    page: str = "returns:home"
    is_news: bool = False
    roles: Sequence[Role] = ()


def _returns(on: date) -> Items:
    """The schools that the newest cycle asks and that have submitted nothing in it, until it closes. Those that came
    after it was due are asked on their pages alone.
    """
    cycle = Cycle.objects.first()
    frameworks = asking(cycle) if cycle and not cycle.is_closed(on) else []
    bodies = [body for body in Body.values if asked(frameworks, body)]
    submitted = Return.objects.filter(cycle=cycle, school=OuterRef("pk"))
    found = School.objects.open().bound().filter(~Exists(submitted), body__in=bodies)
    due = Value(cycle.due_on if cycle else None, DateField())
    return found.filter(joined_on__lte=due).annotate(due=due, to=F("lead_email"))


def _reopened(on: date) -> Items:
    """The schools of whose last return guidance has opened points again: to these no return of theirs in its cycle says
    anything. While the newest cycle is open it asks those anew that returned in an earlier one. When it has closed and
    the next is not open all are told the same day, and answer then.
    """
    newest = Cycle.objects.first()
    cycles = Cycle.objects.all() if newest and newest.is_closed(on) else [newest] if newest else []
    last = Return.objects.filter(school=OuterRef("pk")).order_by("-cycle__school_year").values("cycle")[:1]
    has_open, news = Q(pk__in=()), []
    for cycle in cycles:
        wanted = {body: [each for _, each in asked(asking(cycle), body)] for body in Body.values}
        said = Answer.objects.filter(returned__cycle=cycle, returned__school=OuterRef("pk")).order_by()
        for body, points in wanted.items():
            answered = said.filter(digest__in=[each.digest for each in points]).values("returned__school")
            many = Subquery(answered.annotate(many=Count("digest", distinct=True)).values("many"))
            has_open |= Q(LessThan(Coalesce(many, 0), len(points)), body=body, last_cycle=cycle.id)
        now = [each for points in wanted.values() for each in points]
        news.append(When(last_cycle=cycle.id, then=Value(digest_of(now))))
    found = School.objects.open().bound().annotate(last_cycle=Subquery(last)).filter(has_open)
    return found.annotate(due=Case(*news, default=Value(""), output_field=CharField()), to=F("lead_email"))


def _own(on: date) -> Items:
    """The newest cycle while the authority has submitted nothing of its own in it, until it closes."""
    newest = Cycle.objects.filter(id__in=Cycle.objects.values("id")[:1], closes_on__gt=on)
    submitted = Return.objects.filter(cycle=OuterRef("pk"), school=None)
    nobody = Cast(Value(None), UUIDField())
    return newest.filter(~Exists(submitted)).annotate(due=F("due_on"), place=nobody, submitted_by=nobody)


def _unsigned(on: date, **whose: bool) -> Items:
    """The returns of the newest cycle, and the authority's own, that count and that nobody has signed as the second."""
    newest = Return.objects.filter(cycle__in=Cycle.objects.values("id")[:1]).newest().values("id")
    found = Return.objects.filter(id__in=newest, countersignature=None, school__closed_on=None, **whose)
    return found.annotate(due=Cast("number", CharField()), place=F("school"))


def _planned(on: date) -> Items:
    """The authority's own too: it has no head to copy, so that they go to whoever is named. Nobody is reminded while
    the return that counts does not lack the point any more.
    """
    return (
        PlannedAction.objects.open()
        .filter(~is_met(), school__closed_on=None)
        .annotate(due=F("due_on"), to=F("owner_email"))
    )


def _told(on: date) -> Items:
    """The policies of which people are to be told once a year. Until the duty is in force nobody is asked to begin."""
    needed = Policy.objects.filter(NEEDED, school__closed_on=None, kind=Kind.ALLERGY_SAFETY)
    told = needed.with_tell_by(telling_began(on))
    lead = Coalesce(NullIf("lead_email", Value("")), "school__lead_email")
    return told.filter(tell_by__isnull=False).annotate(due=F("tell_by"), to=lead)


RULES = {
    "yearly_return": Rule(_returns, "", "return_lead", "yearly_due", "yearly_overdue"),
    "reopened_return": Rule(_reopened, "", "return_lead", "reopened", "reopened", is_news=True),
    "unsigned_return": Rule(
        partial(_unsigned, school__isnull=False),
        *("", "signer", "to_sign", "to_sign"),
        is_news=True,
        roles=_who_may(Permission.COUNTERSIGN_RETURNS),
    ),
    "self_assessment": Rule(
        _own, "", "assessor", "own_due", "own_overdue", roles=_who_may(Permission.ANSWER_OWN_RETURN)
    ),
    "unsigned_assessment": Rule(
        partial(_unsigned, school__isnull=True),
        *("", "signer", "own_to_sign", "own_to_sign"),
        is_news=True,
        roles=_who_may(Permission.COUNTERSIGN_OWN_RETURN),
    ),
    "communication": Rule(_told, "school__", "return_lead", "tell_due", "tell_overdue", page="policies:communications"),
    "planned_action": Rule(_planned, "school__", "action_owner", "action_due", "action_overdue"),
}
"""By the kind of a notice's subject."""


def owe_return_reminders(*, on: date, at: datetime) -> Owed:
    """Owe the messages that have fallen due by the day `on` and have no row yet: one statement for each rule."""
    settings = AuthoritySettings.load()
    sweep = actions.open_sweep(rule=RULE, on=on, at=at)
    found = []
    for kind, rule in RULES.items():
        try:
            people, parameters = _people(rule, rule.items(on), on=on)
        except EmptyResultSet:  # nothing can be open
            continue
        asked_for = steps.asked(sweep, on=on, days_before=settings.reminder_days_before, settings=settings)
        dated = steps.dated(before=rule.before, overdue=rule.overdue, copy=rule.overdue)
        step = steps.once(rule.before) if rule.is_news else dated
        statement = f"WITH {steps.ASKED}, {people}, step AS ({step}), {steps.chosen(kind, several=rule.lead)}"
        found.append(actions.owe(statement, [*asked_for, *parameters], at=at))
    return alarms.close_sweep(sweep, found, at=at)


def _people(rule: Rule, items: Items, *, on: date) -> tuple[str, list[Any]]:
    """The tables `item` and `contact` of a statement, with their parameters: the one place that says who is written
    to.
    """
    if rule.roles:
        sql, parameters = items.order_by().values_list("id", "place", "due", "submitted_by").query.sql_with_params()
        there = Membership.objects.current(on=on).filter(role__in=rule.roles, user__is_active=True).order_by()
        people, of_people = there.values_list("school", "user", Lower("user__email")).query.sql_with_params()
        tables = f"""item AS (SELECT * FROM ({sql}) found (id, school_id, due, submitted_by)),
contact (item_id, role, email) AS (
    SELECT DISTINCT item.id, '{rule.lead}', email FROM item JOIN ({people}) person (place, id, email)
    ON place IS NOT DISTINCT FROM school_id AND person.id IS DISTINCT FROM submitted_by)"""
        return tables, [*parameters, *of_people]
    place = F(f"{rule.school}id")
    named = {name: Lower(f"{rule.school}{name}_email") for name in ("office", "head")}
    rows = items.annotate(place=place, first=Lower("to"), **named)
    sql, parameters = rows.order_by().values_list("id", "place", "due", "first", *named).query.sql_with_params()
    item = f"item AS (SELECT * FROM ({sql}) found (id, school_id, due, lead, office, head))"
    return f"{item}, {steps.contacts_of_school(rule.lead)}", list(parameters)


def still_due(notice: Notice, *, at: datetime) -> dict[str, str]:
    """What the text of this notice needs to know. Raises NoLongerDue, with the reason, when it is not to be sent: it
    is submitted or done, the school has closed, the recipient is not the contact any more, or a newer message took its
    place.
    """
    rule = RULES[notice.subject_kind]
    open_items = rule.items(calendar.day_of(at)).filter(id=notice.subject_id)
    item = open_items.first()
    if item is None:
        raise NoLongerDue(Notice.Reason.NOT_NEEDED)
    if notice.cycle != str(item.due):
        raise NoLongerDue(Notice.Reason.NOT_DUE)
    people, parameters = _people(rule, open_items, on=calendar.day_of(at))
    steps.check_recipient(
        notice, execute(f"WITH {people} SELECT role, email FROM contact WHERE email <> ''", parameters)
    )
    school = item if isinstance(item, School) else getattr(item, "school", None)
    return {
        "role": notice.recipient_role,
        "path": reverse(rule.page, kwargs=place_of(school)),
        "whose": school.name if school else require_bound().name,
        "due": "" if rule.is_news else long_date(item.due),
        "policy": in_sentence(called(Kind.ALLERGY_SAFETY, calendar.day_of(at))),
    }
