"""The form that sets up a sign-in service. Whether the service is there is the view's to find out."""

from typing import Any

from django import forms

from handrail.accounts.models import SignInService
from handrail.core.forms.choices import Radios

SecondFactor = SignInService.SecondFactor
MONOSPACE = {"spellcheck": "false", "autocapitalize": "none", "autocomplete": "off"}


class ChangeServiceForm(forms.Form):
    name = forms.CharField(
        label="Name on the button",
        help_text='People see "Sign in with" and this name. For example, Barsetshire Council.',
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": "Enter the name on the button"},
    )
    client_id = forms.CharField(
        label="Client id",
        help_text="Entra ID calls it the application id.",
        max_length=200,
        widget=forms.TextInput(attrs=MONOSPACE),
        error_messages={"required": "Enter the client id"},
    )
    client_secret = forms.CharField(
        label="New client secret",
        help_text="Leave this empty to keep the one you have.",
        max_length=500,
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        error_messages={"required": "Enter the client secret"},
    )
    second_factor_claim = forms.ChoiceField(
        label="Does it count as a second factor?",
        help_text="Say yes only if the service asks people for more than a password, and tells us so and when. "
        "The time is the claim auth_time.",
        choices=[("none", SecondFactor.NONE.label), *((each.value, each.label) for each in SecondFactor if each)],
        widget=Radios(reveals={"amr": "amr", "acr": "acr"}),
        error_messages={"required": "Select whether it counts as a second factor"},
    )
    amr = forms.CharField(
        label="Value of amr",
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"class": "govuk-input--width-20", **MONOSPACE}),
    )
    acr = forms.CharField(
        label="Value of acr",
        help_text="We ask the service for it each time.",
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"class": "govuk-input--width-20", **MONOSPACE}),
    )

    def clean(self) -> dict[str, Any]:
        """The two fields of the model instead of the three that people see."""
        claim = self.cleaned_data.get("second_factor_claim", "")
        values = {each: self.cleaned_data.pop(each, "") for each in ("amr", "acr")}
        self.cleaned_data["second_factor_claim"] = "" if claim == "none" else claim
        self.cleaned_data["second_factor_value"] = values.get(claim, "")
        if claim in values and not values[claim] and claim not in self.errors:
            self.add_error(claim, f"Enter the value of {claim}")
        return self.cleaned_data


class AddServiceForm(ChangeServiceForm):
    address = forms.CharField(
        label="Address of the service",
        help_text="Also called issuer. It cannot be changed later. For Entra ID it is "
        "https://login.microsoftonline.com/, your tenant id, and /v2.0.",
        max_length=400,
        widget=forms.TextInput(attrs={"inputmode": "url", **MONOSPACE}),
        error_messages={"required": "Enter the address of the service"},
    )
    field_order = ["name", "address"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        secret = self.fields["client_secret"]
        secret.label, secret.help_text, secret.required = "Client secret", "It is kept sealed and never shown.", True


def chosen(service: SignInService) -> dict[str, str]:
    """What the form of a service shows at first."""
    claim = service.second_factor_claim
    return {
        "name": service.name,
        "client_id": service.client_id,
        "second_factor_claim": claim or "none",
        "amr": service.second_factor_value if claim == "amr" else "mfa",
        "acr": service.second_factor_value if claim == "acr" else "",
    }
