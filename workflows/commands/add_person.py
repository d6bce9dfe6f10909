"""Give a person a role at an authority or at one of its schools; make their account when they have none."""

import argparse
import json
import sys

from django.utils import timezone

from handrail.accounts.actions import add_person
from handrail.accounts.roles import Role
from handrail.core.audit import CLOCK
from handrail.schools.models import School
from tenants.context import inside
from tenants.errors import UnknownAuthority
from tenants.routing import authority_by_code


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--authority", required=True, metavar="CODE", help="three-digit DfE code, like 001")
    parser.add_argument("--email", required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--role", required=True, choices=[role.value for role in Role])
    parser.add_argument("--urn", help="the school, for a role at a school")
    parser.add_argument("--json", action="store_true")


def run(options: argparse.Namespace) -> int:
    role = Role(options.role)
    try:
        authority = authority_by_code(options.authority)
        with inside(authority):
            school = School.objects.open().get(urn=options.urn) if options.urn else None
            user = add_person(
                email=options.email,
                name=options.name,
                role=role,
                school_id=school.id if school else None,
                by=CLOCK,
                at=timezone.now(),
            )
    except UnknownAuthority:
        print(f"There is no authority with the code {options.authority}: see list-authorities.", file=sys.stderr)
        return 1
    except School.DoesNotExist:
        print(f"{authority.name} has no open school with the URN {options.urn}.", file=sys.stderr)
        return 1
    except ValueError as refusal:
        print(refusal, file=sys.stderr)
        return 1
    place = school.name if school else authority.name
    if options.json:
        print(json.dumps({"id": str(user.id), "email": user.email, "role": role, "place": place}))
    else:
        print(f"{user.name} is now {role.label.lower()} at {place} and can sign in with a code at {authority.host}.")
    return 0
