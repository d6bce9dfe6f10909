"""What each move asks besides being made: words for the other side, hours, choices and days. Shape only."""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms

from handrail.absences.forms import hours
from handrail.core.forms.choices import Radios
from handrail.core.forms.dates import DateField
from handrail.core.jinja import long_date
from handrail.handovers import pack
from handrail.handovers.forms import ON_A_ROLL
from handrail.handovers.models import Handover
from handrail.handovers.said import WHO_ACTS, WHO_READ, missing

Asked = Callable[[], forms.Field]


def text(label: str, hint: str = "", *, required: str = "", rows: int = 4) -> Asked:
    return lambda: forms.CharField(
        label=label,
        max_length=pack.LONGEST,
        required=bool(required),
        help_text=hint,
        widget=forms.Textarea({"rows": rows, "autocomplete": "off"}),
        error_messages={"required": required},
    )


def line(label: str, hint: str = "", *, required: str = "") -> Asked:
    return lambda: forms.CharField(
        label=label,
        max_length=300,
        required=bool(required),
        help_text=hint,
        widget=forms.TextInput({"autocomplete": "off"}),
        error_messages={"required": required},
    )


def number(label: str, required: str = "Enter how many hours a week") -> Asked:
    return lambda: hours(label, required)


def choice(label: str, choices: list[tuple[str, str]], *, required: str) -> Asked:
    return lambda: forms.ChoiceField(
        label=label,
        choices=choices,
        widget=Radios,
        required=bool(required),
        error_messages={"required": required},
    )


def day(label: str, hint: str = "", *, required: str = "", when: str = "") -> Asked:
    return lambda: DateField(
        label=label,
        noun=label[0].lower() + label[1:],
        required=bool(required),
        when=when,
        help_text=hint,
        error_messages={"required": required} if required else None,
    )


WHY_NO_HOURS = line("If there are none: why?")
WHO_IS_NEXT = [*{**WHO_ACTS, "setting": "This setting"}.items()]
WHO_THERE_IS_NEXT = [*{**WHO_ACTS, "setting": "The setting itself"}.items()]

ASKED: Mapping[str, Mapping[str, Asked]] = {
    "ask_for_more": {"reason": text("What else do you need?", "One thing on each line.")},
    "decline": {
        "reason": text("Why can you not take the child?", "The home school and its authority read it."),
        "alternative": text("What could be done instead?", required="Enter what could be done instead", rows=3),
        "next": choice("Who acts next?", WHO_IS_NEXT, required="Select who acts next"),
    },
    "accept": {
        "starts_on": day("First day", required="Enter the first day"),
        "hours": number("How many hours a week?"),
        "why_hours": WHY_NO_HOURS,
        "base": line(
            "Where will the child be taught?",
            "For example the ward, the hospital classroom, at home or online.",
            required="Enter where the child will be taught",
        ),
        "roll": choice(
            "Whose roll is the child on while there?", ON_A_ROLL, required="Select whose roll the child is on"
        ),
    },
    "begin": {"first_session_on": day("First session")},
    "update": {
        "note": text(
            "How does the child get on?",
            "A few sentences: what was taught, how the child was, and what the home school should do.",
            required="Enter how the child gets on",
        ),
        "taught": number(
            "How many hours was the child taught since the last update?",
            "Enter how many hours the child was taught, 0 if none",
        ),
    },
    "review": {
        "attended": line(
            "Who took part?",
            "For example the child, a parent, both schools, health and the authority.",
            required="Enter who took part in the review",
        ),
        "hours": number("How many hours a week is the child taught?"),
        "why_hours": WHY_NO_HOURS,
        "evidence_on": day(
            "Date of the newest evidence",
            "Of the letter, note or call about the child’s health that you looked at.",
            required="Enter the date of the newest evidence",
            when="past",
        ),
        "decision": text("What was decided?", "What goes on, and what changes.", required="Enter what was decided"),
    },
    "plan_return": {
        "plan": text("How does the child go back?", "Who was at the meeting, steps and days."),
        "return_from_on": day("First day back, if known"),
    },
    "teach_again": {"reason": text("Why is the child taught here again?", "The home school reads it.")},
    "begin_return": {
        "hours": number("How many hours a week at school?"),
        "why_hours": WHY_NO_HOURS,
        "return_until_on": day(
            "Last day of the phased return", required="Enter the day on which the phased return ends"
        ),
    },
    "review_return": {
        "hours": number("How many hours a week is the child at school now?"),
        "why_hours": WHY_NO_HOURS,
        "decision": text(
            "What was decided?", "Who was there, what goes on, and what changes.", required="Enter what was decided"
        ),
        "return_until_on": day("Last day of the phased return"),
    },
    "pass_on": {"reason": text("Where does the child go next, and why?")},
    "end": {"reason": text("Why does the handover end?", "For example, the child moved or has a new school.")},
    "withdraw": {"reason": text("Why do you withdraw it?")},
    "take_back": {"reason": text("Why do you take the notice back?")},
}
"""The questions of each move, in order."""

