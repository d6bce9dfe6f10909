"""Making, holding and removing authorities: whole or not at all."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from typing import Any

import pytest
from databases import as_superuser, connected
from django.core.management import call_command
from django.db import DataError, connection
from django.db.models import F, Value
from django.db.models.functions import Concat
from django.test import Client

from handrail.accounts.actions import add_person
from handrail.accounts.models import User
from handrail.accounts.roles import Role
from handrail.config.env import read_env
from handrail.core.audit import CLOCK
from tenants import actions
from tenants.actions import (
    Refused,
    cease_authority,
    create_authority,
    remove_authority,
    resume_authority,
    suspend_authority,
)
from tenants.context import inside
from tenants.database.privileges import grant_privileges
from tenants.database.template import TEMPLATE, renamed, schema_text
from tenants.models import Domain, LocalAuthority, SchemaTemplate, new_schema_name
from tenants.routing import active_authority_for_host, authorities

PG_DUMP = read_env().pg_dump


def make(**more: Any) -> LocalAuthority:
    return create_authority(**{"code": "003", "name": "Loamshire", "host": "loamshire.localhost", **more})


def administrator(authority: LocalAuthority) -> None:
    add_person(
        email="admin@loamshire.example",
        name="Ada Admin",
        role=Role.AUTHORITY_ADMINISTRATOR,
        by=CLOCK,
        at=datetime(2026, 11, 23, tzinfo=UTC),
    )


def all_there_is(database: str, made: list[str]) -> dict[str, Any]:
    """Everything that making an authority leaves behind."""
    with as_superuser(database) as admin:
        return {
            "roles": admin.execute("SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)", (made,)).fetchall(),
        } | {
            what: admin.execute(sql).fetchall()
            for what, sql in {
                "schemas": "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'la\\_%' ORDER BY 1",
                "authorities": "SELECT code, schema_name FROM public.tenants_localauthority ORDER BY 1",
                "hosts": "SELECT domain FROM public.tenants_domain ORDER BY 1",
                "in the exchange": "SELECT role, authority_id, code, name FROM exchange.member ORDER BY 1",
                "rights in public": "SELECT relname, relacl FROM pg_class WHERE relnamespace = 'public'::regnamespace"
                " ORDER BY 1",
            }.items()
        }


class TestCreateAuthority:
    def test_makes_one_that_is_served_with_its_first_person(self, owner: str) -> None:
        made = make(furnish=administrator)
        assert re.fullmatch(r"la_[0-9a-f]{8}", made.schema_name)
        with connected(owner):
            authority = active_authority_for_host("loamshire.localhost")
            assert authority.is_served
            with inside(authority):
                assert [user.email for user in User.objects.all()] == ["admin@loamshire.example"]
            assert Client(HTTP_HOST="loamshire.localhost").get("/help/").status_code == 200

    @pytest.mark.parametrize(
        ("wrong", "words"),
        [
            ({"code": "1"}, "three-digit DfE code"),
            ({"code": "1234"}, "three-digit DfE code"),
            ({"code": "00a"}, "three-digit DfE code"),
            ({"code": "\u0660\u0660\u0663"}, "three-digit DfE code"),
            ({"code": "003\n"}, "three-digit DfE code"),
            ({"name": "  "}, "Give the authority's name"),
            ({"host": "Loamshire.localhost"}, "host name in lower case"),
            ({"host": "loamshire.localhost:8000"}, "host name in lower case"),
            ({"host": "loamshire localhost"}, "host name in lower case"),
            ({"host": "-loamshire.localhost"}, "host name in lower case"),
            ({"host": "loamshire.localhost."}, "host name in lower case"),
            ({"host": ""}, "host name in lower case"),
            ({"host": "l" * 64 + ".localhost"}, "host name in lower case"),
            ({"host": "loamshire.localhost\n"}, "host name in lower case"),
            ({"code": "001"}, "There is already an authority with the code 001"),
            ({"host": "barsetshire.localhost"}, "already belongs to an authority"),
        ],
    )
    def test_refuses(
        self, apart: str, django_db_blocker: Any, made: list[str], wrong: dict[str, str], words: str
    ) -> None:
        before = all_there_is(apart, [])
        with (
            django_db_blocker.unblock(),
            connected(apart, "owner"),
            pytest.raises(Refused, match=words),
        ):
            make(**wrong)
        assert all_there_is(apart, made) == before

    def test_refuses_without_a_template_of_this_release(self, owner: str) -> None:
        SchemaTemplate.objects.update(schema_version=F("schema_version") - 1)
        with pytest.raises(Refused, match="Run `handrail migrate` first"):
            make()

    def test_refuses_a_code_taken_while_it_was_made(self, owner: str) -> None:
        def race(_authority: LocalAuthority) -> None:
            raise AssertionError("the second must not come so far")

        def first_wins() -> str:
            with as_superuser(owner) as admin:
                admin.execute(
                    "INSERT INTO public.tenants_localauthority (id, code, name, schema_name, state, schema_version)"
                    " VALUES (gen_random_uuid(), '003', 'Quick', 'la_12345678', 'active', 0)"
                )
            return new_schema_name()

        with pytest.MonkeyPatch.context() as patch, pytest.raises(Refused, match="has just been taken"):
            patch.setattr(actions, "new_schema_name", first_wins)
            make(furnish=race)

    @pytest.mark.parametrize("step", ["role", "text", "rights", "register", "people"])
    def test_leaves_nothing_behind_when_a_step_fails(
        self, owner: str, made: list[str], monkeypatch: pytest.MonkeyPatch, step: str
    ) -> None:
        class Failed(Exception):
            pass

        def fail(*_arguments: Any, **_more: Any) -> Any:
            raise Failed

        def afterwards(run: Callable[..., Any]) -> Callable[..., Any]:
            def both(*arguments: Any) -> None:
                run(*arguments)
                raise Failed

            return both

        more: dict[str, Any] = {}
        if step == "role":
            monkeypatch.setattr(actions, "create_role", afterwards(actions.create_role))
        elif step == "text":
            SchemaTemplate.objects.update(text=Concat("text", Value("\nSELECT 1 / 0;")))
        elif step == "rights":
            monkeypatch.setattr(actions, "grant_privileges", afterwards(actions.grant_privileges))
        elif step == "register":
            monkeypatch.setattr(Domain.objects, "create", fail)
        else:
            more["furnish"] = afterwards(administrator)
        before = all_there_is(owner, [])
        with pytest.raises((Failed, DataError)):
            make(**more)
        assert made, "it must have come so far"
        assert all_there_is(owner, made) == before

    def test_makes_the_same_schema_as_migrations_do(self, owner: str) -> None:
        """Copy against copy: PostgreSQL writes one index of a package differently the first time."""
        migrated = new_schema_name()
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE SCHEMA {migrated}")
        call_command("migrate_schemas", schema_name=migrated, verbosity=0)
        connection.set_schema_to_public()
        copy = new_schema_name()
        with connection.cursor() as cursor:
            cursor.execute(dump(migrated).replace(migrated, copy), None)
        connection.close()
        made = make()
        assert alike(made.schema_name) == alike(copy)

    def test_keeps_the_template_out_of_the_register_and_empty(self, owner: str) -> None:
        with as_superuser(owner) as admin:
            people, role = admin.execute(
                f"SELECT (SELECT count(*) FROM {TEMPLATE}.accounts_user),"
                f" (SELECT count(*) FROM pg_roles WHERE rolname = '{TEMPLATE}')"
            ).fetchone()
        assert (people, role) == (0, 0)
        with connected(owner):
            assert TEMPLATE not in {authority.schema_name for authority in authorities()}

    def test_renames_the_template_wherever_it_stands_alone(self) -> None:
        assert renamed(f"CREATE SCHEMA {TEMPLATE}; SELECT '{TEMPLATE}.x', {TEMPLATE}0", "la_1") == (
            f"CREATE SCHEMA la_1; SELECT 'la_1.x', {TEMPLATE}0"
        )


def dump(schema: str) -> str:
    return schema_text(PG_DUMP, connection.get_connection_params(), schema)


def alike(schema: str) -> list[str]:
    """A schema's text without its name and without when its migrations ran."""
    text = dump(schema).replace(schema, "la")
    return re.sub(r"'\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[.\d]*\+\d\d'", "'then'", text).splitlines()


