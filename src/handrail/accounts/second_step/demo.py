"""The demonstration's authenticator apps: nobody who tries it should need one of their own."""

from collections.abc import Iterable
from datetime import datetime

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, generate_totp_secret, hotp_value
from django.conf import settings

from handrail.accounts.models import User
from handrail.accounts.second_step.actions import add_app
from handrail.core.audit import CLOCK

PERIOD = 30
"""Seconds for which an app shows a code."""


class NotTheDemo(RuntimeError):
    """Codes are read by whoever holds the app, and by nobody else."""


def give_apps(users: Iterable[User], *, at: datetime) -> None:
    """Set an app up for each of these people."""
    for user in users:
        add_app(user=user, secret=generate_totp_secret(), by=CLOCK, at=at)


def codes_now(*, at: datetime) -> list[tuple[str, str]]:
    """What everybody's app shows at the moment `at`: e-mail addresses and codes. Raises NotTheDemo."""
    if not settings.IS_DEMO:
        raise NotTheDemo
    counter = int(at.timestamp()) // PERIOD
    apps = Authenticator.objects.filter(type=Authenticator.Type.TOTP).select_related("user").order_by("user__email")
    return [
        (app.user.email, format_hotp_value(hotp_value(get_adapter().decrypt(app.data["secret"]), counter)))
        for app in apps
    ]
