"""Tests of the wall need real transactions."""

from collections.abc import Iterator
from typing import Any

import pytest
from databases import connected


@pytest.fixture
def real(apart: str, django_db_blocker: Any) -> Iterator[str]:
    """The product's own connections to the database that stands apart."""
    with django_db_blocker.unblock(), connected(apart):
        yield apart
