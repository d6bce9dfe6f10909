"""The questions about children away through illness, and about what the authority decides. Shape only."""

from datetime import date, timedelta
from typing import Any

from django import forms

from handrail.absences.daycount import CODES, Session, Slot
from handrail.absences.models import CaseEntry
from handrail.absences.returns import CATEGORIES, EVIDENCE, LABELS, YES_NO
from handrail.core.forms.choices import Radios
from handrail.core.forms.dates import DateField
from handrail.core.forms.files import FileField
from handrail.schools.forms import LivesInField

LONGEST = 4000
ALL_DAY = "all_day"
MOST_DAYS = 60
"""How many days one entry of codes may be about."""


def text(label: str, hint: str = "", *, rows: int = 3, required: str = "") -> forms.CharField:
    """A question for words; `required` is what to say when there are none."""
    return forms.CharField(
        label=label,
        help_text=hint,
        max_length=LONGEST,
        required=bool(required),
        widget=forms.Textarea({"rows": rows}),
        error_messages={"required": required},
    )


def choice(label: str, choices: Any, *, required: str = "", hint: str = "", inline: bool = False) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=label,
        help_text=hint,
        choices=choices,
        required=bool(required),
        widget=Radios(inline=inline),
        error_messages={"required": required},
    )


class Quiet(forms.Form):
    """A form about a child: browsers keep nothing of it. Days that must be past know what day it is."""

    def __init__(self, *args: Any, today: date, **more: Any) -> None:
        super().__init__(*args, **more)
        for name in self.fields:
            field: Any = self.fields[name]
            field.widget.attrs["autocomplete"] = "off"
            if isinstance(field, DateField):
                field.today = today


class ChangeReturnForm(Quiet):
    """What may be said of an absence at any time."""

    last_on = DateField(
        label="What was the last day away?",
        noun="last day away",
        required=False,
        help_text="Leave this empty while the child is away.",
    )
    until_am = forms.BooleanField(label="The child was back for that afternoon", required=False)
    is_likely = choice(
        "Will the child be away for 15 school days or more?",
        YES_NO.items(),
        required="Select whether 15 school days are likely",
        hint="On end, or together in this school year. Say yes as soon as it is likely.",
        inline=True,
    )
    address = text("The child’s address", "The law asks for it.", required="Enter the child’s address")
    lives_in = LivesInField(help_text="It owes the child education. If it is not yours, yours tells it of this return.")
    work = text("What work is being sent home?", "Leave this empty if there is none yet.")
    expected_on = DateField(label="When is the child expected back?", noun="day the child is expected", required=False)
    category = choice(LABELS["category"], CATEGORIES.items(), hint="Do not write a diagnosis anywhere.")
    evidence = choice(LABELS["evidence"], EVIDENCE.items())
    has_plan = choice(LABELS["has_plan"], YES_NO.items(), inline=True)
    has_ehcp = choice(LABELS["has_ehcp"], YES_NO.items(), inline=True)
    family_view = text(LABELS["family_view"])
    wants_help = forms.BooleanField(label="We ask the authority to call us", required=False)

    needed: tuple[str, ...] = ("last_on", "until_am", "is_likely", "address", "lives_in", "work")
    """What is asked of everybody; the rest helps the authority to sort."""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        cleaned["is_likely"] = cleaned.get("is_likely") == "yes"
        if expected_on := cleaned.get("expected_on"):
            cleaned["expected_on"] = expected_on.isoformat()
        cleaned["wants_help"] = "yes" if cleaned.get("wants_help") else ""
        if cleaned.get("until_am") and not cleaned.get("last_on") and "last_on" not in self.errors:
            self.add_error("last_on", "Enter the last day away")
        cleaned["says"] = {name: cleaned.pop(name, "") or "" for name in LABELS}
        return cleaned

    @property
    def groups(self) -> list[list[Any]]:
        """The questions for everybody, and the others."""
        fields = [self[name] for name in self.fields]
        return [[each for each in fields if (each.name in self.needed) == is_needed] for is_needed in (True, False)]


class ReturnForm(ChangeReturnForm):
    first_on = DateField(label="What was the first day away?", noun="first day away")
    from_pm = forms.BooleanField(label="The child was at school that morning", required=False)

    needed = ("first_on", "from_pm", *ChangeReturnForm.needed)
    field_order = ["first_on", "from_pm"]


