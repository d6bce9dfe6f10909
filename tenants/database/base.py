"""The wall: every transaction belongs to one authority, and PostgreSQL privilege enforces it.

django-tenants sets `search_path` before each statement and, when that is cancelled, answers from the wrong
schema. Here nothing is set per statement: `bind()` takes the authority's role and schema once, local to the
transaction, and checks that both took. Cursors, settings and locks that raw SQL left on the session end there too.
With nobody bound there is no cursor.
"""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import psycopg
from django.db.backends.postgresql import base as plain
from django.utils.functional import cached_property
from django_tenants.postgresql_backend import base as stock
from psycopg.pq import TransactionStatus

from tenants.errors import NobodyBound, SwallowedError, WallError

if TYPE_CHECKING:
    from tenants.routing import Authority

BIND = """CLOSE ALL; UNLISTEN *; RESET ALL; SELECT pg_advisory_unlock_all();
    SELECT set_config('role', %s, true), set_config('search_path', %s, true), set_config('TimeZone', %s, true)"""
"""Forget all that the session remembers of earlier doors, then take this one's role and path: one round trip."""


class ServerCursor(plain.ServerSideCursor, psycopg.ServerCursor[Any]):
    """Of a list that is read in parts. Python may drop a half-read one as garbage in the midst of another statement of
    its connection, whose lock this thread then holds: to wait for it would be to wait for ever.
    """

    def close(self) -> None:
        """Close it here and in PostgreSQL; in the midst of another statement leave that to the transaction's end."""
        if not self._conn.lock.locked():
            super().close()


class DatabaseWrapper(stock.DatabaseWrapper):
    """django-tenants' wrapper for introspection's sake; the plain backend for everything else."""

    authority: "Authority | None" = None
    _undo_was_asked = False
    _is_built = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.remembered: dict[str, Any] = {}

    def set_tenant(self, tenant: Any, include_public: bool = True) -> None:
        """Refuse django-tenants' own way in. Its constructor calls this once."""
        if self._is_built:
            raise WallError("use tenants.context.inside()")
        self._is_built = True
        self.tenant, self.schema_name, self.include_public_schema = None, "public", True

    def connect(self) -> None:
        self.authority = None
        super().connect()

    def _cursor(self, name: str | None = None) -> Any:
        if self.authority is None or not self.in_atomic_block:
            raise NobodyBound
        return plain.DatabaseWrapper._cursor(self, name)  # type: ignore[attr-defined]

    def create_cursor(self, name: str | None = None) -> Any:
        """A door is a transaction, so that the cursor of a list need not outlive one."""
        return ServerCursor(self.connection, name=name, scrollable=False) if name else super().create_cursor()

    # -- the door ----------------------------------------------------------------------------------------

    def bind(self, authority: "Authority") -> None:
        """Take the authority's role and schema for this transaction, in one round trip, and see that it took."""
        wanted = (authority.schema_name, f'"{authority.schema_name}", public', self.timezone_name)
        if self._raw(BIND, wanted) != wanted:
            raise WallError("the binding did not take")
        self.authority, self._undo_was_asked = authority, False
        self.remembered.clear()

    def unbind(self) -> None:
        """Forget the authority. Inside an outer transaction (tests) its role would outlive the door: drop it."""
        self.authority = None
        self.remembered.clear()
        if len(self.atomic_blocks) > 1 and self._status() == TransactionStatus.INTRANS:
            self._raw(BIND, ("none", '""', self.timezone_name))

    def assert_will_commit(self) -> None:
        """Refuse to end a door quietly whose transaction PostgreSQL or Django would undo."""
        if self.needs_rollback or self.closed_in_transaction or self._status() == TransactionStatus.INERROR:
            raise SwallowedError("a database error was swallowed: this transaction cannot commit")
        if len(self.atomic_blocks) > 1:
            self.check_constraints()

    def set_rollback(self, rollback: bool) -> None:
        self._undo_was_asked = rollback
        super().set_rollback(rollback)

    def savepoint_rollback(self, sid: str) -> None:
        """Undo to a savepoint; raise when nobody asked for it and no exception is under way.

        ATOMIC_REQUESTS gives a view its savepoint. When the view swallows a database error, Django undoes the
        savepoint silently, the transaction is healthy again and the request would answer 200 with all of its
        writes gone.
        """
        asked, self._undo_was_asked = self._undo_was_asked, False
        plain.DatabaseWrapper.savepoint_rollback(self, sid)
        if sys.exc_info()[1] is None and not asked:
            raise SwallowedError("an atomic block ended well but its writes were undone")

    # -- the few things that need a cursor while nobody is bound -----------------------------------------

    def route(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one routing question outside any door. Refused while an authority is bound."""
        if self.authority is not None:
            raise WallError("routing is asked outside the door")
        self.close_if_health_check_failed()
        self.ensure_connection()
        try:
            with self.connection.cursor() as cursor:
                return list(cursor.execute(sql, parameters or None).fetchall())
        except Exception:
            if not self.in_atomic_block:
                self.close()
            raise

    def _raw(self, sql: str, parameters: Sequence[Any] = ()) -> tuple[Any, ...] | None:
        """Run one or more statements past the door's check; give the first row of the last."""
        self.ensure_connection()
        with self.wrap_database_errors, self.connection.cursor() as cursor:
            cursor.execute(sql, parameters or None)
            while cursor.nextset():
                pass
            return tuple(cursor.fetchone()) if cursor.description else None

    def _status(self) -> TransactionStatus:
        return TransactionStatus(self.connection.pgconn.transaction_status)

    def _savepoint(self, sid: str) -> None:
        self._raw(self.ops.savepoint_create_sql(sid))

    def _savepoint_rollback(self, sid: str) -> None:
        self.remembered.clear()
        self._raw(self.ops.savepoint_rollback_sql(sid))

    def _savepoint_commit(self, sid: str) -> None:
        self._raw(self.ops.savepoint_commit_sql(sid))

    def check_constraints(self, table_names: Any = None) -> None:
        self._raw("SET CONSTRAINTS ALL IMMEDIATE")
        self._raw("SET CONSTRAINTS ALL DEFERRED")

    @cached_property
    def pg_version(self) -> int:
        self.ensure_connection()
        return int(self.connection.info.server_version)
