"""Every write about returns: cycles, answers while they are written, and what is submitted, signed and assessed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, BinaryIO
from uuid import UUID

from django.db import transaction

from handrail.core import audit
from handrail.core.calendar import day_of
from handrail.core.documents import keep_given
from handrail.core.earlier import keep
from handrail.core.models import Document
from handrail.returns.models import (
    UNMET,
    Answer,
    Assessment,
    Countersignature,
    Cycle,
    Draft,
    PlannedAction,
    Return,
    Said,
    Verdict,
)
from handrail.returns.questions import Point, as_typed, digest_of
from handrail.returns.refusals import (
    AskedAgain,
    CycleExists,
    DatesOutOfOrder,
    IsClosed,
    MayNotSign,
    NoGap,
    NotAnswered,
    NotAsked,
    NothingAsked,
    NothingNew,
    ReasonMissing,
    StillOpen,
)
from handrail.returns.standing import may_be_asked, sections_of, submitted_points
from handrail.schools.models import School
from handrail.schools.terms import year_in_words


@dataclass(frozen=True)
class Wanted:
    """What somebody says to one requirement."""

    verdict: str
    reason: str = ""
    evidence: str = ""
    evidence_page: str = ""
    evidence_url: str = ""
    evidence_file_id: UUID | None = None


# -- the authority ---------------------------------------------------------------------------------------


@transaction.atomic
def open_cycle(
    *, school_year: int, framework_ids: Iterable[str], due_on: date, closes_on: date, by: audit.Actor, at: datetime
) -> Cycle:
    """Ask the authority's schools for their return of a school year, from today on.

    Raises CycleExists, NothingAsked, DatesOutOfOrder, StillOpen.
    """
    exists = CycleExists(f"There is a return for {year_in_words(school_year)} already", "school_year")
    if Cycle.objects.filter(school_year=school_year).exists():
        raise exists
    known = [each.id for each in may_be_asked()]
    chosen = list(framework_ids)
    if not chosen or set(chosen) - set(known):
        raise NothingAsked("Select what the return asks about", "framework_ids")
    _check_dates(day_of(at), due_on, closes_on)
    newest = Cycle.objects.first()
    if newest and not newest.is_closed(day_of(at)):
        raise StillOpen(
            f"The {str(newest).lower()} closes on {newest.closes_on:%-d %B %Y}, and schools answer it until then. Ask "
            "for the next from that day on, or change the dates of this one first"
        )
    if newest and school_year < newest.school_year:
        raise CycleExists("There is a return for a later school year already", "school_year")
    wanted = {"due_on": due_on, "closes_on": closes_on, "framework_ids": [each for each in known if each in chosen]}
    said = {"opened_on": day_of(at), "opened_by": by.actor_id, "opened_by_name": by.actor_name}
    cycle, is_first = Cycle.objects.get_or_create(school_year=school_year, defaults={**wanted, **said})
    if not is_first:  # somebody did between our look and our word
        raise exists
    _record("opened a cycle of returns", cycle.id, "return_cycle", by=by, at=at)
    return cycle


@transaction.atomic
def change_dates(*, cycle: Cycle, due_on: date, closes_on: date, by: audit.Actor, at: datetime) -> list[str]:
    """Move when a return is due and when it closes. Gives the names of what changed; what stood there is kept. Raises
    DatesOutOfOrder.
    """
    cycle = Cycle.objects.select_for_update().get(id=cycle.id)
    _check_dates(cycle.opened_on, due_on, closes_on)
    wanted = {"due_on": due_on, "closes_on": closes_on}
    changed = [name for name, value in wanted.items() if getattr(cycle, name) != value]
    keep([(cycle, {name: getattr(cycle, name) for name in changed})], at=at)
    for name in changed:
        setattr(cycle, name, wanted[name])
    if changed:
        cycle.save(update_fields=changed)
        _record("changed the dates of a cycle of returns", cycle.id, "return_cycle", by=by, at=at, fields=changed)
    return changed


@transaction.atomic
def assess(*, answer: Answer, verdict: str, note: str, by: audit.Actor, at: datetime) -> Assessment:
    """Record what the authority found of one answer. The school's answer stays as it is, and so do earlier findings.
    Who says again what they said last has said it once.
    """
    _one_at_a_time(answer.returned.cycle_id, answer.returned.school_id)
    found = {"verdict": verdict, "note": note, "assessed_by": by.actor_id, "assessed_by_name": by.actor_name}
    last = answer.assessments.first()
    if last and all(getattr(last, name) == value for name, value in found.items()):
        return last
    made = Assessment.objects.create(answer=answer, assessed_at=at, **found)
    _record(
        "assessed an answer of a return",
        answer.returned_id,
        "return",
        by=by,
        at=at,
        school_id=answer.returned.school_id,
        fields=[answer.requirement_id],
    )
    return made


# -- the school, or the authority itself -------------------------------------------------------------------


@transaction.atomic
def save_answers(
    *,
    cycle: Cycle,
    school: School | None,
    answers: Mapping[str, Wanted],
    by: audit.Actor,
    at: datetime,
    shown: Mapping[str, str] | None = None,
) -> list[str]:
    """Keep answers that are being written, by the id of their requirement. Gives the ids of those that changed.

    Only what differs from the answer that stands is written, so that an answer of last year that was left alone keeps
    saying who gave it. Answers that were typed on a page come with what it showed, as `Point.shown` says it: what was
    left as the page showed it is not written, and files stay as they are. Raises IsClosed, NotAsked, ReasonMissing;
    AskedAgain, and then nothing is kept.
    """
    _one_at_a_time(cycle.id, school.id if school else None)  # so that nobody answers between our look and our word
    if cycle.is_closed(day_of(at)):
        raise IsClosed("It is closed. Nothing can be changed any more.")
    points = {point.requirement.id: point for each in sections_of(cycle, school) for point in each.points}
    said = {"answered_at": at, "answered_by": by.actor_id, "answered_by_name": by.actor_name}
    drafts, again = [], {}
    for requirement_id, wanted in answers.items():
        if requirement_id not in points:
            raise NotAsked("It does not ask that", requirement_id)
        if wanted.verdict == Verdict.NOT_APPLICABLE and not wanted.reason.strip():
            raise ReasonMissing("Enter why this does not apply to you", requirement_id)
        point = points[requirement_id]
        if shown is not None:
            wanted = replace(wanted, evidence_file_id=point.file_id)
            seen = shown.get(requirement_id, "")
            if seen == f"{point.requirement.digest}-{as_typed(vars(wanted))}":
                continue
            if why := _why_again(point, seen, wanted, by):
                again[requirement_id] = why
        if not point.answer or point.answer.content != vars(wanted):
            about = {"cycle": cycle, "school": school, "requirement_id": requirement_id}
            drafts.append(Draft(**about, digest=point.requirement.digest, **vars(wanted), **said))
    if again:
        raise AskedAgain(again)
    if drafts:
        Draft.objects.bulk_create(
            drafts,
            update_conflicts=True,
            unique_fields=["cycle", "school", "requirement_id", "digest"],
            update_fields=[*Draft.CONTENT, *said],
        )
        changed = [each.requirement_id for each in drafts]
        _record(
            "answered points of a return",
            cycle.id,
            "return_cycle",
            by=by,
            at=at,
            school_id=school.id if school else None,
            fields=changed,
        )
    return [each.requirement_id for each in drafts]


def _why_again(point: Point, seen: str, wanted: Wanted, by: audit.Actor) -> str:
    """Why an answer that was typed is not kept: the page showed something else. Empty where that makes no difference,
    for it is what stands already.
    """
    if seen == point.shown or (point.answer and as_typed(point.answer.content) == as_typed(vars(wanted))):
        return ""
    asked = seen.partition("-")[0]
    if not asked:
        return "We could not tell what this page showed you. Read this point again, and save your answer to it"
    if asked != point.requirement.digest:
        return "The guidance changed after you opened this page. Read this point again, and save your answer to it"
    who = point.answer.answered_by_name if point.answer else "Somebody"
    who = "You" if point.answer and point.answer.answered_by == by.actor_id else who
    return f"{who} answered this after you opened this page. Compare the two, and save the answer that is right"


@transaction.atomic
def attach_file(
    *,
    cycle: Cycle,
    school: School | None,
    requirement_id: str,
    file: BinaryIO,
    name: str,
    by: audit.Actor,
    at: datetime,
) -> Document:
    """Keep a file as evidence of an answer that has been given, in place of the one before.

    Raises NotAnswered, UnusableFile, StoreUnavailable, and as `save_answers` does.
    """
    said = _said(cycle, school, requirement_id)
    document = keep_given(file, name=name, by=by, at=at)
    changed = {requirement_id: replace(said, evidence_file_id=document.id)}
    save_answers(cycle=cycle, school=school, answers=changed, by=by, at=at)
    return document


@transaction.atomic
def take_off_file(*, cycle: Cycle, school: School | None, requirement_id: str, by: audit.Actor, at: datetime) -> None:
    """Leave an answer without its file. What was submitted with it keeps it. Raises as `attach_file` does."""
    said = replace(_said(cycle, school, requirement_id), evidence_file_id=None)
    save_answers(cycle=cycle, school=school, answers={requirement_id: said}, by=by, at=at)


def _said(cycle: Cycle, school: School | None, requirement_id: str) -> Wanted:
    """What stands as the answer to a point. Raises NotAnswered."""
    points = (point for each in sections_of(cycle, school) for point in each.points)
    answer = next((point.answer for point in points if point.requirement.id == requirement_id), None)
    if answer is None:
        raise NotAnswered("Answer this point before you add a file to it")
    return Wanted(**answer.content)


@transaction.atomic
def submit(*, cycle: Cycle, school: School | None, by: audit.Actor, at: datetime) -> Return:
    """Submit a school's return, the authority's own, or a correction of it, as it stands. It never changes afterwards.

    Raises IsClosed, NotAnswered, NothingNew.
    """
    _one_at_a_time(cycle.id, school.id if school else None)  # two who submit at once make two numbers
    points = [point for each in sections_of(cycle, school) for point in each.points]
    before = Return.objects.filter(cycle=cycle, school=school).order_by("-number").first()
    check_may_be_submitted(cycle, points, before, at=at)
    made = Return.objects.create(
        cycle=cycle,
        school=school,
        number=before.number + 1 if before else 1,
        asked=digest_of(point.requirement for point in points),
        submitted_at=at,
        submitted_by=by.actor_id,
        submitted_by_name=by.actor_name,
    )
    Answer.objects.bulk_create(_submitted(made, point.answer) for point in points)
    # What was submitted is no draft any more. An answer to what a point asked before it was changed stays one.
    digests = [point.requirement.digest for point in points]
    Draft.objects.filter(cycle=cycle, school=school, digest__in=digests).delete()
    _record("submitted a return", made.id, "return", by=by, at=at, school_id=made.school_id)
    return made


def check_may_be_submitted(cycle: Cycle, points: Sequence[Point], before: Return | None, *, at: datetime) -> None:
    """Raises IsClosed, NotAnswered or NothingNew where these answers cannot be submitted after the return `before`."""
    if cycle.is_closed(day_of(at)):
        raise IsClosed("It is closed. Nothing can be submitted any more.")
    open_points = sum(point.answer is None for point in points)
    if open_points or not points:
        raise NotAnswered(f"Answer every point before you submit it. Still open: {open_points} of {len(points)}")
    if before and _as_said(point.answer for point in points) == _as_said(before.answers.all()):
        raise NothingNew("You have changed nothing since you submitted it")


def _as_said(answers: Iterable[Said]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(each.requirement_id, each.digest): each.content for each in answers}


def _submitted(made: Return, said: Said) -> Answer:
    kept = {name: getattr(said, name) for name in (*Said.CONTENT, *Said.PROVENANCE)}
    return Answer(returned=made, carried_from=said if isinstance(said, Answer) else None, **kept)


@transaction.atomic
def countersign(*, returned: Return, by: audit.Actor, at: datetime) -> Countersignature:
    """Record that a governor, or a second person of the authority, agrees with a return. Raises MayNotSign."""
    _one_at_a_time(returned.cycle_id, returned.school_id)
    check_may_sign(returned, by=by)
    made = Countersignature.objects.create(
        returned=returned, signed_at=at, signed_by=by.actor_id, signed_by_name=by.actor_name
    )
    _record("countersigned a return", returned.id, "return", by=by, at=at, school_id=returned.school_id)
    return made


def check_may_sign(returned: Return, *, by: audit.Actor) -> None:
    """Raises MayNotSign where this person may not sign this return, or nobody may."""
    if returned.submitted_by == by.actor_id:
        raise MayNotSign("You submitted it, so somebody else has to sign it")
    if Return.objects.filter(cycle=returned.cycle_id, school=returned.school_id, number__gt=returned.number).exists():
        raise MayNotSign("It has been corrected. Sign the newest one.")
    if Countersignature.objects.filter(returned=returned).exists():
        raise MayNotSign("It has been signed already")


@transaction.atomic
def plan_action(
    *, answer: Answer, what: str, owner_name: str, owner_email: str, due_on: date, by: audit.Actor, at: datetime
) -> PlannedAction:
    """Say what will be done about a point that is not met, who sees to it, and by when. Raises NoGap."""
    returned = answer.returned
    later = Return.objects.filter(cycle=returned.cycle_id, school=returned.school_id, number__gt=returned.number)
    lacks = answer.verdict in UNMET
    if later.exists():
        standing = submitted_points(returned.cycle, returned.school)
        lacks = any(point.is_unmet and point.requirement.id == answer.requirement_id for point in standing)
    if not lacks:
        raise NoGap("What you submitted last does not say that this is missing, so there is nothing to plan")
    made = PlannedAction.objects.create(
        cycle_id=returned.cycle_id,
        school_id=returned.school_id,
        requirement_id=answer.requirement_id,
        what=what,
        owner_name=owner_name,
        owner_email=owner_email,
        due_on=due_on,
    )
    _record("planned what a return lacks", made.id, "planned_action", by=by, at=at, school_id=made.school_id)
    return made


@transaction.atomic
def change_action(*, action: PlannedAction, by: audit.Actor, at: datetime, **wanted: Any) -> list[str]:
    """Change any of PlannedAction.CONTENT, of which `done_on` ends its reminders. Gives the names of what changed."""
    action = PlannedAction.objects.select_for_update().get(id=action.id)
    changed = [name for name in PlannedAction.CONTENT if name in wanted and getattr(action, name) != wanted[name]]
    keep([(action, {name: getattr(action, name) for name in changed})], at=at)
    for name in changed:
        setattr(action, name, wanted[name])
    if changed:
        action.save(update_fields=changed)
        verb = "changed what was planned about a return"
        _record(verb, action.id, "planned_action", by=by, at=at, school_id=action.school_id, fields=changed)
    return changed


def _one_at_a_time(cycle_id: UUID, school_id: UUID | None) -> None:
    """Let nobody else submit or sign the same until this is done."""
    held: Any = School.objects.filter(id=school_id) if school_id else Cycle.objects.filter(id=cycle_id)
    held.select_for_update().get()


def _check_dates(opened_on: date, due_on: date, closes_on: date) -> None:
    if due_on < opened_on:
        raise DatesOutOfOrder("The day it is due must not be before the day it opens", "due_on")
    if closes_on <= due_on:
        raise DatesOutOfOrder("The day it closes must be after the day it is due", "closes_on")


def _record(
    verb: str,
    subject_id: UUID,
    kind: str,
    *,
    by: audit.Actor,
    at: datetime,
    school_id: UUID | None = None,
    fields: list[str] | None = None,
) -> None:
    audit.record(verb, by=by, at=at, subject_kind=kind, subject_id=subject_id, school_id=school_id, fields=fields)
