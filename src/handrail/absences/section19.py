"""Where a case stands on its way to education under section 19 of the Education Act 1996. Pure.

The clock starts when 15 school days are lost, or when the school says that they will be. It stops for a first session
of education, or when suitable education is provided already, and for nothing else: not for a decision, not for the end
of a school year, and not because the school takes back what it said or the child leaves it. If the education stops it
runs again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import TextChoices

from handrail.absences.daycount import SchoolDays, after_school_days, days_in_words, in_days
from handrail.absences.models import CaseEntry
from handrail.core.jinja import long_date
from handrail.core.models import AuthoritySettings

Kind, Outcome = CaseEntry.Kind, CaseEntry.Outcome


class Stage(TextChoices):
    """In the order in which cases need somebody."""

    OVERDUE = "overdue", "Overdue"
    DUE = "due", "Clock running"
    NEAR = "near", "Near the threshold"
    WATCHED = "watched", "Below the threshold"
    REFUSED = "refused", "Decided: no"
    STOPPED = "stopped", "Clock stopped"


@dataclass(frozen=True)
class Count:
    """What the count says of a case: sessions lost by now, and on which days each threshold was met."""

    sessions: int = 0
    near_on: date | None = None
    full_on: date | None = None
    likely_on: date | None = None
    """When the school said that 15 days are likely."""
    clock_on: date | None = None
    """Since when the clock ran before the school took back, or changed, what it rests on."""

    @property
    def days(self) -> str:
        """12½"""
        return in_days(self.sessions)


@dataclass(frozen=True)
class Standing:
    """Where a case stands on a day, and since when."""

    stage: Stage
    count: Count
    started_on: date | None
    """When the clock started to run; it may have stopped since."""
    act_by_on: date | None
    """The last day before it is overdue."""
    stopped_on: date | None
    decision: CaseEntry | None
    next_review_on: date | None
    why: str

    @property
    def is_running(self) -> bool:
        return self.started_on is not None and self.stopped_on is None

    @property
    def needs_somebody(self) -> bool:
        """Whether the authority has to act: the clock runs, and nobody has said that section 19 does not apply."""
        return self.is_running and self.stage != Stage.REFUSED

    def is_review_due(self, on: date) -> bool:
        return self.next_review_on is not None and self.next_review_on <= on


def standing(
    count: Count, entries: Sequence[CaseEntry], *, calendar: SchoolDays, settings: AuthoritySettings, on: date
) -> Standing:
    """Where a case with these entries, in order, stands on the day `on`."""
    moves = [each for each in entries if each.kind in (*CaseEntry.STOPS, Kind.ENDED)]
    last = moves[-1] if moves else None
    stopped_on = last.happened_on if last and last.kind in CaseEntry.STOPS else None
    started_on = _started_on(count, last)
    since = [each for each in entries if last is None or last.kind != Kind.ENDED or each.number > last.number]
    decisions = [each for each in since if each.kind == Kind.DECISION]
    decision = decisions[-1] if decisions else None
    act_by_on = (
        after_school_days(started_on, settings.section_19_overdue_days, calendar=calendar) if started_on else None
    )
    reviews = [each.next_review_on for each in entries if each.kind != Kind.ENDED]
    if stopped_on:
        stage = Stage.STOPPED
    elif decision and decision.outcome == Outcome.NO:
        stage = Stage.REFUSED
    elif act_by_on and on > act_by_on:
        stage = Stage.OVERDUE
    elif started_on:
        stage = Stage.DUE
    else:
        stage = Stage.NEAR if count.near_on else Stage.WATCHED
    return Standing(
        stage=stage,
        count=count,
        started_on=started_on,
        act_by_on=act_by_on,
        stopped_on=stopped_on,
        decision=decision,
        next_review_on=reviews[-1] if reviews else None,
        why=_why(count, last, settings),
    )


def _started_on(count: Count, last: CaseEntry | None) -> date | None:
    if last and last.kind == Kind.ENDED:
        return last.happened_on
    days: list[Any] = [day for day in (count.full_on, count.likely_on, count.clock_on) if day]
    return min(days, default=None)


def _why(count: Count, last: CaseEntry | None, settings: AuthoritySettings) -> str:
    """Why the clock says what it says, in a sentence or two."""
    lost = f"{days_in_words(count.sessions)} lost through illness in the school year."
    if last and last.kind in CaseEntry.STOPS:
        return f"{lost} The clock stopped on {long_date(last.happened_on)}: {last.get_kind_display().lower()}."
    if last:
        return f"{lost} The education stopped on {long_date(last.happened_on)}, so the clock runs again."
    if count.clock_on and count.clock_on == _started_on(count, last) != count.full_on:
        return (
            f"{lost} The clock runs since {long_date(count.clock_on)}. The school has since taken back, or changed, "
            "what it rests on: say whether section 19 applies."
        )
    if count.likely_on and (count.full_on is None or count.likely_on < count.full_on):
        return f"{lost} The clock runs since {long_date(count.likely_on)}: the school said that 15 days are likely."
    if count.full_on:
        days = settings.absence_trigger_days
        return f"{lost} The clock runs since {long_date(count.full_on)}: {days} days were reached."
    return f"{lost} The clock has not started."
