"""`handrail migrate` and the commands about authorities, each run as a person runs it."""

import json
import os
from collections.abc import Callable
from typing import Any

import pytest
from databases import as_superuser, connected, handrail
from django.test import Client

from tenants import actions
from tenants.actions import Migrated, migrate_authorities, schemas_behind


@pytest.fixture
def run(database: str) -> Callable[..., Any]:
    """Run a command on the test's own database."""

    def command(*arguments: str) -> Any:
        return handrail(*arguments, HANDRAIL_DB_NAME=database)

    return command


@pytest.fixture
def served(database: str, django_db_blocker: Any) -> Callable[[str], int]:
    """The status of a page at a host."""

    def status(host: str) -> int:
        with django_db_blocker.unblock(), connected(database):
            return Client(HTTP_HOST=host).get("/help/").status_code

    return status


def schema_of(database: str, code: str) -> str:
    with as_superuser(database) as admin:
        found = admin.execute("SELECT schema_name FROM public.tenants_localauthority WHERE code = %s", (code,))
        return str(found.fetchone()[0])


def unmigrate(database: str, code: str, *, drop: bool) -> str:
    """Put an authority one migration back. Without `drop` its table stays and stands in the way."""
    schema = schema_of(database, code)
    with as_superuser(database) as admin:
        admin.execute(f"DELETE FROM {schema}.django_migrations WHERE app = 'sessions'")
        if drop:
            admin.execute(f"DROP TABLE {schema}.django_session")
        admin.execute(
            "UPDATE public.tenants_localauthority SET schema_version = schema_version - 1 WHERE code = %s", (code,)
        )
    return schema


class TestMigrate:
    def test_does_the_others_when_one_fails_and_says_which(
        self, database: str, run: Callable[..., Any], served: Callable[[str], int]
    ) -> None:
        stuck = unmigrate(database, "001", drop=False)
        unmigrate(database, "002", drop=True)
        assert (served("barsetshire.localhost"), served("borchester.localhost")) == (503, 503)

        done = run("migrate")
        assert done.returncode == 1
        assert "Barsetshire: ProgrammingError: relation" in done.stdout
        assert "Borchester: up to date" in done.stdout
        assert "1 of 2 authorities are still behind and are not being served." in done.stderr
        assert (served("barsetshire.localhost"), served("borchester.localhost")) == (503, 200)

        with as_superuser(database) as admin:
            admin.execute(f"DROP TABLE {stuck}.django_session")
        done = run("migrate", "--json", "--processes", "1")
        report = json.loads(done.stdout)
        assert (done.returncode, report["authorities"], report["were_behind"], report["failed"]) == (0, 2, 1, {})
        assert (served("barsetshire.localhost"), served("borchester.localhost")) == (200, 200)

    def test_says_what_is_missing_when_the_template_cannot_be_read_and_migrates_all_the_same(
        self, database: str, run: Callable[..., Any], served: Callable[[str], int]
    ) -> None:
        unmigrate(database, "001", drop=True)
        done = handrail("migrate", HANDRAIL_DB_NAME=database, HANDRAIL_PG_DUMP="/nowhere/pg_dump")
        assert done.returncode == 1
        assert "pg_dump could not be started" in done.stderr
        assert "until HANDRAIL_PG_DUMP is right and this has run again" in done.stderr
        assert served("barsetshire.localhost") == 200

    def test_finishes_what_was_interrupted_before_the_rights_were_granted(self, owner: str) -> None:
        """The tables were new, but the register did not know: nothing would ever have served it again."""
        with as_superuser(owner) as admin:
            admin.execute("UPDATE public.tenants_localauthority SET schema_version = 3 WHERE code = '002'")
        behind = schemas_behind()
        assert behind == [schema_of(owner, "002")]
        assert list(migrate_authorities(behind)) == [Migrated(behind[0])]
        assert schemas_behind() == []

    def test_reports_a_schema_that_is_gone(self, owner: str) -> None:
        gone = schema_of(owner, "001")
        with as_superuser(owner) as admin:
            admin.execute(f"DROP SCHEMA {gone} CASCADE")
        assert schemas_behind() == [gone]
        (report,) = migrate_authorities([gone])
        assert report.error

    def test_reports_a_process_that_died(self, owner: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(actions, "call_command", die)
        reports = list(migrate_authorities(["la_00000000", "la_00000001"], processes=1))
        assert [report.schema for report in reports if report.error] == [report.schema for report in reports]
        assert len(reports) == 2

    def test_tells_no_row_in_an_error(self, owner: str) -> None:
        """PostgreSQL's DETAIL quotes the row that is in the way."""
        schema = schema_of(owner, "001")
        with as_superuser(owner) as admin:
            admin.execute(f"UPDATE {schema}.accounts_user SET email = 'canary@barsetshire.example'")
            admin.execute(
                f"DELETE FROM {schema}.django_migrations WHERE app = 'sessions';"
                f"ALTER TABLE {schema}.django_migrations ADD CONSTRAINT in_the_way CHECK (app <> 'sessions')"
            )
            admin.execute(f"DROP TABLE {schema}.django_session")
        (report,) = migrate_authorities([schema])
        assert "in_the_way" in report.error
        assert "Failing row" not in report.error

    def test_has_nothing_to_do_twice(self, run: Callable[..., Any]) -> None:
        assert "All 2 authorities are up to date (0 were behind)." in run("migrate").stdout


def die(*_arguments: Any, **_more: Any) -> None:
    os._exit(9)


class TestCommandsAboutAuthorities:
    def test_make_hold_and_remove_one(
        self, database: str, run: Callable[..., Any], served: Callable[[str], int]
    ) -> None:
        asked = ("create-authority", "--code", "003", "--name", "Loamshire", "--host", "loamshire.localhost")
        made = run(*asked, "--admin", "admin@loamshire.example", "--json")
        assert made.returncode == 0, made.stderr
        assert served("loamshire.localhost") == 200
        again = run(*asked, "--admin", "admin@loamshire.example")
        assert (again.returncode, again.stderr) == (1, "There is already an authority with the code 003.\n")

        unknown = run("cease-authority", "--code", "003", "--on", "2027-04-01", "--followed-by", "001", "998")
        assert (unknown.returncode, "no authority with the code 998" in unknown.stderr) == (1, True)
        ceased = run("cease-authority", "--code", "003", "--on", "2027-04-01", "--followed-by", "001", "002")
        assert "Loamshire ceases on 2027-04-01, followed by 001 and 002." in ceased.stdout, ceased.stderr

        everything = ("remove-authority", "--code", "003", "--yes-delete-everything", "Loamshire")
        refused = run(*everything)
        assert refused.returncode == 1
        assert "Loamshire is being served." in refused.stderr
        assert run("suspend-authority", "--code", "003").returncode == 0
        assert served("loamshire.localhost") == 404
        removed = run(*everything)
        assert removed.returncode == 0, removed.stderr
        assert f"a/{json.loads(made.stdout)['id']}/" in removed.stdout
        assert "Loamshire" not in run("list-authorities").stdout

    def test_refuse_an_address_nobody_could_sign_in_with(self, run: Callable[..., Any]) -> None:
        made = run(
            "create-authority", "--code", "003", "--name", "Loamshire", "--host", "l.localhost", "--admin", "nobody"
        )
        assert made.returncode == 1
        assert "Enter an e-mail address in the right form" in made.stderr
        assert "Loamshire" not in run("list-authorities").stdout
