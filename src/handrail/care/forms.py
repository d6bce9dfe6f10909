"""The questions about medicines, kits and training. Shape only: nothing here saves."""

from datetime import date
from typing import Any

from django import forms

from handrail.care.expiry import TO_ACCEPT
from handrail.care.models import WEB_ADDRESS, Medicine, SpareKit, StaffTraining
from handrail.core.forms.choices import Checkboxes, Radios
from handrail.core.forms.dates import DateField

Procedure = StaffTraining.Procedure


class QuietForm(forms.Form):
    """A form of which a browser remembers nothing, and whose days know what day it is."""

    def __init__(self, *args: Any, today: date, **more: Any) -> None:
        super().__init__(*args, **more)
        for field in self.fields.values():
            field.widget.attrs["autocomplete"] = "off"
            if isinstance(field, DateField) and field.when:
                field.today = today


class MedicineForm(QuietForm):
    kind = forms.ChoiceField(
        label="What is it?",
        choices=Medicine.Kind.choices,
        widget=Radios(inline=True),
        error_messages={"required": "Select whether it is a medicine or a device"},
    )
    name = forms.CharField(
        label="Name",
        max_length=200,
        help_text="As on the label, with its strength.",
        error_messages={"required": "Enter the name of the medicine or device"},
    )
    dose = forms.CharField(
        label="How much, and when",
        max_length=1000,
        widget=forms.Textarea({"rows": 3}),
        help_text="Copy it from the label or the prescriber.",
        error_messages={"required": "Enter how much is given, and when"},
    )
    place = forms.CharField(
        label="Where is it kept?", max_length=200, error_messages={"required": "Enter where it is kept"}
    )
    given_by = forms.CharField(
        label="Who may give it?",
        max_length=500,
        widget=forms.Textarea({"rows": 2}),
        help_text="Names, or that the child takes it alone.",
        error_messages={"required": "Enter who may give it"},
    )
    expires_on = DateField(label="Expiry date", required=False, help_text="Leave this empty if it has none.")
    is_emergency = forms.BooleanField(label="It is needed in an emergency", required=False)
    is_locked = forms.BooleanField(label="It is locked away", required=False)
    is_prescribed = forms.BooleanField(label="It was prescribed for this child", required=False)
    is_controlled = forms.BooleanField(label="It is a controlled drug", required=False)
    received_on = DateField(label="When did it come?", noun="date it came", when="past")
    accepted = forms.MultipleChoiceField(
        label="What did you check when it came?",
        choices=list(TO_ACCEPT.items()),
        required=False,
        widget=Checkboxes,
        help_text="Take it in only if all of these are true.",
    )
    is_hidden_from_parents = forms.BooleanField(
        label="Parents must not be told of it: the young person agrees alone",
        required=False,
        help_text="Only if the prescriber found that the young person can decide this. It then needs no parent.",
    )
    consent_by = forms.CharField(
        label="Who agreed in writing?",
        max_length=150,
        required=False,
        help_text="A parent or carer, or that young person. Leave this empty if nobody has yet.",
    )
    consent_on = DateField(label="When did they agree?", noun="date of the agreement", when="past", required=False)
    log_url = forms.URLField(
        label="Where is each dose written down?",
        required=False,
        max_length=500,
        assume_scheme="https",
        help_text="A web address, if your school uses another system for it.",
        error_messages={"invalid": WEB_ADDRESS.message},
    )

    def clean_log_url(self) -> str:
        address: str = self.cleaned_data["log_url"]
        if address:
            WEB_ADDRESS(address)
        return address

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("consent_by") and not cleaned.get("consent_on") and "consent_on" not in self.errors:
            self.add_error("consent_on", "Enter the date of the agreement")
        if cleaned.get("consent_on") and not cleaned.get("consent_by"):
            self.add_error("consent_by", "Enter who agreed")
        cleaned["consent_by"] = cleaned.get("consent_by") or None
        cleaned["log_url"] = cleaned.get("log_url") or None
        return cleaned


class ReturnForm(QuietForm):
    gone = forms.ChoiceField(
        label="Where did it go?",
        choices=Medicine.Gone.choices,
        widget=Radios,
        error_messages={"required": "Select where it went"},
    )
    returned_on = DateField(label="When?", noun="date it went", when="past")


class KitForm(QuietForm):
    kind = forms.ChoiceField(
        label="What is in it?",
        choices=SpareKit.Kind.choices,
        widget=Radios,
        error_messages={"required": "Select what is in the kit"},
    )
    place = forms.CharField(
        label="Where is it kept?",
        max_length=150,
        help_text="Easy to reach and not locked. For example, dining hall, by the door.",
        error_messages={"required": "Enter where it is kept"},
    )
    expires_on = DateField(label="Expiry date", help_text="The earliest on anything in the kit.")
    batch = forms.CharField(label="Batch number", max_length=50, required=False)
    holder = forms.CharField(label="Who looks after it?", max_length=150, required=False)


class CheckForm(QuietForm):
    is_complete = forms.ChoiceField(
        label="Is everything there and in date?",
        choices=[("yes", "Yes"), ("no", "No")],
        widget=Radios(reveals={"no": "missing"}),
        error_messages={"required": "Select whether everything is there and in date"},
    )
    missing = forms.CharField(label="What is missing or out of date?", max_length=300, required=False)

    def clean_is_complete(self) -> bool:
        return bool(self.cleaned_data["is_complete"] == "yes")


class TrainingForm(QuietForm):
    person = forms.CharField(
        label="Who was trained?", max_length=150, error_messages={"required": "Enter who was trained"}
    )
    procedure = forms.ChoiceField(
        label="In what?",
        choices=Procedure.choices,
        widget=Radios(reveals={Procedure.OTHER: "procedure_note"}),
        error_messages={"required": "Select what the training was in"},
    )
    procedure_note = forms.CharField(label="What was it?", max_length=200, required=False)
    trained_on = DateField(label="When?", noun="date of the training", when="past")
    expires_on = DateField(
        label="When does it run out?",
        noun="date it runs out",
        required=False,
        help_text="Leave this empty for a year. Give a day if the trainer said it is sooner.",
    )
    trainer = forms.CharField(
        label="Who gave the training?", max_length=150, error_messages={"required": "Enter who gave the training"}
    )
    trainer_profession = forms.CharField(
        label="What is their profession?", max_length=100, required=False, help_text="For example, specialist nurse."
    )
    confirmed_by = forms.CharField(
        label="Who found that the person can do it?",
        max_length=150,
        required=False,
        help_text="The training counts only once somebody has.",
    )
    is_cover = forms.BooleanField(label="This person stands in when the other is away", required=False)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("procedure") != Procedure.OTHER:
            cleaned["procedure_note"] = ""
        elif not cleaned.get("procedure_note"):
            self.add_error("procedure_note", "Enter what the training was in")
        return cleaned
