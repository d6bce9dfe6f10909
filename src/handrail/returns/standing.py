"""How far a school is with its return, and where all of an authority's schools stand. Reads, and writes nothing."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Exists, Min, OuterRef, Q, TextChoices

from handrail.core.calendar import beginning_of
from handrail.core.models import AuthoritySettings
from handrail.guidance.frameworks import AUTHORITY, Framework, Strength
from handrail.guidance.published import editions, framework, frameworks, line_of
from handrail.policies.models import NEEDED, Communication, Kind, Policy, PolicyReview, WebsiteCheck
from handrail.returns.models import Answer, Cycle, Draft, PlannedAction, Return
from handrail.returns.questions import Point, Section, asked, asks, digest_of, in_sections, says, sections, unknown
from handrail.returns.rules import CRITERIA, Colour, Found, Kept, Returned, is_adequate, judged
from handrail.schools.duty import BOUND, Body
from handrail.schools.models import School
from tenants.database import execute

NATION = "England"
"""Whose schools answer: no return asks about another nation's guidance."""


def asking(cycle: Cycle) -> list[Framework]:
    """The frameworks that a cycle asks schools about, as they are today: those that the authority chose, and what has
    taken the place of one.
    """
    chosen = set(cycle.framework_ids)
    return [each for each in frameworks() if asks(each) and chosen.intersection(line_of(each))]


def may_be_asked(*bodies: str) -> list[Framework]:
    """The frameworks that a return may ask one of these bodies about, or any kind of school where none is given: no
    draft, and nothing that was replaced.
    """
    found = [each for each in frameworks() if each.nation == NATION and asks(each)]
    return [each for each in found if any(each.of(body) for body in bodies or Body.values)]


def asked_in(cycle: Cycle, school: School | None) -> tuple[list[Framework], str]:
    """The frameworks that a cycle asks about, and as which kind of body: a school those that the authority chose, the
    authority itself all that ask anything of it.
    """
    return (asking(cycle), school.body) if school else (may_be_asked(AUTHORITY), AUTHORITY)


def last_return(school: School | None) -> Return | None:
    """The return of a school, or of the authority, that counts, of whichever cycle."""
    found: Return | None = Return.objects.filter(school=school).newest().select_related("cycle").first()
    return found


def sections_of(cycle: Cycle, school: School | None) -> list[Section]:
    """What a cycle asks of a school, or of the authority, with the answers that stand. Three questions at most."""
    last = last_return(school)
    carried = Answer.objects.filter(returned=last).select_related("returned__cycle", "evidence_file") if last else ()
    drafts = Draft.objects.filter(cycle=cycle, school=school).select_related("evidence_file")
    return sections(*asked_in(cycle, school), drafts, carried)


class Owed(NamedTuple):
    """What a return still asks of a school: everything, or where it `is_reopened` what guidance changed since."""

    cycle: Cycle
    is_reopened: bool = False
    open_points: int = 0


def owed_by(school: School, *, on: date) -> Owed | None:
    """What the open cycle asks of this school: nothing any more once it has returned what is asked today. What guidance
    only took away leaves nothing to do.
    """
    cycle = Cycle.objects.first()
    if cycle is None or cycle.is_closed(on):
        return None
    wanted = [each for _, each in asked(asking(cycle), school.body)]
    newest = Return.objects.filter(cycle=cycle, school=school).first()
    if not wanted or (newest and newest.asked == digest_of(wanted)):
        return None
    if newest is None:
        return Owed(cycle)
    answers = [point.answer for section in sections_of(cycle, school) for point in section.points]
    open_points = sum(each is None for each in answers)
    is_begun = any(isinstance(each, Draft) for each in answers)
    return Owed(cycle, is_reopened=True, open_points=open_points) if open_points or is_begun else None


def submitted_sections(returned: Return) -> list[Section]:
    """What a return says, under the words to which it said so: those of the edition that was answered, and last what
    no edition of this release knows.
    """
    answers = returned.answers.prefetch_related("assessments")
    answers = answers.select_related("carried_from__returned__cycle", "evidence_file")
    by_digest = {each.digest: each for each in answers}
    then = {each.digest: (one, each) for one in editions() for each in one.requirements}
    points = [Point(then[digest][1], then[digest][0], by_digest[digest]) for digest in then if digest in by_digest]
    order = [each.id for each in frameworks()]
    points.sort(key=lambda point: order.index(point.framework.id))
    return in_sections([*points, *(unknown(each) for digest, each in by_digest.items() if digest not in then)])


def by_point(school: School | None, *, cycle: Cycle) -> dict[str, list[PlannedAction]]:
    """What a school has planned after its return of a cycle, by the requirement that it is about."""
    found: dict[str, list[PlannedAction]] = {}
    for each in PlannedAction.objects.filter(school=school, cycle=cycle):
        found.setdefault(each.requirement_id, []).append(each)
    return found


class Progress(TextChoices):
    """How far a school's return is. Not returned is never the same as not doing what is asked."""

    NOT_BEGUN = "not-begun", "Not returned"
    BEGUN = "begun", "Not returned, begun"
    SUBMITTED = "submitted", "Returned"
    SIGNED = "signed", "Returned and signed"


