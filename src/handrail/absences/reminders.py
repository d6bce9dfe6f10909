"""Who is owed a message about a case, and whether it is still due when it is sent.

The named officer is told when a child is near the threshold, when it is reached, and on school days after that; the
head of the child's school once, and in the end the administrators too. Only a decision or a stopped clock ends it: a
clock that had started goes on when the child leaves the school. A review has its own messages. A message says nothing
but a reference.
"""

from datetime import date, datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Lower
from django.urls import reverse

from handrail.absences.counting import counted, standing_of
from handrail.absences.models import Case, CaseEntry
from handrail.absences.section19 import Stage, Standing
from handrail.accounts.models import Membership
from handrail.accounts.roles import PERMISSIONS, Permission, Role
from handrail.core import calendar
from handrail.core.models import AuthoritySettings
from handrail.core.reference import reference
from handrail.notices import actions, alarms, steps
from handrail.notices.actions import NoLongerDue, Owed
from handrail.notices.models import Notice
from handrail.schools.models import Term
from tenants.database import execute

CASE, REVIEW = "absence_case", "case_review"
"""The kinds of a notice's subject: a clock that runs, and a review that falls due."""
RULE = "absence cases"
REVIEW_DAYS_BEFORE = [7, 0]
NEAR = "near"
ESCALATION = (
    *((0, "officer"), (2, "officer"), (5, "officer")),
    *((days, role) for days in range(10, 191, 5) for role in ("officer", "manager")),
)
"""On which school days after the threshold who is told, until somebody acts: for as long as a school year."""
HEAD_DAYS = 2
"""On which school day after the threshold the head is told: what the officer lacks, the school often has."""

OFFICERS = [role for role in Role if Permission.DECIDE_CASES in PERMISSIONS[role]]
WORDING = "child_action"


# -- by themselves ---------------------------------------------------------------------------------------


def owe_case_reminders(*, on: date, at: datetime) -> Owed:
    """Owe the messages about cases that have fallen due by the day `on` and have no row yet: one statement for clocks
    that run, one for reviews.
    """
    settings = AuthoritySettings.load()
    sweep = actions.open_sweep(rule=RULE, on=on, at=at)
    people, of_people = who_decide(on)
    asked = steps.asked(sweep, on=on, days_before=REVIEW_DAYS_BEFORE, settings=settings)
    tables, of_count = counted(running(on=on), calendar=Term.objects.calendar(), settings=settings, on=on)
    review, of_review = reviewed(on=on).values_list("id", "due").query.sql_with_params()
    return alarms.close_sweep(
        sweep,
        [
            actions.owe(
                CLOCKS.format(tables=tables, people=people),
                [*asked, *of_count, *of_people, [days for days, _ in ESCALATION], [role for _, role in ESCALATION]],
                at=at,
            ),
            actions.owe(REVIEWS.format(item=review, people=people), [*asked, *of_review, *of_people], at=at),
        ],
        at=at,
    )


def running(*, on: date) -> QuerySet[Case]:
    """The cases that somebody must act on as soon as the clock starts: it has not stopped, and nobody has said no."""
    move = CaseEntry.objects.filter(case=OuterRef("pk"), kind__in=[*CaseEntry.STOPS, CaseEntry.Kind.ENDED])
    decision = CaseEntry.objects.filter(case=OuterRef("pk"), kind=CaseEntry.Kind.DECISION)
    ended_later = CaseEntry.objects.filter(
        case=OuterRef("case"), kind=CaseEntry.Kind.ENDED, number__gt=OuterRef("number")
    )
    return (
        Case.objects.reported()
        .annotate(
            move=Subquery(move.order_by("-number").values("kind")[:1]),
            decided=Subquery(decision.filter(~Exists(ended_later)).order_by("-number").values("outcome")[:1]),
        )
        .filter(Q(move=None) | Q(move=CaseEntry.Kind.ENDED))
        .filter(Q(decided=None) | ~Q(decided=CaseEntry.Outcome.NO))
    )


def reviewed(*, on: date) -> Any:
    """The cases with a day of the next review, as `due`. An education that stopped waits for no review."""
    newest = CaseEntry.objects.filter(case=OuterRef("pk")).exclude(kind=CaseEntry.Kind.ENDED).order_by("-number")
    return (
        Case.objects.reported()
        .annotate(due=Subquery(newest.values("next_review_on")[:1]))
        .filter(due__isnull=False)
        .order_by()
    )


def who_decide(on: date) -> tuple[str, list[Any]]:
    """The table `person` of a statement with its parameters: who decides at the authority, and who manages them. Where
    nobody decides, the administrators are told in their place.
    """
    there = Membership.objects.current(on=on).filter(school=None, user__is_active=True)
    emails = there.annotate(email=Lower("user__email")).values_list("email", flat=True).order_by().distinct()
    found: list[Any] = []
    for roles in (OFFICERS, [Role.AUTHORITY_ADMINISTRATOR]):
        sql, parameters = emails.filter(role__in=roles).query.sql_with_params()
        found.append((sql, list(parameters)))
    (officers, of_officers), (managers, of_managers) = found
    return PEOPLE.format(officer=officers, manager=managers), [*of_officers, *of_managers]


