"""What comes back with a child: what was taught, attendance by code, the plan as a draft, what is handed back. Pure.

The safeguarding file is not in it: only that it was received, and by which way.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

FORM = 1
"""The form of a return pack's content. Another form is another number."""

FOR_LEADS = "Read by the leads of both sides only."


@dataclass(frozen=True)
class Asked:
    """One thing the setting writes. Without those that are `is_needed` nothing is sent."""

    name: str
    label: str
    hint: str = ""
    is_needed: bool = False
    is_for_leads: bool = False

    @property
    def help_text(self) -> str:
        """What to write, and who reads it."""
        return f"{self.hint} {FOR_LEADS}" if self.is_for_leads else self.hint


SAID: tuple[Asked, ...] = (
    Asked("report", "How did the child get on?", "A teaching report: what went well, and what helps.", True),
    Asked("work", "What work was covered?", "By subject, with the level reached and work not finished.", True),
    Asked("exams", "What must be done about exams?", "Entries, access arrangements and coursework."),
    Asked("timetable", "How does the child go back, step by step?", "Days, hours and rests.", True),
    Asked("reviews", "When is the return reviewed, and by whom?"),
    Asked(
        "health", "What has changed in the plan?", "Medicine, dose or emergency steps. The plan goes along as a draft."
    ),
    Asked("receipts", "What comes back with the child?", "Medicine, equipment and books, and who signed for them."),
    Asked(
        "safeguarding",
        "When and how was the safeguarding file received, and sent back?",
        "Dates and way only. The file itself never goes through Handrail.",
        is_for_leads=True,
    ),
)
NAMES = frozenset(each.name for each in SAID)

CODES: Mapping[str, str] = {
    "D": "D: at the setting, and on its roll too",
    "K": "K: taught at a place that the authority arranged",
    "C2": "C2: a part-time timetable",
    "I": "I: too ill to be taught",
}
"""The attendance codes that tell of such a time, and what each counts. In sessions, two to a day."""

HOURS = "hours"


def is_number(name: str) -> bool:
    return name in CODES or name == HOURS


def gaps(content: Mapping[str, Any]) -> list[str]:
    """The labels of what must be written before it is sent and is not, in order."""
    said = content.get("said") or {}
    missing = [each.label for each in SAID if each.is_needed and not said.get(each.name)]
    return missing + ([] if content.get(HOURS) else ["How many hours was the child taught?"])


def in_words(content: Mapping[str, Any], *, is_lead: bool) -> list[dict[str, str]]:
    """A return pack as rows of a page, as far as somebody at the school or the setting sees it: its lead sees all."""
    said, attendance = content.get("said") or {}, content.get("attendance") or {}
    rows = [{"key": "Taught", "value": f"{content[HOURS]} hours"}] if content.get(HOURS) else []
    counted = [f"{words}: {attendance[code]}" for code, words in CODES.items() if code in attendance]
    if counted:
        rows.append({"key": "Attendance, in sessions", "value": ". ".join(counted)})
    told = [each for each in SAID if said.get(each.name) and (is_lead or not each.is_for_leads)]
    return rows + [{"key": each.label, "value": said[each.name]} for each in told]
