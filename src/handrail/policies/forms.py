"""The questions that pages about policies ask. Shape only: nothing here saves."""

from datetime import date, timedelta
from typing import Any

from django import forms

from handrail.core.forms.choices import Checkboxes, Radios
from handrail.core.forms.dates import DateField
from handrail.core.forms.files import FileField
from handrail.core.jinja import long_date
from handrail.policies.cycle import latest_next_review
from handrail.policies.models import WEB_ADDRESS, Audience, Involved, Kind, Policy, PolicyReview

Outcome = PolicyReview.Outcome
AT_AUTHORITY = (
    Involved.PUPILS,
    Involved.PARENTS,
    Involved.SCHOOLS,
    Involved.PROVIDERS,
    Involved.NURSES,
    Involved.HEALTH,
)
AT_SCHOOL = tuple(each for each in Involved if each not in (Involved.SCHOOLS, Involved.PROVIDERS))


class AddressField(forms.URLField):
    """A web address. People type it without https://."""

    default_validators = [WEB_ADDRESS]

    def __init__(self) -> None:
        super().__init__(
            label="Web address",
            required=False,
            max_length=500,
            assume_scheme="https",
            help_text="The page or file on your website. Leave this empty if it is not on a website.",
            error_messages={"invalid": WEB_ADDRESS.message},
        )


class OutcomeForm(forms.Form):
    outcome = forms.ChoiceField(
        label="What happened?",
        choices=[(each.value, each.label) for each in Outcome if each != Outcome.ASKED],
        widget=Radios(
            hints={
                Outcome.NO_CHANGE: "You went through it and it is still right.",
                Outcome.UPDATED: "You changed something in it.",
                Outcome.NEW: "It is your first, or it replaces the old one.",
                Outcome.IN_PROGRESS: "You have begun and will finish later.",
            }
        ),
        error_messages={"required": "Select what happened"},
    )
    day = forms.ChoiceField(
        label="When was that?",
        choices=[("today", "Today"), ("another", "Another day")],
        widget=Radios(reveals={"another": "reviewed_on"}),
        error_messages={"required": "Select when that was"},
    )
    reviewed_on = DateField(
        label="Date of review", noun="date of review", when="past", required=False, help_text="For example, 27 3 2026"
    )

    def __init__(self, *args: Any, policy: Policy, today: date, **more: Any) -> None:
        super().__init__(*args, **more)
        self.today = today
        self.fields["day"].choices = [("today", f"Today, {long_date(today)}"), ("another", "Another day")]  # type: ignore[attr-defined]
        when = self.fields["reviewed_on"]
        when.today = today  # type: ignore[attr-defined]
        when.not_before = policy.last_reviewed_on or when.not_before  # type: ignore[attr-defined]
        # Without JavaScript the boxes are there whatever was chosen: they count with "another day" only.
        when.required = self.data.get("day") == "another"

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("day") != "another":
            self.errors.pop("reviewed_on", None)
            cleaned["reviewed_on"] = self.today
        return cleaned


class ChangesForm(forms.Form):
    changed = forms.CharField(
        label="Which points changed?",
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="A few words for each. Do not name a child.",
        error_messages={"required": "Enter which points changed"},
    )
    involved = forms.MultipleChoiceField(
        label="Who was involved?",
        widget=Checkboxes,
        required=False,
        choices=Involved.choices,
    )

    def __init__(self, *args: Any, policy: Policy, outcome: str, last_time: list[str], **more: Any) -> None:
        super().__init__(*args, **more)
        involved = self.fields["involved"]
        shown = AT_AUTHORITY if policy.kind == Kind.SECTION_19 else AT_SCHOOL
        involved.choices = [(each.value, each.label) for each in shown]  # type: ignore[attr-defined]
        involved.initial = last_time
        involved.help_text = "As it was last time. Change what is different." if last_time else "Select all who were."
        if outcome == Outcome.NEW:
            del self.fields["changed"]


class PlaceForm(forms.Form):
    published_url = AddressField()
    document = FileField(
        label="Upload the policy (optional)", required=False, help_text="A PDF, DOCX or ODT file, up to 10MB."
    )
    take_off = forms.BooleanField(label="Take this file off again", required=False)

    def __init__(self, *args: Any, has_file: bool, **more: Any) -> None:
        super().__init__(*args, **more)
        if has_file:
            self.fields["document"].label = "Upload another file instead (optional)"
        else:
            del self.fields["take_off"]


class NextForm(forms.Form):
    choice = forms.ChoiceField(
        label="When is the next review?",
        widget=Radios(reveals={"another": "next_review_on"}),
        error_messages={"required": "Select when the next review is"},
    )
    next_review_on = DateField(
        label="Date of next review", noun="date of next review", required=False, help_text="For example, 27 3 2027"
    )

    def __init__(self, *args: Any, policy: Policy, reviewed_on: date, usual: date, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["choice"].choices = [  # type: ignore[attr-defined]
            ("usual", long_date(usual)),
            ("another", "Another date"),
        ]
        when = self.fields["next_review_on"]
        when.not_before = reviewed_on + timedelta(days=1)  # type: ignore[attr-defined]
        when.not_after = latest_next_review(policy.kind, reviewed_on=reviewed_on)  # type: ignore[attr-defined]
        when.required = self.data.get("choice") == "another"

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("choice") != "another":
            self.errors.pop("next_review_on", None)
            cleaned["next_review_on"] = None
        return cleaned


class DetailsForm(forms.Form):
    lead_name = forms.CharField(
        label="Name of the lead",
        max_length=150,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    lead_email = forms.EmailField(
        label="Lead’s e-mail address",
        required=False,
        help_text="We remind this person when a review is due.",
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        error_messages={"invalid": "Enter an e-mail address in the correct format, like name@example.com"},
    )
    link_governor = forms.CharField(
        label="Link governor", max_length=150, required=False, help_text="The governor who watches over this policy."
    )

    def __init__(self, *args: Any, policy: Policy, **more: Any) -> None:
        super().__init__(*args, **more)
        if policy.school is None:
            self.fields["link_governor"].label = "Responsible councillor"
            self.fields["link_governor"].help_text = "The councillor who watches over this policy."


class ApprovalForm(forms.Form):
    approved_by = forms.CharField(
        label="Who approved it?",
        max_length=150,
        help_text="For example, the full governing body",
        error_messages={"required": "Enter who approved it"},
    )
    approved_on = DateField(
        label="When did they approve it?", noun="date of approval", when="past", help_text="For example, 27 3 2026"
    )
    minute_reference = forms.CharField(
        label="Minute reference (optional)", max_length=100, required=False, help_text="For example, 7.2"
    )

    def __init__(self, *args: Any, today: date, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["approved_on"].today = today  # type: ignore[attr-defined]


class PublishForm(forms.Form):
    published_url = AddressField()


class NotNeededForm(forms.Form):
    reason = forms.CharField(
        label="Why is it not needed?",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Enter why this policy is not needed"},
    )


class CommunicationForm(forms.Form):
    audiences = forms.MultipleChoiceField(
        label="Who was told?",
        choices=Audience.choices,
        widget=Checkboxes,
        error_messages={"required": "Select who was told"},
    )
    told_on = DateField(label="When?", noun="day", when="past", help_text="For example, 27 3 2026")
    how = forms.CharField(
        label="How?",
        max_length=300,
        help_text="For example, assembly, letter home, staff meeting. Do not name a child.",
        error_messages={"required": "Enter how they were told"},
    )

    def __init__(self, *args: Any, today: date, **more: Any) -> None:
        super().__init__(*args, **more)
        field: Any = self.fields["told_on"]
        field.today = today