class Standing(NamedTuple):
    """Where a school stands: the rule that decides its colour, and how far its return is. All rules that apply are
    worked out when somebody asks for them.
    """

    school: Any
    """Its id and what a list shows of it."""
    decided_by: Found
    progress: Progress
    returned_id: UUID | None
    open_points: int
    """Points of its return without an answer that still stands: guidance has changed since."""
    rules: Callable[[], Iterator[Found]]

    @property
    def found(self) -> list[Found]:
        return list(self.rules())

    @property
    def colour(self) -> Colour:
        return self.decided_by.colour


CALLED, ALLERGY = dict(Kind.choices), Kind.ALLERGY_SAFETY.value


class _School(NamedTuple):
    """A school as lists show it, and its newest return of the cycle: the points that this does not meet, of those of
    its answers that stand.
    """

    id: UUID
    urn: str
    name: str
    body: str
    phase_name: str
    trust_name: str
    is_begun: bool
    returned_id: UUID | None
    is_signed: bool
    unmet: list[str]
    standing: int

    @property
    def progress(self) -> Progress:
        if self.returned_id:
            return Progress.SIGNED if self.is_signed else Progress.SUBMITTED
        return Progress.BEGUN if self.is_begun else Progress.NOT_BEGUN


def board(cycle: Cycle | None, *, on: date) -> list[Standing]:
    """Every open school that has the duty, the one to help first at the top. The same few questions however many."""
    due_on = cycle.due_on if cycle else None
    rules = partial(judged, return_due_on=due_on, on=on, due_soon_days=AuthoritySettings.load().due_soon_days)
    policies = _policies()
    wanted = _Wanted(asking(cycle) if cycle else [])
    about = {"cycle": cycle and cycle.id, "asked": wanted.digests, "musts": wanted.musts, "bound": sorted(BOUND)}
    found = []
    for row in execute(SCHOOLS, about):
        school = _School._make(row)
        returned = wanted.returned(school) if school.returned_id else None
        of_school = partial(rules, policies.get(school.urn, ()), returned)
        open_points = returned.unanswered if returned else 0
        decided_by = next(of_school())
        found.append(Standing(school, decided_by, school.progress, school.returned_id, open_points, of_school))
    order = {colour: place for place, colour in enumerate(Colour)}
    return sorted(found, key=lambda each: order[each.colour])


class Own(NamedTuple):
    """The authority's own policy and self-assessment, the rules that led to their colour, and the last review."""

    policy: Policy
    found: list[Found]
    review: PolicyReview | None
    progress: Progress
    returned: Return | None
    open_points: int

    @property
    def decided_by(self) -> Found:
        return self.found[0]

    @property
    def colour(self) -> Colour:
        return self.decided_by.colour


def own(cycle: Cycle | None, *, on: date) -> Own | None:
    """Where the authority itself stands, by the rules for schools: its section 19 policy is its policy, and its
    self-assessment its return. Nothing in the hour before the policy is opened.
    """
    policy = Policy.objects.filter(school=None).select_related("website").first()
    if policy is None:
        return None
    is_published = bool(policy.published_url) and not (policy.seen and policy.seen.is_missing)
    kept = Kept(CALLED[policy.kind], policy.next_review_on, bool(policy.lead_name), is_published)
    made = Return.objects.filter(cycle=cycle, school=None).select_related("countersignature").first() if cycle else None
    returned = _own_returned(made) if made else None
    if made:
        progress = Progress.SIGNED if hasattr(made, "countersignature") else Progress.SUBMITTED
    else:
        is_begun = Draft.objects.filter(cycle=cycle, school=None).exists() if cycle else False
        progress = Progress.BEGUN if is_begun else Progress.NOT_BEGUN
    days = AuthoritySettings.load().due_soon_days
    found = list(judged([kept], returned, return_due_on=cycle.due_on if cycle else None, on=on, due_soon_days=days))
    review = policy.reviews.filter(version__isnull=False).first()  # one that was finished
    return Own(policy, found, review, progress, made, returned.unanswered if returned else 0)


def _own_returned(made: Return) -> Returned:
    """What the authority's own submitted answers say to what is asked of it today."""
    asked_now = sections(may_be_asked(AUTHORITY), AUTHORITY, made.answers.all())
    points = [point for section in asked_now for point in section.points]
    unmet = [point for point in points if point.is_unmet]
    musts = [point for point in unmet if point.requirement.strength == Strength.MUST]
    return Returned(
        unmet_musts=[says(point.framework, point.requirement) for point in musts],
        unmet_shoulds=[
            says(point.framework, point.requirement)
            for point in unmet
            if point not in musts and not point.answer.reason
        ],
        unanswered=sum(point.answer is None for point in points),
    )


