"""How long records are kept, as a form. What a period may be is the action's to say."""

from django import forms


class PeriodForm(forms.Form):
    years = forms.IntegerField(
        label="Years",
        widget=forms.NumberInput(attrs={"class": "govuk-input--width-3"}),
        error_messages={"required": "Enter a number of years", "invalid": "Enter a whole number, like 6"},
    )
