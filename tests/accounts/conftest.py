"""What tests of signing in share."""

from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client


@pytest.fixture(autouse=True)
def a_fresh_minute() -> None:
    """The counts of earlier tests do not slow this one."""
    cache.clear()


@pytest.fixture
def post() -> Any:
    """Post a form; then its transaction commits, as that of a request of its own would."""

    def send(client: Client, path: str, **data: str) -> Any:
        answer = client.post(path, data)
        left, connection.run_on_commit = connection.run_on_commit, []
        for _, callback, _ in left:
            callback()
        return answer

    return send
