"""The returns of the demonstration: asked for, begun by one school and submitted by a few. Nobody is real."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from io import BytesIO
from random import Random
from typing import Any
from uuid import UUID

from handrail.accounts.models import User
from handrail.core.audit import Actor
from handrail.core.pdf import pdf
from handrail.overview.inspection import PAPER
from handrail.policies.communications import record_communication
from handrail.policies.models import NEEDED, Audience, Kind, Policy
from handrail.returns.actions import Wanted, assess, attach_file, open_cycle, plan_action, save_answers, submit
from handrail.returns.models import UNMET, Cycle, Return
from handrail.returns.standing import sections_of
from handrail.schools.models import School
from handrail.schools.terms import school_year_of

DUE_IN_DAYS, CLOSES_IN_DAYS, OPENED_DAYS_AGO, PLANNED_DAYS = 45, 120, 21, 30
YEAR_BEFORE_OPENED, YEAR_BEFORE_DUE, YEAR_BEFORE_CLOSED = 126, 60, 22
"""Days ago: the return of the school year before."""

BEGUN_PARTS, BEGUN_OWN_PARTS, ALL_PARTS, OTHERS_SUBMITTED = 3, 2, 99, 9
DEPARTS = 0.06
"""How often a school says anything but yes."""

WITH_A_FILE = "SPMC-POL-04"
MINUTES = {
    "title": "Minutes of the governing body (invented)",
    "authority": "",
    "printed": "Made up for the demonstration of Handrail.",
    "about": ["7.2 The deputy head has overall responsibility for the policy on medical conditions. Agreed."],
    "tables": [],
}
"""What a school shows for one of its answers."""

TOLD = (
    ([Audience.PUPILS], 20, "Assembly"),
    ([Audience.PARENTS], 24, "Letter to all families"),
    ([Audience.WORKERS], 372, "Training day"),
)
"""Who was told of the allergy safety policy, days before that was recorded, and how."""

DEPARTURES = (
    Wanted("no", reason="We review it every second year, as the governors decided."),
    Wanted("no"),
    Wanted("partly", reason="We are writing it.", evidence="Minutes of the last meeting of governors"),
    Wanted("not_applicable", reason="No pupil needs this at present."),
)


def furnish(
    schools: Sequence[School], first: Sequence[School], *, leads: Mapping[UUID, User], officer: str, at: datetime
) -> None:
    """Ask for this school year's return some weeks ago. The first school to try has submitted it, which a governor may
    sign, and the second has begun; a few others have submitted theirs, and the officer has looked at one. What is
    missing somewhere is planned. The others had answered the year before as well, and the authority has begun its
    self-assessment.

    `leads` are by school; `officer` is an e-mail address.
    """
    on = at.date()
    looking = User.objects.get(email=officer).as_at(on)
    about: dict[str, Any] = {"framework_ids": ["SPMC-2015", "CFA-100A", "AUDIT-2017"], "by": looking}
    others = [school for school in schools if school.is_bound and school.id in leads and school not in first]
    others = others[:OTHERS_SUBMITTED]
    before = open_cycle(
        school_year=school_year_of(on) - 1,
        due_on=on - timedelta(days=YEAR_BEFORE_DUE),
        closes_on=on - timedelta(days=YEAR_BEFORE_CLOSED),
        at=at - timedelta(days=YEAR_BEFORE_OPENED),
        **about,
    )
    for number, school in enumerate(others):
        by, answered_at = leads[school.id].as_at(on), at - timedelta(days=YEAR_BEFORE_OPENED - 1 - 10 * number)
        answer(before, school, parts=ALL_PARTS, by=by, at=answered_at)
        submit(cycle=before, school=school, by=by, at=answered_at)
    cycle = open_cycle(
        school_year=school_year_of(on),
        due_on=on + timedelta(days=DUE_IN_DAYS),
        closes_on=on + timedelta(days=CLOSES_IN_DAYS),
        at=at - timedelta(days=OPENED_DAYS_AGO),
        **about,
    )
    assess_itself(cycle, by=looking, at=at - timedelta(days=3))
    answer(cycle, first[1], parts=BEGUN_PARTS, by=leads[first[1].id].as_at(on), at=at - timedelta(days=2))
    made = None
    for number, school in enumerate((first[0], *others)):
        by, answered_at = leads[school.id].as_at(on), at - timedelta(days=12 - number)
        answer(cycle, school, parts=ALL_PARTS, by=by, at=answered_at)
        if school == first[0]:
            file = BytesIO(pdf(PAPER, MINUTES))
            attach_file(
                cycle=cycle, school=school, requirement_id=WITH_A_FILE, file=file, name="Minutes.pdf", by=by,
                at=answered_at,
            )  # fmt: skip
        tell(school, by=by, at=answered_at)
        made = submit(cycle=cycle, school=school, by=by, at=answered_at)
        plan(made, by=leads[school.id], at=answered_at)
    if made:
        published = made.answers.get(requirement_id="SPMC-POL-03")
        note = "The policy was not on the website on the day we looked."
        assess(answer=published, verdict="no", note=note, by=looking, at=at - timedelta(days=1))


def assess_itself(cycle: Cycle, *, by: Actor, at: datetime) -> None:
    """The authority has answered two parts of its self-assessment, and says what one point lacks."""
    points = [
        point.requirement.id for section in sections_of(cycle, None)[:BEGUN_OWN_PARTS] for point in section.points
    ]
    said = {each: Wanted("yes", evidence="Section 19 policy") for each in points}
    said |= {points[1]: Wanted("partly", reason="The name is in the policy and not yet on the page for parents.")}
    save_answers(cycle=cycle, school=None, answers=said, by=by, at=at)


def plan(made: Return, *, by: User, at: datetime) -> None:
    """The lead sees to the first point that is missing within a month, and has not looked at the rest."""
    gap = made.answers.filter(verdict__in=UNMET).order_by("requirement_id").first()
    if gap:
        what, due_on = "Bring it to the next meeting of governors", at.date() + timedelta(days=PLANNED_DAYS)
        owner = {"owner_name": by.name, "owner_email": by.email}
        plan_action(answer=gap, what=what, due_on=due_on, by=by.as_at(at.date()), at=at, **owner)


def tell(school: School, *, by: Actor, at: datetime) -> None:
    """Pupils and parents were told of the allergy safety policy this autumn, those who work there over a year ago."""
    policy = Policy.objects.filter(NEEDED, school=school, kind=Kind.ALLERGY_SAFETY).first()
    if policy:
        for audiences, days_ago, how in TOLD:
            told_on = at.date() - timedelta(days=days_ago)
            record_communication(policy=policy, audiences=audiences, told_on=told_on, how=how, by=by, at=at)


def answer(cycle: Cycle, school: School, *, parts: int, by: Actor, at: datetime) -> None:
    """Answer the first parts of a return, mostly with yes: the same for the same school."""
    random = Random(f"return {school.urn}")  # noqa: S311 - invention, not secrecy
    points = [point for section in sections_of(cycle, school)[:parts] for point in section.points]
    said = {
        point.requirement.id: random.choice(DEPARTURES) if random.random() < DEPARTS else Wanted("yes")
        for point in points
    }
    save_answers(cycle=cycle, school=school, answers=said, by=by, at=at)
