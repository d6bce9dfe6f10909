"""Every write to the authorities' register: create, suspend, cease, remove, migrate. Owner login only."""

import json
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

import django
from django.core.management import call_command
from django.db import IntegrityError, connections, transaction
from django.db import connection as plain_connection
from psycopg import sql

from tenants.database.privileges import create_role, drop_role, grant_privileges
from tenants.database.template import TEMPLATE, renamed, schema_text
from tenants.models import Domain, LocalAuthority, SchemaTemplate, new_schema_name
from tenants.routing import expected_migrations, expected_schema_version

connection: Any = plain_connection  # the owner's, which is django-tenants' own
HOST = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")


class Refused(ValueError):
    """What was asked cannot be done; the message says why and what to do."""


def create_authority(
    *, code: str, name: str, host: str, furnish: Callable[[LocalAuthority], None] = lambda _: None
) -> LocalAuthority:
    """Make an authority's role, schema, rights and register row in one transaction.

    `furnish` runs last inside it, with the new schema on the search path, and may write the first people. Raises
    Refused when the code or host is malformed or taken, or no template of this release is kept.
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
    template = SchemaTemplate.objects.filter(schema_version=expected_schema_version()).first()
    if template is None:
        raise Refused("No template of this release is kept to make it from. Run `handrail migrate` first.")
    schema = new_schema_name()
    try:
        return _make(schema, template.text, code=code, name=name.strip(), host=host, furnish=furnish)
    except IntegrityError as error:
        if LocalAuthority.objects.filter(code=code).exists() or Domain.objects.filter(domain=host).exists():
            raise Refused(f"The code {code} or the host {host} has just been taken by another authority.") from error
        raise
    finally:
        connection.close()  # the template's text has changed settings of the session


def _make(
    schema: str, text: str, *, code: str, name: str, host: str, furnish: Callable[[LocalAuthority], None]
) -> LocalAuthority:
    with transaction.atomic(), connection.cursor() as cursor:
        create_role(cursor, schema)
        cursor.execute(renamed(text, schema), None)
        cursor.execute("SET LOCAL search_path = public; SET LOCAL row_security = on")  # as before the text
        grant_privileges(cursor, schema)
        authority = LocalAuthority.objects.create(
            code=code, name=name, schema_name=schema, schema_version=_migration_count(cursor, schema)
        )
        Domain.objects.create(domain=host, tenant=authority, is_primary=True)
        cursor.execute(
            "INSERT INTO exchange.member (role, authority_id, code, name) VALUES (%s, %s, %s, %s)",
            [schema, authority.id, code, name],
        )
        connection.set_schema(schema)
        try:
            furnish(authority)
        finally:
            connection.set_schema_to_public()
    return authority


def suspend_authority(*, code: str) -> LocalAuthority:
    """Stop serving an authority: its pages answer 404 and its work is held, not lost. Raises Refused."""
    return _set_state(code, LocalAuthority.State.SUSPENDED)


def resume_authority(*, code: str) -> LocalAuthority:
    """Serve a suspended authority again. Raises Refused."""
    return _set_state(code, LocalAuthority.State.ACTIVE)


def cease_authority(*, code: str, on: date, followed_by: list[str]) -> str:
    """Say from which day an authority is no more, and which followed it; a second time corrects that. Gives its name.

    From that day on nothing is sent to it or by it: each authority's own clock takes back what nobody has opened. What
    it holds stays, and it is served, until it is suspended and removed. Raises Refused.
    """
    authority = _with_code(code)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT code, name FROM exchange.member WHERE code = ANY(%s)", [followed_by])
        known = dict(cursor.fetchall())
        for each in followed_by:
            if each not in known:
                raise Refused(f"There is no authority with the code {each}. Make it first with `create-authority`.")
        if not followed_by or code in followed_by:
            raise Refused("Say which other authorities follow it.")
        cursor.execute(
            "UPDATE exchange.member SET ceased_on = %s, followed_by = %s::jsonb WHERE code = %s",
            [on, json.dumps(known), code],
        )
    return authority.name


@contextmanager
def as_owner_of(authority: LocalAuthority) -> Iterator[None]:
    """One transaction of the owner login in an authority's schema, for what no web or worker process may do."""
    with transaction.atomic():
        connection.set_tenant(authority)
        try:
            yield
        finally:
            connection.set_schema_to_public()


def _set_state(code: str, state: LocalAuthority.State) -> LocalAuthority:
    authority = _with_code(code)
    authority.state = state
    authority.save(update_fields=["state"])
    return authority


def _with_code(code: str) -> LocalAuthority:
    connection.set_schema_to_public()
    authority = LocalAuthority.objects.filter(code=code).first()
    if authority is None:
        raise Refused(f"There is no authority with the code {code}. Run `handrail list-authorities`.")
    return authority