class TestSuspendAndResume:
    def test_hold_an_authority_and_serve_it_again(self, owner: str) -> None:
        def status() -> int:
            with connected(owner):
                return Client(HTTP_HOST="barsetshire.localhost").get("/help/").status_code

        suspend_authority(code="001")
        assert status() == 404
        resume_authority(code="001")
        assert status() == 200

    @pytest.mark.parametrize("action", [suspend_authority, resume_authority])
    def test_refuse_an_unknown_code(self, owner: str, action: Any) -> None:
        with pytest.raises(Refused, match="There is no authority with the code 999"):
            action(code="999")


class TestCeaseAuthority:
    def test_says_when_and_who_followed_and_corrects_that(self, owner: str) -> None:
        make()
        for on, codes in ((date(2027, 4, 1), ["001"]), (date(2027, 5, 1), ["001", "002"])):
            assert cease_authority(code="003", on=on, followed_by=codes) == "Loamshire"
        with as_superuser(owner) as admin:
            found = admin.execute("SELECT code, ceased_on, followed_by FROM exchange.member ORDER BY code").fetchall()
        names = {"001": "Barsetshire", "002": "Borchester"}
        assert found == [("001", None, {}), ("002", None, {}), ("003", date(2027, 5, 1), names)]

    @pytest.mark.parametrize(
        ("code", "followed_by", "says"),
        [
            ("999", ["001"], "There is no authority with the code 999"),
            ("001", ["998"], "There is no authority with the code 998. Make it first"),
            ("001", ["001"], "Say which other authorities follow it"),
            ("001", [], "Say which other authorities follow it"),
        ],
    )
    def test_refuses_what_is_no_successor(self, owner: str, code: str, followed_by: list[str], says: str) -> None:
        with pytest.raises(Refused, match=says):
            cease_authority(code=code, on=date(2027, 4, 1), followed_by=followed_by)


