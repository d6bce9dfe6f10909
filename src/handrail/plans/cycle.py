"""When a child's plan is to be ready, and when it is to be reviewed: pure date rules.

At least once a year, and earlier when something changed: SPMC-IHP; ready for the first day of a new term, and within
two weeks for a child who comes or whose condition is found in the middle of one: SPMC-TIM. A term's days are the
authority's, so they are arguments here.
"""

from collections.abc import Iterable
from datetime import date, timedelta

from dateutil.relativedelta import relativedelta
from django.db.models import TextChoices

LONGEST_MONTHS = 12
"""The longest that a plan may go without a review, in months."""

TWO_WEEKS = timedelta(days=14)

A_TERM = timedelta(days=100)
"""How long before a child moves on a review answers that: it is looked at in the term before."""

LAST_BEFORE_SECONDARY = "6"
"""The year group after which a child goes on to a secondary school, or to the secondary part of an all-through one."""


class Trigger(TextChoices):
    """What makes a review due before its time."""

    CONDITION = "condition", "The condition has changed"
    ADMITTED = "admitted", "Went into hospital"
    DISCHARGED = "discharged", "Came out of hospital"
    NEW_SCHOOL = "new_school", "New school or phase"
    INCIDENT = "incident", "Incident or near miss"
    MEDICINE = "medicine", "Medicine or device goes out of date"
    TRAINING = "training", "Training goes out of date"
    CONSENT = "consent", "Permission was withdrawn"
    SIXTEEN = "sixteen", "The child turns 16"


SOON = frozenset({Trigger.CONDITION, Trigger.INCIDENT})
"""Those after which the plan is to be looked at within a few school days."""

SOON_DAYS = 5

AT_ONCE = frozenset({Trigger.CONSENT})
"""Those after which the plan is wrong until it has been looked at."""

KNOWN_AHEAD = frozenset({Trigger.MEDICINE, Trigger.TRAINING, Trigger.SIXTEEN, Trigger.NEW_SCHOOL})
"""Those whose day is known before it comes: the review is due by that day itself."""


def ready_by(notified_on: date, *, starts_on: date | None, last_day_before: date | None = None) -> date:
    """The day by which the plan is to be ready. For a child who `starts_on` a day still to come, that is
    `last_day_before`, the last school day before it, or the day before where that is not known; otherwise two weeks
    after the school was told.
    """
    if starts_on is None or starts_on <= notified_on:
        return notified_on + TWO_WEEKS
    return max(last_day_before or starts_on - timedelta(days=1), notified_on)


def yearly(reviewed_on: date) -> date:
    """The last day for the next review: the same day a year later, the month's last where there is none."""
    return reviewed_on + relativedelta(months=LONGEST_MONTHS)


def due_after(trigger: str, on: date, *, soon: date | None = None) -> date:
    """By when a plan is to be reviewed because of something that happens on the day `on`: `soon` is the last of the
    next SOON_DAYS school days. Two weeks later at the latest, also in a holiday.
    """
    if trigger in AT_ONCE or trigger in KNOWN_AHEAD:
        return on
    latest = on + TWO_WEEKS
    return min(soon or latest, latest) if trigger in SOON else latest


def next_due(reviewed_on: date, *, asked: date | None = None, triggers: Iterable[date] = ()) -> date:
    """When the next review is due: a year after the last, or sooner as the school asked or a trigger says."""
    return min([yearly(reviewed_on), *([asked] if asked else []), *triggers])


def is_answered(trigger: str, happens_on: date, *, reviewed_on: date) -> bool:
    """Whether a review has looked at what happened by its day. A move to another school or phase is looked at ahead;
    what runs out is not, since it may be renewed or not.
    """
    ahead = A_TERM if trigger == Trigger.NEW_SCHOOL else timedelta()
    return happens_on <= reviewed_on + ahead


def moves_on(year_group: str, born_on: date, *, school_year: int) -> bool:
    """Whether a child goes on to secondary school at the end of a school year: they are in Year 6, or of its age where
    no year group is written down with a number.
    """
    number = "".join(each for each in year_group if each in "0123456789")
    first, last = born_for_year_6(school_year)
    return number == LAST_BEFORE_SECONDARY if number else first <= born_on <= last


def born_for_year_6(school_year: int) -> tuple[date, date]:
    """The first and the last birthday of those who turn 11 in a school year, which begins on 1 September."""
    return date(school_year - 11, 9, 1), date(school_year - 10, 8, 31)


def sixteenth_birthday(born_on: date) -> date:
    """The day on which a child turns 16; 1 March for one born on 29 February, as the law counts."""
    day = born_on + relativedelta(years=16)
    return day if (day.month, day.day) == (born_on.month, born_on.day) else day + timedelta(days=1)
