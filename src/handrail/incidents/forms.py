"""The questions about an incident. Shape only: nothing here saves."""

from datetime import date, datetime, time
from typing import Any

from django import forms

from handrail.core.calendar import LONDON
from handrail.core.forms.choices import Radios
from handrail.core.forms.dates import DateField
from handrail.incidents.models import Harm, Kind

TIMES = ["%H:%M", "%H.%M", "%H%M", "%I:%M%p", "%I.%M%p", "%I%p", "%I:%M %p", "%I %p"]


class ClockField(forms.TimeField):
    """A time of day, as people type it: 13:05, 1:05pm or 1pm."""

    def __init__(self, **more: Any) -> None:
        messages = {"invalid": "Enter a time in the correct format, like 1:05pm"}
        super().__init__(
            input_formats=TIMES,
            widget=forms.TextInput({"class": "govuk-input--width-5"}),
            error_messages=messages | more.pop("error_messages", {}),
            **more,
        )


def moment(day: date | None, clock: time | None) -> datetime | None:
    """A day and a time in England."""
    return datetime.combine(day, clock, LONDON) if day and clock else None


class LaterForm(forms.Form):
    """What is often known only later."""

    told_on = DateField(label="When were the parents told?", noun="day the parents were told", required=False)
    told_clock = ClockField(label="At what time were they told?", required=False)
    what_is_learnt = forms.CharField(
        label="What will you do otherwise from now on?",
        max_length=4000,
        required=False,
        widget=forms.Textarea({"rows": 4}),
        help_text="You can add this later.",
    )

    def __init__(self, *args: Any, today: date, **more: Any) -> None:
        super().__init__(*args, **more)
        for field in self.fields.values():
            field.widget.attrs["autocomplete"] = "off"
            if isinstance(field, DateField):
                field.when, field.today = "past", today

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        day, clock = cleaned.pop("told_on", None), cleaned.pop("told_clock", None)
        if day and not clock and "told_clock" not in self.errors:
            self.add_error("told_clock", "Enter the time at which they were told")
        if clock and not day and "told_on" not in self.errors:
            self.add_error("told_on", "Enter the day the parents were told")
        cleaned["parents_told_at"] = moment(day, clock)
        return cleaned


class IncidentForm(LaterForm):
    kind = forms.ChoiceField(
        label="What was it?", choices=Kind.choices, widget=Radios, error_messages={"required": "Select what it was"}
    )
    harm = forms.ChoiceField(
        label="How serious was it?",
        choices=Harm.choices,
        widget=Radios,
        error_messages={"required": "Select how serious it was"},
    )
    happened_on = DateField(label="When did it happen?", noun="day it happened")
    happened_clock = ClockField(
        label="At what time?", help_text="For example, 1:05pm.", error_messages={"required": "Enter the time"}
    )
    place = forms.CharField(label="Where?", max_length=150, error_messages={"required": "Enter where it happened"})
    what_happened = forms.CharField(
        label="What happened?",
        max_length=4000,
        widget=forms.Textarea({"rows": 5}),
        error_messages={"required": "Enter what happened"},
    )
    what_was_done = forms.CharField(
        label="What was done?",
        max_length=4000,
        widget=forms.Textarea({"rows": 4}),
        error_messages={"required": "Enter what was done"},
    )
    is_999_called = forms.BooleanField(label="999 was called", required=False)

    field_order = [
        "kind", "harm", "happened_on", "happened_clock", "place", "what_happened", "what_was_done", "is_999_called",
    ]  # fmt: skip

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        cleaned["happened_at"] = moment(cleaned.pop("happened_on", None), cleaned.pop("happened_clock", None))
        return cleaned
