"""What tests begin with is made once, and found again by the next server."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from infra.embedded import template
from infra.embedded.postgres import Postgres, Server


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(template, "KEPT", tmp_path / "kept")
    return tmp_path / "kept"


@pytest.fixture
def first(tmp_path: Path) -> Iterator[Postgres]:
    postgres = Postgres(tmp_path / "first", durable=False)
    yield postgres
    postgres.destroy()


def databases(server: Server) -> set[str]:
    with connect(server) as admin:
        return {name for (name,) in admin.execute("SELECT datname FROM pg_database").fetchall()}


def connect(server: Server) -> psycopg.Connection:
    place = {"host": server.host, "port": server.port, "user": server.superuser, "password": server.password}
    return psycopg.connect(**place, dbname="postgres", autocommit=True)


class TestTheTemplate:
    def test_is_there_in_the_next_server_and_nothing_that_tests_left(self, first: Postgres, tmp_path: Path) -> None:
        server = first.start()
        with connect(server) as admin:
            admin.execute("CREATE DATABASE template_a")
            admin.execute("CREATE DATABASE test_1")
        template.keep(first, server, "template_a")
        assert not first.running()
        following = Postgres(tmp_path / "following", durable=False)
        try:
            template.begin_with_kept(following, "template_a")
            assert databases(following.start()) == {"postgres", "template0", "template1", "template_a"}
        finally:
            following.destroy()

    def test_is_not_taken_for_another(self, first: Postgres, kept: Path) -> None:
        kept.mkdir()
        (kept / "template_a").touch()
        template.begin_with_kept(first, "template_b")
        assert not first.state.exists()

    def test_is_not_kept_when_the_tests_needed_none(self, first: Postgres, kept: Path) -> None:
        template.keep(first, first.start(), "template_a")
        assert not kept.exists()
        assert first.running()
