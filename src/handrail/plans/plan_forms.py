"""The questions about a plan on its way. Shape only: nothing here saves."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from django import forms
from django.db.models import QuerySet

from handrail.accounts.models import User
from handrail.core.forms.choices import Checkboxes, Radios
from handrail.core.forms.dates import DateField
from handrail.core.jinja import long_date
from handrail.plans.content import LONGEST, Section
from handrail.plans.cycle import KNOWN_AHEAD, Trigger, yearly
from handrail.plans.models import Agreement, HealthcarePlan, Party, PlanReview, Stage
from handrail.plans.prompts import prompt_for

EXAMPLE = "For example, 27 3 2026"
LONGEST_NAME = 150


class PrivateForm(forms.Form):
    """What is typed is about a child: the browser is asked not to remember it."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        for field in self.fields.values():
            field.widget.attrs["autocomplete"] = "off"


class SectionForm(PrivateForm):
    """One section of a plan. Every answer may wait."""

    based_on = forms.IntegerField(widget=forms.HiddenInput, min_value=0)

    def __init__(self, *args: Any, section: Section, condition: str, **more: Any) -> None:
        super().__init__(*args, **more)
        for question in section.asked(condition):
            hint = prompt_for(condition, question.name) or question.hint
            field: forms.Field
            if question.choices:
                field = forms.ChoiceField(
                    label=question.label, choices=question.choices, widget=Radios, required=False, help_text=hint
                )
            else:
                field = forms.CharField(
                    label=question.label,
                    max_length=LONGEST,
                    required=False,
                    help_text=hint,
                    widget=forms.Textarea({"rows": 4, "autocomplete": "off"}),
                )
            self.fields[question.name] = field

    @property
    def answers(self) -> dict[str, str]:
        """What was typed, once it is valid."""
        return {name: value.strip() for name, value in self.cleaned_data.items() if name != "based_on"}


class ToldForm(PrivateForm):
    told_by = forms.ChoiceField(
        label="Who told the school?",
        choices=HealthcarePlan.ToldBy.choices,
        widget=Radios,
        error_messages={"required": "Select who told the school"},
    )
    notified_on = DateField(
        label="When was the school told?", noun="date the school was told", when="past", help_text=EXAMPLE
    )

    def __init__(self, *args: Any, today: date, **more: Any) -> None:
        super().__init__(*args, **more)
        told: Any = self.fields["notified_on"]
        told.today = today


class DecideForm(PrivateForm):
    is_needed = forms.TypedChoiceField(
        label="Does the child need a healthcare plan?",
        choices=[("yes", "Yes"), ("no", "No")],
        coerce=lambda value: value == "yes",
        widget=Radios(reveals={"no": "reason"}),
        help_text="The school, the parent and a health professional decide together. The headteacher decides if they "
        "do not agree.",
        error_messages={"required": "Select whether the child needs a healthcare plan"},
    )
    reason = forms.CharField(
        label="Why is none needed?", max_length=1000, required=False, widget=forms.Textarea({"rows": 3})
    )
    agreed_with = forms.CharField(
        label="Who agreed?",
        max_length=500,
        help_text="Names and what they are to the child.",
        error_messages={"required": "Enter who agreed"},
    )
    decided_on = DateField(label="When was that decided?", noun="date of the decision", when="past", help_text=EXAMPLE)

    def __init__(self, *args: Any, today: date, **more: Any) -> None:
        super().__init__(*args, **more)
        told: Any = self.fields["decided_on"]
        told.today = today

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("is_needed") is False and not cleaned.get("reason"):
            self.add_error("reason", "Enter why none is needed")
        return cleaned


