"""Fail when a model has changed without a migration."""

import argparse

from django.core.management import call_command


def arguments(parser: argparse.ArgumentParser) -> None:
    """It takes none."""


def run(options: argparse.Namespace) -> int:
    try:
        call_command("makemigrations", check=True, dry_run=True, interactive=False)
    except SystemExit as found:
        return int(found.code or 0)
    return 0
