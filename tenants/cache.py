"""A cache that several processes share and no two authorities do.

It lives in a table of the authority's own schema, on a second connection with its own short transaction: inside
the request's, sign-ins from one address would queue for a rate limit's row until the slowest had finished, and a
failed request would forget that it was counted.
"""

import base64
import pickle
from collections.abc import Callable
from typing import Any

from django.core.cache.backends.db import DatabaseCache
from django.db import connections

from tenants.context import inside
from tenants.database import bound, require_bound

Method = Callable[..., Any]


def key_of_authority(key: str, prefix: str, version: int) -> str:
    """A cache key that names the authority. Raises NobodyBound outside a door."""
    return f"{require_bound().id}:{prefix}:{version}:{key}"


def in_its_own_door(method: Method) -> Method:
    """Run a cache operation in a short transaction of the bound authority on the `side` connection."""

    def run(self: Any, *args: Any, **kwargs: Any) -> Any:
        authority = require_bound()
        if bound("side") == authority:
            return method(self, *args, **kwargs)
        with inside(authority, using="side"):
            return method(self, *args, **kwargs)

    return run


class AuthorityCache(DatabaseCache):
    get_many = in_its_own_door(DatabaseCache.get_many)
    has_key = in_its_own_door(DatabaseCache.has_key)
    clear = in_its_own_door(DatabaseCache.clear)
    _base_set = in_its_own_door(DatabaseCache._base_set)  # type: ignore[attr-defined]
    _base_delete_many = in_its_own_door(DatabaseCache._base_delete_many)  # type: ignore[attr-defined]

    @in_its_own_door
    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        """Add to a number and give the sum: of several at once, each counts. It ends when it would have ended.

        Raises ValueError when it is not there.
        """
        name = self.make_and_validate_key(key, version=version)
        with connections["side"].cursor() as cursor:
            # A crash may forget the last tries: nobody waits for the disk to count one.
            cursor.execute(
                "SELECT value, set_config('synchronous_commit', 'off', true) FROM core_cacheentry"
                " WHERE cache_key = %s AND expires > now() FOR UPDATE",
                [name],
            )
            found = cursor.fetchone()
            if found is None:
                raise ValueError(f"Key '{key}' not found")
            total: int = pickle.loads(base64.b64decode(found[0])) + delta  # noqa: S301 - as Django's own cache reads it
            value = base64.b64encode(pickle.dumps(total, self.pickle_protocol)).decode()
            cursor.execute("UPDATE core_cacheentry SET value = %s WHERE cache_key = %s", [value, name])
        return total
