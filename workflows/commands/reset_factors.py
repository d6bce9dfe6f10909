"""Take a lost second step from somebody, who is told by e-mail. For when no other administrator can do it on a page."""

import argparse
import sys

from allauth.core import context as allauth_context
from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from handrail.accounts.models import User
from handrail.accounts.second_step.actions import reset
from handrail.accounts.second_step.views import tell
from handrail.core.audit import CLOCK
from tenants.context import inside
from tenants.errors import UnknownAuthority
from tenants.routing import Authority, authority_by_code


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--authority", required=True, metavar="CODE", help="three-digit DfE code, like 001")
    parser.add_argument("--email", required=True)


def run(options: argparse.Namespace) -> int:
    try:
        authority = authority_by_code(options.authority)
    except UnknownAuthority:
        print(f"There is no authority with the code {options.authority}: see list-authorities.", file=sys.stderr)
        return 1
    with inside(authority), allauth_context.request_context(as_if_asked(authority)):
        user = User.objects.filter(email__iexact=options.email).first()
        if user is None:
            print(f"Nobody at {authority.name} has that e-mail address.", file=sys.stderr)
            return 1
        reset(user=user, by=CLOCK, at=timezone.now())
        tell(user, "second_step_reset")
    print(f"{user.name} is signed out everywhere and sets up a new second step at {authority.host}.")
    return 0


def as_if_asked(authority: Authority) -> HttpRequest:
    """Mail about signing in says who it is from by the request it comes from."""
    request = HttpRequest()
    port = f":{settings.SITE_PORT}" if settings.SITE_PORT else ""
    request.META |= {"HTTP_HOST": f"{authority.host}{port}", "HTTP_X_FORWARDED_PROTO": settings.SITE_SCHEME}
    request.META |= {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "127.0.0.1"}
    request.authority = authority  # type: ignore[attr-defined]
    return request
