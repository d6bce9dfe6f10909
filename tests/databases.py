"""Databases for tests and benchmarks: a template built by the product's own commands, and clones of it."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
from django.db import connections
from psycopg import sql

from handrail.config.env import whole_environment

ROOT = Path(__file__).parent.parent
AUTHORITIES = (("001", "Barsetshire", "barsetshire.localhost"), ("002", "Borchester", "borchester.localhost"))
SUPERUSER = whole_environment().get("HANDRAIL_SUPERUSER_URL", "")


def handrail(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the product in a process of its own, as a person would."""
    return subprocess.run(
        [sys.executable, "-m", "handrail", *arguments],
        env={**whole_environment(), "DJANGO_SETTINGS_MODULE": "handrail.config.settings", **environment},
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )


@cache
def template() -> str:
    """The template database's name, building it when it is not there. Safe when several processes ask at once."""
    name = whole_environment()["HANDRAIL_TEMPLATE"]
    with psycopg.connect(SUPERUSER, autocommit=True) as admin:
        admin.execute("SELECT pg_advisory_lock(1, 1)")
        if admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone():
            return name
        building = f"{name}_building"
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(building)))
        steps = [("prepare-cluster",), ("migrate",)]
        for code, authority, host in AUTHORITIES:
            admin_email = f"admin@{host.replace('localhost', 'example')}"
            steps.append(
                ("create-authority", "--code", code, "--name", authority, "--host", host, "--admin", admin_email)
            )
        for step in steps:
            done = handrail(*step, HANDRAIL_DB_NAME=building)
            assert done.returncode == 0, f"{step}: {done.stdout}{done.stderr}"
        admin.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(building), sql.Identifier(name)))
    return name


def clone(source: str, name: str) -> None:
    """Make database `name` anew from the template, with the template's rights."""
    from tenants.database.cluster import grant_connect

    with psycopg.connect(SUPERUSER, autocommit=True) as admin:
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        admin.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY OWNER handrail_owner").format(
                sql.Identifier(name), sql.Identifier(source)
            )
        )
        grant_connect(admin, name)


def drop(name: str) -> None:
    with psycopg.connect(SUPERUSER, autocommit=True) as admin:
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def as_superuser(database: str) -> psycopg.Connection:
    """A connection of the cluster's administrator, who is outside the wall, to see and set facts with."""
    return psycopg.connect(SUPERUSER, dbname=database, autocommit=True)


ENGINES = {
    "app": {"ENGINE": "tenants.database", "USER": "handrail_app", "ATOMIC_REQUESTS": True},
    "owner": {"ENGINE": "django_tenants.postgresql_backend", "USER": "handrail_owner", "ATOMIC_REQUESTS": False},
}


@contextmanager
def connected(database: str, login: str = "app", **more: Any) -> Iterator[None]:
    """Point this process's Django connections at `database` as that login, in threads begun meanwhile too.

    Not inside a test's own transaction: it closes what is open.
    """
    password = whole_environment()[f"HANDRAIL_{login.upper()}_PASSWORD"]
    before = {alias: dict(settings) for alias, settings in connections.settings.items()}
    connections.close_all()
    for alias, settings in connections.settings.items():
        settings.update({"NAME": database, "PASSWORD": password, **ENGINES[login], **more})
        if alias == "side":
            settings["ATOMIC_REQUESTS"] = False
        _forget(alias)
    try:
        yield
    finally:
        connections.close_all()
        for alias, settings in connections.settings.items():
            settings.clear()
            settings.update(before[alias])
            _forget(alias)


def _forget(alias: str) -> None:
    if hasattr(connections._connections, alias):
        del connections[alias]


@contextmanager
def scratch(name: str) -> Iterator[str]:
    """A clone of the template for as long as the block lasts; gives its name."""
    name = f"{name}_{os.getpid()}"
    clone(template(), name)
    try:
        yield name
    finally:
        drop(name)


def let_others_end() -> None:
    """Wait for the transactions that other databases of the server have open: a row comes when no older one is.

    Tests beside this one work in such databases; the transactions of this one are what is tried.
    """
    here = connections["default"].settings_dict["NAME"]
    others = "SELECT backend_xid::text FROM pg_stat_activity WHERE backend_xid IS NOT NULL AND datname <> %s"
    with psycopg.connect(SUPERUSER, autocommit=True) as admin:
        begun = set(admin.execute(others, (here,)).fetchall())
        while begun & set(admin.execute(others, (here,)).fetchall()):
            time.sleep(0.05)
