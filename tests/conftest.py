"""Two real authorities, the cast, and the clock.

The public facts and both authorities are built once, by the product's own commands, in a template database named by
what it is made from; each process works on a clone of it. A test is an ordinary rolled-back transaction.
"""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from chromium import Chromium
from databases import clone, drop, scratch, template
from django.db import connections
from django.test import Client, TransactionTestCase
from hypothesis import HealthCheck
from hypothesis import settings as properties

from handrail.config.env import whole_environment

if TYPE_CHECKING:
    from factories import Cast
    from repeated import Repeated

AT = datetime(2026, 11, 23, 9, 5, tzinfo=UTC)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="every page in three states at two widths; longer storms")
    parser.addoption("--storm", type=float, metavar="SECONDS", help="how long a storm lasts (3, with --full 20)")
    parser.addoption(
        "--long", action="store_true", help="10,000 messages with kills, thousands of API calls and random tables"
    )


def pytest_configure(config: pytest.Config) -> None:
    """How properties are tried: how slow the machine is proves nothing."""
    properties.register_profile(
        "handrail",
        max_examples=3000 if config.getoption("--long") else 200 if config.getoption("--full") else 40,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    )
    properties.load_profile("handrail")


LONGEST = ("tests/journeys/", "tests/isolation/test_permissions", "tests/isolation/test_walk", "tests/faults/")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Of several processes each takes the next file: those that last long come first, so that all end together."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))


@pytest.fixture(scope="session")
def long(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--long"))


@pytest.fixture(scope="session")
def full(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--full"))


# -- databases -------------------------------------------------------------------------------------------


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


@pytest.fixture(scope="session")
def apart() -> Iterator[str]:
    """A database beside the other tests', where transactions are real. Tests leave it as they found it."""
    with scratch("test_apart") as name:
        yield name


# -- the browser -----------------------------------------------------------------------------------------

CHROMIUM = Chromium()


@pytest.fixture
def browser() -> Any:
    """Chromium, in which a test opens contexts of its own."""
    return CHROMIUM.open()


@pytest.fixture(params=[320, 1280])
def width(request: pytest.FixtureRequest, full: bool) -> int:
    """A phone's, and with --full a desk's too."""
    if request.param > 320 and not full:
        pytest.skip("at a desk's width with --full")
    return int(request.param)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(nextitem: Any) -> None:
    if nextitem is None or "browser" not in nextitem.fixturenames:
        CHROMIUM.close()


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


@pytest.fixture(scope="session")
def repeated_cast() -> "Repeated[Cast]":
    from factories import the_cast
    from repeated import Repeated

    from tenants.routing import authority_by_code

    return Repeated(lambda: the_cast(authority_by_code("001"), authority_by_code("002")))


@pytest.fixture
def cast(db: None, repeated_cast: "Repeated[Cast]") -> "Cast":
    """Everybody, in both authorities, with their schools."""
    return repeated_cast()


@pytest.fixture
def browse(one: Any) -> Callable[..., Client]:
    """`browse(person)` gives a test client signed in, in two steps, as that person; `browse()` one that is signed out.

    The host is authority one's unless `authority=` is given.
    """
    from factories import sign_in

    from tenants.context import inside

    def signed_in(person: Any = None, *, authority: Any = None) -> Client:
        authority = authority or one
        client = Client(HTTP_HOST=authority.host)
        if person is not None:
            with inside(authority):
                sign_in(client, person)
        return client

    return signed_in


@pytest.fixture
def pdf() -> Callable[..., Any]:
    """`pdf(name)` is a file that is a PDF, made anew at each call."""
    import io

    import pypdf
    from django.core.files.uploadedfile import SimpleUploadedFile

    def made(name: str = "Our policy.pdf") -> Any:
        writer = pypdf.PdfWriter()
        writer.add_blank_page(width=595, height=842)
        out = io.BytesIO()
        writer.write(out)
        return SimpleUploadedFile(name, out.getvalue(), content_type="application/octet-stream")

    return made


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


@pytest.fixture
def register_row(owner_sql: Callable[..., None]) -> Callable[..., None]:
    """`register_row(urn, ...)` writes or changes a row of the register, as the owner login does."""

    def write(urn: str, **changed: Any) -> None:
        from factories import A_SCHOOL

        row = {"urn": urn, **A_SCHOOL, **changed}
        names = ", ".join(row)
        owner_sql(
            f"INSERT INTO public.tenants_establishment ({names}) VALUES ({', '.join(['%s'] * len(row))}) "
            f"ON CONFLICT (urn) DO UPDATE SET ({names}) = ROW ({', '.join(f'excluded.{name}' for name in row)})",
            *row.values(),
        )

    return write


@pytest.fixture
def process(settings: Any) -> Callable[..., None]:
    """`process(keys=..., kms=...)` makes this a new process that was given these keys to wrap with."""
    from handrail.core import vault

    def begin(*, keys: tuple[bytes, ...] = (), kms: str = "") -> None:
        vault._unwrapped.clear()
        settings.VAULT_KEYS, settings.VAULT_KMS_KEY = keys, kms

    return begin
