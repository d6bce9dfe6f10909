"""Two real authorities, the cast, and the clock.

The public facts and both authorities are built once, by the product's own commands, in a template database named by
what it is made from; each process works on a clone of it. A test is an ordinary rolled-back transaction.
"""

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connections
from django.test import Client, TransactionTestCase
from psycopg import sql

from handrail.config.env import whole_environment

ROOT = Path(__file__).parent.parent
AT = datetime(2026, 11, 23, 9, 5, tzinfo=UTC)
AUTHORITIES = (("001", "Barsetshire", "barsetshire.localhost"), ("002", "Borchester", "borchester.localhost"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="every page in three states at two widths; longer storms")


@pytest.fixture(scope="session")
def full(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--full"))


# -- databases -------------------------------------------------------------------------------------------

SUPERUSER = whole_environment().get("HANDRAIL_SUPERUSER_URL", "")


def what_it_is_made_from() -> str:
    """A name for the template that changes with anything that goes into it."""
    digest = hashlib.sha256()
    made_from = [
        *ROOT.glob("tenants/**/*.py"),
        *ROOT.glob("src/handrail/*/migrations/*.py"),
        *ROOT.glob("src/handrail/*/models.py"),
        ROOT / "src/handrail/accounts/actions.py",
        ROOT / "requirements.lock",
    ]
    for path in sorted(made_from):
        digest.update(path.read_bytes())
    return f"template_{digest.hexdigest()[:12]}"


def handrail(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the product in a process of its own, as a person would."""
    return subprocess.run(
        [sys.executable, "-m", "handrail", *arguments],
        env={**whole_environment(), "DJANGO_SETTINGS_MODULE": "handrail.config.settings", **environment},
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )


def template() -> str:
    """The template database's name, building it when it is not there. Safe when several processes ask at once."""
    name = what_it_is_made_from()
    with psycopg.connect(SUPERUSER, autocommit=True) as admin:
        admin.execute("SELECT pg_advisory_lock(1, 1)")
        if admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone():
            return name
        building = f"{name}_building"
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(building)))
        steps = [("prepare-cluster",), ("migrate",)]
        for code, authority, host in AUTHORITIES:
            admin_email = f"admin@{host.replace('localhost', 'example')}"
            steps.append(
                ("create-authority", "--code", code, "--name", authority, "--host", host, "--admin", admin_email)
            )
        for step in steps:
            done = handrail(*step, HANDRAIL_DB_NAME=building)
            assert done.returncode == 0, f"{step}: {done.stdout}{done.stderr}"
        admin.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(building), sql.Identifier(name)))
    return name


def clone(source: str, name: str) -> None:
    """Make database `name` anew from the template, with the template's rights."""
    from tenants.database.cluster import grant_connect

    with psycopg.connect(SUPERUSER, autocommit=True) as admin:
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        admin.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY OWNER handrail_owner").format(
                sql.Identifier(name), sql.Identifier(source)
            )
        )
        grant_connect(admin, name)


def drop(name: str) -> None:
    with psycopg.connect(SUPERUSER, autocommit=True) as admin:
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: Any) -> Iterator[None]:
    """Work on a clone; after a test that commits (`transaction=True`), on a fresh one."""
    source, name = template(), f"test_{os.getpid()}"

    def fresh(*_args: Any, **_kwargs: Any) -> None:
        connections.close_all()
        clone(source, name)

    with django_db_blocker.unblock():
        fresh()
        for connection in connections.all():
            connection.settings_dict["NAME"] = name
        os.environ["HANDRAIL_DB_NAME"] = name
        stock = TransactionTestCase._fixture_teardown
        TransactionTestCase._fixture_teardown = fresh  # type: ignore[method-assign]
        yield
        TransactionTestCase._fixture_teardown = stock  # type: ignore[method-assign]
        connections.close_all()
        drop(name)


# -- authorities and the cast ----------------------------------------------------------------------------


@pytest.fixture
def one(db: None) -> Any:
    """Barsetshire (001). Facts are set in `with inside(one):`; pages are asked for outside it."""
    from tenants.routing import authority_by_code

    return authority_by_code("001")


@pytest.fixture
def two(db: None) -> Any:
    """Borchester (002)."""
    from tenants.routing import authority_by_code

    return authority_by_code("002")


@pytest.fixture
def at() -> datetime:
    """The moment at which tests happen: Monday 23 November 2026, 9:05am."""
    return AT


@pytest.fixture
def on() -> date:
    """The day on which tests happen."""
    return AT.date()


@dataclass
class Cast:
    """The people of the tests. Every page and action has a refused member of the cast."""

    oak: Any  # a school of authority one
    elm: Any  # another school of authority one
    admin: Any  # administrator of authority one
    officer: Any  # policy officer of authority one
    head: Any  # lead at Oak School
    colleague: Any  # another lead at Oak School
    neighbour: Any  # lead at Elm School
    far: Any  # a school of authority two
    stranger: Any  # policy officer of authority two
    hospital: Any  # lead at the school of authority two


@pytest.fixture
def cast(one: Any, two: Any) -> Cast:
    """Everybody, in both authorities, with their schools."""
    from factories import SchoolFactory, person

    from handrail.accounts.roles import Role
    from tenants.context import inside

    with inside(one):
        oak = SchoolFactory(urn="900001", name="Oak School", lead_email="head@oak.example")
        elm = SchoolFactory(urn="900002", name="Elm School", lead_email="neighbour@elm.example")
        people = {
            "admin": person("adele@barsetshire.example", Role.AUTHORITY_ADMINISTRATOR, name="Adele Admin"),
            "officer": person("officer@barsetshire.example", Role.POLICY_OFFICER, name="Olu Officer"),
            "head": person("head@oak.example", Role.SCHOOL_LEAD, school=oak, name="Hana Head"),
            "colleague": person("colleague@oak.example", Role.SCHOOL_LEAD, school=oak, name="Cal Colleague"),
            "neighbour": person("neighbour@elm.example", Role.SCHOOL_LEAD, school=elm, name="Nia Neighbour"),
        }
    with inside(two):
        far = SchoolFactory(urn="900003", name="Far Hospital School", type_code=7, type_name="Community special school")
        people |= {
            "stranger": person("stranger@borchester.example", Role.POLICY_OFFICER, name="Sam Stranger"),
            "hospital": person("hospital@borchester.example", Role.SCHOOL_LEAD, school=far, name="Hal Hospital"),
        }
    return Cast(oak=oak, elm=elm, far=far, **people)


@pytest.fixture
def browse(one: Any) -> Callable[..., Client]:
    """`browse(person)` gives a test client signed in as that person; `browse()` one that is signed out.

    The host is authority one's unless `authority=` is given.
    """
    from tenants.context import inside

    def signed_in(person: Any = None, *, authority: Any = None) -> Client:
        authority = authority or one
        client = Client(HTTP_HOST=authority.host)
        if person is not None:
            with inside(authority):
                client.force_login(person)
        return client

    return signed_in


@pytest.fixture
def owner_sql(transactional_db: None) -> Callable[..., None]:
    """`owner_sql(statement, *parameters)` runs and commits one statement as the owner login.

    The test's database is made anew afterwards.
    """

    def run(statement: str, *parameters: Any) -> None:
        place = connections["default"].settings_dict
        with psycopg.connect(
            host=place["HOST"],
            port=place["PORT"],
            dbname=place["NAME"],
            user="handrail_owner",
            password=whole_environment()["HANDRAIL_OWNER_PASSWORD"],
        ) as connection:
            connection.execute(statement, parameters)

    return run
