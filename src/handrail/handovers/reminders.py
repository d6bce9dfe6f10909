"""Who is owed a message about a handover, and whether it is still due when it is sent.

A move that is due is asked for: of those who make it at the school or setting, then of the head, of the authority's
named officer, and of the administrators. Only the move ends it. Where another authority's people have to make it, the
home authority's are told in the end, because they can ring them. What has just come, and what was declined or ran
out, is told at once; the latter until the authority says what happens next, or hands the child over anew. So is a child
who was passed on: of the school first. A message says nothing but a reference.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import (
    BooleanField,
    Case,
    F,
    Q,
    QuerySet,
    When,
)
from django.db.models.functions import Lower
from django.urls import reverse

from handrail.absences.counting import school_days
from handrail.absences.reminders import who_decide
from handrail.accounts.models import Membership
from handrail.accounts.roles import PERMISSIONS, Permission, Role
from handrail.core import calendar
from handrail.core.models import AuthoritySettings
from handrail.core.reference import reference
from handrail.handovers import due, moves
from handrail.handovers.models import Handover
from handrail.handovers.moves import Escalation, State
from handrail.notices import actions, alarms, steps
from handrail.notices.actions import NoLongerDue, Owed
from handrail.notices.models import Notice
from handrail.schools.models import Term
from handrail.schools.terms import school_year_of
from tenants.database import execute

HANDLERS = [role for role in Role if Permission.HAND_OVER in PERMISSIONS[role]]
READERS = [role for role in Role if Permission.SEE_HANDOVERS in PERMISSIONS[role]]
"""Who makes the moves of a school or setting, and who must have read the emergency steps of a pack, by their roles."""

# -- by themselves ---------------------------------------------------------------------------------------


def owe_handover_reminders(*, on: date, at: datetime) -> Owed:
    """Owe the messages about moves that have fallen due by the day `on` and have no row yet: a statement for those
    of the authority's own people, and one for those of others.
    """
    sweep = actions.open_sweep(rule="handovers", on=on, at=at)
    return alarms.close_sweep(sweep, _owed(CLOCKS, sweep, on=on, at=at), at=at)


def owe_news(*, on: date, at: datetime) -> Owed:
    """Owe at once what cannot wait: a pack or return pack has come; a handover was declined or ran out. A statement
    for each.
    """
    sweep = actions.open_sweep(rule="handover news", on=on, at=at)
    return actions.close_sweep(sweep, _owed(NEWS, sweep, on=on, at=at), at=at)


@dataclass(frozen=True)
class Rule:
    """A kind of subject: which handovers are due a message and since when, whom on which school days, its words for
    people at schools and for those at the authority, how urgent the first is, which roles at a school get it, and
    whether what is far ahead is told a week before.
    """

    kind: str
    items: Callable[..., QuerySet[Handover]]
    asked_on: Iterable[tuple[int, Escalation]]
    wording: str
    above: str
    urgency: Notice.Urgency
    roles: Sequence[Role] = tuple(HANDLERS)
    tells_ahead: bool = True


def _owed(rules: Iterable[Rule], sweep: Any, *, on: date, at: datetime) -> list[Owed]:
    asked = steps.asked(sweep, on=on, days_before=[], settings=AuthoritySettings.load())
    days = school_days(school_year_of(on) - 1, calendar=Term.objects.calendar(), until=on)
    found = []
    for rule in rules:
        people, of_people = _people(rule, rule.items(on=on), on=on)
        later = [[number for number, _ in rule.asked_on], [who.value for _, who in rule.asked_on]]
        statement = OWED.format(people=people, wording=rule.wording, above=rule.above, urgency=rule.urgency)
        chosen = steps.chosen(rule.kind, several="officer")
        found.append(actions.owe(f"{statement}, {chosen}", [*asked, days, *of_people, *later], at=at))
    return found


Urgency = Notice.Urgency
OWN = Rule("handover", due.own, moves.ASKED_ON, "handover_waits", "handover_late", Urgency.DEADLINE)
OTHERS = Rule(
    "handover_elsewhere", due.others, moves.OTHERS_ASKED_ON, "handover_late", "handover_late", Urgency.DEADLINE
)
PACKS = Rule("handover_pack", due.with_packs, [(0, Escalation.CONTACT)], "handover_came", "handover_came", Urgency.NOW)
NOTICES = Rule(
    "handover_notice", due.with_notices, [(0, Escalation.CONTACT)], "handover_came", "handover_came", Urgency.NOW
)
CORRECTIONS = Rule(
    *("handover_correction", due.with_corrections, moves.ASKED_ON, "handover_came", "handover_late", Urgency.NOW)
)
BACKS = Rule("handover_back", due.with_returns, moves.ASKED_ON, "handover_came", "handover_late", Urgency.NOW)
LAPSES = Rule("handover_lapsed", due.lapsed, moves.LAPSED_ON, "handover_lapsed", "handover_lapsed", Urgency.NOW)
PASSED_ON = Rule(
    *("handover_passed_on", due.passed_on, moves.PASSED_ON_ON, "handover_passed_on", "handover_lapsed"),
    Urgency.DEADLINE,
    tells_ahead=False,
)
REISSUE = Rule(
    *("handover_reissue", due.with_steps_to_take_over, moves.ASKED_ON, "handover_reissue", "handover_late"),
    Urgency.DEADLINE,
    tells_ahead=False,
)
HELD_UP = Rule(
    *("handover_held_up", due.held_up, moves.HELD_UP_ON, "handover_held_up", "handover_held_up", Urgency.DEADLINE),
    tells_ahead=False,
)
STEPS = Rule(
    *("handover_steps", due.with_unread_steps, moves.ASKED_ON, "handover_read", "handover_late", Urgency.DEADLINE),
    roles=tuple(READERS),
)
OLDER = Rule(
    *("handover_older", due.with_older_steps, moves.ASKED_ON, "handover_older", "handover_late", Urgency.DEADLINE),
    tells_ahead=False,
)
UPDATES = Rule(
    *("handover_update", due.updates, moves.ASKED_ON, "handover_update", "handover_late", Urgency.DEADLINE),
    tells_ahead=False,
)
UPDATES_ELSEWHERE = Rule(
    *("handover_update_elsewhere", due.updates_elsewhere, moves.OTHERS_ASKED_ON),
    *("handover_late", "handover_late", Urgency.DEADLINE),
    tells_ahead=False,
)
STILL_THERE = Rule("handover_still", due.still, moves.STILL_ON, "handover_still", "handover_still", Urgency.DEADLINE)
CLOCKS, NEWS = (
    (OWN, OTHERS, STEPS, OLDER, UPDATES, UPDATES_ELSEWHERE, STILL_THERE, PASSED_ON, HELD_UP, REISSUE),
    (PACKS, NOTICES, CORRECTIONS, BACKS, LAPSES),
)
RULES = {rule.kind: rule for rule in (*CLOCKS, *NEWS)}
"""By the kind of a notice's subject."""


