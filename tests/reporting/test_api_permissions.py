"""Every operation of the API with every kind of key, and without one: made from the addresses and the scopes."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from factories import Cast
from isolation.test_permissions import holder
from isolation.walk import addresses

from handrail.accounts.roles import Role
from handrail.reporting.actions import revoke_key
from handrail.reporting.api import Endpoint, Nothing
from handrail.reporting.models import Scope
from handrail.reporting.openapi import description
from tenants.context import inside

pytestmark = pytest.mark.django_db

FOUND = {reverse(each.name): each.view for each in addresses() if isinstance(each.view, type) and not each.arguments}
OPERATIONS: dict[str, Scope] = {
    path: view.scope
    for path, view in FOUND.items()
    if issubclass(view, Endpoint) and not issubclass(view, Nothing) and hasattr(view, "get")
}
"""By path that is read, the scope that it asks for."""

WRITES: dict[str, Scope] = {path: view.fact.scope for path, view in FOUND.items() if hasattr(view, "fact")}
"""By path that is written, the scope that it asks for."""

WRITING = ("post", "put", "patch", "delete")


def statuses(read: Callable[..., Any], paths: Any = OPERATIONS, **how: Any) -> dict[str, int]:
    return {path: read(path, **how).status_code for path in paths}


def everywhere(status: int) -> dict[str, int]:
    return dict.fromkeys(OPERATIONS, status)


class TestTheTable:
    def test_has_every_operation_that_is_described(self) -> None:
        described = description()["paths"]
        assert OPERATIONS.keys() == {path for path, methods in described.items() if "get" in methods}
        assert WRITES.keys() == {path for path, methods in described.items() if "post" in methods}
        assert {*OPERATIONS.values(), *WRITES.values()} == set(Scope)

    @pytest.mark.parametrize("scopes", [*((each,) for each in Scope), tuple(Scope)], ids="+".join)
    def test_opens_to_a_key_what_its_scopes_allow(self, cast: Cast, key_of: Any, read: Any, scopes: Any) -> None:
        _, secret = key_of(*scopes)
        allowed = {path: 200 if scope in scopes else 403 for path, scope in OPERATIONS.items()}
        assert statuses(read, key=secret) == allowed
        let = {path: 415 if scope in scopes else 403 for path, scope in WRITES.items()}
        assert statuses(read, WRITES, key=secret, method="post", more="x") == let

    def test_opens_nothing_without_a_key_or_with_one_that_ended(
        self, cast: Cast, one: Any, key_of: Any, read: Any
    ) -> None:
        revoked, secret = key_of()
        with inside(one):
            revoke_key(key=revoked, by=cast.admin, at=timezone.now())
        for key in ("", secret, key_of(days=-1)[1], "handrail_made-up"):
            assert statuses(read, key=key) == everywhere(401)
            assert set(statuses(read, WRITES, key=key, method="post").values()) == {401}

    def test_opens_nothing_to_a_key_of_another_authority(self, cast: Cast, two: Any, key_of: Any, read: Any) -> None:
        _, secret = key_of(authority=two, by=cast.stranger)
        assert statuses(read, key=secret) == everywhere(401)
        assert statuses(read, key=secret, authority=two) == everywhere(200)

    @pytest.mark.parametrize("role", Role)
    def test_opens_nothing_to_somebody_who_is_signed_in(self, cast: Cast, one: Any, browse: Any, role: Role) -> None:
        client: Client = browse(holder(role, cast.oak, one))
        assert {path: client.get(path).status_code for path in OPERATIONS} == everywhere(401)

    @pytest.mark.parametrize("method", WRITING)
    def test_changes_nothing_where_nothing_is_written(self, cast: Cast, key_of: Any, read: Any, method: str) -> None:
        _, secret = key_of()
        refused = {**everywhere(405), **dict.fromkeys(WRITES, 415 if method == "post" else 405)}
        assert statuses(read, refused, key=secret, method=method, more="x") == refused
