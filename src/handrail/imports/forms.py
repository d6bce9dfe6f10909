"""What people say about a file: which one it is, and that they have understood what it would do."""

from typing import Any

from django import forms

from handrail.core.forms.files import FileField
from handrail.core.jinja import plural
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


class ChildrenForm(forms.Form):
    file = FileField(
        label="List of children",
        kinds=("CSV", "XLSX"),
        help_text="CSV or XLSX, up to 10MB and 5,000 children. The first sheet of a workbook is read.",
    )


class ConfirmChildrenForm(forms.Form):
    """`left` is how many children are on roll and not in the list. Where there are none nothing is asked of them."""

    marks_left = forms.BooleanField(required=False)

    def __init__(self, *args: Any, left: int, **more: Any) -> None:
        super().__init__(*args, **more)
        if not left:
            del self.fields["marks_left"]
            return
        field = self.fields["marks_left"]
        field.label = f"Record that {plural(left, 'child has', 'children have')} left"
        field.help_text = "They are at the school and not in the list. Leave this empty if the list is only part."
