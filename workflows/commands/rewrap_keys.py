"""Wrap every data key anew, after a new key was put first in HANDRAIL_VAULT_KEY or into HANDRAIL_VAULT_KMS_KEY."""

import argparse
import json
import sys

from handrail.core import vault
from handrail.core.audit import CLOCK, record
from handrail.core.models import DataKey
from handrail.core.vault import CannotOpen, VaultClosed
from tenants.context import inside
from tenants.routing import Authority
from workflows.per_authority import clock, with_their_tables


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true")


def run(options: argparse.Namespace) -> int:
    wrapped, failed = {}, {}
    chosen, behind = with_their_tables()
    for authority in chosen:
        try:
            wrapped[authority.code] = rewrap(authority)
        except (VaultClosed, CannotOpen) as refusal:
            failed[authority.code] = str(refusal)
    failed |= {each.code: "its tables are older than this release: run migrate" for each in behind}
    if options.json:
        print(json.dumps({"wrapped": wrapped, "failed": failed}, indent=2))
    else:
        for code, count in wrapped.items():
            print(f"{code}: {count} data keys wrapped anew")
        for code, reason in failed.items():
            print(f"{code}: not done: {reason}. Keep the earlier key.", file=sys.stderr)
    return 1 if failed else 0


def rewrap(authority: Authority) -> int:
    """Wrap the data keys of one authority, all or none; give their number. Raises VaultClosed, CannotOpen."""
    with inside(authority):
        keys = list(DataKey.objects.select_for_update())
        for each in keys:
            vault.rewrap(each)
            record("wrapped a data key anew", by=CLOCK, at=clock(), subject_kind="data_key", subject_id=each.id)
        return len(keys)
