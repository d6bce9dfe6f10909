"""What allauth asks of us about second steps: our words, and secrets that the vault keeps."""

from base64 import b64decode, b64encode
from uuid import UUID

from allauth.account.authentication import get_authentication_records
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.stages import AuthenticateStage
from django.http import HttpRequest

from handrail.accounts.adapter import authority
from handrail.accounts.factors import has_two_factors
from handrail.core import vault
from handrail.core.vault import VaultClosed

PLACE = b"mfa_authenticator.data"
WRONG_CODE = "The code is wrong, has run out or was used before. Wait for a new one and enter that"


class AppsClosed(VaultClosed):
    """What the codes of apps are checked with cannot be sealed or opened."""

    page = "accounts/app_closed.html"


class FactorAdapter(DefaultMFAAdapter):
    error_messages = DefaultMFAAdapter.error_messages | {"incorrect_code": WRONG_CODE}

    def get_totp_issuer(self) -> str:
        """What the app calls the account: a person may have one in two authorities."""
        return f"Handrail {authority().name}"

    def _get_site_name(self) -> str:
        return self.get_totp_issuer()

    def encrypt(self, text: str) -> str:
        """Sealed with the authority's key. Raises AppsClosed."""
        try:
            return b64encode(vault.seal(text.encode(), PLACE)).decode()
        except VaultClosed as closed:
            raise AppsClosed(*closed.args) from closed

    def decrypt(self, encrypted_text: str) -> str:
        """Raises AppsClosed, CannotOpen."""
        try:
            return vault.unseal(b64decode(encrypted_text), PLACE).decode()
        except VaultClosed as closed:
            raise AppsClosed(*closed.args) from closed

    def key_of(self, encrypted_text: str) -> UUID:
        """The data key that sealed it. Raises CannotOpen."""
        return vault.key_of(b64decode(encrypted_text))

    def generate_authenticator_name(self, user: object, type: Authenticator.Type) -> str:
        return "Passkey"


class SecondStep(AuthenticateStage):
    """Asks for the second step at sign-in, unless what came before were two factors."""

    def _should_handle(self, request: HttpRequest) -> bool:
        records = get_authentication_records(request, self.login.user)
        return bool(super()._should_handle(request)) and not has_two_factors(records)
