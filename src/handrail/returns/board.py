"""Where all of an authority's schools stand: the colour of each, and how far its return is. Reads, and writes nothing.

A page waits for all of it, so that what is the same for many schools is worked out once.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from functools import cache, cached_property, partial
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q

from handrail.core.models import AuthoritySettings
from handrail.guidance.frameworks import Strength
from handrail.policies.models import NEEDED, Kind, Policy, WebsiteCheck, called, telling_began
from handrail.returns.models import Cycle
from handrail.returns.questions import asked, digest_of, says
from handrail.returns.rules import Colour, Found, Kept, Returned, judged
from handrail.returns.standing import Progress, asking
from handrail.schools.duty import BOUND
from tenants.database import execute


class Standing(NamedTuple):
    """Where a school stands: the rule that decides its colour, and how far its return is. All rules that apply are
    worked out when somebody asks for them.
    """

    school: "_School"
    """Its id and what a list shows of it."""
    decided_by: Found
    progress: Progress
    returned_id: UUID | None
    open_points: int
    """Points of its return without an answer that still stands: guidance has changed since."""
    unplanned: int
    """Gaps about which nothing has been planned since the return."""
    judged: Callable[..., Iterator[Found]]
    """The rules, as `judged` gives them, for the next three."""
    policies: Sequence[Kept]
    returned: Returned | None
    return_due_on: date | None

    @property
    def found(self) -> list[Found]:
        return list(self.judged(self.policies, self.returned, return_due_on=self.return_due_on))

    @property
    def colour(self) -> Colour:
        return self.decided_by.colour


class _School(NamedTuple):
    """A school as lists show it, and one of its returns of the cycle."""

    id: UUID
    urn: str
    name: str
    body: str
    phase_name: str
    trust_name: str
    is_begun: bool
    returned_id: UUID | None
    asked: str
    unmet: str
    """The digests of the points that it does not meet, with spaces between."""
    is_signed: bool
    joined_on: date
    planned: str
    """The ids of the points about which something is planned, with spaces between."""

    @property
    def progress(self) -> Progress:
        if self.returned_id:
            return Progress.SIGNED if self.is_signed else Progress.SUBMITTED
        return Progress.BEGUN if self.is_begun else Progress.NOT_BEGUN


def board(cycle: Cycle | None, *, on: date) -> list[Standing]:
    """Every open school that has the duty, the one to help first at the top. The same few questions however many."""
    judge = partial(judged, on=on, due_soon_days=AuthoritySettings.load().due_soon_days)
    policies = _policies(on)
    wanted = _Wanted(cycle, on)
    about = {"cycle": cycle and cycle.id, "musts": wanted.musts, "bound": sorted(BOUND)}
    by_colour: dict[Colour, list[Standing]] = {colour: [] for colour in Colour}
    for _, rows in groupby(map(_School._make, execute(SCHOOLS, about)), key=itemgetter(1)):
        made = list(rows)
        school = made[0]  # with its newest return
        kept, returned, gaps = policies.get(school.urn, ()), None, 0
        due_on = cycle.asked_by(school.joined_on) if cycle else None
        if school.returned_id:
            returned = wanted.returned(made)
            gaps = len(set(returned.gaps).difference(school.planned.split()))
        decided_by = next(judge(kept, returned, return_due_on=due_on))
        open_points = returned.unanswered if returned else 0
        by_colour[decided_by.colour].append(
            Standing(
                school,
                decided_by,
                school.progress,
                school.returned_id,
                open_points,
                gaps,
                judge,
                kept,
                returned,
                due_on,
            )
        )
    return [each for found in by_colour.values() for each in found]


SCHOOLS = """
WITH made AS (SELECT id, school_id, asked, number FROM returns_return WHERE cycle_id = %(cycle)s),
unmet AS (
    SELECT returned_id, string_agg(digest, ' ') AS digests FROM (
        SELECT returned_id, digest FROM returns_answer
        WHERE returned_id IN (SELECT id FROM made) AND verdict IN ('partly', 'no') AND reason = ''
        UNION ALL SELECT returned_id, digest FROM returns_answer
        WHERE returned_id IN (SELECT id FROM made) AND verdict IN ('partly', 'no') AND reason > ''
            AND digest = ANY(%(musts)s)
    ) found GROUP BY returned_id),
begun AS (SELECT DISTINCT school_id FROM returns_draft WHERE cycle_id = %(cycle)s),
planned AS (
    SELECT school_id, string_agg(requirement_id, ' ') AS points FROM returns_plannedaction
    WHERE cycle_id = %(cycle)s GROUP BY school_id)
SELECT school.id, urn, name, body, phase_name, trust_name, begun.school_id IS NOT NULL,
    made.id, coalesce(asked, ''), coalesce(unmet.digests, ''), signed.id IS NOT NULL, joined_on,
    coalesce(planned.points, '')
