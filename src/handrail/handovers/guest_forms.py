"""What is asked about guest pages, of the home side and of the guest. Shape only: nothing here saves."""

from typing import Any

from django import forms

from handrail.core.forms.choices import Radios
from handrail.core.forms.dates import DateField
from handrail.handovers import pack


class GuestForm(forms.Form):
    name = forms.CharField(
        label="Whom is it for?",
        max_length=150,
        help_text="One named person at the setting.",
        error_messages={"required": "Enter the name of the person"},
    )
    email = forms.EmailField(
        label="Their e-mail address at work", error_messages={"required": "Enter their e-mail address"}
    )
    is_checked = forms.BooleanField(
        label="I have rung the setting on a number that we knew, and checked the person and the address",
        error_messages={"required": "Ring the setting first, and check the person and the address"},
    )


class AnswerForm(forms.Form):
    """The setting's answer to a pack, on one page."""

    answer = forms.ChoiceField(
        label="What is your answer?",
        choices=[
            ("accept", "We take the child"),
            ("ask_for_more", "We need to know more"),
            ("decline", "We cannot take the child"),
        ],
        widget=Radios,
        error_messages={"required": "Select your answer"},
    )
    starts_on = DateField(label="First day, if you take the child", noun="first day", required=False)
    hours = forms.CharField(label="How many hours a week, and where?", max_length=500, required=False)
    reason = forms.CharField(
        label="What else do you need, or why can you not take the child?",
        max_length=pack.LONGEST,
        required=False,
        widget=forms.Textarea({"rows": 3}),
    )
    next = forms.CharField(
        label="If you cannot: who acts next, and what could be done instead?",
        max_length=pack.LONGEST,
        required=False,
        widget=forms.Textarea({"rows": 2}),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        answer = cleaned.get("answer")
        if answer in ("ask_for_more", "decline") and not cleaned.get("reason"):
            self.add_error("reason", "Say what you need, or why you cannot take the child")
        if answer == "decline" and not cleaned.get("next"):
            self.add_error("next", "Say who acts next, and what could be done instead")
        return cleaned

    @property
    def said(self) -> dict[str, str]:
        wanted = ("hours",) if self.cleaned_data["answer"] == "accept" else ("reason", "next")
        return {name: self.cleaned_data[name] for name in wanted if self.cleaned_data.get(name)}
