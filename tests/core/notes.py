"""A table with sealed columns, in both authorities of the database that tests work on."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from databases import as_superuser
from django.apps.registry import Apps
from django.db import models
from psycopg import sql

from handrail.core.fields import SealedJSONField, SealedTextField
from handrail.core.models import Record

TABLE = """CREATE TABLE {schema}.core_note (id uuid PRIMARY KEY, title varchar(50) NOT NULL,
    text bytea NOT NULL, answers bytea);
    GRANT SELECT, INSERT, UPDATE, DELETE ON {schema}.core_note TO {schema}"""


class Note(Record):
    """What somebody wrote about somebody's health."""

    title = models.CharField(max_length=50, default="")
    text = SealedTextField(default="")
    answers = SealedJSONField(null=True)

    class Meta:
        app_label = "core"
        apps = Apps()
        ordering = ["title"]


@contextmanager
def tables(database: str) -> Iterator[None]:
    """Both authorities' tables of notes, for as long as the block lasts."""
    with as_superuser(database) as admin:
        schemas = [row[0] for row in admin.execute("SELECT schema_name FROM public.tenants_localauthority")]
        for schema in schemas:
            admin.execute(sql.SQL(TABLE).format(schema=sql.Identifier(schema)))
    yield
    with as_superuser(database) as admin:
        for schema in schemas:
            admin.execute(sql.SQL("DROP TABLE IF EXISTS {}.core_note").format(sql.Identifier(schema)))


def stored(note: Any, column: str = "text") -> bytes:
    """What the database holds of it."""
    from tenants.database import execute

    [(content,)] = execute(f"SELECT {column} FROM core_note WHERE id = %s", [note.id])
    return bytes(content)


def store(note: Any, content: bytes, column: str = "text") -> None:
    """Put bytes there past the field."""
    from tenants.database import execute

    execute(f"UPDATE core_note SET {column} = %s WHERE id = %s", [content, note.id])
