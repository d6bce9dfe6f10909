"""A child's attendance codes from a file of the school's own system: a row for each day, morning and afternoon. Pure.

Columns are found by their headings, in any order; others are passed over. A cell that is empty says nothing.
"""

import csv
import io
import re
from datetime import date

from handrail.absences.daycount import CODES, Session, Slot

MOST_ROWS = 400
"""Days of one school year, and more."""

DATE = ("date", "day", "mark date")
HALVES = {Session.AM: ("am", "morning", "am mark"), Session.PM: ("pm", "afternoon", "pm mark")}
SHOWN = 10


class BadFile(ValueError):
    """The file cannot be read; nothing of it is kept. The messages say which row, and what to do."""

    def __init__(self, *problems: str) -> None:
        more = len(problems) - SHOWN
        found = [*problems[:SHOWN], *([f"{more} more rows have a problem"] if more > 0 else [])]
        super().__init__(". ".join(found))
        self.problems = found


def read(data: bytes) -> dict[Slot, str]:
    """The code of each session that the file names. Raises BadFile."""
    rows = list(csv.reader(io.StringIO(_text(data), newline="")))
    rows = [row for row in rows if any(cell.strip() for cell in row)]
    if not rows:
        raise BadFile("The selected file is empty")
    headings = [cell.strip().lower() for cell in rows[0]]
    day = _column(headings, DATE)
    halves = {session: _column(headings, names) for session, names in HALVES.items()}
    if day is None or not any(place is not None for place in halves.values()):
        raise BadFile("The first row must have the headings Date, AM and PM")
    if len(rows) > MOST_ROWS + 1:
        raise BadFile(f"The file has more than {MOST_ROWS} days. Choose one school year of one child")
    found: dict[Slot, str] = {}
    problems = []
    for number, row in enumerate(rows[1:], 2):
        cells = [*row, *[""] * (len(headings) - len(row))]
        on = _day(cells[day].strip())
        if on is None:
            problems.append(f"Row {number}: the date must be like 23/11/2026")
            continue
        for session, place in halves.items():
            code = cells[place].strip().upper() if place is not None else ""
            if code and code not in CODES:
                problems.append(f"Row {number}: {code[:10]} is not an attendance code")
            elif code and found.get(Slot(on, session), code) != code:
                problems.append(f"Row {number}: {on:%d/%m/%Y} is there twice, with different codes")
            elif code:
                found[Slot(on, session)] = code
    if problems:
        raise BadFile(*problems)
    if not found:
        raise BadFile("No row has a code")
    return found


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def _column(headings: list[str], names: tuple[str, ...]) -> int | None:
    return next((place for place, heading in enumerate(headings) if heading in names), None)


def _day(text: str) -> date | None:
    british = re.fullmatch(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})(?: .*)?", text)
    try:
        if british:
            return date(int(british[3]), int(british[2]), int(british[1]))
        return date.fromisoformat(text[:10])
    except ValueError:
        return None
