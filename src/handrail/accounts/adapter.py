"""What allauth asks of us: nobody signs up by themselves, and mail leaves only when the request has committed."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.db import transaction
from django.http import HttpRequest


class Adapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """People are added by somebody who may; there is no sign-up page."""
        return False

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """The one mail that leaves from a request: a sign-in code. After the commit, and never from a failed one."""
        message = self.render_mail(template_prefix, email, context)
        transaction.on_commit(message.send, robust=True)