def remove_authority(*, code: str, name: str) -> LocalAuthority:
    """Delete a suspended authority and everything in it, in one transaction. `name` must be its name in full.

    The files it kept are not in the database: they stay in the store. Raises Refused.
    """
    authority = _with_code(code)
    if authority.name != name:
        raise Refused(f"The authority with the code {code} is called {authority.name!r}, not {name!r}.")
    if authority.state != LocalAuthority.State.SUSPENDED:
        raise Refused(f"{authority.name} is being served. Run `handrail suspend-authority --code {code}` first.")
    with transaction.atomic(), connection.cursor() as cursor:
        _leave_the_exchange(cursor, authority.schema_name)
        cursor.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(authority.schema_name)))
        drop_role(cursor, authority.schema_name)
        LocalAuthority.objects.filter(id=authority.id).delete()
    return authority


def _leave_the_exchange(cursor: Any, role: str) -> None:
    """End what is under way to or from an authority that goes: the other side sees that, and no content stays."""
    cursor.execute(
        """WITH under_way AS (
               UPDATE exchange.envelope SET state = CASE WHEN sender = %(role)s THEN 'recalled' ELSE 'expired' END,
                   ended_at = now()
               WHERE %(role)s IN (sender, recipient) AND state IN ('deposited', 'collected') RETURNING id)
           DELETE FROM exchange.envelopebody WHERE envelope_id IN (SELECT id FROM under_way)""",
        {"role": role},
    )
    cursor.execute("DELETE FROM exchange.member WHERE role = %s", [role])


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


def keep_template(pg_dump: str) -> None:
    """Keep the template's text, for new authorities of this release. Raises TemplateUnreadable."""
    text = schema_text(pg_dump, connection.get_connection_params())
    connection.set_schema_to_public()
    with transaction.atomic():
        SchemaTemplate.objects.all().delete()
        SchemaTemplate.objects.create(schema_version=expected_schema_version(), text=text)


def schemas_behind() -> list[str]:
    """The authorities' schemas that lack a migration, or that the register does not know to have it, by code."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT a.schema_name FROM public.tenants_localauthority a JOIN pg_namespace n ON nspname = a.schema_name
               JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = 'django_migrations'"""
        )
        each = [
            sql.SQL(
                "SELECT {}, count(*) FROM {}.django_migrations WHERE app || '.' || name = ANY(%(expected)s)"
            ).format(sql.Literal(schema), sql.Identifier(schema))
            for (schema,) in cursor.fetchall()
        ]
        if not each:
            return []
        cursor.execute(
            sql.SQL(
                """WITH counted (schema_name, applied) AS ({})
                   SELECT schema_name FROM public.tenants_localauthority LEFT JOIN counted USING (schema_name)
                   WHERE least(coalesce(applied, 0), schema_version) < %(wanted)s ORDER BY code"""
            ).format(sql.SQL(" UNION ALL ").join(each)),
            {"expected": list(expected_migrations()), "wanted": expected_schema_version()},
        )
        return [row[0] for row in cursor.fetchall()]


def migrate_authorities(schemas: list[str], *, processes: int = 2) -> Iterator[Migrated]:
    """Migrate these schemas in parallel processes; yield each as it ends, failed ones with their error.

    No process shares a connection: this one closes its own before the others begin.
    """
    connections.close_all()
    with ProcessPoolExecutor(max_workers=processes, initializer=django.setup) as pool:
        waiting = {pool.submit(migrate_one, schema): schema for schema in schemas}
        for done in as_completed(waiting):
            error = done.exception()  # of a process that died; migrate_one itself raises nothing
            yield Migrated(waiting[done], _in_short(error)) if error else done.result()


def migrate_one(schema: str) -> Migrated:
    """Migrate one authority's schema, grant its rights anew and note its version.

    A table that is in use for longer than ten seconds is left for the next run: waiting would stop its pages.
    """
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '10s'")
        call_command("migrate_schemas", schema_name=schema, verbosity=0)
        connection.set_schema_to_public()
        with transaction.atomic(), connection.cursor() as cursor:
            grant_privileges(cursor, schema)
            LocalAuthority.objects.filter(schema_name=schema).update(schema_version=_migration_count(cursor, schema))
    except Exception as error:
        return Migrated(schema, _in_short(error))
    finally:
        connection.close()
    return Migrated(schema)


def _in_short(error: BaseException) -> str:
    """An error's first line: PostgreSQL's second one may quote a row."""
    return f"{type(error).__name__}: {error}".strip().splitlines()[0]


def _migration_count(cursor: Any, schema: str) -> int:
    cursor.execute(
        sql.SQL("SELECT count(*) FROM {}.django_migrations WHERE app || '.' || name = ANY(%s)").format(
            sql.Identifier(schema)
        ),
        [list(expected_migrations())],
    )
    return int(cursor.fetchone()[0])
