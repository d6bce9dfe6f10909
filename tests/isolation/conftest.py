"""A database beside the other tests', where every transaction is a real one."""

from collections.abc import Iterator
from typing import Any

import pytest
from databases import connected, scratch


@pytest.fixture(scope="session")
def apart() -> Iterator[str]:
    """The database's name. Tests of the wall leave it as they found it, or take a clone of their own."""
    with scratch("test_apart") as name:
        yield name


@pytest.fixture
def real(apart: str, django_db_blocker: Any) -> Iterator[str]:
    """The product's own connections to that database."""
    with django_db_blocker.unblock(), connected(apart):
        yield apart
