"""What tests of the vault share."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connections

from handrail.core import vault


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


@pytest.fixture
def process(settings: Any) -> Callable[..., None]:
    """`process(keys=..., kms=...)` makes this a new process that was given these keys to wrap with."""

    def begin(*, keys: tuple[bytes, ...] = (), kms: str = "") -> None:
        vault._unwrapped.clear()
        settings.VAULT_KEYS, settings.VAULT_KMS_KEY = keys, kms

    return begin
