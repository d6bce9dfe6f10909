"""What a pack holds: each item with its tier, how sensitive it is, and who sees it; and what is missing. Pure.

Tier 1 is the smallest safe set: without it nothing is sent. Tier 2 follows within five school days, tier 3 when it is
asked for. The content of a pack is plain JSON, so that it is the same on both sides and its digest too.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

FORM = 1
"""The form of a pack's content. Another form is another number; a side that does not know it says so."""

LONGEST = 4000


class Sensitivity(StrEnum):
    LOW = "low"
    PERSONAL = "personal"
    HEALTH = "health"
    HIGH = "high"


class SeenBy(StrEnum):
    ALL = "all"
    CARE = "care"
    TEACHERS = "teachers"
    LEADS = "leads"


SEEN_BY: Mapping[SeenBy, str] = {
    SeenBy.ALL: "everybody at the setting who teaches the child",
    SeenBy.CARE: "whoever looks after the child there",
    SeenBy.TEACHERS: "the child’s teachers there",
    SeenBy.LEADS: "the lead of the setting only",
}
FOLLOWS: Mapping[int, str] = {1: "", 2: "Can follow within five days.", 3: "Only if they ask for it."}
"""What is said of an item's tier beside its question."""
YES_NO = (("yes", "Yes"), ("no", "No"))


@dataclass(frozen=True)
class Item:
    """One item. `path` is where the content has it; the ones under `about` are asked for on the page."""

    path: tuple[str, ...]
    label: str
    tier: int
    sensitivity: Sensitivity
    seen_by: SeenBy
    hint: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    only_if: tuple[str, str] = ("", "")

    @property
    def name(self) -> str:
        return self.path[-1]

    @property
    def is_asked(self) -> bool:
        return self.path[0] == "about"

    @property
    def help_text(self) -> str:
        """What to write, whether it can follow, and who will read it."""
        return " ".join(filter(None, (self.hint, FOLLOWS[self.tier], f"Read by {SEEN_BY[self.seen_by]}.")))

    def is_needed(self, content: Mapping[str, Any]) -> bool:
        """Whether it belongs to this child's pack at all."""
        question, answer = self.only_if
        return not question or content.get("about", {}).get(question) == answer

    def value(self, content: Mapping[str, Any]) -> Any:
        found: Any = content
        for step in self.path:
            found = found.get(step) if isinstance(found, Mapping) else None
        return found


