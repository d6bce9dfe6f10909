"""What is asked for the return pack, and which parts of the plan that came back are used. Shape only."""

from collections.abc import Sequence
from typing import Any

from django import forms

from handrail.core.forms.choices import Checkboxes
from handrail.handovers import pack, return_pack
from handrail.handovers.returning import Part

MOST_SESSIONS, MOST_HOURS = 400, 2000


class BackForm(forms.Form):
    """In the order of the pack. Nothing is required here: the page shows what is missing."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        for each in return_pack.SAID:
            field: Any = forms.CharField(max_length=pack.LONGEST, widget=forms.Textarea({"rows": 3}))
            field.label, field.required, field.help_text = each.label, False, each.help_text
            field.widget.attrs["autocomplete"] = "off"
            self.fields[each.name] = field
        hours = forms.DecimalField(
            label="How many hours was the child taught?",
            required=False,
            min_value=0,
            max_value=MOST_HOURS,
            decimal_places=1,
            error_messages={"invalid": "Hours must be a number, like 42.5"},
        )
        self.fields[return_pack.HOURS] = hours
        for code, words in return_pack.CODES.items():
            self.fields[code] = forms.IntegerField(
                label=f"Sessions with code {words}",
                required=False,
                min_value=0,
                max_value=MOST_SESSIONS,
                error_messages={"invalid": "Sessions must be a whole number"},
            )

    @property
    def written(self) -> dict[str, str]:
        """What was filled in, as text; what was emptied is empty."""
        return {name: "" if value is None else str(value) for name, value in self.cleaned_data.items()}


class ReissueForm(forms.Form):
    parts = forms.MultipleChoiceField(
        label="Which parts do you take into your plan?",
        required=False,
        widget=Checkboxes,
        help_text="What you do not select stays as it is in your plan.",
    )
    based_on = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, parts: Sequence[Part], **more: Any) -> None:
        super().__init__(*args, **more)
        field: Any = self.fields["parts"]
        field.choices = [(each.name, each.title) for each in parts]
        if not parts:
            del self.fields["parts"]
