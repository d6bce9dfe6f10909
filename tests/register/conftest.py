"""The register's sample files, and a connection of the owner login whose work is undone after each test."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connections

from handrail.config.env import whole_environment
from tenants.register import RegisterReport, import_register
from tenants.register_file import read_links, read_register

GIAS = Path(__file__).parent.parent / "data" / "gias"


@pytest.fixture
def gias() -> Path:
    return GIAS


@pytest.fixture
def owner(django_db_setup: None) -> Iterator[psycopg.Connection[Any]]:
    """A connection as the owner login; nothing done on it stays."""
    place = connections["default"].settings_dict
    with (
        psycopg.connect(
            host=place["HOST"],
            port=place["PORT"],
            dbname=place["NAME"],
            user="handrail_owner",
            password=whole_environment()["HANDRAIL_OWNER_PASSWORD"],
        ) as connection,
        connection.transaction(force_rollback=True),
    ):
        yield connection


@pytest.fixture
def imported(owner: psycopg.Connection[Any], gias: Path, at: Any) -> Callable[..., RegisterReport]:
    """`imported(name, links=name)` imports a sample file by its name under tests/data/gias, or by its path."""

    def run(name: str | Path, *, links: str | Path | None = None, **options: Any) -> RegisterReport:
        return import_register(
            owner, read_register(gias / name), links=read_links(gias / links) if links else None, at=at, **options
        )

    return run


@pytest.fixture
def row(owner: psycopg.Connection[Any]) -> Callable[..., tuple[Any, ...]]:
    """`row(urn, "pupils, name")` gives these columns of a row of the register."""

    def fetch(urn: str, columns: str) -> tuple[Any, ...]:
        found = owner.execute(f"SELECT {columns} FROM tenants_establishment WHERE urn = %s", [urn]).fetchone()
        assert found, f"{urn} is not in the register"
        return found

    return fetch


@pytest.fixture
def edited(gias: Path, tmp_path: Path) -> Callable[..., Path]:
    """`edited(name, change)` writes a copy of a sample, each line (header first) passed through `change`.

    `change(number, line)` gives the new line, or None to leave it out.
    """

    def write(name: str, change: Callable[[int, str], str | None], *, called: str = "edited.csv") -> Path:
        lines = (gias / name).read_bytes().decode("cp1252").splitlines(keepends=True)
        kept = [line for line in map(change, range(1, len(lines) + 1), lines) if line is not None]
        path = tmp_path / called
        path.write_bytes("".join(kept).encode("cp1252"))
        return path

    return write
