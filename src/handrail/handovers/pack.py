"""What a pack holds: each item with its tier, how sensitive it is, and who sees it; and what is missing. Pure.

Tier 1 is the smallest safe set: without it nothing is sent. Tier 2 follows within five school days, tier 3 when it is
asked for. The content of a pack is plain JSON, so that it is the same on both sides and its digest too.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from handrail.core.jinja import long_date

FORM = 1
"""The form of a pack's content. Another form is another number; a side that does not know it says so."""

LONGEST = 4000


class Sensitivity(StrEnum):
    LOW = "low"
    PERSONAL = "personal"
    HEALTH = "health"
    HIGH = "high"


IN_WORDS: Mapping[Sensitivity, str] = {
    Sensitivity.LOW: "",
    Sensitivity.PERSONAL: "",
    Sensitivity.HEALTH: "About health.",
    Sensitivity.HIGH: "Restricted.",
}
"""What is said of an item's sensitivity beside its question: of the personal ones nothing, for all of a pack is."""


class SeenBy(StrEnum):
    """Who at a setting reads an item: two, for its teachers are who looks after the child there."""

    STAFF = "staff"
    LEADS = "leads"


SEEN_BY: Mapping[SeenBy, str] = {SeenBy.STAFF: "", SeenBy.LEADS: "Read by the lead of the setting only."}
"""What is said of an item's readers beside its question. The page says once that the staff read what is not marked."""
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
        """What to write, whether it can follow, how sensitive it is and who will read it."""
        said = (self.hint, FOLLOWS[self.tier], IN_WORDS[self.sensitivity], SEEN_BY[self.seen_by])
        return " ".join(filter(None, said))

    def is_needed(self, content: Mapping[str, Any]) -> bool:
        """Whether it belongs to this child's pack at all."""
        question, answer = self.only_if
        return not question or content.get("about", {}).get(question) == answer

    def in_words(self, content: Mapping[str, Any]) -> str:
        """What the content says of it, as a page tells it; empty when it says nothing."""
        value = self.value(content)
        if not value:
            return ""
        return (
            long_date(date.fromisoformat(value)) if self.name == "review_on" else dict(self.choices).get(value, value)
        )

    def value(self, content: Mapping[str, Any]) -> Any:
        found: Any = content
        for step in self.path:
            found = found.get(step) if isinstance(found, Mapping) else None
        return found