# -- whom -------------------------------------------------------------------------------------------------


def _people(rule: Rule, items: QuerySet[Handover], *, on: date) -> tuple[str, list[Any]]:
    """The tables `item` and `contact` of a statement, with their parameters: the one place that says who is asked.

    Where nobody at a school or setting may act, the authority's named officer is asked from the first day.
    """
    ahead = (
        Q(pk__in=[])
        if not rule.tells_ahead
        else Q(state__in=[State.ACTIVE, State.PHASED_RETURN], since_on__lt=F("due") - timedelta(days=due.DAYS_AHEAD))
    )
    rows = items.annotate(ahead=Case(When(ahead, then=True), default=False, output_field=BooleanField())).order_by()
    item, of_item = rows.values_list("id", "of_school", "due", "round", "ahead").query.sql_with_params()
    there = Membership.objects.current(on=on).filter(role__in=rule.roles, user__is_active=True, school__isnull=False)
    handlers = there.annotate(email=Lower("user__email")).values_list("school_id", "email").order_by().distinct()
    handler, of_handler = handlers.query.sql_with_params()
    authority, of_authority = who_decide(on)
    sql = PEOPLE.format(item=item, handler=handler, authority=authority)
    return sql, [*of_item, *of_handler, *of_authority]


PEOPLE = """
item (id, school_id, due, cycle, is_known_ahead) AS ({item}),
handler (school_id, email) AS ({handler}),
{authority},
at_school (item_id, role, email) AS (
    SELECT item.id, 'coordinator', handler.email FROM item JOIN handler USING (school_id)
    UNION ALL
    SELECT item.id, 'contact', coalesce(nullif(lower(lead_email), ''), lower(office_email))
    FROM item JOIN schools_school school ON school.id = item.school_id
    WHERE NOT EXISTS (SELECT 1 FROM handler WHERE handler.school_id = item.school_id)),
contact (item_id, level, role, email) AS (
    SELECT item_id, 'contact', role, email FROM at_school WHERE email <> ''
    UNION ALL
    SELECT item.id, 'head', 'head', lower(head_email)
    FROM item JOIN schools_school school ON school.id = item.school_id WHERE head_email <> ''
    UNION ALL
    SELECT item.id, CASE role WHEN 'officer' THEN 'named_officer' ELSE 'manager' END, role, email
    FROM item CROSS JOIN person
    UNION ALL
    SELECT item.id, 'contact', 'officer', email FROM item CROSS JOIN person
    WHERE role = 'officer'
        AND NOT EXISTS (SELECT 1 FROM at_school WHERE at_school.item_id = item.id AND at_school.email <> ''))
"""

