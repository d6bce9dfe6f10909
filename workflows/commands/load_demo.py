"""Make the demo: its authorities, their schools from the register, invented people and histories. Safe to repeat."""

import argparse
import subprocess
import sys
from pathlib import Path

from handrail.config.env import read_env, whole_environment
from tenants.models import LocalAuthority
from workflows.demo import AUTHORITIES


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--register", type=Path, required=True, metavar="FILE", help="an edubasealldata file")
    parser.add_argument("--links", type=Path, metavar="FILE", help="its links file")


def run(options: argparse.Namespace) -> int:
    """Start the commands of which it is made, each under the login that it needs; stop at the first that fails."""
    if read_env().mode == "production":
        print("This makes people and histories up: it runs in the demo only.", file=sys.stderr)
        return 2
    there = set(LocalAuthority.objects.values_list("code", flat=True))
    steps = [
        [
            *("create-authority", "--code", demo.code, "--name", demo.name, "--host", demo.host),
            *("--admin", demo.email(demo.administrator), "--admin-name", demo.administrator),
        ]
        for demo in AUTHORITIES
        if demo.code not in there
    ]
    links = ["--links", str(options.links)] if options.links else []
    steps += [["import-register", str(options.register), *links, "--yes"], ["furnish-demo"]]
    for step in steps:
        command = [sys.executable, "-m", "handrail", *step]
        if code := subprocess.run(command, env=whole_environment(), check=False).returncode:
            return code
    return 0