FROM schools_school school LEFT JOIN begun ON begun.school_id = school.id
LEFT JOIN made ON made.school_id = school.id
LEFT JOIN unmet ON unmet.returned_id = made.id LEFT JOIN planned ON planned.school_id = school.id
LEFT JOIN returns_countersignature signed ON signed.returned_id = made.id
WHERE closed_on IS NULL AND body = ANY(%(bound)s)
ORDER BY name, urn, number DESC
"""
"""Each open school with the duty, once for each of its returns of the cycle. What a return does not meet are musts, and
of the rest that for which it gives no reason.
"""

ANSWERED = """
SELECT one.asked, digest
FROM (SELECT DISTINCT ON (asked) id, asked FROM returns_return WHERE cycle_id = %(cycle)s) one
JOIN returns_answer ON returned_id = one.id
"""
"""What the returns of a cycle answer: all that were asked the same answer the same."""


def _policies(on: date) -> dict[str, list[Kept]]:
    """The needed policies of open schools, by URN. One that cannot be found at its address is not on the website."""
    policies: dict[str, list[Kept]] = defaultdict(list)
    names = {kind.value: called(kind, on) for kind in Kind}
    for urn, kind, next_review_on, has_lead, is_published, is_allergy, tell_by in execute(
        *_statement(telling_began(on))
    ):
        policies[urn].append(Kept(names[kind], next_review_on, has_lead, is_published, is_allergy, tell_by))
    return policies


@cache
def _statement(telling_began_on: date | None) -> tuple[str, tuple[Any, ...]]:
    """The statement that asks for the policies, as `Kept` has them. It is always the same, and takes as long to write
    as to answer.
    """
    missing = Exists(WebsiteCheck.objects.missing().filter(policy=OuterRef("pk")))
    is_allergy = Q(kind=Kind.ALLERGY_SAFETY)
    of_open = Policy.objects.filter(NEEDED, school__closed_on=None, school__isnull=False).annotate(
        urn=F("school__urn"),
        has_lead=Q(lead_name__gt="") | Q(school__lead_name__gt=""),
        is_published=Q(published_url__gt="") & ~missing,
        is_allergy=is_allergy,
    )
    columns = ("urn", "kind", "next_review_on", "has_lead", "is_published", "is_allergy")
    sql, parameters = of_open.values_list(*columns, "id").query.sql_with_params()
    told = Policy.objects.filter(is_allergy).with_tell_by(telling_began_on).order_by()
    told_sql, told_parameters = told.values_list("id", "tell_by").query.sql_with_params()
    joined = f"SELECT {', '.join(columns)}, tell_by FROM ({sql}) held LEFT JOIN ({told_sql}) told USING (id)"
    return joined, (*parameters, *told_parameters)


class _Wanted:
    """What a cycle asks of each kind of body, in its order, worked out once for each."""

    def __init__(self, cycle: Cycle | None, on: date) -> None:
        self.on, self.cycle, self.frameworks = on, cycle, asking(cycle) if cycle else []
        self.musts = [
            each.digest for one in self.frameworks for each in one.requirements if each.strength == Strength.MUST
        ]
        self.by_body: dict[str, tuple[str, dict[str, tuple[int, bool, str, str]]]] = {}
        self.alike: dict[tuple[Any, ...], Returned] = {}
        """What was worked out already for schools that said the same: most lack nothing, or the same few points."""

    def points(self, body: str) -> tuple[str, dict[str, tuple[int, bool, str, str]]]:
        """What all returns were asked that were asked this, and by digest the place of each point, whether it is a
        must, its words and its id.
        """
        if body not in self.by_body:
            found = asked(self.frameworks, body)
            points = {
                each.digest: (place, each.strength == Strength.MUST, says(one.as_at(self.on), each), each.id)
                for place, (one, each) in enumerate(found)
            }
            self.by_body[body] = digest_of(each for _, each in found), points
        return self.by_body[body]

    @cached_property
    def answered(self) -> dict[str, set[str]]:
        """The digests that returns answer, by what they were asked."""
        found: dict[str, set[str]] = defaultdict(set)
        for together, digest in execute(ANSWERED, {"cycle": self.cycle and self.cycle.id}):
            found[together].add(digest)
        return found

    def returned(self, made: Sequence[_School]) -> Returned:
        """What the returns of a school, the newest first, say to what is asked now."""
        said = (made[0].body, *[(each.asked, each.unmet) for each in made])
        if said not in self.alike:
            self.alike[said] = self._returned(made)
        return self.alike[said]

    def _returned(self, made: Sequence[_School]) -> Returned:
        """To each point as it is asked now the newest answer stands, as `AnswerQuerySet.newest` says."""
        now, points = self.points(made[0].body)
        open_points, unmet = set(points), []
        for each in made:
            unmet += [points[digest] for digest in each.unmet.split() if digest in open_points]
            open_points -= set(points) if each.asked == now else self.answered[each.asked]
            if not open_points:
                break
        unmet.sort()
        return Returned(
            unmet_musts=[words for _, is_must, words, _ in unmet if is_must],
            unmet_shoulds=[words for _, is_must, words, _ in unmet if not is_must],
            unanswered=len(open_points),
            gaps=[name for *_, name in unmet],
        )
