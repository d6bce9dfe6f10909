"""Delete the entries of the record of changes and reads that were retired, with their seals."""

import argparse
import json

from handrail.core.seals import delete_retired
from tenants.actions import as_owner_of
from tenants.models import LocalAuthority


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="report as JSON")


def run(options: argparse.Namespace) -> int:
    removed = {}
    for authority in LocalAuthority.objects.filter(state=LocalAuthority.State.ACTIVE).order_by("code"):
        with as_owner_of(authority):
            removed[authority.code] = delete_retired()
    if options.json:
        print(json.dumps(removed))
    else:
        for code, count in removed.items():
            print(f"{code}: {count:,} entries removed")
    return 0