COLUMNS = frozenset({"starts_on", "first_session_on", "return_from_on", "return_until_on"})
"""The days among them that the handover keeps itself."""


def who_read(today: date | None) -> dict[str, forms.Field]:
    """Who at a setting without Handrail has read the emergency steps, and when."""
    return {
        "reader": forms.CharField(
            label="Who there has read the emergency steps and knows where the medicine is?",
            max_length=150,
            help_text="Ask them on the telephone. No session starts before somebody has read them.",
            widget=forms.TextInput({"autocomplete": "off"}),
            error_messages={"required": "Enter who there has read the emergency steps"},
        ),
        "reader_on": DateField(
            label="On which day had they read them?", noun="day they had read them", when="past", today=today
        ),
    }


class Telling(forms.Form):
    """A form whose answers are said of a move. What is missing stands beside its question."""

    roll = ""

    def told(self, move: str, names: list[str]) -> tuple[dict[str, str], dict[str, Any]]:
        """What is said of the move, as text, and the days that the handover keeps."""
        given = {name: self.cleaned_data.get(name) for name in names}
        days = {name: on for name, on in given.items() if name in COLUMNS and on}
        said = {name: as_text(value) for name, value in given.items() if name not in COLUMNS and value is not None}
        return said, days

    def miss(self, move: str, names: list[str]) -> None:
        said, days = self.told(move, names)
        for field, words in missing(move, said, days, roll=self.roll):
            if field in self.fields and field not in self.errors:
                self.add_error(field, words.rstrip("."))


def as_text(value: Any) -> str:
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return value.isoformat() if isinstance(value, date) else str(value).strip()


class MoveForm(Telling):
    """What one move asks. `elsewhere` is a move of a side without Handrail, which is noted here."""

    def __init__(
        self,
        *args: Any,
        move: str,
        handover: Handover,
        today: date | None = None,
        asks_who_read: bool = False,
        elsewhere: bool = False,
        **more: Any,
    ) -> None:
        super().__init__(*args, **more)
        self.move, self.roll = move, handover.roll
        if asks_who_read:
            self.fields |= who_read(today)
        self.asked = list(ASKED.get(move, {}))
        self.fields |= {name: make() for name, make in ASKED.get(move, {}).items()}
        for name in self.asked:
            field: Any = self.fields[name]
            if isinstance(field, DateField):
                field.today = today
        if move == "begin":
            self.initial.setdefault("first_session_on", today)
        if move == "accept":
            self.initial.update({**self._agreed(handover), "starts_on": handover.starts_on, "roll": handover.roll})
            if handover.roll == Handover.Roll.SOLE:
                roll: Any = self.fields["roll"]
                roll.choices = [(Handover.Roll.SOLE.value, Handover.Roll.SOLE.label)]
        if move in ("plan_return", "review_return"):
            self.initial.update(return_from_on=handover.return_from_on, return_until_on=handover.return_until_on)
        if move == "decline" and elsewhere:
            whom: Any = self.fields["next"]
            whom.choices = WHO_THERE_IS_NEXT

    @staticmethod
    def _agreed(handover: Handover) -> dict[str, Any]:
        """What was agreed before, where it is changed."""
        agreed = handover.steps.filter(move="accept").last()
        return {name: (agreed.said or {}).get(name) for name in ("hours", "base")} if agreed else {}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        self.miss(self.move, [name for name in self.asked if name not in self.errors])
        return cleaned

    @property
    def said(self) -> dict[str, str]:
        said, _ = self.told(self.move, self.asked)
        if reader := self.cleaned_data.get("reader"):
            on = long_date(self.cleaned_data["reader_on"])
            said[WHO_READ] = f"{reader} has read the emergency steps and knows where the medicine is: {on}."
        return said

    @property
    def dates(self) -> dict[str, Any]:
        return self.told(self.move, self.asked)[1]
