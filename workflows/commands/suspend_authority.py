"""Stop serving an authority; its data is kept and its work is held."""

import argparse
import sys

from tenants.actions import Refused, suspend_authority


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--code", required=True)


def run(options: argparse.Namespace) -> int:
    try:
        authority = suspend_authority(code=options.code)
    except Refused as refusal:
        print(refusal, file=sys.stderr)
        return 1
    print(f"{authority.name} is suspended. Run `handrail resume-authority --code {authority.code}` to serve it again.")
    return 0
