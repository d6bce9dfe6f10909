"""Say that an authority ceases on a day, and which ones follow it: a reorganisation of local government."""

import argparse
import sys
from datetime import date

from tenants.actions import Refused, cease_authority


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--code", required=True, help="three-digit DfE code, like 001")
    parser.add_argument("--on", required=True, type=date.fromisoformat, help="its first day no more, like 2027-04-01")
    parser.add_argument("--followed-by", required=True, nargs="+", metavar="CODE", help="the codes of its successors")


def run(options: argparse.Namespace) -> int:
    try:
        name = cease_authority(code=options.code, on=options.on, followed_by=options.followed_by)
    except Refused as refusal:
        print(refusal, file=sys.stderr)
        return 1
    print(f"{name} ceases on {options.on}, followed by {' and '.join(options.followed_by)}.")
    print("From that day nothing is sent to it or by it. What nobody has opened goes back to its sender.")
    return 0
