"""What people say about people. Shape only: nothing here saves."""

from collections.abc import Iterable
from typing import Any

from django import forms

from handrail.accounts.forms import AddressField
from handrail.accounts.models import Membership
from handrail.accounts.roles import IN_WORDS, Role
from handrail.core.forms.choices import Radios

SOMEBODY_ELSE = "somebody-else"


def role_field(roles: Iterable[Role]) -> forms.ChoiceField:
    """Which role, each with what it may see."""
    choices = [(role.value, role.label) for role in roles]
    widget = Radios(hints={role.value: IN_WORDS[role] for role in roles})
    return forms.ChoiceField(
        label="Role",
        choices=choices,
        widget=widget,
        error_messages={"required": "Select a role", "invalid_choice": "Select a role from the list"},
    )


class InviteForm(forms.Form):
    name = forms.CharField(
        label="Name",
        max_length=150,
        error_messages={"required": "Enter their name"},
        widget=forms.TextInput({"autocomplete": "off"}),
    )
    email = AddressField(help_text="Their own, not one that several people read. We write to it at once.")

    def __init__(self, data: Any = None, *, roles: Iterable[Role]) -> None:
        super().__init__(data)
        self.fields["role"] = role_field(list(roles))


class RoleForm(forms.Form):
    def __init__(self, data: Any = None, *, roles: Iterable[Role], now: str) -> None:
        super().__init__(data, initial={"role": now})
        self.fields["role"] = role_field(list(roles))


class SuccessorForm(forms.Form):
    """Who leads from now on: one of the colleagues, or somebody who is invited."""

    successor = forms.ChoiceField(label="Who takes over?", widget=forms.HiddenInput, required=False)
    name = forms.CharField(
        label="Their name", max_length=150, required=False, widget=forms.TextInput({"autocomplete": "off"})
    )
    email = AddressField(label="Their e-mail address", required=False, help_text="We write to it at once.")

    def __init__(self, data: Any = None, *, colleagues: Iterable[Membership]) -> None:
        super().__init__(data)
        self.colleagues = {str(each.id): each for each in colleagues}
        self.fields["successor"].choices = [  # type: ignore[attr-defined]
            *(
                (key, f"{each.called}, now {str(each)[:1].lower()}{str(each)[1:]}")
                for key, each in self.colleagues.items()
            ),
            (SOMEBODY_ELSE, "Somebody else, who is invited"),
        ]
        if self.colleagues:
            self.fields["successor"].widget = Radios(choices=self.fields["successor"].choices)  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        if found.get("successor") in self.colleagues:
            self.errors.pop("email", None)
            return found | {"colleague": self.colleagues[found["successor"]]}
        if self.colleagues and not found.get("successor"):
            if "successor" not in self.errors:
                self.add_error("successor", "Select who takes over")
            return found
        if not found.get("name") and "name" not in self.errors:
            self.add_error("name", "Enter their name")
        if not found.get("email") and "email" not in self.errors:
            self.add_error("email", "Enter their e-mail address")
        return found
