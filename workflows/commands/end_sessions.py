"""Sign everybody of an authority out at once, and with --keys revoke the keys that programs read with."""

import argparse
import sys

from handrail.accounts.actions import end_all_sessions
from handrail.core.audit import CLOCK
from handrail.reporting.actions import revoke_keys
from tenants.context import inside
from tenants.errors import UnknownAuthority
from workflows.per_authority import clock, with_their_tables


def arguments(parser: argparse.ArgumentParser) -> None:
    whose = parser.add_mutually_exclusive_group(required=True)
    whose.add_argument("--authority", metavar="CODE", help="three-digit DfE code, like 001")
    whose.add_argument("--all", action="store_true", help="of every authority")
    parser.add_argument("--keys", action="store_true", help="revoke the keys of programs too: nothing gives them back")


def run(options: argparse.Namespace) -> int:
    try:
        chosen, behind = with_their_tables(options.authority)
    except UnknownAuthority:
        print(f"There is no authority with the code {options.authority}: see list-authorities.", file=sys.stderr)
        return 1
    for authority in chosen:
        with inside(authority):
            people = end_all_sessions(by=CLOCK, at=clock())
            keys = revoke_keys(by=CLOCK, at=clock()) if options.keys else None
        said = "" if keys is None else f"; keys revoked: {keys}"
        print(f"{authority.code}: people signed out: {people}{said}")
    for each in behind:
        print(f"{each.code}: not done. Its tables are older than this release: run migrate.", file=sys.stderr)
    return 1 if behind else 0
