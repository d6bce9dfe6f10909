"""List the authorities: code, name, host, state, and whether their tables are up to date."""

import argparse
import json

from tenants.routing import authorities


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true")


def run(options: argparse.Namespace) -> int:
    rows = [
        {"code": a.code, "name": a.name, "host": a.host, "state": a.state, "is_behind": a.is_behind}
        for a in authorities()
    ]
    if options.json:
        print(json.dumps(rows, indent=2))
        return 0
    for row in rows:
        behind = ", behind: run `handrail migrate`" if row["is_behind"] else ""
        print(f"{row['code']}  {row['name']:30}  {row['host']:40}  {row['state']}{behind}")
    if not rows:
        print("There is no authority yet. Make one with `handrail create-authority`.")
    return 0
