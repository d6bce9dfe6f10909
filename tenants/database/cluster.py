"""What a PostgreSQL cluster needs once, by its administrator: three logins, one database, the doorbell's queue.

`handrail_owner` creates and migrates authorities, `handrail_app` serves pages and work and owns nothing,
`handrail_doorbell` is the broker's and sees nothing but its own queue.
"""

from importlib import resources

import psycopg
from psycopg import sql

LOGINS = {
    "handrail_owner": "LOGIN CREATEROLE",
    "handrail_app": "LOGIN NOINHERIT",
    "handrail_doorbell": "LOGIN",
}


def prepare_logins(superuser_url: str, passwords: dict[str, str]) -> None:
    """Make the three logins and give them these passwords; one without a password cannot sign in. Safe to run again."""
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        for name, rights in LOGINS.items():
            exists = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (name,)).fetchone()
            if not exists:
                connection.execute(sql.SQL(f"CREATE ROLE {{}} {rights}").format(sql.Identifier(name)))
            if name in passwords:
                connection.execute(
                    sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(name), sql.Literal(passwords[name]))
                )
        connection.execute("ALTER ROLE handrail_app SET search_path = ''")


def prepare_database(superuser_url: str, database: str) -> None:
    """Make the database, take every right on it from PUBLIC, and install the doorbell's queue. Safe to run again."""
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        exists = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (database,)).fetchone()
        if not exists:
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER handrail_owner").format(sql.Identifier(database)))
        grant_connect(connection, database)
    with psycopg.connect(superuser_url, dbname=database) as connection:
        connection.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
        connection.execute("ALTER SCHEMA public OWNER TO handrail_owner")
        connection.execute("GRANT USAGE ON SCHEMA public TO handrail_app")
        if not connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = 'pgmq'").fetchone():
            connection.execute("CREATE SCHEMA pgmq")
            connection.execute(resources.files("pgmq").joinpath("sql/pgmq.sql").read_text())
        connection.execute("GRANT USAGE, CREATE ON SCHEMA pgmq TO handrail_doorbell")
        connection.execute("GRANT ALL ON ALL TABLES IN SCHEMA pgmq TO handrail_doorbell")
        connection.execute("GRANT USAGE ON ALL SEQUENCES IN SCHEMA pgmq TO handrail_doorbell")
        connection.execute("REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA pgmq FROM PUBLIC")
        connection.execute("GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA pgmq TO handrail_doorbell")


def grant_connect(connection: psycopg.Connection, database: str) -> None:
    """Only the three logins may connect, and only the owner may make temporary tables."""
    name = sql.Identifier(database)
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name))
    connection.execute(
        sql.SQL("GRANT CONNECT ON DATABASE {} TO handrail_owner, handrail_app, handrail_doorbell").format(name)
    )
