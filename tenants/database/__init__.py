"""The PostgreSQL backend that is the wall, and the only raw SQL in the product.

`tenants.database` is the ENGINE of web and worker processes. Everything here refuses outside a door.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.db import connections

from tenants.errors import NobodyBound

if TYPE_CHECKING:
    from tenants.routing import Authority

type_of_parameters = Sequence[Any] | Mapping[str, Any]


def bound(using: str = "default") -> "Authority | None":
    """The authority whose door is open on this connection, if any."""
    return getattr(connections[using], "authority", None)


def require_bound(using: str = "default") -> "Authority":
    """The authority whose door is open. Raises NobodyBound."""
    authority = bound(using)
    if authority is None:
        raise NobodyBound
    return authority


def remembered() -> dict[str, Any]:
    """Notes of the open door, for what need not be asked twice: gone when it closes or a part of it is undone."""
    require_bound()
    notes: dict[str, Any] = connections["default"].remembered  # type: ignore[attr-defined]
    return notes


def execute(sql: str, parameters: type_of_parameters = ()) -> list[tuple[Any, ...]]:
    """Run one statement inside the open door; give its rows, or an empty list for a statement without any."""
    require_bound()
    with connections["default"].cursor() as cursor:
        cursor.execute(sql, parameters or None)
        return cursor.fetchall() if cursor.description else []


def execute_count(sql: str, parameters: type_of_parameters = ()) -> int:
    """Run one writing statement inside the open door; give the number of rows it touched."""
    require_bound()
    with connections["default"].cursor() as cursor:
        cursor.execute(sql, parameters or None)
        return int(cursor.rowcount)


def take_turn(name: str) -> bool:
    """Whether nobody else has the turn of this name, in whichever authority. Then it is ours until this connection's
    next door, or its end: a worker that dies gives it back. May be asked inside a door and between two.
    """
    outside: Any = connections["default"]
    ask = execute if bound() else outside.route
    [(is_ours,)] = ask("SELECT pg_try_advisory_lock(hashtext('turn'), hashtext(%s))", [name])
    return bool(is_ours)


def copy_to(sql: str, parameters: type_of_parameters = ()) -> Iterator[bytes]:
    """Read `COPY ... TO STDOUT` inside the open door, block by block."""
    require_bound()
    with connections["default"].cursor() as cursor, cursor.copy(sql, parameters or None) as copy:
        for block in copy:
            yield bytes(block)
