"""Forms about records: shape only. What a period may be is the action's to say."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from handrail.core.forms.choices import Radios


class PeriodForm(forms.Form):
    years = forms.IntegerField(
        label="Years",
        widget=forms.NumberInput(attrs={"class": "govuk-input--width-3"}),
        error_messages={"required": "Enter a number of years", "invalid": "Enter a whole number, like 6"},
    )


class HoldForm(forms.Form):
    reason = forms.CharField(
        label="Why nothing may be deleted",
        help_text="For example a claim or a complaint. Do not write anything about the child's health.",
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=500,
        error_messages={"required": "Enter why nothing may be deleted"},
    )


class HandOverForm(forms.Form):
    """Who gets the file: asked where something in it must not reach the parents."""

    PARENTS, ALL = "parents", "all"
    who = forms.ChoiceField(
        label="Who will get the file?",
        choices=[
            (PARENTS, "A parent or carer, or somebody who may tell them"),
            (ALL, "The young person, or somebody who may know all of it"),
        ],
        widget=Radios,
        error_messages={"required": "Select who will get the file"},
    )


class EraseForm(forms.Form):
    """Asks for the child's name, so that nobody erases the wrong one."""

    name = forms.CharField(
        label="The child's full name",
        help_text="Type it as it stands above, to show that this is the right child.",
        error_messages={"required": "Enter the child's full name"},
    )

    def __init__(self, *args: Any, expected: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.expected = expected

    def clean_name(self) -> str:
        name = " ".join(self.cleaned_data["name"].split())
        if name.casefold() != self.expected.casefold():
            raise ValidationError("This is not the name of the child that you are about to erase")
        return name
