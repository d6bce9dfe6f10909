"""Days as people and spreadsheets write them."""

import re
from collections.abc import Callable
from datetime import date

from handrail.core.jinja import MONTHS

EARLIEST = date(2000, 1, 1)


def past_day(today: date) -> Callable[[str], date | None]:
    """A date up to today, as spreadsheets write it: 23/11/2026, 23-11-2026, 2026-11-23, 23 Nov 2026; or blank."""

    def clean(raw: str) -> date | None:
        if not raw:
            return None
        found = any_day(raw)
        if found and found > today:
            raise ValueError("This must be today or in the past")
        return found

    return clean


def any_day(raw: str) -> date | None:
    """A date as spreadsheets write it, or blank."""
    if not raw:
        return None
    found = _day(re.sub(r"\s+00:00(:00)?$", "", raw))
    if found is None:
        raise ValueError("This must be a real date, like 23/11/2026")
    if found < EARLIEST:
        raise ValueError(f"This must be {EARLIEST.year} or later")
    return found


def _day(raw: str) -> date | None:
    year_first = re.fullmatch(r"(\d{4})-(\d\d?)-(\d\d?)", raw, re.ASCII)
    day_first = re.fullmatch(r"(\d\d?)[-/. ]+(\d\d?|[A-Za-z]{3,9})[-/. ,]+(\d{4}|\d\d)", raw, re.ASCII)
    if year_first:
        year, month, day = year_first.groups()
    elif day_first:
        day, month, year = day_first.groups()
    else:
        return None
    if not month.isdigit():
        named = [place for place, name in enumerate(MONTHS, start=1) if name.casefold().startswith(month.casefold())]
        month = str(named[0]) if named else "0"
    try:
        return date(int(year) + (2000 if len(year) == 2 else 0), int(month), int(day))
    except ValueError:
        return None
