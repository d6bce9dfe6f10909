"""Forms of links to a plan: the school's, and those of people without an account."""

from datetime import date
from typing import Any

from django import forms
from django.db.models import QuerySet

from handrail.core.forms.choices import Radios
from handrail.core.forms.dates import DateField
from handrail.plans.content import LONGEST
from handrail.plans.plan_forms import PrivateForm
from handrail.schools.models import Contact

EXAMPLE = "For example, 27 3 2016"


class LinkForm(PrivateForm):
    """To whom of the contacts with an e-mail address."""

    contact = forms.ModelChoiceField(
        queryset=Contact.objects.none(),
        label="Who is the link for?",
        widget=Radios,
        empty_label=None,
        error_messages={
            "required": "Select who the link is for",
            "invalid_choice": "Select one of the child’s contacts with an e-mail address",
        },
    )
    is_health_professional = forms.BooleanField(
        label="They are a health professional who looks after the child",
        required=False,
        help_text="Tick this for somebody without parental responsibility. Nobody else may get a link.",
    )

    def __init__(self, *args: Any, contacts: QuerySet[Contact], **more: Any) -> None:
        super().__init__(*args, **more)
        contact: Any = self.fields["contact"]
        contact.queryset = contacts
        contact.label_from_instance = _described
        contact.widget.hints = {
            str(each.id): f"{each.email}. "
            + ("Has parental responsibility." if each.has_parental_responsibility else "No parental responsibility.")
            for each in contacts
        }

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        contact = cleaned.get("contact")
        if contact and not contact.has_parental_responsibility and not cleaned.get("is_health_professional"):
            self.add_error(
                "is_health_professional", "Tick this if they are a health professional, or select somebody else"
            )
        return cleaned


def _described(contact: Contact) -> str:
    return f"{contact.name}, {contact.relation}" if contact.relation else contact.name


class AnswerForm(PrivateForm):
    words = forms.CharField(
        label="Your answer",
        max_length=LONGEST,
        widget=forms.Textarea({"rows": 4}),
        help_text="They get a message that there is an answer, and read it here.",
        error_messages={"required": "Enter your answer"},
    )


class WhoForm(PrivateForm):
    """What only the person whom the link is for has and knows."""

    code = forms.RegexField(
        r"^[0-9]{6}$",
        label="Code",
        help_text="The 6 numbers in our newest message. It can take a minute to arrive.",
        widget=forms.TextInput({"inputmode": "numeric", "class": "govuk-input--width-10"}),
        error_messages={"required": "Enter the code", "invalid": "Code must be 6 numbers"},
    )
    born_on = DateField(label="The child’s date of birth", noun="date of birth", when="past", help_text=EXAMPLE)

    def __init__(self, *args: Any, today: date, **more: Any) -> None:
        if args:
            typed = args[0].copy()
            typed["code"] = "".join(typed.get("code", "").split())
            args = (typed, *args[1:])
        super().__init__(*args, **more)
        self.fields["code"].widget.attrs["autocomplete"] = "one-time-code"
        born_on: Any = self.fields["born_on"]
        born_on.today = today


class SayForm(PrivateForm):
    """What somebody thinks of the plan that they have read."""

    AGREE, CHANGE, COMMENT = "agree", "change", "comment"
    IS_AGREED = {AGREE: True, CHANGE: False, COMMENT: None}
    answer = forms.ChoiceField(
        label="What do you want to tell the school?",
        choices=[
            (AGREE, "I agree with this plan"),
            (CHANGE, "I want something changed"),
            (COMMENT, "I only want to say or ask something"),
        ],
        widget=Radios,
        error_messages={"required": "Select what you want to tell the school"},
    )
    words = forms.CharField(
        label="In your own words",
        max_length=LONGEST,
        required=False,
        widget=forms.Textarea({"rows": 5}),
        help_text="If you want something changed, say what and why. If you agree, you can leave this empty.",
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        answer = cleaned.get("answer")
        if answer in (self.CHANGE, self.COMMENT) and not cleaned.get("words") and "words" not in self.errors:
            is_change = answer == self.CHANGE
            self.add_error("words", "Enter what should change" if is_change else "Enter what you want to say or ask")
        return cleaned
