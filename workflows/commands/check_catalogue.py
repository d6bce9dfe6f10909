"""Check that the database still says what the wall between authorities rests on."""

import argparse
import json

from django.db import connection

from tenants.database.catalogue import findings


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true")


def run(options: argparse.Namespace) -> int:
    with connection.cursor() as cursor:
        found = findings(cursor)
    if options.json:
        print(json.dumps(found, indent=2))
    else:
        print("\n".join(found) or "Every right, owner and dependency is as it must be.")
    return 1 if found else 0
