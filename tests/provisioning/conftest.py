"""A database of its own for each test that makes, migrates or removes authorities."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from databases import SUPERUSER, connected, scratch
from psycopg import sql

from tenants import actions
from tenants.models import new_schema_name


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The names of the schemas and roles that the test makes. Roles belong to the whole server: they go at the end."""
    names: list[str] = []

    def name() -> str:
        names.append(new_schema_name())
        return names[-1]

    monkeypatch.setattr(actions, "new_schema_name", name)
    yield names
    with psycopg.connect(SUPERUSER, autocommit=True) as admin:
        for role in names:
            admin.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(role)))


@pytest.fixture
def database(made: list[str]) -> Iterator[str]:
    """A clone of the template: authorities 001 and 002."""
    with scratch("test_provisioning") as name:
        yield name


@pytest.fixture
def owner(database: str, django_db_blocker: Any) -> Iterator[str]:
    """This process as the owner login."""
    with django_db_blocker.unblock(), connected(database, "owner"):
        yield database
