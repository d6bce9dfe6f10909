"""The forms of signing in: allauth's, in our words and without what we do not ask. And the field for an address."""

from typing import Any

from allauth.account import forms as allauth
from allauth.account.adapter import get_adapter
from allauth.account.internal.userkit import filter_users_by_email
from allauth.core import context as allauth_context
from allauth.core import ratelimit
from django import forms

from handrail.accounts.addresses import NotAnEmailAddress, plain_address
from handrail.accounts.floods import count_try
from handrail.accounts.known_browsers import count_for

NEW_PASSWORD_HINT = "At least 12 characters. Three words that do not belong together make a good one."  # noqa: S105


class AddressField(forms.CharField):
    """An e-mail address in its plain form."""

    widget = forms.EmailInput

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            **{"label": "E-mail address", "error_messages": {"required": "Enter an e-mail address"}} | kwargs
        )
        self.widget.attrs = {"autocomplete": "off", "spellcheck": "false"} | self.widget.attrs

    def clean(self, value: Any) -> str:
        typed: str = super().clean(value)
        try:
            return plain_address(typed) if typed else ""
        except NotAnEmailAddress as refusal:
            raise forms.ValidationError(str(refusal)) from refusal


def word(field: forms.Field, label: str, *, hint: str = "", required: str = "", **attributes: str) -> None:
    """Give a field our label, hint and message, and its widget our attributes instead of the library's."""
    field.label, field.help_text = label, hint
    field.error_messages["required"] = required
    field.widget.attrs = {"autocomplete": field.widget.attrs.get("autocomplete", "off")} | attributes


def own_address(*, hint: str = "", autocomplete: str = "email") -> AddressField:
    """The field for the address of who is signing in, instead of the library's: refused as it is when it is given."""
    return AddressField(
        help_text=hint,
        widget=forms.EmailInput({"autocomplete": autocomplete}),
        error_messages={"required": "Enter your e-mail address"},
    )


def word_code(field: forms.Field) -> None:
    word(
        field,
        "6-digit code",
        required="Enter the 6-digit code",
        inputmode="numeric",
        **{"class": "govuk-input--width-10 govuk-input--extra-letter-spacing"},
    )


class RequestCodeForm(allauth.RequestLoginCodeForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"] = own_address(hint="We will send a 6-digit code to it.")

    def clean_email(self) -> str:
        """As the library's, but that a known browser is counted by itself."""
        email: str = self.cleaned_data["email"]
        users = filter_users_by_email(email, is_active=True, prefer_verified=True, for_login=True)
        request = allauth_context.request
        if not ratelimit.consume(request, action="request_login_code", key=count_for(email, request=request)):
            raise get_adapter().validation_error("too_many_login_attempts")
        self._user = users[0] if users else None
        return email


class CodeForm(allauth.ConfirmLoginCodeForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        word_code(self.fields["code"])


class PasswordForm(allauth.LoginForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"] = own_address(autocomplete="username")
        word(self.fields["password"], "Password", required="Enter your password")


class SetPasswordForm(allauth.SetPasswordForm):
    """Choose a first password. Asked once: the page can show it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        word(self.fields["password1"], "New password", hint=NEW_PASSWORD_HINT, required="Enter a new password")
        del self.fields["password2"]


class ChangePasswordForm(allauth.ChangePasswordForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        word(self.fields["oldpassword"], "Current password", required="Enter your current password")
        word(self.fields["password1"], "New password", hint=NEW_PASSWORD_HINT, required="Enter a new password")
        del self.fields["password2"]


class ResetForm(allauth.ResetPasswordForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"] = own_address(hint="We will send a 6-digit code to it.")

    def save(self, request: Any, **kwargs: Any) -> str:
        """Called when the limits of the address and the account have let it pass."""
        count_try(request)
        email: str = super().save(request, **kwargs)
        return email


class ResetCodeForm(allauth.ConfirmPasswordResetCodeForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        word_code(self.fields["code"])


class ResetPasswordForm(allauth.ResetPasswordKeyForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        word(self.fields["password1"], "New password", hint=NEW_PASSWORD_HINT, required="Enter a new password")
        del self.fields["password2"]
