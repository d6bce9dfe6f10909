"""How far a school is with its return, and where the authority itself stands. Reads, and writes nothing."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Exists, OuterRef, Q, Subquery, TextChoices
from django.db.models.lookups import IsNull

from handrail.core.calendar import beginning_of
from handrail.core.models import AuthoritySettings
from handrail.guidance.frameworks import AUTHORITY, Framework, Strength
from handrail.guidance.published import NATION, editions, framework, frameworks, line_of, what_stands_first
from handrail.policies.models import Policy, PolicyReview
from handrail.returns.models import UNMET, Answer, Assessment, Cycle, Draft, PlannedAction, Return
from handrail.returns.questions import Point, Section, asked, digest_of, in_sections, says, sections, unknown
from handrail.returns.rules import CRITERIA, Colour, Found, Kept, Returned, is_adequate, judged
from handrail.schools.duty import Body
from handrail.schools.models import School


def asking(cycle: Cycle) -> list[Framework]:
    """The frameworks that a cycle asks schools about, as they are today: those that the authority chose, and what has
    taken the place of one.
    """
    chosen = set(cycle.framework_ids)
    return [each for each in frameworks() if each.is_asked and chosen.intersection(line_of(each))]


def may_be_asked(*bodies: str) -> list[Framework]:
    """The frameworks that a return may ask one of these bodies about, or any kind of school where none is given: no
    draft, and nothing that was replaced.
    """
    found = [each for each in frameworks() if each.nation == NATION and each.is_asked]
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


def to_sign(school: School, *, by: UUID) -> Any:
    """The return of a school that counts, while nobody has signed it as the second: nobody signs what they submitted.
    A correction is signed anew.
    """
    newest = Return.objects.filter(school=school).newest().values("id")
    return Return.objects.filter(id__in=newest, countersignature=None).exclude(submitted_by=by)


def answers_of(cycle: Cycle, school: School | None) -> Any:
    """What a school, or the authority, answered in a cycle: to each thing that was asked its last answer."""
    return Answer.objects.filter(returned__cycle=cycle, returned__school=school).newest()


def _begins_with(school: School | None) -> tuple[list[School | None], Return | None]:
    """Whose drafts and which return that counts a return begins with: a school's own, and until it has returned
    anything those of the school that it was converted from.
    """
    schools: list[School | None] = []
    for each in _line_of(school):
        schools.append(each)
        if last := last_return(each):
            return schools, last
    return schools, None


def _line_of(school: School | None) -> Iterator[School | None]:
    """A school, or the authority, and before it the school that it was converted from, and so on."""
    line: list[School | None] = []
    while school not in line:
        yield school
        line.append(school)
        if not school or not school.converted_from:
            return
        school = school.converted_from


def sections_of(cycle: Cycle, school: School | None, *, on: date | None = None) -> list[Section]:
    """What a cycle asks of a school, or of the authority, with the answers that stand. Three questions at most, but for
    a school that was converted. A page names the day `on`, as at which it says how far each framework has come.

    What was saved since the last return and never submitted, in a cycle that has closed or by the school that this one
    was, is where this one begins.
    """
    schools, last = _begins_with(school)
    carried = answers_of(last.cycle, schools[-1]).select_related("returned__cycle", "evidence_file") if last else ()
    since = min(last.cycle.school_year, cycle.school_year) if last else 0
    whose = Q(school__in=schools) if school else Q(school=None)
    drafts = Draft.objects.filter(whose, cycle__school_year__range=(since, cycle.school_year))
    saved = list(drafts.order_by("cycle__school_year").select_related("cycle", "evidence_file"))
    saved.sort(key=lambda each: -[one and one.id for one in schools].index(each.school_id))  # its own come last
    here = (cycle.id, school and school.id)
    written = [each for each in saved if (each.cycle_id, each.school_id) == here]
    unsubmitted = [each for each in saved if (each.cycle_id, each.school_id) != here]
    return sections(*asked_in(cycle, school), written, carried, unsubmitted, on=on)


class Owed(NamedTuple):
    """What a return still asks of a school: everything, or where it `is_reopened` what guidance changed since, or that
    changes which were saved are submitted. Of one that `is_closed` nothing can be submitted: the next asks for it, or
    the same again if the authority opens it.
    """

    cycle: Cycle
    is_reopened: bool = False
    open_points: int = 0
    is_closed: bool = False
    changes: int = 0
    """Answers that say something else than what was submitted, and are not submitted themselves."""

    @property
    def is_correction(self) -> bool:
        """Whether all that is left is to submit what was changed."""
        return self.changes > 0 and not self.open_points


def owed_by(school: School, *, on: date) -> Owed | None:
    """What the newest cycle asks of this school: nothing any more once it has returned what is asked today, and has
    changed nothing since. What guidance only took away leaves nothing to do. When it is closed only what guidance has
    opened since the school's last return is told, of whichever cycle that is.
    """
    cycle = Cycle.objects.first()
    if cycle is None:
        return None
    is_closed = cycle.is_closed(on)
    returns = Return.objects.filter(school=school).select_related("cycle")
    newest = (returns if is_closed else returns.filter(cycle=cycle)).first()
    cycle = newest.cycle if newest else cycle
    wanted = [each for _, each in asked(asking(cycle), school.body)]
    if not wanted or newest is None:
        return Owed(cycle) if wanted and not is_closed else None
    is_reopened = newest.asked != digest_of(wanted)
    is_begun = not is_closed and Draft.objects.filter(cycle=cycle, school=school).exists()
    if not is_reopened and not is_begun:
        return None
    points = [point for section in sections_of(cycle, school) for point in section.points]
    open_points = sum(point.answer is None for point in points)
    changes = sum(point.is_changed for point in points) if is_begun else 0
    return Owed(cycle, is_reopened, open_points, is_closed, changes) if open_points or changes else None


class Finding(NamedTuple):
    """What the authority found of an answer, and whether the school says something else by now."""

    assessment: Assessment
    is_of_earlier: bool

    @property
    def in_words(self) -> str:
        about = ", about an earlier answer" if self.is_of_earlier else ""
        return f"The authority found{about}: {self.assessment.get_verdict_display()}. {self.assessment.note}"


def _findings(returned: Return, answers: Iterable[Answer]) -> dict[str, list[Finding]]:
    """What the authority found of a return's answers, by requirement, the newest first. A correction, and the return of
    the next year, carries answers over and what was found of them too; of an earlier answer is what the school has
    changed since, and that of a converted school what the school before it had said.
    """
    before = Q(answer__returned__cycle__school_year__lt=returned.cycle.school_year)
    before |= Q(answer__returned__cycle=returned.cycle_id, answer__returned__number__lte=returned.number)
    own, *others = _line_of(returned.school)
    whose = before & Q(answer__returned__school=own) | Q(answer__returned__school__in=others)
    of_school = Assessment.objects.filter(whose).select_related("answer")
    now = {each.requirement_id: (each.digest, each.content) for each in answers}
    found: dict[str, list[Finding]] = {}
    for each in of_school:
        then = each.answer
        if then.requirement_id in now:
            is_of_earlier = (then.digest, then.content) != now[then.requirement_id]
            found.setdefault(then.requirement_id, []).append(Finding(each, is_of_earlier))
    return found


def submitted_sections(returned: Return, *, on: date) -> list[Section]:
    """What a return says, under the words to which it said so, as strong as they were on the day `on`: those of the
    edition that stood then, else of the newest that has them, and last what no edition of this release knows.
    """
    answers = returned.answers.select_related("carried_from__returned__cycle", "evidence_file")
    by_digest = {each.digest: each for each in answers}
    findings = _findings(returned, by_digest.values())
    what_stands_last = reversed(what_stands_first(one.as_at(on) for one in editions()))
    then = {each.digest: (one, each) for one in what_stands_last for each in one.requirements}
    points = [Point(then[digest][1], then[digest][0], by_digest[digest]) for digest in then if digest in by_digest]
    order = {digest: place for place, digest in enumerate(_as_asked(by_digest))}
    points.sort(key=lambda point: order[point.requirement.digest])
    not_known = [unknown(each.requirement_id, each) for digest, each in by_digest.items() if digest not in then]
    points += not_known
    return in_sections(replace(each, findings=findings.get(each.requirement.id, ())) for each in points)


def _as_asked(answered: Collection[str]) -> Iterator[str]:
    """Every digest, framework by framework, in the order of a return that answered these: of each framework those of
    the edition come last that it answered most of, so that theirs is the order that counts.
    """
    for one in frameworks():
        of_framework = [each for each in editions() if each.id == one.id]
        asked_then = {
            each.edition: sum(point.digest in answered for point in each.requirements) for each in of_framework
        }
        for each in sorted(of_framework, key=lambda each: asked_then[each.edition]):
            yield from (point.digest for point in each.requirements)


def asked_before(requirement_id: str, digest: str) -> Point:
    """A point under the words that had this digest, whether or not it is asked today."""
    then = ((one, each) for one in what_stands_first(editions()) for each in one.requirements)
    found = (Point(each, one) for one, each in then if (each.id, each.digest) == (requirement_id, digest))
    return next(found, unknown(requirement_id))


def submitted_points(cycle: Cycle, school: School | None, *, on: date | None = None) -> list[Point]:
    """What is asked now, with the answers to it that were submitted in a cycle and stand, told as at the day `on`."""
    found = sections(*asked_in(cycle, school), answers_of(cycle, school), on=on)
    return [point for section in found for point in section.points]


def unplanned(cycle: Cycle, school: School | None, *, on: date) -> list[Point]:
    """The gaps about which nothing has been planned since the return, told as at the day `on`."""
    planned = by_point(school, cycle=cycle)
    return [
        each for each in submitted_points(cycle, school, on=on) if each.is_gap and each.requirement.id not in planned
    ]


def by_point(school: School | None, *, cycle: Cycle) -> dict[str, list[PlannedAction]]:
    """What a school has planned after its return of a cycle, by the requirement that it is about."""
    found: dict[str, list[PlannedAction]] = {}
    for each in PlannedAction.objects.filter(school=school, cycle=cycle):
        found.setdefault(each.requirement_id, []).append(each)
    return found


def is_met() -> Exists:
    """Of something planned: whether the newest answer to the words in which its point is asked today no longer lacks
    it. There is none to a point that guidance has opened again.
    """
    words = [each.digest for one in frameworks() for each in one.requirements]
    own = OuterRef(OuterRef("school"))
    whose = Q(returned__school=own) | Q(IsNull(own, True), returned__school=None)
    said = Answer.objects.filter(whose, requirement_id=OuterRef(OuterRef("requirement_id")), digest__in=words)
    newest = said.order_by("-returned__cycle__school_year", "-returned__number").values("id")[:1]
    return Exists(Answer.objects.filter(id=Subquery(newest)).exclude(verdict__in=UNMET))


class Progress(TextChoices):
    """How far a school's return is. Not returned is never the same as not doing what is asked."""

    NOT_BEGUN = "not-begun", "Not returned"
    BEGUN = "begun", "Not returned, begun"
    SUBMITTED = "submitted", "Returned"
    SIGNED = "signed", "Returned and signed"


