"""Check that both sides of every handover remember the same envelopes: numbers and digests, and no content."""

import argparse
import json
import sys
from datetime import timedelta
from typing import Any

from django.utils import timezone

from handrail.handovers import ledger
from handrail.handovers.ledger import Tally
from tenants.routing import authorities
from workflows.per_authority import run_for_each_authority

NOTHING = Tally(0, "")
A_RUN_LASTS = timedelta(minutes=1)
"""Both sides are asked one after the other, about what arrived before the first was: what is being taken up waits."""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true")


def run(options: argparse.Namespace) -> int:
    before = timezone.now() - A_RUN_LASTS
    asked = run_for_each_authority(lambda authority: (ledger.tallies(before=before), ledger.differences()))
    ways, not_asked = compared(asked)
    found = {code: differences for code, (_, differences) in asked.items() if differences}
    if options.json:
        print(json.dumps({"ways": ways, "differences": found, "not_asked": not_asked}, indent=2))
    else:
        for way in ways:
            print(f"{way['from']} to {way['to']}: {in_words(way)}")
        for code, differences in found.items():
            for each in differences:
                print(f"{code}: {each}", file=sys.stderr)
        if not_asked:
            print(f"Not asked, because they are not being served: {', '.join(not_asked)}")
    return 1 if found or any(way["agrees"] is False for way in ways) else 0


def compared(asked: dict[str, Any]) -> tuple[list[dict[str, Any]], list[str]]:
    """Every way between two authorities as each side remembers it, and who was not asked.

    `agrees` is None where one side was not asked, or has been removed.
    """
    codes = {each.schema_name: each.code for each in authorities()}
    tallies = {key: tally for of_one, _ in asked.values() for key, tally in of_one.items()}
    ways = []
    for way in sorted({way for _, way in tallies}, key=lambda way: [codes.get(role, role) for role in way]):
        sender, recipient = (codes.get(role, "removed") for role in way)
        out, into = tallies.get(("out", way), NOTHING), tallies.get(("in", way), NOTHING)
        knows_both = sender in asked and recipient in asked
        ways.append(
            {
                "from": sender,
                "to": recipient,
                "sent": vars(out) if sender in asked else None,
                "received": vars(into) if recipient in asked else None,
                "agrees": out == into if knows_both else None,
            }
        )
    return ways, sorted(code for code in codes.values() if code not in asked)


def in_words(way: dict[str, Any]) -> str:
    if way["agrees"] is None:
        return "only one side could be asked"
    if way["agrees"]:
        return f"{way['sent']['count']} arrived, and both sides remember the same"
    return f"THEY DIFFER: {way['from']} sent {way['sent']['count']}, {way['to']} received {way['received']['count']}"
