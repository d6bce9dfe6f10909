"""What people say about a file: which one it is, and that they have understood what it would do."""

from django import forms

from handrail.core.forms.files import FileField
from handrail.imports.models import FileImport

MEGABYTES = 60


class RegisterForm(forms.Form):
    prefix = FileImport.Kind.REGISTER
    file = FileField(
        label="Register extract",
        kinds=("CSV",),
        megabytes=MEGABYTES,
        help_text="The file edubasealldata… as it was downloaded, or part of it with its first row. CSV, up to 60MB.",
    )


class StarterForm(forms.Form):
    prefix = FileImport.Kind.STARTER
    file = FileField(
        label="Starter spreadsheet",
        kinds=("CSV",),
        megabytes=MEGABYTES,
        help_text="Our template filled in, saved as CSV. Up to 60MB.",
    )


class PeopleForm(forms.Form):
    prefix = FileImport.Kind.PEOPLE
    file = FileField(
        label="List of people",
        kinds=("CSV",),
        megabytes=MEGABYTES,
        help_text="Our template filled in, saved as CSV. Up to 60MB.",
    )


class ConfirmForm(forms.Form):
    has_understood = forms.BooleanField(label="I have checked that these figures are right", required=False)