class AgreementForm(PrivateForm):
    party = forms.ChoiceField(
        label="Who?", choices=Party.choices, widget=Radios, error_messages={"required": "Select who"}
    )
    name = forms.CharField(label="Their name", max_length=150, error_messages={"required": "Enter their name"})
    is_agreed = forms.TypedChoiceField(
        label="What did they say?",
        choices=[("yes", "They agree"), ("no", "They want something changed")],
        coerce=lambda value: value == "yes",
        widget=Radios(reveals={"no": "comment"}),
        error_messages={"required": "Select what they said"},
    )
    comment = forms.CharField(
        label="What should change?", max_length=LONGEST, required=False, widget=forms.Textarea({"rows": 3})
    )
    how = forms.ChoiceField(
        label="How did they tell you?",
        choices=[each for each in Agreement.How.choices if each[0] != Agreement.How.LINK],
        widget=Radios,
        error_messages={"required": "Select how they told you"},
    )
    agreed_on = DateField(label="When?", noun="date they told you", when="past", help_text=EXAMPLE)

    def __init__(self, *args: Any, today: date, **more: Any) -> None:
        super().__init__(*args, **more)
        told: Any = self.fields["agreed_on"]
        told.today = today

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("is_agreed"):
            cleaned["comment"] = ""
        elif cleaned.get("is_agreed") is False and not cleaned.get("comment"):
            self.add_error("comment", "Enter what should change")
        return cleaned


class SignOffForm(PrivateForm):
    without = forms.CharField(
        label="Why does the plan start without their agreement?",
        max_length=1000,
        widget=forms.Textarea({"rows": 3}),
        help_text="The headteacher decides where there is no agreement. It is kept with the plan.",
        error_messages={"required": "Enter why the plan starts without their agreement"},
    )

    def __init__(self, *args: Any, is_awaited: bool, **more: Any) -> None:
        super().__init__(*args, **more)
        if not is_awaited:
            del self.fields["without"]


class RightForm(PrivateForm):
    RIGHT, WRONG = "right", "wrong"
    answer = forms.ChoiceField(
        label="Is this plan still right?",
        choices=[
            (RIGHT, "Yes, no change"),
            (WRONG, "No, I need to update it"),
            (PlanReview.Outcome.NOT_NEEDED, "The child no longer needs a plan"),
            (PlanReview.Outcome.LEFT, "The child has left"),
        ],
        widget=Radios,
        error_messages={"required": "Select whether the plan is still right"},
    )


class ReviewedForm(PrivateForm):
    """Who agreed, by name, and when the next review is. A year at most."""

    day = forms.ChoiceField(
        label="When was the review?",
        choices=[("today", "Today"), ("another", "Another day")],
        widget=Radios(reveals={"another": "reviewed_on"}),
        initial="today",
        error_messages={"required": "Select when the review was"},
    )
    reviewed_on = DateField(label="Date of review", when="past", required=False, help_text=EXAMPLE)
    next_due_on = DateField(
        label="Next review",
        noun="date of the next review",
        when="future",
        help_text="A year from now at the latest. Make it sooner if something is about to change.",
    )

    def __init__(self, *args: Any, plan: HealthcarePlan, today: date, names: Mapping[str, str], **more: Any) -> None:
        more.setdefault("initial", {"day": "today", "next_due_on": yearly(today)})
        super().__init__(*args, **more)
        self.today = today
        for party in Party:
            self.fields[party.value] = forms.CharField(
                label=party.label,
                max_length=150,
                required=False,
                initial=names.get(party.value, ""),
                help_text="Clear this if they did not agree." if names.get(party.value) else "",
                widget=forms.TextInput({"autocomplete": "off"}),
            )
        day: Any = self.fields["day"]
        day.choices = [("today", f"Today, {long_date(today)}"), ("another", "Another day")]
        when: Any = self.fields["reviewed_on"]
        following: Any = self.fields["next_due_on"]
        when.today = following.today = today
        when.not_before = plan.last_reviewed_on or when.not_before
        when.required = self.data.get("day") == "another"

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("day") != "another":
            self.errors.pop("reviewed_on", None)
            cleaned["reviewed_on"] = self.today
        if not any(cleaned.get(party.value) for party in Party):
            self.add_error(Party.PARENT.value, "Enter the name of at least one person who agreed")
        on, reviewed_on = cleaned.get("next_due_on"), cleaned.get("reviewed_on")
        if on and reviewed_on and not reviewed_on < on <= yearly(reviewed_on):
            latest = long_date(yearly(reviewed_on))
            self.add_error("next_due_on", f"Date of the next review must be after the review and by {latest}")
        return cleaned