class CodesForm(Quiet):
    first_on = DateField(label="First day", noun="first day", when="past")
    last_on = DateField(label="Last day", noun="last day", when="past", help_text="The same day again for one day.")
    part = choice(
        "Which part of each day?",
        [(ALL_DAY, "All day"), (Session.AM.value, "Mornings"), (Session.PM.value, "Afternoons")],
        required="Select which part of the day",
    )
    code = forms.ChoiceField(
        label="Code",
        choices=[("", "Select a code"), *((code, f"{code}  {words}") for code, (_, words) in CODES.items())],
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        first, last = cleaned.get("first_on"), cleaned.get("last_on")
        if first and last and last < first:
            self.add_error("last_on", "Last day must be on or after the first day")
        elif first and last and (last - first).days >= MOST_DAYS:
            self.add_error("last_on", f"Last day must be less than {MOST_DAYS} days after the first day")
        return cleaned

    def slots(self) -> dict[Slot, str]:
        """The code of each session that the answers are about, weekends included."""
        data = self.cleaned_data
        days = (data["last_on"] - data["first_on"]).days + 1
        sessions = list(Session) if data["part"] == ALL_DAY else [Session(data["part"])]
        return {
            Slot(data["first_on"] + timedelta(days=number), session): data["code"]
            for number in range(days)
            for session in sessions
        }


class CodesFileForm(forms.Form):
    file = FileField(
        label="File of one child’s attendance",
        kinds=("CSV",),
        megabytes=1,
        help_text="From your own system, with the headings Date, AM and PM. A row for each day.",
    )


# -- the authority ---------------------------------------------------------------------------------------


def hours(label: str, required: str = "") -> forms.DecimalField:
    return forms.DecimalField(
        label=label,
        min_value=0,
        max_value=60,
        max_digits=4,
        decimal_places=1,
        required=bool(required),
        widget=forms.TextInput({"class": "govuk-input--width-3", "inputmode": "decimal"}),
        error_messages={
            "required": required,
            "invalid": "Enter a number of hours, like 12.5",
            "max_decimal_places": "Enter a number of hours, like 12.5",
        },
    )


NEXT_REVIEW = "When is the next review?"


class DecisionForm(Quiet):
    outcome = choice(
        "Does the authority arrange education for this child?",
        CaseEntry.Outcome.choices,
        required="Select what is decided",
        hint="No answer stops the clock. Only a first session does, or suitable education that is there already.",
    )
    decided_on = DateField(label="When was it decided?", noun="day of the decision", when="past")
    evidence = text(
        "What was seen?",
        "Name every letter, call and report. A consultant’s letter may not be the only evidence that counts.",
        required="Enter what was seen",
    )
    reasons = text("Why was it decided so?", rows=5, required="Enter the reasons")
    letter_on = DateField(
        label="When was the family told in writing?", noun="day of the letter", when="past", required=False
    )
    next_review_on = DateField(label=NEXT_REVIEW, noun="day of the next review")


class FirstSessionForm(Quiet):
    happened_on = DateField(label="When was the first session?", noun="day of the first session", when="past")
    hours = hours("How many hours a week?", "Enter the hours a week")
    why_not_full_time = text("Why is it fewer than full-time?", "Only if it is. Cost is no reason.")
    next_review_on = DateField(label=NEXT_REVIEW, noun="day of the next review")


class SuitableForm(Quiet):
    happened_on = DateField(label="Since when is it provided?", noun="day since when", when="past")
    reasons = text("What education is it, and why is it suitable?", rows=5, required="Enter what it is and why")
    evidence = text("What was seen?", required="Enter what was seen")
    next_review_on = DateField(label=NEXT_REVIEW, noun="day of the next review")


class ReviewForm(Quiet):
    happened_on = DateField(label="When was the review?", noun="day of the review", when="past")
    reasons = text("What did it find, and who took part?", rows=5, required="Enter what it found")
    hours = hours("How many hours a week from now on?")
    why_not_full_time = text("Why is it fewer than full-time?", "Only if it is. Cost is no reason.")
    next_review_on = DateField(
        label=NEXT_REVIEW, noun="day of the next review", required=False, help_text="Leave this empty for none."
    )


class EndedForm(Quiet):
    happened_on = DateField(label="When did the education stop?", noun="day it stopped", when="past")
    reasons = text("Why did it stop?", rows=4, required="Enter why it stopped")
