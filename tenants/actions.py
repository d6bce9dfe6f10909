"""Every write to the authorities' register: create, suspend, resume, bring up to date. Owner login only."""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Any

from django.core.management import call_command
from django.db import connection as plain_connection
from django.db import connections, transaction
from psycopg import sql

from tenants.database.privileges import create_role, grant_privileges
from tenants.database.template import TEMPLATE, renamed, schema_text
from tenants.models import Domain, LocalAuthority, new_schema_name
from tenants.routing import expected_migrations

connection: Any = plain_connection  # the owner's, which is django-tenants' own
HOST = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")


class Refused(ValueError):
    """What was asked cannot be done; the message says why and what to do."""


def create_authority(
    *, code: str, name: str, host: str, pg_dump: str, furnish: Callable[[LocalAuthority], None] = lambda _: None
) -> LocalAuthority:
    """Make an authority's role, schema, rights and register row in one transaction.

    `furnish` runs last inside it, with the new schema on the search path, and may write the first people. Raises
    Refused when the code or host is malformed or taken.
    """
    if not re.fullmatch(r"[0-9]{3}", code):
        raise Refused(f"The code must be the authority's three-digit DfE code, like 001. You gave {code!r}.")
    if not name.strip():
        raise Refused("Give the authority's name.")
    if not HOST.fullmatch(host):
        raise Refused(f"The host must be a host name in lower case, like barsetshire.example. You gave {host!r}.")
    connection.set_schema_to_public()
    if LocalAuthority.objects.filter(code=code).exists():
        raise Refused(f"There is already an authority with the code {code}.")
    if Domain.objects.filter(domain=host).exists():
        raise Refused(f"The host {host} already belongs to an authority.")
    text = schema_text(pg_dump, connection.get_connection_params())
    schema = new_schema_name()
    with transaction.atomic(), connection.cursor() as cursor:
        create_role(cursor, schema)
        cursor.execute(renamed(text, schema), None)
        cursor.execute("SET LOCAL search_path = public")
        grant_privileges(cursor, schema)
        authority = LocalAuthority.objects.create(
            code=code, name=name.strip(), schema_name=schema, schema_version=_migration_count(cursor, schema)
        )
        Domain.objects.create(domain=host, tenant=authority, is_primary=True)
        connection.set_schema(schema)
        try:
            furnish(authority)
        finally:
            connection.set_schema_to_public()
    connection.close()
    return authority


def suspend_authority(*, code: str) -> LocalAuthority:
    """Stop serving an authority: its pages answer 404 and its work is held, not lost. Raises Refused."""
    return _set_state(code, LocalAuthority.State.SUSPENDED)


def resume_authority(*, code: str) -> LocalAuthority:
    """Serve a suspended authority again. Raises Refused."""
    return _set_state(code, LocalAuthority.State.ACTIVE)


def _set_state(code: str, state: LocalAuthority.State) -> LocalAuthority:
    connection.set_schema_to_public()
    authority = LocalAuthority.objects.filter(code=code).first()
    if authority is None:
        raise Refused(f"There is no authority with the code {code}. Run `handrail list-authorities`.")
    authority.state = state
    authority.save(update_fields=["state"])
    return authority


# -- migrations ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Migrated:
    """How one schema fared: `error` is empty when it is up to date."""

    schema: str
    error: str = ""


def migrate_public_and_template() -> None:
    """Bring the public facts and the template to this release. Everything else is measured against the template."""
    call_command("migrate_schemas", shared=True, verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {TEMPLATE}")
    call_command("migrate_schemas", schema_name=TEMPLATE, verbosity=0)
    connection.set_schema_to_public()


def schemas_behind() -> list[str]:
    """The authorities' schemas that lack a migration of the template: one question over all of them."""
    schemas = list(LocalAuthority.objects.order_by("code").values_list("schema_name", flat=True))
    if not schemas:
        return []
    each = sql.SQL(" UNION ALL ").join(
        sql.SQL("SELECT {} AS schema, app, name FROM {}.django_migrations").format(
            sql.Literal(schema), sql.Identifier(schema)
        )
        for schema in schemas
    )
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL(
                """WITH applied AS ({each}), wanted AS (SELECT app, name FROM {template}.django_migrations)
                   SELECT s.schema FROM unnest(%s::text[]) WITH ORDINALITY AS s(schema, place)
                   WHERE (SELECT count(*) FROM wanted w JOIN applied a USING (app, name) WHERE a.schema = s.schema)
                       < (SELECT count(*) FROM wanted) ORDER BY place"""
            ).format(each=each, template=sql.Identifier(TEMPLATE)),
            [schemas],
        )
        return [row[0] for row in cursor.fetchall()]


def migrate_authorities(schemas: list[str], *, processes: int = 2) -> Iterator[Migrated]:
    """Migrate these schemas in parallel processes; yield each as it ends, failed ones with their error."""
    connections.close_all()
    with ProcessPoolExecutor(max_workers=processes) as pool:
        for done in as_completed([pool.submit(migrate_one, schema) for schema in schemas]):
            yield done.result()


def migrate_one(schema: str) -> Migrated:
    """Migrate one authority's schema, grant its rights anew and note its version."""
    try:
        call_command("migrate_schemas", schema_name=schema, verbosity=0)
        connection.set_schema_to_public()
        with transaction.atomic(), connection.cursor() as cursor:
            grant_privileges(cursor, schema)
            LocalAuthority.objects.filter(schema_name=schema).update(schema_version=_migration_count(cursor, schema))
    except Exception as error:
        return Migrated(schema, f"{type(error).__name__}: {error}".strip())
    finally:
        connection.close()
    return Migrated(schema)


def _migration_count(cursor: Any, schema: str) -> int:
    cursor.execute(
        sql.SQL("SELECT count(*) FROM {}.django_migrations WHERE app || '.' || name = ANY(%s)").format(
            sql.Identifier(schema)
        ),
        [list(expected_migrations())],
    )
    return int(cursor.fetchone()[0])
