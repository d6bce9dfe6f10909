"""Which authority answers at this host, and which are there: asked of two functions, with nobody bound.

The app login has no right on the tables behind these functions; see migration `0002_routing`.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from django.apps import apps
from django.conf import settings
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from tenants.errors import UnknownAuthority


@dataclass(frozen=True)
class Authority:
    """One authority as the code carries it about: identity and routing, no secrets."""

    id: UUID
    code: str
    name: str
    schema_name: str
    host: str
    state: str
    schema_version: int

    @property
    def is_served(self) -> bool:
        """Active, and its tables are as new as this code needs."""
        return self.is_active and not self.is_behind

    @property
    def is_active(self) -> bool:
        return self.state == "active"

    @property
    def is_behind(self) -> bool:
        return self.schema_version < expected_schema_version()


ROUTE = "SELECT id, code, name, schema_name, host, state, schema_version FROM public.route(%s)"
AUTHORITIES = "SELECT id, code, name, schema_name, host, state, schema_version FROM public.authorities()"


def expected_schema_version() -> int:
    """How many migrations an authority's schema must have had for this code to run on it."""
    return len(expected_migrations())


@cache
def expected_migrations() -> frozenset[str]:
    """Those migrations, as `app.name`. A schema's own list also names migrations of the public facts."""
    labels = {apps.get_app_config(name.rsplit(".", 1)[-1]).label for name in settings.TENANT_APPS}
    on_disk = MigrationLoader(None, ignore_no_migrations=True).disk_migrations
    return frozenset(f"{label}.{name}" for label, name in on_disk if label in labels)


def active_authority_for_host(host: str) -> Authority:
    """The authority at `host` (lower case, no port), be it behind. Raises UnknownAuthority, also when suspended."""
    authority = _one(ROUTE, host)
    if not authority.is_active:
        raise UnknownAuthority(f"{host} is suspended")
    return authority


def authority_by_id(authority_id: UUID | str) -> Authority:
    """The authority with this id, whatever its state. Raises UnknownAuthority."""
    try:
        wanted = UUID(str(authority_id))
    except ValueError as error:
        raise UnknownAuthority(f"{authority_id!r} is not an authority's id") from error
    return _one(f"{AUTHORITIES} WHERE id = %s", wanted)


def authority_by_code(code: str) -> Authority:
    """The authority with this three-digit DfE code. Raises UnknownAuthority."""
    return _one(f"{AUTHORITIES} WHERE code = %s", code)


def authorities() -> list[Authority]:
    """Every authority, suspended ones too, by code."""
    return [Authority(*row) for row in _routed(f"{AUTHORITIES} ORDER BY code")]


def _one(sql: str, value: Any) -> Authority:
    rows = _routed(sql, value)
    if not rows:
        raise UnknownAuthority(f"no authority for {value}")
    return Authority(*rows[0])


def _routed(sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
    router: Any = connection
    return list(router.route(sql, parameters))
