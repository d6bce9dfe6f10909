"""The settings as a form. What a value may be is the action's to say."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from handrail.core.forms.choices import Checkboxes, Radios
from handrail.core.models import AuthoritySettings, Cadence
from handrail.handovers.models import Setting

KINDS_OF_SCHOOL = [(each.value, each.label) for each in Setting.Kind if each != Setting.Kind.UNREGISTERED]
"""The kinds of setting that may be schools. Only a school is asked for sickness returns at all."""


def number(label: str, hint: str = "") -> forms.IntegerField:
    wrong = {"required": "Enter a number", "invalid": "Enter a whole number, like 14"}
    widget = forms.NumberInput(attrs={"class": "govuk-input--width-3"})
    return forms.IntegerField(label=label, help_text=hint, widget=widget, error_messages=wrong)


class DaysField(forms.CharField):
    """Whole numbers with commas or spaces between them. Gives each once, the largest first."""

    def clean(self, value: Any) -> list[int]:
        typed = re.split(r"[\s,;]+", super().clean(value))
        try:
            return sorted({int(each) for each in typed if each}, reverse=True)
        except ValueError:
            raise ValidationError("Enter whole numbers with commas between them, like 60, 30, 14, 0") from None

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(str(each) for each in value) if isinstance(value, list) else value


class SettingsForm(forms.Form):
    due_soon_days = number("Days that count as due soon", "Before the next review is due.")
    review_months = number(
        "Months from one review to the next",
        "An allergy safety policy never gets more than 12. A school may choose an earlier date.",
    )
    reminder_days_before = DaysField(
        label="Days before a due date to remind",
        help_text="With commas between them. 0 is the day itself.",
        widget=forms.TextInput(attrs={"class": "govuk-input--width-20"}),
        error_messages={"required": "Enter the days to remind on, like 60, 30, 14, 0"},
    )
    overdue_every_days = number("Days between reminders once overdue")
    unrecorded_every_months = number("Months between reminders when nothing was ever recorded")
    copy_head_after_days = number("Days overdue before the head teacher gets a copy")
    has_quiet_hours = forms.BooleanField(
        label="Send reminders on weekdays from 8am to 6pm only", help_text="Not on bank holidays.", required=False
    )
    brand_colour = forms.CharField(
        label="Colour of the bar at the top",
        help_text="For example #0d5257. White words stand on it, so it must be dark. Empty means Handrail's own.",
        widget=forms.TextInput(attrs={"class": "govuk-input--width-10", "spellcheck": "false"}),
        required=False,
        max_length=7,
    )
    contact_email = forms.EmailField(
        label="E-mail address for help",
        help_text="Shown to everybody on the help page. Use a shared address, not a person's own.",
        required=False,
        error_messages={"invalid": "Enter an e-mail address in the right form, like name@example.com"},
    )

    return_cadence = forms.ChoiceField(
        label="How often schools send sickness returns", choices=Cadence.choices, widget=Radios
    )
    settings_not_asked = forms.MultipleChoiceField(
        label="Settings that you do not ask for sickness returns",
        choices=KINDS_OF_SCHOOL,
        required=False,
        widget=Checkboxes,
        help_text="By law a school tells you of each pupil of compulsory school age whom illness will probably keep "
        "away for 15 school days. What that means where all the pupils are ill is yours to decide. A setting that you "
        "do not ask gets no reminders and is never shown as silent. It may still report a child.",
    )
    absence_near_days = number("School days away before the named officer is told", "Fewer than the next number.")
    absence_trigger_days = number(
        "School days away that start the section 19 clock",
        "On end or together in the school year. 15 at most: statutory guidance says so.",
    )
    section_19_overdue_days = number("School days from then until a case is overdue")
    section_19_review_weeks = number("Weeks from one review of education to the next")
    handover_review_weeks = number(
        "Weeks from one review of a placement at a hospital school to the next",
        "From 4 to 12. It applies from the next review on.",
    )
    full_time_hours = number("Hours a week that count as full-time education")
    counts_appointments = forms.BooleanField(label="Count medical appointments (code M) as days lost", required=False)
    counts_part_time = forms.BooleanField(label="Count part-time timetables (code C2) as days lost", required=False)

    asks_second_step = forms.BooleanField(
        label="Ask people at schools for a second step whenever they sign in",
        help_text="An authenticator app or a passkey. Those who have none set one up when they next open a page. "
        "Otherwise they are asked only before pages about a child’s health, and not before emergency pages.",
        required=False,
    )

    def clean_brand_colour(self) -> str:
        colour: str = self.cleaned_data["brand_colour"].lower()
        return f"#{colour}" if re.fullmatch(r"[0-9a-f]{6}", colour) else colour

    @property
    def settings(self) -> AuthoritySettings:
        """What was chosen, not saved."""
        return AuthoritySettings(**self.cleaned_data)


def shown(value: Any) -> str:
    """A setting as people read it."""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, list):
        kinds = dict(KINDS_OF_SCHOOL)
        return ", ".join(kinds.get(each, str(each)) for each in value) or "None"
    return Cadence(value).label if value in Cadence.values else str(value) or "None"
