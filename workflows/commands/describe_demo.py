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
        print(f"{demo.name:<29}{address(authority, options.port)}")
        for role, email, schools in accounts(demo, authority):
            print(f"  {role:<27}{email:<46}{schools}".rstrip())
        print(f"  {'Codes and reminders':<27}{address(authority, options.port, reverse('notices:mailbox'))}")
    print(f"{'Password of everybody':<29}{PASSWORD}")
    return 0


def address(authority: Authority, port: str, path: str = "/") -> str:
    return f"http://{authority.host}{f':{port}' if port else ''}{path}"


def accounts(demo: DemoAuthority, authority: Authority) -> list[tuple[str, str, str]]:
    """Each account to try: its role, e-mail address and schools."""
    at_authority = (demo.officer, demo.administrator, demo.named_officer, demo.data_protection_lead)
    emails = [demo.email(name) for name in at_authority]
    emails += [demo.school_email(name) for name in (*demo.leads, demo.both)]
    with inside(authority):
        memberships = Membership.objects.filter(user__email__in=emails, to_on=None).select_related("user", "school")
        found: dict[str, list[Membership]] = {email: [] for email in emails}
        for membership in memberships.order_by("school__urn"):
            found[membership.user.email].append(membership)
    return [
        (held[0].get_role_display(), email, " and ".join(str(each.school) for each in held if each.school))
        for email, held in found.items()
        if held
    ]