class TestRemoveAuthority:
    def test_leaves_nothing_of_it_and_everything_of_the_others(self, owner: str, made: list[str]) -> None:
        before = all_there_is(owner, [])
        make(furnish=administrator)
        suspend_authority(code="003")
        remove_authority(code="003", name="Loamshire")
        assert all_there_is(owner, made) == before

    def test_ends_what_is_under_way_in_the_exchange(self, owner: str) -> None:
        make()
        suspend_authority(code="003")
        with as_superuser(owner) as admin:
            roles = dict(admin.execute("SELECT code, role FROM exchange.member").fetchall())
            for sender, recipient in (("001", "003"), ("003", "001"), ("001", "002")):
                admin.execute(
                    """WITH made AS (
                           INSERT INTO exchange.envelope (sender, recipient, reference, kind, card, key_id, sha256,
                               deposited_at, expires_at)
                           VALUES (%s, %s, gen_random_uuid(), 'handover', '{}', gen_random_uuid(), repeat('0', 64),
                               now(), now() + '1 day'::interval) RETURNING id)
                       INSERT INTO exchange.envelopebody SELECT id, 'sealed' FROM made""",
                    (roles[sender], roles[recipient]),
                )
            remove_authority(code="003", name="Loamshire")
            left = admin.execute(
                """SELECT sender, recipient, state, ended_at IS NOT NULL, ciphertext IS NOT NULL
                   FROM exchange.envelope LEFT JOIN exchange.envelopebody ON envelope_id = id ORDER BY state"""
            ).fetchall()
        assert left == [
            (roles["001"], roles["002"], "deposited", False, True),
            (roles["001"], roles["003"], "expired", True, False),
            (roles["003"], roles["001"], "recalled", True, False),
        ]

    def test_refuses_another_name(self, owner: str) -> None:
        make()
        suspend_authority(code="003")
        with pytest.raises(Refused, match="is called 'Loamshire', not 'Barsetshire'"):
            remove_authority(code="003", name="Barsetshire")

    def test_refuses_one_that_is_served(self, owner: str) -> None:
        make()
        with pytest.raises(Refused, match="suspend-authority --code 003"):
            remove_authority(code="003", name="Loamshire")

    def test_is_undone_whole_when_it_fails(self, owner: str, made: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
        make()
        suspend_authority(code="003")
        before = all_there_is(owner, made)
        monkeypatch.setattr(actions, "drop_role", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            remove_authority(code="003", name="Loamshire")
        assert all_there_is(owner, made) == before


class TestPrivileges:
    def rights(self, database: str) -> list[Any]:
        with as_superuser(database) as admin:
            return admin.execute(
                """SELECT nspname::text, relname::text, relacl::text[]
                   FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
                   WHERE nspname LIKE 'la\\_%' OR nspname = 'public'
                   UNION ALL SELECT nspname::text, '', nspacl::text[] FROM pg_namespace
                   UNION ALL SELECT defaclnamespace::regnamespace::text, defaclobjtype::text, defaclacl::text[]
                   FROM pg_default_acl ORDER BY 1, 2"""
            ).fetchall()

    def test_are_the_same_after_being_granted_twice(self, owner: str) -> None:
        before = self.rights(owner)
        schema = LocalAuthority.objects.get(code="001").schema_name
        with connection.cursor() as cursor:
            grant_privileges(cursor, schema)
        assert self.rights(owner) == before

    def test_give_a_new_table_no_change_or_deletion_until_granted(self, owner: str) -> None:
        schema = LocalAuthority.objects.get(code="001").schema_name
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE TABLE {schema}.brand_new (id int)")

        def may() -> set[str]:
            rights = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
            with as_superuser(owner) as admin:
                return {
                    right
                    for right in rights
                    if admin.execute(
                        "SELECT has_table_privilege(%s, %s, %s)", (schema, f"{schema}.brand_new", right)
                    ).fetchone()[0]
                }

        assert may() == {"SELECT", "INSERT"}
        with connection.cursor() as cursor:
            grant_privileges(cursor, schema)
        assert may() == {"SELECT", "INSERT", "UPDATE", "DELETE"}

    def test_of_several_authorities_are_granted_at_the_same_time(self, database: str) -> None:
        """Two grants on one public table would fail with "tuple concurrently updated"."""
        with as_superuser(database) as admin:
            schemas = [
                row[0] for row in admin.execute("SELECT schema_name FROM public.tenants_localauthority").fetchall()
            ]

        def grant(schema: str) -> None:
            for _ in range(20):
                with as_superuser(database) as admin, admin.transaction(), admin.cursor() as cursor:
                    cursor.execute("SET ROLE handrail_owner")
                    grant_privileges(cursor, schema)

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(grant, schemas))