def _policies() -> dict[str, list[Kept]]:
    """The needed policies of open schools, by URN. One that cannot be found at its address is not on the website."""
    missing = Exists(WebsiteCheck.objects.missing().filter(policy=OuterRef("pk")))
    of_open = Policy.objects.filter(NEEDED, school__closed_on=None, school__isnull=False).annotate(
        has_lead=Q(lead_name__gt="") | Q(school__lead_name__gt=""), is_published=Q(published_url__gt="") & ~missing
    )
    newest = Communication.objects.newest().order_by()
    told_until = dict(newest.values_list("policy__school__urn").annotate(Min("due_on")))
    policies: dict[str, list[Kept]] = {}
    columns = ("school__urn", "kind", "next_review_on", "has_lead", "is_published")
    asked_for = of_open.values_list(*columns).query.sql_with_params()
    for urn, kind, next_review_on, has_lead, is_published in execute(*asked_for):  # thousands, as they come
        told = told_until.get(urn) if kind == ALLERGY else None
        kept = Kept(CALLED[kind], next_review_on, has_lead, is_published, kind == ALLERGY, told)
        policies.setdefault(urn, []).append(kept)
    return policies


SCHOOLS = """
WITH newest AS (
    SELECT DISTINCT ON (school_id) id, school_id, asked FROM returns_return WHERE cycle_id = %(cycle)s
    ORDER BY school_id, number DESC),
one_of_each AS (SELECT DISTINCT ON (asked) id, asked FROM newest),
standing AS MATERIALIZED (
    SELECT asked, points FROM one_of_each, LATERAL (
        SELECT count(*) AS points FROM returns_answer WHERE returned_id = one_of_each.id AND digest = ANY(%(asked)s)
    ) counted),
unmet AS (
    SELECT returned_id, array_agg(requirement_id) AS ids FROM newest JOIN returns_answer ON returned_id = newest.id
    WHERE verdict IN ('partly', 'no') AND digest = ANY(%(asked)s) AND (reason = '' OR digest = ANY(%(musts)s))
    GROUP BY returned_id),
begun AS (SELECT DISTINCT school_id FROM returns_draft WHERE cycle_id = %(cycle)s)
SELECT school.id, urn, name, body, phase_name, trust_name, begun.school_id IS NOT NULL, newest.id,
    EXISTS (SELECT 1 FROM returns_countersignature signed WHERE signed.returned_id = newest.id),
    coalesce(unmet.ids, '{}'), coalesce(standing.points, 0)
FROM schools_school school LEFT JOIN begun ON begun.school_id = school.id
LEFT JOIN newest ON newest.school_id = school.id LEFT JOIN unmet ON unmet.returned_id = newest.id
LEFT JOIN standing ON standing.asked = newest.asked
WHERE closed_on IS NULL AND body = ANY(%(bound)s)
ORDER BY name, urn
"""
"""Each open school with the duty. How many answers still stand is counted once for all returns that were asked the
same.
"""


def adequate_by_school(*, on: date) -> dict[UUID, bool]:
    """Whether the policy of each school was adequate on the 2017 criteria at the end of the day `on`, by the newest
    return that answers them. Those that do not say it are left out.
    """
    found = framework(CRITERIA)
    points = [each.digest for each in found.requirements] if found else []
    rows = execute(ANSWERED, {"points": points, "before": beginning_of(on + timedelta(days=1))})
    judged = {school_id: is_adequate(verdicts, len(points)) for school_id, verdicts in rows}
    return {school_id: adequate for school_id, adequate in judged.items() if adequate is not None}


ANSWERED = """
SELECT DISTINCT ON (school_id) school_id, verdicts
FROM returns_return returned JOIN returns_cycle cycle ON cycle.id = cycle_id, LATERAL (
    SELECT array_agg(verdict::text) AS verdicts FROM returns_answer
    WHERE returned_id = returned.id AND digest = ANY(%(points)s)
) answered
WHERE submitted_at < %(before)s AND verdicts IS NOT NULL
ORDER BY school_id, school_year DESC, number DESC
"""


class _Wanted:
    """What a cycle asks of each kind of body, in its order, worked out once for each."""

    def __init__(self, found: list[Framework]) -> None:
        self.frameworks = found
        self.digests = [each.digest for one in found for each in one.requirements]
        self.musts = [each.digest for one in found for each in one.requirements if each.strength == Strength.MUST]
        self.by_body: dict[str, dict[str, tuple[int, bool, str]]] = {}
        """By body and requirement: its place, whether it is a must, and its words."""
        self.alike: dict[tuple[str, int, tuple[str, ...]], Returned] = {}
        """What was worked out already for schools that said the same: most lack nothing, or the same few points."""

    def returned(self, school: _School) -> Returned:
        said = (school.body, school.standing, tuple(school.unmet))
        if said not in self.alike:
            self.alike[said] = self._returned(school)
        return self.alike[said]

    def _returned(self, school: _School) -> Returned:
        if school.body not in self.by_body:
            self.by_body[school.body] = {
                each.id: (place, each.strength == Strength.MUST, says(one, each))
                for place, (one, each) in enumerate(asked(self.frameworks, school.body))
            }
        points = self.by_body[school.body]
        musts: list[str] = []
        shoulds: list[str] = []
        for _, is_must, words in sorted(points[name] for name in school.unmet if name in points):
            (musts if is_must else shoulds).append(words)
        return Returned(musts, shoulds, unanswered=max(0, len(points) - school.standing))
