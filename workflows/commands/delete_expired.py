"""Delete what is past its time and two people have agreed to delete. Scheduled nightly, outside the worker."""

import argparse
import json
import sys
from typing import Any

from django.utils import timezone

from handrail.records.actions import carry_out_deletion
from handrail.records.retention import BY_KEY
from tenants.actions import as_owner_of
from tenants.models import LocalAuthority


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true")


def run(options: argparse.Namespace) -> int:
    now, report, failed = timezone.now(), {}, False
    for authority in LocalAuthority.objects.filter(state=LocalAuthority.State.ACTIVE).order_by("code"):
        try:
            with as_owner_of(authority):
                done = carry_out_deletion(at=now)
        except Exception as error:  # one authority's trouble is its own
            print(f"{authority}: nothing was deleted ({type(error).__name__}).", file=sys.stderr)
            failed = True
            continue
        if done:
            report[authority.code] = done.deleted
    print(json.dumps(report) if options.json else _in_words(report))
    return 1 if failed else 0


def _in_words(report: dict[str, dict[str, Any]]) -> str:
    if not report:
        return "No authority has agreed to delete anything."
    return "\n".join(
        f"{code}: " + ", ".join(f"{number} of {BY_KEY[key].label.lower()}" for key, number in deleted.items())
        for code, deleted in report.items()
    )
