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


def due_after(trigger: str, on: date) -> date:
    """By when a plan is to be reviewed because of something that happens on the day `on`."""
    if trigger in AT_ONCE or trigger in KNOWN_AHEAD:
        return on
    return on + TWO_WEEKS


def next_due(reviewed_on: date, *, asked: date | None = None, triggers: Iterable[date] = ()) -> date:
    """When the next review is due: a year after the last, or sooner as the school asked or a trigger says."""
    return min([yearly(reviewed_on), *([asked] if asked else []), *triggers])


def sixteenth_birthday(born_on: date) -> date:
    """The day on which a child turns 16; 1 March for one born on 29 February, as the law counts."""
    day = born_on + relativedelta(years=16)
    return day if (day.month, day.day) == (born_on.month, born_on.day) else day + timedelta(days=1)
