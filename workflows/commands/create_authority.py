"""Create a local authority: its schema, role, host and first administrator."""

import argparse
import json
import sys

from django.utils import timezone

from handrail.accounts.actions import add_person
from handrail.accounts.roles import Role
from handrail.core.audit import CLOCK
from tenants.actions import create_authority
from tenants.models import LocalAuthority


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--code", required=True, help="three-digit DfE code, like 001")
    parser.add_argument("--name", required=True)
    parser.add_argument("--host", required=True, help="like barsetshire.localhost")
    parser.add_argument("--admin", required=True, metavar="EMAIL", help="the first administrator")
    parser.add_argument("--admin-name", default="", help="the administrator's name")
    parser.add_argument("--json", action="store_true")


def run(options: argparse.Namespace) -> int:
    now = timezone.now()

    def furnish(authority: LocalAuthority) -> None:
        add_person(
            email=options.admin,
            name=options.admin_name or options.admin.split("@")[0],
            role=Role.AUTHORITY_ADMINISTRATOR,
            by=CLOCK,
            at=now,
        )

    try:
        made = create_authority(code=options.code, name=options.name, host=options.host, furnish=furnish)
    except ValueError as refusal:
        print(refusal, file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps({"id": str(made.id), "code": made.code, "name": made.name, "host": options.host}))
    else:
        print(f"{made.name} ({made.code}) is ready at {options.host}. {options.admin} can sign in with a code.")
    return 0
