"""Delete a suspended authority and everything in it, for good."""

import argparse
import sys

from tenants.actions import Refused, remove_authority


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--code", required=True, help="three-digit DfE code, like 001")
    parser.add_argument("--yes-delete-everything", required=True, metavar="NAME", help="the authority's name in full")


def run(options: argparse.Namespace) -> int:
    try:
        removed = remove_authority(code=options.code, name=options.yes_delete_everything)
    except Refused as refusal:
        print(refusal, file=sys.stderr)
        return 1
    print(f"{removed.name} is deleted. Its files are still in the document store, under a/{removed.id}/.")
    return 0