class EndForm(PrivateForm):
    reason = forms.CharField(
        label="Why?",
        max_length=1000,
        widget=forms.Textarea({"rows": 3}),
        help_text="It is kept with the plan.",
        error_messages={"required": "Enter why"},
    )


class RestForm(EndForm):
    stage = forms.ChoiceField(
        label="What happens to the plan?",
        choices=[
            (Stage.SUSPENDED, "Pause it while the child is elsewhere"),
            (Stage.TRANSFERRED, "It was passed on to another school"),
            (Stage.CLOSED, "Close it"),
        ],
        widget=Radios,
        error_messages={"required": "Select what happens to the plan"},
    )
    field_order = ("stage", "reason")


class ChangedForm(PrivateForm):
    """Something happened that the plan may not be right for any more."""

    BY_HAND = (
        Trigger.CONDITION,
        Trigger.ADMITTED,
        Trigger.DISCHARGED,
        Trigger.NEW_SCHOOL,
        Trigger.CONSENT,
    )
    trigger = forms.ChoiceField(
        label="What happened?",
        choices=[(each.value, each.label) for each in BY_HAND],
        widget=Radios,
        error_messages={"required": "Select what happened"},
    )
    happens_on = DateField(label="When?", noun="date it happened", help_text=EXAMPLE)

    def __init__(self, *args: Any, today: date, **more: Any) -> None:
        super().__init__(*args, **more)
        self.today = today

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        on = cleaned.get("happens_on")
        if on and on > self.today and cleaned.get("trigger") not in KNOWN_AHEAD:
            self.add_error("happens_on", "Date it happened must be today or in the past")
        if on and on < self.today - timedelta(days=366):
            self.add_error("happens_on", "Date it happened must be within the last year")
        return cleaned


class CoordinatorForm(PrivateForm):
    coordinator = forms.ModelChoiceField(
        queryset=User.objects.none(),
        label="Who keeps this plan in date?",
        widget=Radios,
        empty_label=None,
        help_text="They get the reminders first.",
        error_messages={
            "required": "Select who keeps this plan in date",
            "invalid_choice": "Select somebody who may change this school’s plans",
        },
    )

    def __init__(self, *args: Any, people: QuerySet[User], **more: Any) -> None:
        super().__init__(*args, **more)
        coordinator: Any = self.fields["coordinator"]
        coordinator.queryset = people


class ReadersForm(PrivateForm):
    people = forms.ModelMultipleChoiceField(
        queryset=User.objects.none(),
        label="Who must know this plan?",
        required=False,
        widget=Checkboxes,
        help_text="Each of them is asked to read it, and again whenever it changes.",
        error_messages={"invalid_choice": "Select people who may see this school’s emergency plans"},
    )
    names = forms.CharField(
        label="Who else, without an account?",
        required=False,
        max_length=2000,
        widget=forms.Textarea({"rows": 4}),
        help_text="One name on each line. You record for them that they have read it.",
    )

    def __init__(self, *args: Any, people: QuerySet[User], **more: Any) -> None:
        super().__init__(*args, **more)
        known: Any = self.fields["people"]
        known.queryset = people

    def clean_names(self) -> list[str]:
        names = [" ".join(line.split()) for line in self.cleaned_data["names"].splitlines() if line.strip()]
        if any(len(name) > LONGEST_NAME for name in names):
            raise forms.ValidationError(f"Each name must be {LONGEST_NAME} characters or fewer")
        return names
