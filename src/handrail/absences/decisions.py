"""What the authority writes about a case: one log, added to and never changed.

Each entry keeps how the count stood when it was written, so that it can be proved later what was known.
"""

from datetime import date, datetime
from decimal import Decimal

from django.db import transaction

from handrail.absences.actions import Refused
from handrail.absences.counting import standing_of
from handrail.absences.models import Case, CaseEntry
from handrail.core import audit
from handrail.core.calendar import day_of
from handrail.core.jinja import long_date
from handrail.core.models import AuthoritySettings

Kind = CaseEntry.Kind


class InFuture(Refused):
    """The day of what is recorded has not come yet."""


class NotAfter(Refused):
    """The next review is not after today."""


class NoReasonGiven(Refused):
    """Fewer hours than full time need a reason."""


class WrittenMeanwhile(Refused):
    """Somebody else has written in the log since the page was opened that this comes from."""


class ClockStopped(Refused):
    """The clock stands already, or runs although it should have stopped before."""


@transaction.atomic
def decide(
    *,
    case: Case,
    outcome: str,
    decided_on: date,
    evidence: str,
    reasons: str,
    next_review_on: date,
    by: audit.Actor,
    at: datetime,
    letter_on: date | None = None,
    seen: int | None = None,
) -> CaseEntry:
    """Write down whether section 19 applies, what was seen and why. It does not stop the clock.

    Raises InFuture, NotAfter.
    """
    on = day_of(at)
    _check_past(on, decided_on=decided_on, letter_on=letter_on)
    _check_next(on, next_review_on)
    return _write(
        case,
        Kind.DECISION,
        decided_on,
        by=by,
        at=at,
        seen=seen,
        outcome=outcome,
        evidence=evidence,
        reasons=reasons,
        letter_on=letter_on,
        next_review_on=next_review_on,
    )


@transaction.atomic
def first_session(
    *,
    case: Case,
    happened_on: date,
    hours: Decimal,
    why_not_full_time: str,
    next_review_on: date,
    by: audit.Actor,
    at: datetime,
    seen: int | None = None,
) -> CaseEntry:
    """Stop the clock: the child was taught for the first time, for so many hours a week.

    Fewer hours than the authority calls full time need a reason. Raises InFuture, NotAfter, NoReasonGiven,
    ClockStopped.
    """
    on = day_of(at)
    _check_past(on, happened_on=happened_on)
    _check_next(on, next_review_on)
    _check_hours(hours, why_not_full_time)
    return _write(
        case,
        Kind.FIRST_SESSION,
        happened_on,
        by=by,
        at=at,
        seen=seen,
        hours=hours,
        why_not_full_time=why_not_full_time or None,
        next_review_on=next_review_on,
    )


@transaction.atomic
def suitable_already(
    *,
    case: Case,
    happened_on: date,
    evidence: str,
    reasons: str,
    next_review_on: date,
    by: audit.Actor,
    at: datetime,
    seen: int | None = None,
) -> CaseEntry:
    """Stop the clock: suitable education is provided without the authority since a day.

    Raises InFuture, NotAfter, ClockStopped.
    """
    on = day_of(at)
    _check_past(on, happened_on=happened_on)
    _check_next(on, next_review_on)
    return _write(
        case,
        Kind.SUITABLE,
        happened_on,
        by=by,
        at=at,
        seen=seen,
        evidence=evidence,
        reasons=reasons,
        next_review_on=next_review_on,
    )


@transaction.atomic
def review(
    *,
    case: Case,
    happened_on: date,
    reasons: str,
    hours: Decimal | None,
    why_not_full_time: str,
    next_review_on: date | None,
    by: audit.Actor,
    at: datetime,
    seen: int | None = None,
) -> CaseEntry:
    """Write down what a review found, and when the next one is, if there is to be one.

    Raises InFuture, NotAfter, NoReasonGiven.
    """
    on = day_of(at)
    _check_past(on, happened_on=happened_on)
    _check_next(on, next_review_on)
    if hours is not None:
        _check_hours(hours, why_not_full_time)
    return _write(
        case,
        Kind.REVIEW,
        happened_on,
        by=by,
        at=at,
        seen=seen,
        reasons=reasons,
        hours=hours,
        why_not_full_time=why_not_full_time or None,
        next_review_on=next_review_on,
    )


@transaction.atomic
def education_ended(
    *, case: Case, happened_on: date, reasons: str, by: audit.Actor, at: datetime, seen: int | None = None
) -> CaseEntry:
    """Let the clock run again: the education that had stopped it is over. Raises InFuture, ClockStopped."""
    _check_past(day_of(at), happened_on=happened_on)
    return _write(case, Kind.ENDED, happened_on, by=by, at=at, seen=seen, reasons=reasons)


def _write(
    case: Case, kind: Kind, happened_on: date, *, by: audit.Actor, at: datetime, seen: int | None, **says: object
) -> CaseEntry:
    """Add to the log. `seen` is the number of the newest entry that the writer has seen: of two who write at once one
    is told of the other. Raises WrittenMeanwhile.
    """
    case = Case.objects.select_for_update(of=("self",)).select_related("pupil").get(id=case.id)
    newest = case.entries.order_by("-number").first()
    if seen is not None and newest and newest.number > seen:
        raise WrittenMeanwhile(
            f"{newest.made_by_name} has written “{newest.title}” in the log meanwhile. "
            "Read it, and send yours again if it still stands"
        )
    now = standing_of(case, on=day_of(at))
    if kind in CaseEntry.STOPS and now.stopped_on:
        raise ClockStopped("The clock has stopped already. Record a review, or that the education stopped")
    ended = case.entries.filter(kind=Kind.ENDED).order_by("-number").first() if kind in CaseEntry.STOPS else None
    if ended and happened_on < ended.happened_on:
        since = long_date(ended.happened_on)
        raise ClockStopped(f"The education before stopped on {since}. The day must be on or after it", "happened_on")
    if kind == Kind.ENDED and not now.stopped_on:
        raise ClockStopped("The clock is running: no education was recorded that could have stopped")
    if kind == Kind.ENDED and now.stopped_on and happened_on < now.stopped_on:
        raise ClockStopped("The day must be on or after the day on which the clock stopped", "happened_on")
    entry = CaseEntry(
        case=case,
        number=newest.number + 1 if newest else 1,
        kind=kind,
        happened_on=happened_on,
        trigger=now.why,
        made_at=at,
        made_by=by.actor_id,
        made_by_name=by.actor_name,
        **says,
    )
    entry.save(force_insert=True)
    audit.record(
        "wrote in the log of a case",
        by=by,
        at=at,
        subject_kind="absence_case",
        subject_id=case.id,
        school_id=case.pupil.school_id,
        fields=["entries"],
    )
    return entry


def _check_past(on: date, **days: date | None) -> None:
    for field, day in days.items():
        if day and day > on:
            raise InFuture("The day must be today or in the past", field)


def _check_next(on: date, next_review_on: date | None) -> None:
    if next_review_on and next_review_on <= on:
        raise NotAfter("The next review must be after today", "next_review_on")


def _check_hours(hours: Decimal, why_not_full_time: str) -> None:
    full = AuthoritySettings.load().full_time_hours
    if hours < full and not why_not_full_time:
        raise NoReasonGiven(f"Say why it is fewer than {full} hours", "why_not_full_time")
