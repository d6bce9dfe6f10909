"""The questions about handovers. Shape only: nothing here saves."""

from datetime import date
from typing import Any

from django import forms

from handrail.core.forms.choices import Radios
from handrail.core.forms.dates import DateField
from handrail.handovers import pack
from handrail.handovers.models import Handover, Setting
from handrail.schools.forms import LivesInField


class SearchForm(forms.Form):
    q = forms.CharField(label="Name or URN of the hospital school or provision", max_length=100, min_length=3)


ON_A_ROLL = [each for each in Handover.Roll.choices if each[0] != Handover.Roll.SOLE]
"""For a child who has a school: nothing here may take them off its roll."""


class PrepareForm(forms.Form):
    home_authority = LivesInField()
    roll = forms.ChoiceField(
        label="Whose roll is the child on while there?",
        choices=ON_A_ROLL,
        widget=Radios,
        initial=Handover.Roll.GUEST,
        help_text="A handover never takes a child off your roll.",
        error_messages={"required": "Select whose roll the child is on"},
    )
    starts_on = DateField(label="First day there, if known", noun="first day", required=False)
    is_urgent = forms.BooleanField(
        label="It is urgent: the child is there already, or will be tomorrow", required=False
    )
    ring = forms.CharField(
        label="Whom can they ring at your school?",
        max_length=150,
        error_messages={"required": "Enter whom they can ring"},
    )
    telephone = forms.CharField(
        label="Telephone number",
        max_length=30,
        widget=forms.TextInput({"inputmode": "tel"}),
        error_messages={"required": "Enter a telephone number"},
    )

    def __init__(self, *args: Any, has_school: bool = True, **more: Any) -> None:
        super().__init__(*args, **more)
        if not has_school:
            roll: Any = self.fields["roll"]
            roll.choices, roll.initial = [(Handover.Roll.SOLE.value, Handover.Roll.SOLE.label)], Handover.Roll.SOLE


class PackForm(forms.Form):
    """What is asked for the pack, in the order of its items. Nothing is required here: the page shows the gaps."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        for item in pack.ASKED:
            if item.choices:
                field: Any = forms.ChoiceField(choices=item.choices, widget=Radios)
            else:
                field = forms.CharField(max_length=pack.LONGEST, widget=forms.Textarea({"rows": 3}))
            field.label, field.required = item.label, False
            field.help_text = item.help_text
            field.widget.attrs["autocomplete"] = "off"
            self.fields[item.name] = field


class SettingForm(forms.Form):
    urn = forms.CharField(
        label="URN", max_length=6, required=False, help_text="Six digits. Leave it empty if it is not a school."
    )
    name = forms.CharField(label="Name, if it has no URN", max_length=200, required=False)
    kind = forms.ChoiceField(
        label="What is it?",
        choices=Setting.Kind.choices,
        widget=Radios,
        error_messages={"required": "Select what it is"},
    )
    ring = forms.CharField(label="Whom to ring", max_length=150, required=False)
    telephone = forms.CharField(
        label="Telephone number", max_length=30, required=False, widget=forms.TextInput({"inputmode": "tel"})
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not cleaned.get("urn") and not cleaned.get("name"):
            self.add_error("urn", "Enter its URN, or its name if it has none")
        return cleaned


class ByHandForm(forms.Form):
    """That the other side was told by hand of what cannot be sent."""

    told = forms.CharField(
        label="Whom have you told, and what did they say?",
        max_length=300,
        help_text="Name and telephone. Nothing about this child goes there through Handrail afterwards.",
        widget=forms.Textarea({"rows": 3, "autocomplete": "off"}),
        error_messages={"required": "Enter whom you have told"},
    )


class FollowUpForm(forms.Form):
    says = forms.CharField(
        label="What happens next, and who does it?",
        max_length=pack.LONGEST,
        widget=forms.Textarea({"rows": 4, "autocomplete": "off"}),
        error_messages={"required": "Enter what happens next, and who does it"},
    )


class ToldReturnForm(forms.Form):
    """That another authority was told of a sickness return by hand."""

    whom = forms.CharField(
        label="Whom did you tell?",
        max_length=150,
        help_text="Name, and what they are there.",
        widget=forms.TextInput({"autocomplete": "off"}),
        error_messages={"required": "Enter whom you told"},
    )
    how = forms.ChoiceField(
        label="How did you tell them?",
        choices=[(words, words) for words in ("By telephone", "By secure e-mail", "On a form of theirs", "By letter")],
        widget=Radios,
        error_messages={"required": "Select how you told them"},
    )
    told_on = DateField(label="On which day?", noun="day you told them", when="past")

    def __init__(self, *args: Any, today: date, **more: Any) -> None:
        super().__init__(*args, **more)
        field: Any = self.fields["told_on"]
        field.today = today
