"""Serve a suspended authority again."""

import argparse
import sys

from tenants.actions import Refused, resume_authority


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--code", required=True)


def run(options: argparse.Namespace) -> int:
    try:
        authority = resume_authority(code=options.code)
    except Refused as refusal:
        print(refusal, file=sys.stderr)
        return 1
    print(f"{authority.name} is being served again.")
    return 0
