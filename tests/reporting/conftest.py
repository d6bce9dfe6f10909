"""Keys of Barsetshire, and a program that reads with one."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from factories import Cast

from handrail.reporting.actions import make_key
from handrail.reporting.models import ApiKey, Scope
from tenants.context import inside


@pytest.fixture
def key_of(cast: Cast, one: Any) -> Callable[..., tuple[ApiKey, str]]:
    """`key_of(Scope.SCHOOL, days=30)` makes a key that works for so many days from today, and gives it with itself."""

    def make(*scopes: Scope, days: int = 30, authority: Any = None, by: Any = None) -> tuple[ApiKey, str]:
        now = timezone.now()
        with inside(authority or one):
            return make_key(
                name="Power BI",
                scopes=scopes or list(Scope),
                expires_on=(now + timedelta(days=days)).date(),
                by=by or cast.admin,
                at=now,
            )

    return make


@pytest.fixture
def read(one: Any, key_of: Any) -> Callable[..., Any]:
    """`read("/api/v1/schools", limit=2)` asks as a program does, with a key to everything unless `key=` is given."""
    made: list[str] = []

    def ask(path: str, *, key: str | None = None, authority: Any = None, method: str = "get", **asked: Any) -> Any:
        if key is None:
            made[:] = made or [key_of()[1]]
            key = made[0]
        headers = {name[5:].replace("_", "-"): asked.pop(name) for name in list(asked) if name.startswith("head_")}
        client = Client(HTTP_HOST=(authority or one).host, raise_request_exception=False)
        return getattr(client, method)(path, asked, headers={"Authorization": f"Bearer {key}"} | headers)

    return ask
