"""Bring every authority's schools to what the register of schools says, and open policies for new ones."""

import argparse
import json
from typing import Any

from django.utils import timezone

from handrail.core.jinja import plural
from tenants.routing import authorities
from workflows.per_authority import run_for_each_authority
from workflows.register import Brought, bring_up_to_date


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="report as JSON")


def run(options: argparse.Namespace) -> int:
    now = timezone.now()
    names = {authority.code: authority.name for authority in authorities()}
    done: dict[str, Brought] = run_for_each_authority(lambda authority: bring_up_to_date(at=now))
    if options.json:
        print(json.dumps([{"code": code, "name": names[code], **_figures(each)} for code, each in done.items()]))
        return 0
    for code, each in done.items():
        print(f"{code}  {names[code]}: {in_words(each)}")
    if not done:
        print("There is no authority to follow the register for.")
    return 0


def in_words(done: Brought) -> str:
    """What changed, or that nothing did."""
    parts = [
        (done.schools.new, "new school", "new schools"),
        (done.schools.changed, "school changed", "schools changed"),
        (done.schools.closed, "school closed", "schools closed"),
        (done.schools.moved_away, "school moved away", "schools moved away"),
        (len(done.schools.conversions), "school converted", "schools converted"),
        (done.policies_opened, "policy opened", "policies opened"),
        (done.policies_inherited, "policy carried over", "policies carried over"),
        (done.children_carried, "child carried over", "children carried over"),
    ]
    return ", ".join(plural(count, one, many) for count, one, many in parts if count) or "nothing changed"


def _figures(done: Brought) -> dict[str, Any]:
    return {
        "new": done.schools.new,
        "changed": done.schools.changed,
        "closed": done.schools.closed,
        "moved_away": done.schools.moved_away,
        "conversions": len(done.schools.conversions),
        "policies_opened": done.policies_opened,
        "policies_inherited": done.policies_inherited,
        "children_carried": done.children_carried,
    }
