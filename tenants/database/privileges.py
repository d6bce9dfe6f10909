"""What the role of an authority may do: everything in its own schema that is not append-only, nothing elsewhere.

New tables give SELECT and INSERT by default and the rest when `grant_privileges()` has run, so an append-only
table is never open, not even between its migration and the grant.
"""

from typing import Any

from psycopg import sql

PACKAGES_OWN = ("django_migrations", "django_content_type", "auth_permission", "auth_group", "auth_group_permissions")
PUBLIC_FACTS = ("tenants_establishment", "tenants_establishmentlink", "tenants_registerimport")
EXCHANGE = {
    "member": ("SELECT", "UPDATE (key_id, public_key, joined_at, left_at, hospitals)"),
    "block": ("SELECT", "INSERT", "DELETE"),
    "envelope": ("SELECT", "INSERT", "UPDATE (state, collected_at, opened_at, ended_at)"),
    "envelopebody": ("SELECT", "INSERT", "DELETE"),
}
"""What every authority may do in the exchange; which rows, its policies say."""
APPEND_ONLY = "Append-only"
"""A table whose comment begins with this word may be read and added to, never changed."""


def create_role(cursor: Any, schema: str) -> None:
    """A role without login that alone may use the schema; the app login may become it but inherits nothing."""
    name = sql.Identifier(schema)
    cursor.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(name))
    cursor.execute(sql.SQL("GRANT {} TO handrail_app WITH INHERIT FALSE, SET TRUE").format(name))


def drop_role(cursor: Any, schema: str) -> None:
    """Take away the role and all of its rights. The owner must first be given what it drops."""
    role = sql.Identifier(schema)
    for statement in ("GRANT {} TO CURRENT_USER WITH INHERIT TRUE", "DROP OWNED BY {}", "DROP ROLE {}"):
        cursor.execute(sql.SQL(statement).format(role))


def grant_privileges(cursor: Any, schema: str) -> None:
    """Set the role's rights anew. Idempotent; run after creation and after each migration, inside a transaction."""
    role = sql.Identifier(schema)
    cursor.execute("SELECT pg_advisory_xact_lock(2, 1)")  # two grants at once on one public table: one would fail

    def run(statement: str, **parts: sql.Composable) -> None:
        cursor.execute(sql.SQL(statement).format(role=role, **parts))

    run("ALTER DEFAULT PRIVILEGES IN SCHEMA {role} GRANT SELECT, INSERT ON TABLES TO {role}")
    run("ALTER DEFAULT PRIVILEGES IN SCHEMA {role} GRANT USAGE ON SEQUENCES TO {role}")
    run("GRANT USAGE ON SCHEMA {role} TO {role}")
    run("GRANT USAGE ON SCHEMA public TO {role}")
    run("REVOKE ALL ON ALL TABLES IN SCHEMA {role} FROM {role}")
    run("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {role} TO {role}")
    run("GRANT USAGE ON ALL SEQUENCES IN SCHEMA {role} TO {role}")
    cursor.execute(
        """SELECT c.relname FROM pg_class c WHERE c.relnamespace = %s::regnamespace AND c.relkind = 'r'
           AND obj_description(c.oid, 'pg_class') LIKE %s""",
        (f'"{schema}"', f"{APPEND_ONLY}%"),
    )
    for (table,) in cursor.fetchall():
        run("REVOKE UPDATE, DELETE, TRUNCATE ON {role}.{table} FROM {role}", table=sql.Identifier(table))
    for table in PACKAGES_OWN:
        run("REVOKE ALL ON {role}.{table} FROM {role}", table=sql.Identifier(table))
    for table in PUBLIC_FACTS:
        run("GRANT SELECT ON public.{table} TO {role}", table=sql.Identifier(table))
    run("GRANT USAGE ON SCHEMA exchange TO {role}")
    for table, rights in EXCHANGE.items():
        for right in rights:
            run(f"GRANT {right} ON exchange.{{table}} TO {{role}}", table=sql.Identifier(table))
