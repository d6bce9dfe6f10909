"""The day in England. Every moment is kept in UTC; people live by London's days."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")


def day_of(at: datetime) -> date:
    """The day in England at a moment that knows its zone."""
    return at.astimezone(LONDON).date()
