"""Keys of Barsetshire, a program that reads with one, and a server of its own."""

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from databases import as_superuser, clone, connected, template
from django.db import connections
from django.test import Client
from django.utils import timezone
from factories import Cast, the_cast
from running import environment_of, running, wait_until

from handrail.reporting.actions import make_key
from handrail.reporting.models import ApiKey, Scope
from tenants.context import inside
from tenants.routing import Authority, authority_by_code


@pytest.fixture
def key_of(cast: Cast, one: Any) -> Callable[..., tuple[ApiKey, str]]:
    """`key_of(Scope.SCHOOL, days=30)` makes a key that works for so many days from today, and gives it with itself."""

    def make(*scopes: Scope, days: int = 30, authority: Any = None, by: Any = None) -> tuple[ApiKey, str]:
        now = timezone.now()
        with inside(authority or one):
            return make_key(
                name="Power BI",
                scopes=scopes or list(Scope),
                expires_on=(now + timedelta(days=days)).date(),
                by=by or cast.admin,
                at=now,
            )

    return make


@pytest.fixture
def read(one: Any, key_of: Any) -> Callable[..., Any]:
    """`read("/api/v1/schools", limit=2)` asks as a program does, with a key to everything unless `key=` is given."""
    made: list[str] = []

    def ask(path: str, *, key: str | None = None, authority: Any = None, method: str = "get", **asked: Any) -> Any:
        if key is None:
            made[:] = made or [key_of()[1]]
            key = made[0]
        headers = {name[5:].replace("_", "-"): asked.pop(name) for name in list(asked) if name.startswith("head_")}
        client = Client(HTTP_HOST=(authority or one).host, raise_request_exception=False)
        return getattr(client, method)(path, asked, headers={"Authorization": f"Bearer {key}"} | headers)

    return ask


@pytest.fixture
def in_register() -> Iterator[Callable[..., None]]:
    """`in_register("001", "E06000001", "")` writes a row of the authority for each code, which its file has of it."""
    numbers = count(770000)

    def write(la_code: str, *ons_codes: str) -> None:
        for ons_code in ons_codes:
            admin.execute(
                """INSERT INTO public.tenants_establishment (urn, la_code, la_name, la_ons_code, establishment_number,
                       name, type_code, type_name, group_code, group_name, status_code, status_name, phase_name,
                       trust_code, trust_name, street, locality, town, county, postcode, website)
                   VALUES (%s, %s, '', %s, '', '', 1, '', 4, '', 1, '', '', '', '', '', '', '', '', '', '')""",
                (str(next(numbers)), la_code, ons_code),
            )

    with as_superuser(connections["default"].settings_dict["NAME"]) as admin:
        yield write


@dataclass
class Live:
    """A server in processes of its own, on a database of its own, with a key to everything."""

    site: str
    port: int
    key: str
    database: str
    one: Authority
    process: int

    @property
    def worker(self) -> int:
        """The process that answers."""
        [child] = Path(f"/proc/{self.process}/task/{self.process}/children").read_text().split()
        return int(child)


@pytest.fixture
def live(tmp_path: Path, django_db_blocker: Any) -> Iterator[Live]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    database, log = f"test_live_{port}", tmp_path / "log"
    clone(template(), database)
    with django_db_blocker.unblock(), connected(database):
        one, two = authority_by_code("001"), authority_by_code("002")
        cast, now = the_cast(one, two), timezone.now()
        with inside(one):
            expires_on = (now + timedelta(days=2)).date()
            _, key = make_key(name="Nightly", scopes=list(Scope), expires_on=expires_on, by=cast.admin, at=now)
    command = ("gunicorn", "handrail.config.wsgi:application", "--config=python:handrail.config.server", "--workers=1")
    environment = environment_of(database, tmp_path, MALLOC_ARENA_MAX="1")  # one heap for all threads, to be measured
    with running(*command, f"--bind=127.0.0.1:{port}", environment=environment, log=log) as process:
        wait_until(lambda: b"Booting worker" in log.read_bytes())
        yield Live(f"http://{one.host}:{port}", port, key, database, one, process.pid)
