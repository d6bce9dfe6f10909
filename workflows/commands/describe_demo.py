"""Say where the demo and its mailboxes are, and who can sign in to it."""

import argparse

from django.urls import reverse

from handrail.accounts.models import Membership
from handrail.config.env import read_env
from tenants.context import inside
from tenants.routing import Authority, authorities
from workflows.demo import AUTHORITIES, PASSWORD, DemoAuthority


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", default=read_env().site_port, help="of the web server")


def run(options: argparse.Namespace) -> int:
    there = {authority.code: authority for authority in authorities()}
    found = [(demo, there[demo.code]) for demo in AUTHORITIES if demo.code in there]
    if not found:
        print("There is no demo yet. Make it with `handrail load-demo`.")
        return 1
    for demo, authority in found:
        print(f"{demo.name:<48}{address(authority, options.port)}")
        for email, role, schools in accounts(demo, authority):
            print(f"  {email:<46}{role}{', ' if schools else ''}{schools}")
        print(f"  {'Codes and reminders':<46}{address(authority, options.port, reverse('notices:mailbox'))}")
    print(f"{'Password of everybody':<48}{PASSWORD}")
    return 0


def address(authority: Authority, port: str, path: str = "/") -> str:
    return f"http://{authority.host}{f':{port}' if port else ''}{path}"


def accounts(demo: DemoAuthority, authority: Authority) -> list[tuple[str, str, str]]:
    """Each account to try: its e-mail address, role and schools."""
    with inside(authority):
        memberships = Membership.objects.filter(user__email__in=demo.to_try, to_on=None).select_related(
            "user", "school"
        )
        found: dict[str, list[Membership]] = {email: [] for email in demo.to_try}
        for membership in memberships.order_by("school__urn"):
            found[membership.user.email].append(membership)
    return [
        (email, held[0].get_role_display(), " and ".join(str(each.school) for each in held if each.school))
        for email, held in found.items()
        if held
    ]
