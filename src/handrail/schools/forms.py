"""What people say about a school and its children. Shape only: nothing here saves."""

from datetime import date
from typing import Any

from django import forms

from handrail.accounts.forms import AddressField
from handrail.core.forms.dates import DateField
from handrail.schools import upn
from handrail.schools.authorities import to_choose
from handrail.schools.phone import NotAPhoneNumber, plain_phone


class ContactsForm(forms.Form):
    office_email = forms.EmailField(
        label="School office’s e-mail address", required=False, help_text="An address that several people read."
    )
    lead_name = forms.CharField(
        label="Lead’s name",
        max_length=150,
        required=False,
        help_text="Leads on medical conditions at the school, and gets the reminders.",
    )
    lead_email = forms.EmailField(label="Lead’s e-mail address", required=False)
    head_name = forms.CharField(
        label="Headteacher’s name",
        max_length=150,
        required=False,
        help_text="Gets a copy when something has been overdue for a while.",
    )
    head_email = forms.EmailField(label="Headteacher’s e-mail address", required=False)


class LivesInField(forms.ChoiceField):
    """In which authority a child lives. Nothing is chosen before somebody has said it."""

    def __init__(self, **more: Any) -> None:
        more.setdefault("help_text", "Ask the family if you are not sure. It may be another than the school’s.")
        super().__init__(
            label="Which authority does the child live in?",
            choices=to_choose,
            error_messages={
                "required": "Select the authority where the child lives",
                "invalid_choice": "Select the authority from the list",
            },
            **more,
        )


class FindForm(forms.Form):
    letters = forms.CharField(
        label="Find a child",
        help_text="The first two letters of a first name, a surname or what the child is known as.",
        min_length=2,
        max_length=100,
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}),
        error_messages={
            "required": "Enter the first two letters of a name",
            "min_length": "Enter at least the first two letters of a name",
        },
    )


class ChildForm(forms.Form):
    name = forms.CharField(
        label="Full name", max_length=150, error_messages={"required": "Enter the child’s full name"}
    )
    known_as = forms.CharField(
        label="Known as", max_length=150, required=False, help_text="If the child is called something else."
    )
    born_on = DateField(label="Date of birth", when="past", help_text="For example, 27 3 2016")
    year_group = forms.CharField(label="Year group", max_length=20, required=False)
    class_name = forms.CharField(label="Class", max_length=50, required=False)
    upn = forms.CharField(
        label="Unique pupil number (UPN)",
        max_length=50,
        required=False,
        help_text="A letter and 12 numbers. Leave this empty if you do not have it.",
    )
    joined_on = DateField(label="When did the child join the school?", noun="date the child joined")

    def __init__(self, *args: Any, today: date, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["born_on"].today = today  # type: ignore[attr-defined]
        for field in self.fields.values():
            field.widget.attrs["autocomplete"] = "off"

    def clean_upn(self) -> str:
        typed = self.cleaned_data["upn"]
        if not typed:
            return ""
        try:
            found = upn.read(typed)
        except upn.NotAUpn as error:
            raise forms.ValidationError(str(error)) from None
        self.warning = found.warning
        return found.text

    warning = ""
    """What was taken but should be looked at again."""


class LeftForm(forms.Form):
    left_on = DateField(
        label="When did the child leave?",
        noun="date the child left",
        help_text="The first day on which they are no longer at the school.",
    )


PLACES = ("First", "Second", "Third", "Fourth", "Fifth", "Sixth", "Seventh", "Eighth", "Ninth", "Tenth")


class ChildContactForm(forms.Form):
    """Somebody to ask about a child; `places` is in how many places they may stand among those to try."""

    name = forms.CharField(
        label="Full name", max_length=150, error_messages={"required": "Enter the contact’s full name"}
    )
    relation = forms.CharField(
        label="Relation to the child", max_length=50, required=False, help_text="For example, mother or foster carer."
    )
    phone = forms.CharField(
        label="Phone number", max_length=50, required=False, widget=forms.TextInput({"type": "tel"})
    )
    email = AddressField(required=False)
    has_parental_responsibility = forms.BooleanField(
        label="Has parental responsibility",
        required=False,
        help_text="Only somebody who has it may agree to a plan for the child.",
    )
    place = forms.TypedChoiceField(label="When to try them", coerce=int)

    def __init__(self, *args: Any, places: int, **more: Any) -> None:
        super().__init__(*args, **more)
        choices = [(number, _place(number)) for number in range(1, places + 1)]
        place: Any = self.fields["place"]
        place.choices = choices
        for field in self.fields.values():
            field.widget.attrs["autocomplete"] = "off"

    def clean_phone(self) -> str:
        typed: str = self.cleaned_data["phone"]
        try:
            return plain_phone(typed) if typed else ""
        except NotAPhoneNumber as refusal:
            raise forms.ValidationError(str(refusal)) from None


def _place(number: int) -> str:
    return PLACES[number - 1] if number <= len(PLACES) else f"Number {number}"
