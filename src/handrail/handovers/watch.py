"""The authority's handovers at a glance: which wait, which are late, which cross its border, and since when.

Of children of its own schools its named officer sees the names. Of those who come from elsewhere it sees that somebody
came, and when: what is known about them is the setting's. Others at the authority see numbers (watch_views.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from django.db.models import BooleanField, Case, Q, QuerySet, TextChoices, When

from handrail.accounts.roles import Permission
from handrail.core.suppression import Row, suppressed_part, suppressed_table
from handrail.handovers.due import held_up, lapsed, passed_on
from handrail.handovers.models import Handover
from handrail.handovers.moves import LATE_DAYS, NO_MOVEMENT_DAYS, STILL, Escalation, Side, State
from handrail.schools.models import Term
from handrail.schools.terms import Calendar
from tenants.database import require_bound

if TYPE_CHECKING:
    from handrail.accounts.models import User


class Way(TextChoices):
    WITHIN = "within", "Within the authority"
    OUT = "out", "To another authority"
    IN = "in", "From another authority"


class Stage(TextChoices):
    """Where a handover is: each is in one of these. What is only being prepared, or over and done with, is in none."""

    WAITING = "waiting", "Waiting for an answer"
    ACCEPTED = "accepted", "Accepted"
    TAUGHT = "taught", "Being taught"
    LAPSED = "lapsed", "Not taken up"


class Trouble(TextChoices):
    """What somebody has to look at, beside the stage."""

    STUCK = "stuck", "Stuck"
    REVIEW = "review", "Reviews due"
    HELD_UP = "held_up", "Not reached"


STAGES = {
    **dict.fromkeys((State.ADMITTED, State.PACK_ASKED, State.SUBMITTED, State.ACKNOWLEDGED), Stage.WAITING),
    State.MORE_ASKED: Stage.WAITING,
    State.ACCEPTED: Stage.ACCEPTED,
    **dict.fromkeys((State.ACTIVE, State.RETURN_PLANNED, State.PHASED_RETURN), Stage.TAUGHT),
}
"""Of those that are under way. One that has ended is watched while nothing has followed, or something of it could not
be sent.
"""


@dataclass(frozen=True)
class Watched:
    """One handover as the authority sees it on a day. `days` are school days since it came where it is."""

    handover: Handover
    way: Way
    stage: Stage | None
    days: int
    days_late: int
    is_review_due: bool
    is_held_up: bool

    @property
    def is_stuck(self) -> bool:
        """Late for as long as it takes to ask the named officer, or without any movement for four weeks of school."""
        is_still = self.handover.state in STILL and self.days >= NO_MOVEMENT_DAYS
        return is_still or self.days_late >= LATE_DAYS[Escalation.NAMED_OFFICER]

    @property
    def child(self) -> str:
        """The name, of a child of the authority's own schools."""
        return str(self.handover.pupil or "A child who was admitted") if self.handover.is_home else ""

    @property
    def headings(self) -> list[str]:
        """Under which it belongs: its stage and its way while it has one, and what is the matter with it."""
        troubles = [
            (Trouble.STUCK, self.is_stuck),
            (Trouble.REVIEW, self.is_review_due),
            (Trouble.HELD_UP, self.is_held_up),
        ]
        return [*([self.stage, self.way] if self.stage else []), *(trouble for trouble, is_so in troubles if is_so)]


def watched_by(user: "User") -> QuerySet[Handover]:
    """Those that somebody sees as the authority: all of them who decides about children, and none anybody else.

    A handover within the authority is seen once, as the home side has it.
    """
    if not any(Permission.DECIDE_CASES in each.permissions for each in user.acting_memberships):
        return Handover.objects.none()
    return _seen_once()


def watched(*, on: date) -> list[Watched]:
    """The handovers that are under way, those that nobody has taken up and those of which something cannot be sent, the
    longest late first.
    """
    calendar = Term.objects.calendar()
    nowhere = Q(id__in=lapsed(on=on).values("id")) | Q(id__in=passed_on(on=on).values("id"))
    stuck = set(held_up(on=on).values_list("id", flat=True))
    is_nowhere = Case(When(nowhere, then=True), default=False, output_field=BooleanField())
    found = _seen_once().annotate(is_nowhere=is_nowhere).select_related("pupil__school", "setting")
    found = found.filter(Q(is_nowhere=True) | Q(state__in=STAGES) | Q(id__in=stuck))
    rows = [
        as_watched(each, calendar=calendar, is_nowhere=each.is_nowhere, is_held_up=each.id in stuck, on=on)
        for each in found
    ]
    return sorted(rows, key=lambda each: (-each.days_late, -each.days, each.handover.started_at))


def as_watched(
    handover: Handover, *, calendar: Calendar, is_held_up: bool, on: date, is_nowhere: bool = False
) -> Watched:
    due, state = handover.next_on, State(handover.state)
    return Watched(
        handover=handover,
        way=_way(handover),
        stage=Stage.LAPSED if is_nowhere else STAGES.get(state),
        days=calendar.school_days_between(handover.since_on, on).count,
        days_late=calendar.school_days_between(due, on).count if due else 0,
        is_review_due=state == State.ACTIVE and handover.review_on is not None and handover.review_on <= on,
        is_held_up=is_held_up,
    )


def _seen_once() -> QuerySet[Handover]:
    return Handover.objects.filter(Q(side=Side.HOME) | ~Q(other_role=require_bound().schema_name))


def _way(handover: Handover) -> Way:
    if not handover.is_home:
        return Way.IN
    return Way.WITHIN if handover.other_role == require_bound().schema_name else Way.OUT


def numbers(rows: Sequence[Watched]) -> list[tuple[str, Row]]:
    """How many there are each way and altogether: by stage, all of them, and of these the stuck ones.

    None is kept back: counts from 1 to 5, and those that would give them away.
    """
    counts = [[sum(each.way == way and each.stage == stage for each in rows) for stage in Stage] for way in Way]
    table = suppressed_table(counts)
    wholes = [*map(sum, counts)]
    stuck = [sum(each.way == way and each.is_stuck for each in rows) for way in Way]
    shown = suppressed_part(stuck, wholes, [None not in row for row in table])
    labels = [*(way.label for way in Way), "All"]
    return [(label, [*row, part]) for label, row, part in zip(labels, table, shown, strict=True)]


AGES = {"up_to_5": range(6), "6_to_15": range(6, 16), "over_15": range(16, 10**6)}
"""For how many school days a handover has been where it is."""


def by_age(rows: Sequence[Watched]) -> list[tuple[str, str, int | None]]:
    """Each stage and age with how many there are, “all” among both. None is kept back, as in `numbers`."""
    table = suppressed_table(
        [[sum(each.stage == stage and each.days in days for each in rows) for days in AGES.values()] for stage in Stage]
    )
    stages, ages = [*Stage.values, "all"], [*AGES, "all"]
    return [
        (stage, age, count)
        for stage, row in zip(stages, table, strict=True)
        for age, count in zip(ages, row, strict=True)
    ]
