"""What allauth asks of us: our words, our mail, and nobody signs up by themselves."""

from email.utils import formataddr
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context as allauth_context
from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from handrail.accounts.actions import end_sessions
from handrail.accounts.calendar_actions import stop_key
from handrail.accounts.floods import count_try
from handrail.accounts.known_browsers import counted_as, remember
from handrail.accounts.models import User
from tenants.routing import Authority

AUTHORITY_HEADER = "X-Handrail-Authority"
"""Names the authority that a message is from, by id."""

TOO_MANY = "Too many tries. Wait a few minutes, then try again"


class Adapter(DefaultAccountAdapter):
    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": "The e-mail address or the password is wrong",
        "enter_current_password": "The current password is wrong",
        "incorrect_code": "The code is wrong. Check the newest e-mail and enter the code again",
        "too_many_login_attempts": TOO_MANY,
        "rate_limited": TOO_MANY,
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """People are added by somebody who may; there is no sign-up page."""
        return False

    def get_login_stages(self) -> list[str]:
        stock, ours = "allauth.mfa.stages.AuthenticateStage", "handrail.accounts.second_step.adapter.SecondStep"
        return [ours if each == stock else each for each in super().get_login_stages()]

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        super().pre_authenticate(request, **credentials)
        count_try(request)

    def get_client_ip(self, request: HttpRequest) -> str:
        """What tries are counted by: the network address, but in a known browser that browser."""
        return counted_as(request) or str(super().get_client_ip(request))

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        return counted_as(request) or str(super()._get_login_attempts_cache_key(request, **credentials))

    def post_login(self, request: HttpRequest, user: User, **more: Any) -> HttpResponse:
        answer: HttpResponse = super().post_login(request, user, **more)
        remember(user.email, request=request, answer=answer)
        return answer

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("accounts:account")

    def set_password(self, user: User, password: str) -> None:
        """Another password ends what was begun with the one before, but for the session it is chosen in."""
        super().set_password(user, password)
        request: Any = allauth_context.request
        by = user.as_at(request.today)
        stop_key(user=user, by=by, at=request.now)
        end_sessions(user=user, by=by, at=request.now, but=request.session.row_id)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Mail about signing in, the one mail that leaves from a request: after the commit, never from a failed one."""
        message = self.render_mail(template_prefix, email, context | {"authority": authority(), "home": home()})
        transaction.on_commit(message.send, robust=True)

    def render_mail(self, *args: Any, **kwargs: Any) -> EmailMessage:
        message: EmailMessage = super().render_mail(*args, **kwargs)
        message.extra_headers[AUTHORITY_HEADER] = str(authority().id)
        return message

    def get_from_email(self) -> str:
        return formataddr((f"Handrail for {authority().name}", settings.DEFAULT_FROM_EMAIL))


def authority() -> Authority:
    """The authority of the request under way."""
    found: Authority = allauth_context.request.authority
    return found


def home() -> str:
    """The address of the authority's start page, as the person knows it."""
    address: str = allauth_context.request.build_absolute_uri("/")
    return address