class Own(NamedTuple):
    """The authority's own policy and self-assessment, the rules that led to their colour, and the last review."""

    policy: Policy
    found: list[Found]
    review: PolicyReview | None
    progress: Progress
    returned: Return | None
    open_points: int
    unplanned: int
    """Gaps about which nothing has been planned."""

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
    kept = Kept(str(policy), policy.next_review_on, bool(policy.lead_name), is_published)
    made = Return.objects.filter(cycle=cycle, school=None).select_related("countersignature").first() if cycle else None
    returned = _own_returned(cycle, on) if cycle and made else None
    if made:
        progress = Progress.SIGNED if hasattr(made, "countersignature") else Progress.SUBMITTED
    else:
        is_begun = Draft.objects.filter(cycle=cycle, school=None).exists() if cycle else False
        progress = Progress.BEGUN if is_begun else Progress.NOT_BEGUN
    days = AuthoritySettings.load().due_soon_days
    found = list(judged([kept], returned, return_due_on=cycle.due_on if cycle else None, on=on, due_soon_days=days))
    review = policy.reviews.filter(version__isnull=False).first()  # one that was finished
    gaps = set(returned.gaps) if returned else set()
    planned = by_point(None, cycle=cycle) if cycle and gaps else {}
    open_points = returned.unanswered if returned else 0
    return Own(policy, found, review, progress, made, open_points, len(gaps.difference(planned)))


