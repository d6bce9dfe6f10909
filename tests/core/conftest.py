"""What tests of the vault share."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections


@pytest.fixture(scope="module")
def notes_table(django_db_setup: None) -> Iterator[None]:
    from core.notes import tables

    with tables(connections["default"].settings_dict["NAME"]):
        yield


@pytest.fixture
def here(one: Any) -> Iterator[Any]:
    """Inside authority one for the whole test."""
    from tenants.context import inside

    with inside(one):
        yield one
