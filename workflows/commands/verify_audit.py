"""Check that nobody has removed, changed or reordered a sealed entry of the record of changes and reads."""

import argparse
import json
import sys

from handrail.core.documents import store
from handrail.core.jinja import long_date
from handrail.core.models import RetiredSegment
from handrail.core.seals import verify
from workflows.per_authority import run_for_each_authority


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true")


def run(options: argparse.Namespace) -> int:
    found = run_for_each_authority(lambda authority: verify(store()))
    retired = run_for_each_authority(lambda authority: list(RetiredSegment.objects.order_by("to_number")))
    if options.json:
        print(json.dumps({code: [each.what for each in findings] for code, findings in found.items()}, indent=2))
    else:
        for code, findings in found.items():
            print(f"{code}: {'whole' if not findings else f'{len(findings)} findings'}")
            for segment in retired[code]:
                which = f"seals {segment.from_number} to {segment.to_number}"
                print(f"  {which} were retired on {long_date(segment.retired_at)}")
            for each in findings:
                print(f"  {each.what}", file=sys.stderr)
    return 1 if any(found.values()) else 0
