"""One database with three authorities for all tests of handovers between them."""

from collections.abc import Iterator
from typing import Any

import pytest
from databases import connected, handrail, scratch
from handovers.between import Between, furnished


@pytest.fixture(scope="session")
def three_authorities() -> Iterator[str]:
    with scratch("test_handovers") as name:
        made = handrail(
            *("create-authority", "--code", "003", "--name", "Casterbridge", "--host", "casterbridge.localhost"),
            *("--admin", "admin@casterbridge.example"),
            HANDRAIL_DB_NAME=name,
        )
        assert made.returncode == 0, made.stderr
        yield name


@pytest.fixture
def between(three_authorities: str, django_db_blocker: Any) -> Iterator[Between]:
    with django_db_blocker.unblock(), connected(three_authorities):
        yield furnished(three_authorities)