OWED = f"""
WITH {steps.ASKED},
day (on_day, place) AS (SELECT on_day, place FROM unnest(%s::date[]) WITH ORDINALITY given (on_day, place)),
{{people}},
begun AS (SELECT item.*, coalesce((SELECT max(place) FROM day WHERE on_day <= due), 0) AS place FROM item),
step AS (
    SELECT begun.id AS item_id, NULL::uuid AS school_id, cycle, 'day-' || later.days AS step,
        CASE later.days WHEN 0 THEN due ELSE day.on_day END AS step_on, role, email,
        CASE later.days WHEN 0 THEN '{{urgency}}' ELSE 'deadline' END AS urgency,
        CASE WHEN role IN ('officer', 'manager') THEN '{{above}}' ELSE '{{wording}}' END AS wording
    FROM asked, begun CROSS JOIN unnest(%s::int[], %s::text[]) later (days, level)
    JOIN contact ON contact.item_id = begun.id AND contact.level = later.level
    LEFT JOIN day ON day.place = begun.place + later.days
    WHERE CASE later.days WHEN 0 THEN due <= deadline ELSE day.on_day IS NOT NULL END
    UNION ALL
    SELECT begun.id, NULL::uuid, cycle, 'before', due - {due.DAYS_AHEAD}, role, email, 'routine', 'handover_ahead'
    FROM asked, begun JOIN contact ON contact.item_id = begun.id AND contact.level = 'contact'
    WHERE is_known_ahead AND due - {due.DAYS_AHEAD} <= asked.day)
"""


# -- at the moment of sending ----------------------------------------------------------------------------

AT_SCHOOL = frozenset({"coordinator", "contact", "head"})


def still_due(notice: Notice, *, at: datetime) -> dict[str, str]:
    """What the text of this notice needs to know. Raises NoLongerDue, with the reason, when it is not to be sent:
    somebody has acted, the child has left, the recipient is not to be asked any more, or a newer one took its place.
    """
    on = calendar.day_of(at)
    rule = RULES[notice.subject_kind]
    people, parameters = _people(rule, rule.items(on=on).filter(id=notice.subject_id), on=on)
    rows = execute(f"WITH {people} SELECT cycle, role, email FROM item JOIN contact ON item_id = id", parameters)
    if not rows:
        raise NoLongerDue(Notice.Reason.NOT_NEEDED)
    if notice.cycle != rows[0][0]:
        raise NoLongerDue(Notice.Reason.NOT_DUE)
    if (notice.recipient_role, notice.recipient) not in {(role, email) for _, role, email in rows}:
        raise NoLongerDue(Notice.Reason.CONTACT_CHANGED)
    if steps.newer(notice).exists():
        raise NoLongerDue(Notice.Reason.SUPERSEDED)
    shared = Handover.objects.values_list("reference", flat=True).get(id=notice.subject_id)
    return {"role": notice.recipient_role, "path": _path(notice), "reference": reference(shared)}


def _path(notice: Notice) -> str:
    if notice.recipient_role in AT_SCHOOL:
        return reverse("handovers:handover", args=[notice.subject_id])
    return reverse("handovers:board")
