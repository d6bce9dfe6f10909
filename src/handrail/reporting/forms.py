"""The form that makes a key."""

from datetime import date, timedelta
from typing import Any

from django import forms

from handrail.core.forms.choices import Checkboxes
from handrail.core.forms.dates import DateField
from handrail.reporting.models import ABOUT_CHILDREN, Scope

LONGEST = timedelta(days=366)


class KeyForm(forms.Form):
    name = forms.CharField(
        label="What will use it?",
        help_text="For example, Power BI report on policies.",
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": "Enter what will use it"},
    )
    scopes = forms.MultipleChoiceField(
        label="What may it do?",
        choices=Scope.choices,
        initial=[Scope.AGGREGATE],
        widget=Checkboxes(
            hints={
                Scope.AGGREGATE: "Counts of plans and messages. Small counts of children are left out.",
                Scope.SCHOOL: "A row for each school, policy, review and answer. No child. The one name that may "
                "be there is of whoever approved the authority’s own policy.",
                Scope.PUPIL: "A row for each plan: a made-up number, school and dates. Each time is recorded.",
                Scope.WRITE_POLICIES: "In your name, at every school.",
                Scope.WRITE_PLANS: "In your name, for a child at any school whose UPN the program knows.",
                Scope.WRITE_RETURNS: "In your name, for a child at any school whose UPN the program knows.",
            }
        ),
        error_messages={"required": "Select what it may do"},
    )
    expires_on = DateField(label="Last day it works", when="future", help_text="At most a year from today.")

    def __init__(self, *args: Any, today: date, is_about_children: bool, **kwargs: Any) -> None:
        """`is_about_children`: whether the person may give a key rights about single children."""
        super().__init__(*args, **kwargs)
        scopes: Any = self.fields["scopes"]
        scopes.choices = [each for each in Scope.choices if is_about_children or each[0] not in ABOUT_CHILDREN]
        expires_on: Any = self.fields["expires_on"]
        expires_on.today, expires_on.not_after = today, today + LONGEST
