"""The questions of a return, and those about returns. Shape only: nothing here saves."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django import forms

from handrail.core.forms.choices import Checkboxes, Radios
from handrail.core.forms.dates import DateField
from handrail.core.forms.files import FileField
from handrail.guidance.frameworks import Framework
from handrail.policies.forms import AddressField
from handrail.returns.models import Verdict
from handrail.returns.questions import TYPED, Point, as_typed
from handrail.returns.rules import CRITERIA, Colour
from handrail.returns.standing import Progress
from handrail.schools.terms import year_in_words


class AnswerForm(forms.Form):
    """What a school says to one point. It may be left open, and answered later. `shown` is what the page showed of it:
    see `Point.shown`.
    """

    verdict = forms.ChoiceField(choices=Verdict.choices, widget=Radios, required=False)
    reason = forms.CharField(
        label="Reason",
        max_length=2000,
        required=False,
        widget=forms.Textarea({"rows": 3}),
        help_text="Why you depart from it, or why it does not apply. Do not name a child.",
    )
    evidence = forms.CharField(
        label="What shows it",
        max_length=2000,
        required=False,
        widget=forms.Textarea({"rows": 3}),
        help_text="Do not name a child.",
    )
    evidence_page = forms.CharField(
        label="Page of the policy",
        max_length=50,
        required=False,
        widget=forms.TextInput({"class": "govuk-input--width-5"}),
    )
    evidence_url = AddressField()
    shown = forms.Field(widget=forms.HiddenInput, required=False)

    def __init__(self, data: Any = None, *, point: Point) -> None:
        said = point.answer.content if point.answer else {}
        super().__init__(data, prefix=point.requirement.id, initial={**said, "shown": point.shown})
        self.point = point
        self.is_asked_again = False
        verdict, evidence, address = self.fields["verdict"], self.fields["evidence"], self.fields["evidence_url"]
        verdict.label, verdict.help_text = point.requirement.says, f"{point.strength}. {point.requirement.source}."
        if point.requirement.evidence:
            evidence.help_text = f"For example: {point.requirement.evidence}. Do not name a child."
        address.help_text = "The page or file on your website."

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        said = [name for name in TYPED if name != "verdict" and cleaned.get(name)]
        if said and not cleaned.get("verdict") and "verdict" not in self.errors:
            self.add_error("verdict", f"Select an answer to “{self.point.requirement.says}”")
        if cleaned.get("verdict") == Verdict.NOT_APPLICABLE and not cleaned.get("reason", "").strip():
            self.add_error("reason", "Enter why this does not apply to you")
        return cleaned

    @property
    def is_opened(self) -> bool:
        """Whether the boxes below the answer are shown from the start: they hold something, or something is wrong."""
        said = [name for name in TYPED if name != "verdict" and self[name].value()]
        return bool(said or self.point.file_id) or any(name != "verdict" for name in self.errors)

    @classmethod
    def is_in(cls, sent: Any, requirement_id: str) -> bool:
        """Whether a page that was sent had this point on it."""
        return any(f"{requirement_id}-{name}" in sent for name in cls.base_fields)

    @property
    def typed(self) -> dict[str, Any]:
        """What was typed, by field, once it is valid."""
        return {name: self.cleaned_data[name] for name in TYPED}

    @property
    def is_changed(self) -> bool:
        """Whether anything was typed that the page did not show."""
        seen = str(self["shown"].value() or "")
        return seen.partition("-")[2] != as_typed({name: self[name].value() for name in TYPED})

    def ask_again(self, why: str) -> None:
        """Keep what was typed, beside what is asked and answered now."""
        self.is_asked_again = True
        sent: Any = self.data
        self.data = sent = sent.copy()
        sent[self.add_prefix("shown")] = self.point.shown
        self.add_error("verdict", why)


class EvidenceFileForm(forms.Form):
    document = FileField(
        label="Select a file", help_text="A PDF, DOCX or ODT file, up to 10MB. It must not name or show a child."
    )


class DatesForm(forms.Form):
    due_on = DateField(label="When is it due?", noun="day it is due", when="future", help_text="For example, 31 1 2027")
    closes_on = DateField(
        label="When does it close?",
        noun="day it closes",
        when="future",
        help_text="From this day on, nothing can be submitted any more.",
    )

    def __init__(self, *args: Any, today: date, **more: Any) -> None:
        super().__init__(*args, **more)
        for name in ("due_on", "closes_on"):
            field: Any = self.fields[name]
            field.today, field.kept = today, self.initial.get(name)


class CycleForm(DatesForm):
    school_year = forms.TypedChoiceField(
        label="Which school year?", coerce=int, widget=Radios, error_messages={"required": "Select the school year"}
    )
    framework_ids = forms.MultipleChoiceField(
        label="What does it ask about?",
        widget=Checkboxes,
        error_messages={"required": "Select what the return asks about"},
    )

    field_order = ["school_year", "framework_ids", "due_on", "closes_on"]

    def __init__(self, *args: Any, this_year: int, frameworks: Sequence[Framework], **more: Any) -> None:
        super().__init__(*args, **more)
        year: Any = self.fields["school_year"]
        year.choices = [(each, year_in_words(each)) for each in (this_year, this_year + 1)]
        asked: Any = self.fields["framework_ids"]
        asked.choices = [(each.id, f"{each.title}, {each.version}") for each in frameworks]
        asked.widget.hints = {each.id: each.status_in_words for each in frameworks}
        if CRITERIA in asked.widget.hints:
            of_no_law = "No school has to meet these points. The page “On the 2017 criteria” counts the answers"
            asked.widget.hints[CRITERIA] += f". {of_no_law}"


class AssessmentForm(forms.Form):
    verdict = forms.ChoiceField(
        label="What did you find?",
        choices=Verdict.choices,
        widget=Radios,
        error_messages={"required": "Select what you found"},
    )
    note = forms.CharField(
        label="What did you look at?",
        max_length=2000,
        widget=forms.Textarea({"rows": 4}),
        help_text="The school reads this. Do not name a child.",
        error_messages={"required": "Enter what you looked at"},
    )


class PlannedActionForm(forms.Form):
    what = forms.CharField(
        label="What will be done?",
        max_length=500,
        widget=forms.Textarea({"rows": 3}),
        help_text="The authority reads this. Do not name a child.",
        error_messages={"required": "Enter what will be done"},
    )
    owner_name = forms.CharField(
        label="Who sees to it?", max_length=150, error_messages={"required": "Enter who sees to it"}
    )
    owner_email = forms.EmailField(
        label="Their e-mail address",
        widget=forms.EmailInput({"autocomplete": "off", "spellcheck": "false"}),
        help_text="We remind them before the day and after it.",
        error_messages={
            "required": "Enter their e-mail address",
            "invalid": "Enter an e-mail address like name@school.example",
        },
    )
    due_on = DateField(label="By when?", noun="day it is to be done by", when="future")

    def __init__(self, *args: Any, today: date, **more: Any) -> None:
        super().__init__(*args, **more)
        due: Any = self.fields["due_on"]
        due.today = today


class ChangePlannedActionForm(PlannedActionForm):
    """One that may be past its day, and may be done."""

    due_on = DateField(label="By when?", noun="day it is to be done by")
    done_on = DateField(
        label="When was it done?",
        noun="day it was done",
        when="past",
        required=False,
        help_text="Leave this empty until it is.",
    )

    def __init__(self, *args: Any, today: date, **more: Any) -> None:
        super().__init__(*args, today=today, **more)
        done: Any = self.fields["done_on"]
        done.today = today


REOPENED, UNPLANNED = "reopened", "unplanned"
SAMPLES = [("", "No"), *((str(size), f"{size} at random") for size in (5, 10, 25, 50))]


class BoardFilters(forms.Form):
    q = forms.CharField(label="School or URN", required=False, max_length=100)
    colour = forms.ChoiceField(
        label="Colour", required=False, choices=[("", "All"), *((each.value, each.label) for each in Colour)]
    )
    progress = forms.ChoiceField(
        label="Return",
        required=False,
        choices=[
            ("", "All"),
            *Progress.choices,
            (REOPENED, "Guidance changed since"),
            (UNPLANNED, "Gaps without an action"),
        ],
    )
    sample = forms.ChoiceField(label="Sample of those returned", required=False, choices=SAMPLES)