ITEMS: tuple[Item, ...] = (
    Item(("child", "name"), "Name", 1, Sensitivity.PERSONAL, SeenBy.ALL),
    Item(("child", "born_on"), "Date of birth", 1, Sensitivity.PERSONAL, SeenBy.ALL),
    Item(("child", "year_group"), "Year group", 1, Sensitivity.PERSONAL, SeenBy.ALL),
    Item(("contacts",), "A parent or carer who has parental responsibility", 1, Sensitivity.PERSONAL, SeenBy.CARE),
    Item(("home", "ring"), "Whom to ring at the home school", 1, Sensitivity.LOW, SeenBy.ALL),
    Item(("home", "telephone"), "Their telephone number", 1, Sensitivity.LOW, SeenBy.ALL),
    Item(("home", "authority"), "The authority where the child lives", 1, Sensitivity.LOW, SeenBy.ALL),
    Item(("plan", "emergency"), "What to do in an emergency", 1, Sensitivity.HEALTH, SeenBy.CARE),
    Item(
        ("about", "reason"),
        "Why can the child not be at school?",
        1,
        Sensitivity.HEALTH,
        SeenBy.CARE,
        choices=(
            ("physical", "Physical health"),
            ("mental", "Mental health"),
            ("awaiting", "Not known yet: tests or an appointment are awaited"),
        ),
    ),
    Item(
        ("about", "fitness"),
        "How much can the child do?",
        1,
        Sensitivity.HEALTH,
        SeenBy.CARE,
        "Hours a day that were advised, rest, infection, and what to keep away from.",
    ),
    Item(
        ("about", "medicine"),
        "Medicine and devices, where they are kept and who may give them",
        1,
        Sensitivity.HEALTH,
        SeenBy.CARE,
        "Write “none” if there is none. Say what the parents agreed to.",
    ),
    Item(
        ("about", "expected"),
        "How long is it expected to last?",
        1,
        Sensitivity.PERSONAL,
        SeenBy.ALL,
        "The expected first and last day, as far as anybody knows.",
    ),
    Item(
        ("about", "informed"),
        "Do the parents and the child know what is sent?",
        1,
        Sensitivity.PERSONAL,
        SeenBy.CARE,
        "Who was told, on which day, and what the child thinks of it.",
    ),
    Item(
        ("about", "safeguarding"),
        "Must the two safeguarding leads speak to each other?",
        1,
        Sensitivity.HIGH,
        SeenBy.LEADS,
        "The safeguarding file itself never goes through Handrail.",
        YES_NO,
    ),
    Item(
        ("about", "safeguarding_file"),
        "If they must: who is your safeguarding lead, and how does the file go?",
        1,
        Sensitivity.HIGH,
        SeenBy.LEADS,
        "Name and number. When the file has gone: by which way, on which day, and who confirmed that it came.",
        only_if=("safeguarding", "yes"),
    ),
    Item(("about", "looked_after"), "Is the child looked after?", 1, Sensitivity.HIGH, SeenBy.LEADS, "", YES_NO),
    Item(
        ("about", "restrictions"),
        "Who may not collect or contact the child?",
        1,
        Sensitivity.HIGH,
        SeenBy.CARE,
        "Court orders. Write “nobody” if there are none.",
    ),
    Item(("about", "home_visits"), "Will anybody teach the child at home?", 1, Sensitivity.LOW, SeenBy.ALL, "", YES_NO),
    Item(
        ("about", "risk"),
        "What must somebody know who visits?",
        1,
        Sensitivity.HIGH,
        SeenBy.CARE,
        "Behaviour, harm to themselves, working alone, the home.",
        only_if=("home_visits", "yes"),
    ),
    Item(("child", "upn"), "Unique pupil number", 2, Sensitivity.HIGH, SeenBy.LEADS),
    Item(
        ("about", "evidence"),
        "What evidence is there?",
        2,
        Sensitivity.HEALTH,
        SeenBy.LEADS,
        "Its kind, whose it is and its date. A consultant’s letter is not needed.",
    ),
    Item(
        ("about", "learning"),
        "What is the child working on?",
        2,
        Sensitivity.PERSONAL,
        SeenBy.TEACHERS,
        "Attainment, topics, set texts and exam boards.",
    ),
    Item(("about", "exams"), "Exam entries and access arrangements", 2, Sensitivity.PERSONAL, SeenBy.TEACHERS),
    Item(("about", "special_needs"), "Special educational needs and support", 2, Sensitivity.HEALTH, SeenBy.TEACHERS),
    Item(
        ("about", "attendance"),
        "Attendance",
        2,
        Sensitivity.PERSONAL,
        SeenBy.LEADS,
        "Sessions by code this year, and the last full week at school.",
    ),
    Item(("about", "communication"), "Communication, moving about and equipment", 2, Sensitivity.HEALTH, SeenBy.CARE),
    Item(("about", "daily_life"), "Food, religion, language and transport", 2, Sensitivity.PERSONAL, SeenBy.ALL),
    Item(("about", "funding"), "Pupil premium, free meals and funding", 3, Sensitivity.PERSONAL, SeenBy.LEADS),
    Item(("about", "siblings"), "Brothers and sisters who need teaching nearby", 3, Sensitivity.PERSONAL, SeenBy.LEADS),
)
ASKED = tuple(item for item in ITEMS if item.is_asked)


def gaps(content: Mapping[str, Any], tier: int) -> list[Item]:
    """The items of this tier that the content lacks, in order."""
    return [item for item in ITEMS if item.tier == tier and item.is_needed(content) and _is_missing(item, content)]


def _is_missing(item: Item, content: Mapping[str, Any]) -> bool:
    value = item.value(content)
    if item.path == ("contacts",):
        return not any(each.get("has_parental_responsibility") for each in value or ())
    return not value


def may_see(item: Item, *, is_lead: bool) -> bool:
    """Whether somebody at the setting sees an item: its lead sees all, the others what they need."""
    return is_lead or item.seen_by != SeenBy.LEADS


def digest(content: Mapping[str, Any]) -> str:
    """The SHA-256 of a pack's content, the same on both sides."""
    plain = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(plain.encode()).hexdigest()


def to_plain(content: Any) -> bytes:
    """What goes into an envelope."""
    return json.dumps(content, ensure_ascii=False).encode()


def from_plain(plain: bytes) -> Any:
    """What came out of one. Raises ValueError."""
    return json.loads(plain)
