"""The dates of a term as a form. What they may be is the action's to say."""

import re
from datetime import date, datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from handrail.core.forms.dates import DateField


class DaysField(forms.CharField):
    """Days, one on each line, written like 4/1/2027."""

    widget = forms.Textarea({"rows": 4, "class": "govuk-input--width-10"})

    def clean(self, value: Any) -> list[date]:
        typed = [line.strip() for line in str(super().clean(value)).splitlines() if line.strip()]
        return [self._day(line) for line in typed]

    def _day(self, line: str) -> date:
        try:
            return datetime.strptime(re.sub(r"[-. ]+", "/", line), "%d/%m/%Y").date()
        except ValueError:
            raise ValidationError("Enter each day on a line of its own, like 4/1/2027") from None

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(f"{day.day}/{day.month}/{day.year}" for day in value) if isinstance(value, list) else value


class TermForm(forms.Form):
    first_on = DateField(label="First day of term", help_text="The first day for children.")
    last_on = DateField(label="Last day of term")
    half_from_on = DateField(label="First day of half-term", required=False, help_text="The first day of the holiday.")
    half_to_on = DateField(label="Last day of half-term", required=False)
    closed_on = DaysField(
        label="Training days of all schools",
        required=False,
        help_text="Days in the term on which no children come, one on each line, like 4/1/2027.",
    )
