"""What may be asked of the lists. A value that is not in the list is an error, never ignored."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django import forms
from django.http import HttpRequest

from handrail.core.forms.dates import DateField
from handrail.core.jinja import long_date, with_query
from handrail.core.status import Status
from handrail.overview.lists import SHORT_NAMES, Only, Order, Urgency
from handrail.policies.models import SCHOOL_KINDS
from handrail.schools.duty import Body


class Choice(forms.ChoiceField):
    """A filter. Empty means all."""

    def __init__(self, label: str, choices: Iterable[tuple[str, str]], every: str = "All") -> None:
        unknown = f"{label}: “%(value)s” is not one of the choices. Choose one from the list"
        self.pairs = [("", every), *(choice for choice in choices if choice[0])]
        super().__init__(
            label=label,
            choices=self.pairs,
            required=False,
            error_messages={"invalid_choice": unknown},
        )


class Filters(forms.Form):
    """Filters of a list, from the address."""

    quiet = ("page", "sort")  # what narrows nothing

    def chosen(self, request: HttpRequest) -> list[dict[str, str]]:
        """The filters in use: what each says, and the address that takes it away."""
        found = []
        for name, value in self.cleaned_data.items():
            if value and name not in self.quiet:
                field = self.fields[name]
                labels = dict(field.pairs) if isinstance(field, Choice) else {}
                shown = labels.get(value) or (long_date(value) if isinstance(value, date) else value)
                href = with_query(request, **{name: None, "page": None})
                found.append({"text": f"{field.label}: {shown}", "href": href})
        return found


class SchoolFilters(Filters):
    more = (*SCHOOL_KINDS, "body", "trust", "sort")
    """Those that are folded away until they are used."""

    def __init__(self, data: Any, *, phases: Iterable[str], trusts: Iterable[str]) -> None:
        super().__init__(data)
        self.fields["q"] = forms.CharField(label="School name, URN or town", required=False, max_length=100)
        for kind in SCHOOL_KINDS:
            self.fields[kind] = Choice(SHORT_NAMES[kind], Status.choices)
        self.fields["phase"] = Choice("Phase", [(name, name) for name in phases])
        self.fields["body"] = Choice("Type of school", Body.choices)
        self.fields["trust"] = Choice("Trust", [(name, name) for name in trusts])
        self.fields["only"] = Choice("Show only", Only.choices, every="All schools")
        self.fields["sort"] = Choice("Sort by", Order.choices, every=Order.NAME.label)

    def uses_more(self) -> bool:
        """Whether one of the folded filters is in use, or wrong."""
        return any(self.data.get(name) for name in self.more)


class ChaseFilters(Filters):
    week = forms.DateField(
        label="Due in the week of",
        required=False,
        widget=forms.HiddenInput,
        input_formats=["%Y-%m-%d"],
        error_messages={"invalid": "The week in the address is not a date"},
    )

    def __init__(self, data: Any, *, phases: Iterable[str]) -> None:
        super().__init__(data)
        self.fields["urgency"] = Choice("Status", Urgency.choices, every="Overdue or not recorded")
        self.fields["kind"] = Choice("Policy", [(kind.value, kind.label) for kind in SCHOOL_KINDS])
        self.fields["phase"] = Choice("Phase", [(name, name) for name in phases])

    def clean_week(self) -> date | None:
        week: date | None = self.cleaned_data["week"]
        if week and week.weekday():
            raise forms.ValidationError("The week in the address must begin on a Monday")
        return week


class ExtractForm(forms.Form):
    first = DateField(label="First day", noun="first day", when="past", help_text="For example, 1 11 2026")
    last = DateField(label="Last day", noun="last day", when="past", help_text="For example, 30 11 2026")

    def __init__(self, *args: Any, today: date, **more: Any) -> None:
        super().__init__(*args, **more)
        for name in ("first", "last"):
            self.fields[name].today = today  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        first, last = cleaned.get("first"), cleaned.get("last")
        if first and last and last < first:
            self.add_error("last", "Last day must be the same as or after the first day")
        return cleaned
