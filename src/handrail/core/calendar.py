"""The day in England, what kind of day it is, and when messages may leave. Every moment is kept in UTC; people live
by London's days. Pure: the moment is always an argument.
"""

from collections.abc import Container
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from holidays import country_holidays

LONDON = ZoneInfo("Europe/London")
OPENS, CLOSES = time(8), time(18)
_BANK_HOLIDAYS = country_holidays("GB", subdiv="ENG")
_ONE_DAY = timedelta(days=1)
A_WORKING_DAY = datetime.combine(date.min, CLOSES) - datetime.combine(date.min, OPENS)


def day_of(at: datetime) -> date:
    """The day in England at a moment that knows its zone."""
    return at.astimezone(LONDON).date()


def beginning_of(day: date) -> datetime:
    """The moment at which a day begins in England."""
    return datetime.combine(day, time(), LONDON)


def month_end_before(day: date) -> date:
    """The last day of the month that had ended before a day."""
    return day.replace(day=1) - _ONE_DAY


def is_bank_holiday(day: date) -> bool:
    """Whether the day is a bank holiday in England."""
    return day in _BANK_HOLIDAYS


def is_working_day(day: date) -> bool:
    """Monday to Friday, bank holidays excepted."""
    return day.weekday() < 5 and not is_bank_holiday(day)


def is_school_day(day: date, *, closed: Container[date] = ()) -> bool:
    """A working day on which the school is not `closed`: its holidays and training days, where they are known."""
    return is_working_day(day) and day not in closed


def is_quiet(at: datetime) -> bool:
    """Whether people at schools are left in peace: outside 8am to 6pm, and all of a day that is no working day."""
    local = at.astimezone(LONDON)
    return not (is_working_day(local.date()) and OPENS <= local.time() < CLOSES)


def opened_at(at: datetime) -> datetime | None:
    """When today's hours for messages began, or nothing while it is quiet."""
    return None if is_quiet(at) else datetime.combine(day_of(at), OPENS, LONDON)


def last_day_before_work(day: date) -> date:
    """The last day before the next working day after `day`: `day` itself, or the end of the days off that follow."""
    while not is_working_day(day + _ONE_DAY):
        day += _ONE_DAY
    return day


def working_time(since: datetime, until: datetime) -> timedelta:
    """How much of the time between two moments lies from 8am to 6pm on working days."""
    total, day = timedelta(), day_of(since)
    while day <= day_of(until):
        if is_working_day(day):
            begins = max(since, datetime.combine(day, OPENS, LONDON))
            ends = min(until, datetime.combine(day, CLOSES, LONDON))
            total += max(ends - begins, timedelta())
        day += _ONE_DAY
    return total
