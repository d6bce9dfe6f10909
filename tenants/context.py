"""The one door into an authority. Only `workflows` and `tenants` may open it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connections, transaction

from tenants.database import bound
from tenants.errors import AlreadyInside
from tenants.routing import Authority
from tenants.whose import on_behalf_of


@contextmanager
def inside(authority: Authority, *, using: str = "default") -> Iterator[Authority]:
    """Open one transaction that belongs to `authority` alone, and close it for good or undo it whole.

    Raises AlreadyInside when a door is open on this connection or another authority's on a second one, and
    SwallowedError when the block ends well although PostgreSQL would undo its work.
    """
    connection: Any = connections[using]
    if connection.authority is not None or any(bound(each) not in (None, authority) for each in connections):
        raise AlreadyInside
    with on_behalf_of(authority), transaction.atomic(using=using, durable=True):
        connection.bind(authority)
        try:
            yield authority
            connection.assert_will_commit()
        finally:
            connection.unbind()
