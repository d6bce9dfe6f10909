"""The template database of tests, kept from one run to the next with the server that holds it.

The tests make it, by the product's own commands, when it is not there: that takes longer than most files of them. It is
named by what it is made from, and a server that holds another is not used again.
"""

import hashlib
import shutil
from pathlib import Path

import psycopg
from psycopg import sql

from .kept import locked
from .postgres import MAJOR, Postgres, Server

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / ".state" / "test-server"
MADE_FROM = (
    "tenants/**/*.py",
    "src/handrail/*/migrations/*.py",
    "src/handrail/*/models.py",
    "src/handrail/accounts/*.py",
    "src/handrail/config/*.py",
    "src/handrail/core/*.py",
    "workflows/commands/*.py",
    "infra/embedded/*.py",
    "tests/databases.py",
    "requirements.lock",
)


def name_of_template() -> str:
    """A name that changes with anything that goes into it."""
    digest = hashlib.sha256(MAJOR.encode())
    for path in sorted({path for pattern in MADE_FROM for path in ROOT.glob(pattern)}):
        digest.update(bytes(path.relative_to(ROOT)) + b"\0" + path.read_bytes())
    return f"template_{digest.hexdigest()[:12]}"


def begin_with_kept(postgres: Postgres, template: str) -> None:
    """Give a server that has not run yet all that the kept one holds, if that is this template."""
    with locked(KEPT.with_suffix(".lock")):
        if (KEPT / template).exists():
            shutil.copytree(KEPT, postgres.state, dirs_exist_ok=True)


def keep(postgres: Postgres, server: Server, template: str) -> None:
    """Stop the server and keep it for the next, if it holds a template that is not kept yet."""
    if (KEPT / template).exists() or postgres.cluster.parent != postgres.state or not _tidied(server, template):
        return
    postgres.stop()
    (postgres.state / template).touch()
    draft = KEPT.with_suffix(".new")
    with locked(KEPT.with_suffix(".lock")):
        shutil.rmtree(draft, ignore_errors=True)
        shutil.copytree(postgres.state, draft, ignore=shutil.ignore_patterns("documents", "port", "*.lock", "*.log"))
        shutil.rmtree(KEPT, ignore_errors=True)
        draft.rename(KEPT)


def _tidied(server: Server, template: str) -> bool:
    """Drop what tests that were killed left behind; gives whether the template is there."""
    place = f"postgresql://{server.superuser}:{server.password}@{server.host}:{server.port}/postgres"
    with psycopg.connect(place, autocommit=True) as admin:
        for (left,) in admin.execute("SELECT datname FROM pg_database WHERE datname LIKE 'test\\_%'").fetchall():
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(left)))
        return admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", (template,)).fetchone() is not None
