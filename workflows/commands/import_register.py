"""Bring the register of schools up to its published file; every authority's schools follow.

Exit codes: 0 imported, 1 refused, 3 not imported until it is said again with --yes. Nothing changes but at 0.
"""

import argparse
import json
import sys
from typing import Any

from django.db import connection
from django.utils import timezone

from handrail.core.jinja import plural
from tenants.csv_file import Problem
from tenants.register import NeedsConfirmation, RegisterReport, import_register
from tenants.register_file import NotTheRegister, read_links, read_register

IMPORTED, REFUSED, NEEDS_YES = 0, 1, 3
LISTED, BAR = 20, 40


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="edubasealldataYYYYMMDD.csv, as it was downloaded")
    parser.add_argument("--links", metavar="FILE", help="links_edubasealldataYYYYMMDD.csv, as it was downloaded")
    parser.add_argument("--yes", action="store_true", help="import what would otherwise ask first")
    parser.add_argument("--json", action="store_true", help="report as JSON")


def run(options: argparse.Namespace) -> int:
    connection.ensure_connection()
    try:
        report = import_register(
            connection.connection,
            read_register(options.file),
            links=read_links(options.links) if options.links else None,
            at=timezone.now(),
            confirmed=options.yes,
            progress=_bar if sys.stderr.isatty() and not options.json else None,
        )
    except NotTheRegister as refusal:
        return _stop(options, REFUSED, "refused", [str(refusal)], "Nothing was changed.")
    except OSError as error:
        return _stop(options, REFUSED, "refused", [f"{error.filename}: {error.strerror}."], "Nothing was changed.")
    except NeedsConfirmation as asking:
        cure = "Nothing was changed. If this is right, import it again with --yes."
        return _stop(options, NEEDS_YES, "needs confirmation", list(asking.reasons), cure)
    print(json.dumps(_figures(report), indent=2) if options.json else "\n".join(_lines(report)))
    return IMPORTED


def _stop(options: argparse.Namespace, code: int, outcome: str, reasons: list[str], cure: str) -> int:
    if options.json:
        print(json.dumps({"outcome": outcome, "reasons": reasons}, indent=2))
    else:
        print(*reasons, cure, sep="\n", file=sys.stderr)
    return code


def _bar(done: int, total: int) -> None:
    part = done / max(total, 1)
    end = "\n" if done == total else ""
    print(f"\r[{'#' * int(part * BAR):{BAR}}] {part:4.0%}", end=end, file=sys.stderr, flush=True)


def _figures(report: RegisterReport) -> dict[str, Any]:
    links = report.links
    return {
        "outcome": "imported",
        "file": report.file_name,
        "file_date": report.file_date.isoformat() if report.file_date else None,
        **report.counts(),
        "gone": list(report.gone),
        "problems": [_problem(each) for each in report.problems],
        "links": {
            "file": links.file_name,
            "rows": links.rows,
            "new": links.new,
            "changed": links.changed,
            "removed": links.removed,
            "skipped": links.skipped,
            "problems": [_problem(each) for each in links.problems],
        }
        if links
        else None,
    }


def _problem(problem: Problem) -> dict[str, Any]:
    return {
        "line": problem.line,
        "urn": problem.key,
        "column": problem.column,
        "value": problem.value,
        "row_skipped": problem.is_skipped,
        "what_to_do": problem.advice,
    }


def _lines(report: RegisterReport) -> list[str]:
    lines = [
        f"{report.file_name}: {plural(report.rows, 'row', 'rows')}.",
        f"{report.new:8,} new",
        f"{report.changed:8,} changed, {report.closed:,} of them closed",
        f"{report.unchanged:8,} unchanged",
        f"{report.skipped:8,} skipped",
        f"{len(report.gone):8,} gone from the file and kept as they were{_some(report.gone)}",
        *_problem_lines(report.problems),
    ]
    if links := report.links:
        lines += [
            f"{links.file_name}: {plural(links.rows, 'link', 'links')}, {links.new:,} new, {links.changed:,} changed, "
            f"{links.removed:,} removed, {links.skipped:,} skipped.",
            *_problem_lines(links.problems),
        ]
    return lines


def _some(urns: tuple[str, ...]) -> str:
    more = len(urns) - LISTED
    listed = ", ".join(urns[:LISTED])
    return (f": {listed}" if urns else "") + (f" and {more:,} more (--json lists all)" if more > 0 else "")


def _problem_lines(problems: tuple[Problem, ...]) -> list[str]:
    lines = [f"{plural(len(problems), 'problem', 'problems')}:"] if problems else []
    for each in problems:
        place = f"line {each.line}, URN {each.key or 'blank'}, {each.column or 'whole row'}"
        lines.append(f"  {place}, {each.value!r}: {each.advice}")
    return lines
