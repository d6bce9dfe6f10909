"""Bring the public facts, the template and every authority that is behind to this release."""

import argparse
import json
import sys
import time

from handrail.config.env import read_env
from tenants.actions import keep_template, migrate_authorities, migrate_public_and_template, schemas_behind
from tenants.database.template import TemplateUnreadable
from tenants.models import LocalAuthority


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--processes", type=int, default=2, help="how many authorities at a time (2)")
    parser.add_argument("--json", action="store_true", help="report as JSON")


def run(options: argparse.Namespace) -> int:
    started = time.monotonic()
    migrate_public_and_template()
    behind = schemas_behind()
    names = dict(LocalAuthority.objects.values_list("schema_name", "name"))
    failed, template_error = {}, ""
    for number, done in enumerate(migrate_authorities(behind, processes=options.processes), start=1):
        if done.error:
            failed[names[done.schema]] = done.error
        if not options.json:
            print(f"[{number}/{len(behind)}] {names[done.schema]}: {done.error or 'up to date'}", flush=True)
    try:
        keep_template(read_env().pg_dump)
    except TemplateUnreadable as error:
        template_error = f"{error} No authority can be made until HANDRAIL_PG_DUMP is right and this has run again."
        print(template_error, file=sys.stderr)
    report = {
        "authorities": len(names),
        "were_behind": len(behind),
        "failed": failed,
        "template_error": template_error,
        "seconds": round(time.monotonic() - started, 2),
    }
    if options.json:
        print(json.dumps(report, indent=2))
    elif failed:
        print(f"{len(failed)} of {len(names)} authorities are still behind and are not being served.", file=sys.stderr)
    else:
        print(f"All {len(names)} authorities are up to date ({len(behind)} were behind).")
    return 1 if failed or template_error else 0
