"""Status by date: the same five words on pages, in CSV files and in the API. Derived, never stored."""

from datetime import date, timedelta

from django.db.models import Case, CharField, Q, TextChoices, Value, When
from django.db.models.expressions import Combinable


class Status(TextChoices):
    """Each word, in order of how urgent it is."""

    OVERDUE = "overdue", "Overdue"
    NOT_RECORDED = "not_recorded", "Not recorded"
    DUE_SOON = "due_soon", "Due soon"
    IN_DATE = "in_date", "In date"
    NOT_NEEDED = "not_needed", "Not needed"


def status_of(due_on: date | None, *, on: date, due_soon_days: int, is_needed: bool = True) -> Status:
    """The status on the day `on` of something due on `due_on`.

    Not needed beats everything; nothing on file is Not recorded; a due date that has passed is Overdue; one at
    most `due_soon_days` days away, today included, is Due soon; a later one is In date.
    """
    if not is_needed:
        return Status.NOT_NEEDED
    if due_on is None:
        return Status.NOT_RECORDED
    if due_on < on:
        return Status.OVERDUE
    if due_on <= on + timedelta(days=due_soon_days):
        return Status.DUE_SOON
    return Status.IN_DATE


def status_case(field: str, *, on: date, due_soon_days: int, needed: Q) -> Combinable:
    """The same rule as SQL over the date column `field`. A test holds the two together."""
    return Case(
        When(~needed, then=Value(Status.NOT_NEEDED)),
        When(**{f"{field}__isnull": True}, then=Value(Status.NOT_RECORDED)),
        When(**{f"{field}__lt": on}, then=Value(Status.OVERDUE)),
        When(**{f"{field}__lte": on + timedelta(days=due_soon_days)}, then=Value(Status.DUE_SOON)),
        default=Value(Status.IN_DATE),
        output_field=CharField(),
    )
