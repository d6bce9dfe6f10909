"""Give authorities a new data key and seal every health record and document anew. May be stopped and run again."""

import argparse
import json
import sys
import time
from dataclasses import asdict, dataclass, field

from handrail.accounts.second_step import actions as second_step
from handrail.core import rotation
from handrail.core.models import DataKey
from handrail.core.vault import VaultClosed
from tenants.context import inside
from tenants.errors import UnknownAuthority
from tenants.routing import Authority
from workflows.per_authority import clock, with_their_tables

A_BATCH = 200
PASSES = 5
PAUSE = 1  # second, for those who are changing a row to be done with it


@dataclass
class Report:
    """What was done in one authority."""

    key: int | None = None
    sealed: int = 0
    left: int = 0
    unreadable: list[str] = field(default_factory=list)
    keep_their_key: int = 0
    removed_keys: list[int] = field(default_factory=list)


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--authority", metavar="CODE", help="one authority only: its three-digit DfE code, like 001")
    parser.add_argument("--json", action="store_true")


def run(options: argparse.Namespace) -> int:
    try:
        chosen, behind = with_their_tables(options.authority)
        reports = {authority.code: rotate(authority) for authority in chosen}
    except UnknownAuthority:
        print(f"There is no authority with the code {options.authority}: see list-authorities.", file=sys.stderr)
        return 1
    except VaultClosed as closed:
        print(f"The keys cannot be used: {closed}.", file=sys.stderr)
        return 1
    if options.json:
        told = {code: asdict(report) for code, report in reports.items()}
        print(json.dumps({"authorities": told, "behind": [each.code for each in behind]}, indent=2))
    else:
        for code, report in reports.items():
            print(f"{code}: {_in_words(report)}")
        for each in behind:
            print(f"{each.code}: not done. Its tables are older than this release: run migrate.", file=sys.stderr)
    return 1 if behind or any(report.left or report.unreadable for report in reports.values()) else 0


def rotate(authority: Authority) -> Report:
    """Seal everything of one authority with its newest key, in short transactions. Raises VaultClosed."""
    report = Report()
    with inside(authority):
        key = rotation.begin(at=clock())
    if key is None:
        return report
    report.key = key.number
    for number in range(PASSES):
        unreadable = _one_pass(authority, key, report)
        with inside(authority):
            unreadable += [f"mfa_authenticator {row}" for row in second_step.seal_anew()]
        report.unreadable = unreadable
        with inside(authority):
            remainder = rotation.finish(
                key=key, unreadable=len(unreadable), at=clock(), elsewhere=second_step.keys_in_use()
            )
        report.left = max(0, remainder.rows - len(unreadable))
        report.keep_their_key = remainder.fixed_rows
        report.removed_keys += remainder.removed
        if not report.left:
            break
        time.sleep(PAUSE if number + 1 < PASSES else 0)
    return report


def _one_pass(authority: Authority, key: DataKey, report: Report) -> list[str]:
    """Seal what can be; give the rows that do not open."""
    unreadable: list[str] = []
    for model in rotation.sealed_models():
        last = None
        while True:
            with inside(authority):
                batch = rotation.reseal(model, key=key, after=last, at_most=A_BATCH)
            report.sealed += batch.sealed
            unreadable += [f"{model._meta.db_table} {row}" for row in batch.unreadable]
            if batch.last is None:
                break
            last = batch.last
    return unreadable


def _in_words(report: Report) -> str:
    if report.key is None:
        return "nothing is sealed yet"
    words = [f"key {report.key}, {report.sealed} rows sealed anew"]
    if report.left:
        words.append(f"{report.left} rows are being changed: run this again")
    if report.unreadable:
        words.append(f"{len(report.unreadable)} rows do not open and were left as they are: {report.unreadable}")
    if report.keep_their_key:
        words.append(f"{report.keep_their_key} rows that cannot be changed keep their key")
    if report.removed_keys:
        words.append(f"removed the unused keys {', '.join(map(str, report.removed_keys))}")
    return "; ".join(words)