PEOPLE = """
officer (email) AS ({officer}),
manager (email) AS ({manager}),
person (role, email) AS (
    SELECT 'officer', email FROM officer
    UNION ALL SELECT 'officer', email FROM manager WHERE NOT EXISTS (SELECT 1 FROM officer)
    UNION ALL SELECT 'manager', email FROM manager WHERE EXISTS (SELECT 1 FROM officer))
"""

CLOCKS = f"""
WITH {steps.ASKED},
{{tables}},
{{people}},
since (id, near_on, started_on, gone_on, head_email) AS (
    SELECT counted.id, near_on, coalesce(
            (SELECT happened_on FROM absences_caseentry e WHERE e.case_id = counted.id AND e.kind = 'ended'
                ORDER BY number DESC LIMIT 1), least(full_on, likely_on, counted.clock_on)),
        least(left_on, closed_on), head_email
    FROM counted JOIN absences_case of_case ON of_case.id = counted.id
    JOIN schools_pupil pupil ON pupil.id = of_case.pupil_id JOIN schools_school school ON school.id = pupil.school_id),
running (id, near_on, started_on, head_email) AS (
    SELECT id, near_on, started_on, head_email FROM since, asked WHERE gone_on IS NULL OR gone_on > asked.day
    UNION ALL
    SELECT id, NULL, started_on, '' FROM since, asked WHERE gone_on <= asked.day AND started_on <= gone_on),
begun (id, started_on, head_email, place) AS (
    SELECT running.id, started_on, head_email, coalesce((SELECT max(place) FROM day WHERE on_day <= started_on), 0)
    FROM running WHERE started_on IS NOT NULL),
step AS (
    SELECT id AS item_id, NULL::uuid AS school_id, '{NEAR}' AS cycle, '{NEAR}' AS step, near_on AS step_on, role,
        email, 'routine' AS urgency, '{WORDING}' AS wording
    FROM running JOIN person ON role = 'officer' WHERE near_on IS NOT NULL AND started_on IS NULL
    UNION ALL
    SELECT begun.id, NULL::uuid, started_on::text, 'day-' || later.days,
        CASE later.days WHEN 0 THEN started_on ELSE day.on_day END, person.role, email, 'deadline', '{WORDING}'
    FROM begun CROSS JOIN unnest(%s::int[], %s::text[]) later (days, role)
    JOIN person ON person.role = later.role
    LEFT JOIN day ON day.place = begun.place + later.days
    WHERE later.days = 0 OR day.on_day IS NOT NULL
    UNION ALL
    SELECT begun.id, NULL::uuid, started_on::text, 'day-{HEAD_DAYS}', day.on_day, 'head', lower(head_email), 'deadline',
        '{WORDING}'
    FROM begun JOIN day ON day.place = begun.place + {HEAD_DAYS}
    WHERE head_email <> ''),
{steps.chosen(CASE, several="officer")}
"""

REVIEWS = f"""
WITH {steps.ASKED},
item AS (SELECT id, NULL::uuid AS school_id, due FROM ({{item}}) found (id, due)),
{{people}},
contact (item_id, role, email) AS (SELECT id, role, email FROM item JOIN person ON role = 'officer'),
step AS ({steps.dated(before=WORDING, overdue=WORDING, copy=WORDING)}),
{steps.chosen(REVIEW, several="officer")}
"""


# -- at the moment of sending ----------------------------------------------------------------------------


def still_due(notice: Notice, *, at: datetime) -> dict[str, str]:
    """What the text of this notice needs to know. Raises NoLongerDue, with the reason, when it is not to be sent:
    somebody has acted, the child has left, the recipient does not decide any more, or a newer message took its place.
    """
    on = calendar.day_of(at)
    case = Case.objects.reported().filter(id=notice.subject_id).select_related("pupil__school").first()
    if case is None:
        raise NoLongerDue(Notice.Reason.NOT_NEEDED)
    now, gone_on = standing_of(case, on=on), case.gone_on
    if gone_on and gone_on <= on and not (now.started_on and now.started_on <= gone_on):
        has_left = case.pupil.left_on and case.pupil.left_on <= on
        raise NoLongerDue(Notice.Reason.LEFT if has_left else Notice.Reason.SCHOOL_CLOSED)
    if notice.cycle != _cycle(notice.subject_kind, now):
        raise NoLongerDue(Notice.Reason.NOT_DUE)
    if notice.recipient not in _recipients(notice.recipient_role, case, on=on):
        raise NoLongerDue(Notice.Reason.CONTACT_CHANGED)
    if steps.newer(notice).exists():
        raise NoLongerDue(Notice.Reason.SUPERSEDED)
    path = reverse("absences:case", args=[case.id]) if notice.recipient_role == "officer" else reverse("overview:home")
    return {"role": notice.recipient_role, "path": path, "reference": reference(case.id)}


def _recipients(role: str, case: Case, *, on: date) -> list[str]:
    """Whom a message about a case goes to in a role."""
    if role == "head":
        return [case.pupil.school.head_email.lower()]
    people, parameters = who_decide(on)
    rows = execute(f"WITH {people} SELECT email FROM person WHERE role = %s", [*parameters, role])
    return [email for (email,) in rows]


def _cycle(kind: str, now: Standing) -> str:
    """The round for which a message about the case is due today; empty for none."""
    if kind == REVIEW:
        return now.next_review_on.isoformat() if now.next_review_on else ""
    if now.stage in (Stage.STOPPED, Stage.REFUSED):
        return ""
    return now.started_on.isoformat() if now.started_on else NEAR if now.stage == Stage.NEAR else ""
