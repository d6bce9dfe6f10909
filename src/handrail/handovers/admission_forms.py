"""What is asked when a child has arrived unannounced, and of the home side then. Shape only: nothing here saves."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django import forms

from handrail.core.forms.choices import Radios
from handrail.core.forms.dates import DateField
from handrail.handovers.forms import PrepareForm
from handrail.handovers.homes import Home
from handrail.schools.models import Pupil

OFF = {"autocomplete": "off", "spellcheck": "false"}


class AdmitForm(forms.Form):
    """Who has arrived and where they come from. `found` are the schools that the last search gave."""

    name = forms.CharField(
        label="Full name",
        max_length=150,
        widget=forms.TextInput(OFF),
        error_messages={"required": "Enter the child’s full name"},
    )
    born_on = DateField(label="Date of birth", when="past", help_text="For example, 27 3 2016")
    admitted_on = DateField(label="When did the child arrive?", noun="day the child arrived", when="past")
    home = forms.CharField(
        label="The child’s school: its name or URN",
        max_length=100,
        required=False,
        widget=forms.TextInput(OFF),
        help_text="Anywhere in England.",
    )
    urn = forms.ChoiceField(label="Which school is it?", required=False, widget=Radios)
    authority = forms.ChoiceField(
        label="Or the authority where the child lives",
        required=False,
        help_text="If the child has no school, or you do not know it.",
        error_messages={"invalid_choice": "Select the authority from the list"},
    )

    def __init__(
        self, *args: Any, today: date, authorities: Sequence[Home], found: Sequence[Home] = (), **more: Any
    ) -> None:
        super().__init__(*args, **more)
        for name in ("born_on", "admitted_on"):
            field: Any = self.fields[name]
            field.today = today
        which: Any = self.fields["urn"]
        which.choices = [(each.urn, _in_words(each)) for each in found]
        lives: Any = self.fields["authority"]
        lives.choices = [("", "Choose")] + [(each.code, each.authority) for each in authorities]
        if not found:
            del self.fields["urn"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors and not cleaned.get("home") and not cleaned.get("authority"):
            self.add_error("home", "Enter the child’s school, or select the authority where the child lives")
        return cleaned


def _in_words(home: Home) -> str:
    return f"{home.school}{', ' + home.town if home.town else ''} ({home.authority}, URN {home.urn})"


class WhoForm(PrepareForm):
    """Which child of the school a notice is about, and what else is asked before a pack is written."""

    field_order = ("child", "is_same")

    def __init__(self, *args: Any, children: Sequence[Pupil], **more: Any) -> None:
        super().__init__(*args, **more)
        del self.fields["starts_on"], self.fields["is_urgent"]
        self.fields["child"] = forms.ChoiceField(
            label="Which child is it?",
            choices=[(str(each.id), f"{each.name}, born {each.born_on.day} {each.born_on:%B %Y}") for each in children],
            widget=Radios,
            error_messages={"required": "Select which child it is"},
        )
        self.fields["is_same"] = forms.BooleanField(
            label="The date of birth differs, and I have made sure that it is this child", required=False
        )
        self.order_fields(self.field_order)


class ToldForm(PrepareForm):
    """Whom a setting has told of an admission, and what else its home side, which has no Handrail, is asked for."""

    field_order = ("ring", "telephone", "told_on")

    def __init__(self, *args: Any, today: date, **more: Any) -> None:
        super().__init__(*args, **more)
        del self.fields["starts_on"], self.fields["is_urgent"]
        ring: Any = self.fields["ring"]
        ring.label, ring.error_messages["required"] = "Whom did you tell?", "Enter whom you told"
        ring.help_text = "Name, and what they are at the child’s school or authority."
        told_on: Any = DateField(label="On which day?", noun="day you told them", when="past")
        told_on.today = today
        self.fields["told_on"] = told_on
        roll: Any = self.fields["roll"]
        roll.help_text = ""
        self.order_fields(self.field_order)


class SchoolOfForm(forms.Form):
    urn = forms.RegexField(
        r"^[0-9]{6}$",
        label="URN of the child’s school",
        error_messages={"required": "Enter the school’s URN", "invalid": "A URN has six digits"},
    )
