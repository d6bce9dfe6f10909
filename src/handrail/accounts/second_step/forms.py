"""The forms of second steps: allauth's, in our words."""

from collections.abc import Callable
from typing import Any

from allauth.account.adapter import get_adapter as get_account_adapter
from allauth.core import context as allauth_context
from allauth.core import ratelimit
from allauth.core.internal.cryptokit import normalize_user_code
from allauth.mfa import app_settings
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base import forms as base
from allauth.mfa.totp.internal.auth import validate_totp_code
from allauth.mfa.webauthn import forms as webauthn
from allauth.mfa.webauthn.internal import auth
from django import forms
from django.core.cache import cache
from django.core.exceptions import ValidationError

from handrail.accounts.forms import word
from handrail.accounts.known_browsers import count_for
from handrail.accounts.models import User
from handrail.accounts.second_step.actions import use_code

PASSKEY_FAILED = "That passkey did not work. Try it again, or use another way"
A_CODE_IS_VALID_FOR = app_settings.TOTP_PERIOD * (2 * app_settings.TOTP_TOLERANCE + 1)
"""Seconds in which a code of an authenticator app would be taken."""


def word_app_code(field: forms.Field, label: str = "Code", *, hint: str = "") -> None:
    word(field, label, hint=hint, required="Enter a code", autocomplete="one-time-code", inputmode="numeric")
    field.widget.attrs["class"] = "govuk-input--width-10 govuk-input--extra-letter-spacing"


def use_up(user: User, code: str) -> None:
    """Take a code once, whichever worker is asked and whatever the code is for. Raises ValidationError.

    allauth remembers a used code for one period of 30 seconds, and we accept three.
    """
    key = f"used-code.{user.pk}.{normalize_user_code(code)}"
    if not cache.add(key, True, timeout=A_CODE_IS_VALID_FOR):
        raise get_adapter().validation_error("incorrect_code")


def count_try_of(user: User) -> Callable[[], None]:
    """Count a try to show a second step. Gives what forgets it again, for when it was right. Raises ValidationError.

    As the library's, but that a known browser is counted by itself.
    """
    request = allauth_context.request
    key = f"second-step-of-{user.pk}-by-{count_for(user.email, request=request)}"
    if not ratelimit.consume(request, action="login_failed", key=key):
        raise get_account_adapter().validation_error("too_many_login_attempts")
    return lambda: ratelimit.clear(request, action="login_failed", key=key)


class _CodeForm(base.BaseAuthenticateForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        word_app_code(self.fields["code"], hint="From your authenticator app, or a recovery code.")

    def clean_code(self) -> str:
        """As the library's, but for recovery codes, of which we keep hashes."""
        forget_tries = count_try_of(self.user)
        code: str = normalize_user_code(self.cleaned_data["code"])
        self.authenticator = use_code(user=self.user, code=code)
        if self.authenticator is None:
            raise get_adapter().validation_error("incorrect_code")
        self.authenticator.user = self.user
        use_up(self.user, code)
        forget_tries()
        return code


class CodeForm(_CodeForm, base.AuthenticateForm):
    """A code at sign-in."""


class CodeAgainForm(_CodeForm, base.ReauthenticateForm):
    """A code from somebody who is signed in."""


class AddAppForm(forms.Form):
    """The first code of an app that has just been given its secret."""

    code = forms.CharField()

    def __init__(self, *args: Any, user: User, secret: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user, self.secret = user, secret
        word_app_code(self.fields["code"], "6-digit code from the app")

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"]
        forget_tries = count_try_of(self.user)
        if not validate_totp_code(self.secret, code):
            raise ValidationError("The code is wrong or has run out. Check the newest one in the app and enter that")
        use_up(self.user, code)
        forget_tries()
        return code


class _PasskeyForm(webauthn.AuthenticateWebAuthnForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["credential"].error_messages |= {"required": PASSKEY_FAILED, "invalid": PASSKEY_FAILED}

    def clean_credential(self) -> Any:
        """What a browser sends is read by several libraries, each with its own way of finding it malformed."""
        try:
            return self._checked(self.cleaned_data["credential"])
        except ValidationError as error:
            too_many = str(get_account_adapter().error_messages["too_many_login_attempts"])
            raise ValidationError(too_many if too_many in error.messages else PASSKEY_FAILED) from error
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValidationError(PASSKEY_FAILED) from error

    def _checked(self, credential: Any) -> Any:
        """As the library's, but that a known browser is counted by itself. Whose it is may be said in the answer alone:
        then nothing is counted, or whoever names somebody could use up their tries.
        """
        auth.parse_authentication_response(credential)
        if self.user is None:
            return auth.complete_authentication(auth.extract_user_from_response(credential), credential)
        forget_tries = count_try_of(self.user)
        passkey = auth.complete_authentication(self.user, credential)
        forget_tries()
        return passkey


class PasskeyForm(_PasskeyForm):
    """A passkey at sign-in, after a first step."""


class PasskeyAgainForm(_PasskeyForm, webauthn.ReauthenticateWebAuthnForm):
    """A passkey from somebody who is signed in."""


class PasskeyAloneForm(_PasskeyForm, webauthn.LoginWebAuthnForm):
    """A passkey instead of an e-mail address."""


class AddPasskeyForm(forms.Form):
    name = forms.CharField(
        label="What will you call it?",
        max_length=60,
        help_text="For example the device it is on, like “Office computer”.",
        error_messages={"required": "Enter a name for it, like “Office computer”"},
    )
    credential = forms.JSONField(
        widget=forms.HiddenInput, error_messages={"required": PASSKEY_FAILED, "invalid": PASSKEY_FAILED}
    )

    def clean_credential(self) -> Any:
        credential = self.cleaned_data["credential"]
        try:
            auth.parse_registration_response(credential)
            auth.complete_registration(credential)
        except (ValidationError, AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValidationError(PASSKEY_FAILED) from error
        return credential


class RemovePasskeyForm(forms.Form):
    passkey = forms.ChoiceField(label="Which passkey do you want to remove?", widget=forms.RadioSelect)

    def __init__(self, *args: Any, passkeys: list[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen: Any = self.fields["passkey"]
        chosen.choices = [(each.instance.data["credential"]["id"], each.name) for each in passkeys]
        chosen.error_messages["required"] = "Select the passkey that you want to remove"