def _own_returned(cycle: Cycle, on: date) -> Returned:
    """What the authority's own submitted answers say to what is asked of it today."""
    asked_now = sections(may_be_asked(AUTHORITY), AUTHORITY, answers_of(cycle, None), on=on)
    points = [point for section in asked_now for point in section.points]
    found = [point for point in points if point.is_gap]
    musts = [point for point in found if point.requirement.strength == Strength.MUST]
    return Returned(
        unmet_musts=[says(point.framework, point.requirement) for point in musts],
        unmet_shoulds=[says(point.framework, point.requirement) for point in found if point not in musts],
        unanswered=sum(point.answer is None for point in points),
        gaps=[point.requirement.id for point in found],
    )


class Adequacy(NamedTuple):
    """Whether a school's policy is adequate on the 2017 criteria, by its returns of which school year."""

    is_adequate: bool
    school_year: int


def adequate_by_school(*, on: date) -> dict[UUID, Adequacy]:
    """How the policy of each school stood to the 2017 criteria at the end of the day `on`, by its returns of the newest
    cycle that answer them. Those that do not say it are left out.
    """
    found = framework(CRITERIA)
    points = [each.digest for each in found.requirements] if found else []
    before = beginning_of(on + timedelta(days=1))
    said = Answer.objects.filter(digest__in=points, returned__submitted_at__lt=before, returned__school__isnull=False)
    standing = Answer.objects.filter(id__in=said.newest().values("id")).order_by("returned__cycle__school_year")
    by_cycle = standing.values_list("returned__school_id", "returned__cycle__school_year")
    verdicts = {school_id: said for school_id, *said in by_cycle.annotate(said=ArrayAgg("verdict"))}  # the newest last
    judged = {school_id: (is_adequate(each, len(points)), year) for school_id, (year, each) in verdicts.items()}
    return {school_id: Adequacy(said, year) for school_id, (said, year) in judged.items() if said is not None}
