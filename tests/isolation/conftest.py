"""A database beside the other tests', where every transaction is a real one."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from databases import clone, connected, drop, template


@pytest.fixture(scope="session")
def apart() -> Iterator[str]:
    """The database's name. Tests of the wall leave it as they found it, or take a clone of their own."""
    name = f"test_{os.getpid()}_apart"
    clone(template(), name)
    yield name
    drop(name)


@pytest.fixture
def real(apart: str, django_db_blocker: Any) -> Iterator[str]:
    """The product's own connections to that database."""
    with django_db_blocker.unblock(), connected(apart):
        yield apart