SHOWN_ELSEWHERE = frozenset({"ring", "telephone", "emergency"})
ITEMS: tuple[Item, ...] = (
    Item(("child", "name"), "Name", 1, Sensitivity.PERSONAL, SeenBy.STAFF),
    Item(("child", "born_on"), "Date of birth", 1, Sensitivity.PERSONAL, SeenBy.STAFF),
    Item(("child", "year_group"), "Year group", 1, Sensitivity.PERSONAL, SeenBy.STAFF),
    Item(
        ("about", "sex"),
        "Sex, as your register has it",
        1,
        Sensitivity.PERSONAL,
        SeenBy.STAFF,
        choices=(("female", "Female"), ("male", "Male")),
    ),
    Item(("contacts",), "A parent or carer who has parental responsibility", 1, Sensitivity.PERSONAL, SeenBy.STAFF),
    Item(
        ("about", "address"),
        "Where does the child live?",
        1,
        Sensitivity.PERSONAL,
        SeenBy.STAFF,
        "The address, and of the parents if it is another one.",
    ),
    Item(("home", "ring"), "Whom to ring at the home school", 1, Sensitivity.LOW, SeenBy.STAFF),
    Item(("home", "telephone"), "Their telephone number", 1, Sensitivity.LOW, SeenBy.STAFF),
    Item(("home", "lives_in"), "The authority where the child lives", 1, Sensitivity.LOW, SeenBy.STAFF),
    Item(("home", "school_authority"), "The authority of the school", 2, Sensitivity.LOW, SeenBy.STAFF),
    Item(("home", "named_officer"), "Named officer of the school’s authority", 2, Sensitivity.LOW, SeenBy.STAFF),
    Item(("plan", "emergency"), "What to do in an emergency", 1, Sensitivity.HEALTH, SeenBy.STAFF),
    Item(("plan", "review_on"), "The plan is to be reviewed by", 2, Sensitivity.LOW, SeenBy.STAFF),
    Item(
        ("about", "reason"),
        "Why can the child not be at school?",
        1,
        Sensitivity.HEALTH,
        SeenBy.STAFF,
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
        SeenBy.STAFF,
        "Hours a day that were advised, rest, infection, and what to keep away from.",
    ),
    Item(
        ("about", "medicine"),
        "Medicine and devices, where they are kept and who may give them",
        1,
        Sensitivity.HEALTH,
        SeenBy.STAFF,
        "Write “none” if there is none. Say what the parents agreed to.",
    ),
    Item(
        ("about", "expected"),
        "How long is it expected to last?",
        1,
        Sensitivity.PERSONAL,
        SeenBy.STAFF,
        "The expected first and last day, as far as anybody knows.",
    ),
    Item(
        ("about", "informed"),
        "Do the parents and the child know what is sent?",
        1,
        Sensitivity.PERSONAL,
        SeenBy.STAFF,
        "Who was told, on which day, and what the child thinks of it.",
    ),
    Item(
        ("about", "safeguarding_lead"),
        "Who is your safeguarding lead?",
        1,
        Sensitivity.LOW,
        SeenBy.STAFF,
        "Name and telephone number.",
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
        "If they must: how does the file go?",
        1,
        Sensitivity.HIGH,
        SeenBy.LEADS,
        "By which way. When it has gone: on which day, and who confirmed that it came.",
        only_if=("safeguarding", "yes"),
    ),
    Item(("about", "looked_after"), "Is the child looked after?", 1, Sensitivity.HIGH, SeenBy.LEADS, "", YES_NO),
    Item(
        ("about", "social_worker"),
        "If the child is: who are the social worker and the virtual school?",
        1,
        Sensitivity.HIGH,
        SeenBy.LEADS,
        "Names and telephone numbers.",
        only_if=("looked_after", "yes"),
    ),
    Item(
        ("about", "restrictions"),
        "Who may not collect or contact the child?",
        1,
        Sensitivity.HIGH,
        SeenBy.STAFF,
        "Court orders. Write “nobody” if there are none.",
    ),
    Item(
        ("about", "home_visits"), "Will anybody teach the child at home?", 1, Sensitivity.LOW, SeenBy.STAFF, "", YES_NO
    ),
    Item(
        ("about", "risk"),
        "What must somebody know who visits?",
        1,
        Sensitivity.HIGH,
        SeenBy.STAFF,
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
        SeenBy.STAFF,
        "Attainment, topics, set texts and exam boards.",
    ),
    Item(("about", "exams"), "Exam entries and access arrangements", 2, Sensitivity.PERSONAL, SeenBy.STAFF),
    Item(
        ("about", "special_needs"),
        "Special educational needs and support",
        2,
        Sensitivity.HEALTH,
        SeenBy.STAFF,
        "What of an education, health and care plan is needed there, and who your special needs coordinator is.",
    ),
    Item(
        ("about", "attendance"),
        "Attendance",
        2,
        Sensitivity.PERSONAL,
        SeenBy.LEADS,
        "Sessions by code this year, and the last full week at school.",
    ),
    Item(("about", "communication"), "Communication, moving about and equipment", 2, Sensitivity.HEALTH, SeenBy.STAFF),
    Item(("about", "daily_life"), "Food, religion, language and transport", 2, Sensitivity.PERSONAL, SeenBy.STAFF),
    Item(("about", "funding"), "Pupil premium, free meals and funding", 3, Sensitivity.PERSONAL, SeenBy.LEADS),
    Item(("about", "siblings"), "Brothers and sisters who need teaching nearby", 3, Sensitivity.PERSONAL, SeenBy.LEADS),
)
TOLD = tuple(item for item in ITEMS if item.path[0] in ("about", "home", "plan") and item.name not in SHOWN_ELSEWHERE)
"""What the setting's pages say of a pack beside the child, the contacts, whom to ring and the plan itself."""
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


def in_words(content: Mapping[str, Any], *, is_lead: bool) -> list[dict[str, str]]:
    """What a pack says, question by question, as far as somebody at the setting sees it: `key`, `value`."""
    told = [(item, item.in_words(content)) for item in TOLD if may_see(item, is_lead=is_lead)]
    return [{"key": item.label, "value": words} for item, words in told if words]


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
