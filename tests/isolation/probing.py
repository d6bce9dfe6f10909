"""What a probe needs: two authorities with a canary in each, the wall switched on, and the wall switched off.

A probe is a function that tries to carry something across. What it returns is all that it got to read.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import date
from threading import Event, Thread
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from celery.exceptions import Reject
from databases import as_superuser, connected
from django.core.exceptions import ObjectDoesNotExist
from django.db import Error, connection, connections
from django_tenants.postgresql_backend import base as stock
from django_tenants.utils import schema_context
from factories import PolicyFactory, SchoolFactory

from handrail.core.documents import NotFound
from handrail.policies.models import Policy
from handrail.schools.models import School
from tenants.context import inside
from tenants.database import base
from tenants.errors import WallError
from tenants.routing import Authority, authority_by_code

DENIED = (WallError, Error, psycopg.Error, ObjectDoesNotExist, NotFound, Reject)


class On:
    """The wall as the product has it."""

    inside: Callable[..., AbstractContextManager[Any]] = staticmethod(inside)
    decorator: Callable[..., Any] = staticmethod(inside)
    login, settings = "app", {}

    @staticmethod
    def bind_slowly(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(base, "BIND", f"{base.BIND}; SELECT pg_sleep(60)")

    @classmethod
    @contextmanager
    def standing(cls, database: str, patch: pytest.MonkeyPatch) -> Iterator[None]:
        with connected(database, cls.login, **cls.settings):
            yield


class Stock(On):
    """Off: django-tenants as it comes, with one login for everything. Its middleware too leaves the last tenant set."""

    login = "owner"

    @staticmethod
    @contextmanager
    def inside(authority: Authority, *, using: str = "default") -> Iterator[None]:
        wrapper: Any = connections[using]
        wrapper.set_tenant(authority)
        yield

    @staticmethod
    def decorator(authority: Authority) -> Any:
        return schema_context(authority.schema_name)

    @staticmethod
    def bind_slowly(patch: pytest.MonkeyPatch) -> None:
        quote = stock.quote_schema_name
        patch.setattr(
            stock,
            "quote_schema_name",
            lambda name: quote(name) + ("; SELECT pg_sleep(60)" if name == "public" else ""),
        )


class Roleless(On):
    """Off: our own door, but with the owner's login and the search path alone."""

    login, settings = "owner", {"ENGINE": "tenants.database"}

    @classmethod
    @contextmanager
    def standing(cls, database: str, patch: pytest.MonkeyPatch) -> Iterator[None]:
        patch.setattr(
            base, "BIND", "SELECT %s::text, set_config('search_path', %s, true), set_config('TimeZone', %s, true)"
        )
        with super().standing(database, patch):
            yield


@dataclass
class Ground:
    """Where a probe runs. `one` and `two` hold rows of the same ids; only their canaries tell them apart."""

    wall: type[On]
    database: str
    one: Authority
    two: Authority
    canaries: dict[str, str]
    school_id: UUID
    policy_id: UUID
    patch: pytest.MonkeyPatch = field(init=False)

    def plant(self) -> None:
        """In each authority the same two schools and one policy, and nothing else. Through the wall itself."""
        for name, authority in (("one", self.one), ("two", self.two)):
            canary = self.canaries[name]
            with inside(authority):
                School.objects.all().delete()
                school = SchoolFactory(id=self.school_id, urn="900001", name=canary)
                SchoolFactory(urn="900002", name=canary)
                PolicyFactory(id=self.policy_id, school=school, lead_name=canary, last_reviewed_on=date(2026, 1, 1))

    def inside(self, authority: Authority, **more: Any) -> AbstractContextManager[Any]:
        return self.wall.inside(authority, **more)

    def school(self) -> School:
        return School.objects.get(id=self.school_id)

    def policy(self) -> Policy:
        return Policy.objects.get(id=self.policy_id)

    def names(self, using: str = "default") -> list[str]:
        """What a page would list."""
        return list(School.objects.using(using).values_list("name", flat=True))

    def sql(self, statement: str, *parameters: Any) -> list[Any]:
        """Raw SQL on a Django cursor; in the product only `tenants.database` has one."""
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters or None)
            return cursor.fetchall() if cursor.description else []

    def in_a_thread(self, work: Callable[[], Any]) -> Any:
        with ThreadPoolExecutor(1) as pool:
            try:
                return pool.submit(work).result()
            finally:
                pool.submit(connections.close_all).result()

    @contextmanager
    def as_administrator(self, do: str, undo: str) -> Iterator[None]:
        """A mistake of the deployment, made and mended outside the wall."""
        with as_superuser(self.database) as admin:
            admin.execute(do.format(one=self.one.schema_name, two=self.two.schema_name))
            try:
                yield
            finally:
                connection.close()
                admin.execute(undo.format(one=self.one.schema_name, two=self.two.schema_name))

    def with_a_namesake_in_public(self) -> AbstractContextManager[None]:
        """A table that two lacks, while `public` has one of that name with one's rows."""
        return self.as_administrator(
            "ALTER TABLE {two}.core_document RENAME TO core_document_gone;"
            " CREATE TABLE public.core_document AS SELECT gen_random_uuid() AS id, name FROM {one}.schools_school;"
            " ALTER TABLE public.core_document OWNER TO handrail_owner",
            "DROP TABLE public.core_document; ALTER TABLE {two}.core_document_gone RENAME TO core_document",
        )

    @contextmanager
    def cancelling_the_next_sleep(self) -> Iterator[None]:
        """Really cancel the statement that sleeps, as soon as it does."""
        over = Event()

        def cancel() -> None:
            with as_superuser(self.database) as admin:
                while not over.wait(0.01):
                    admin.execute(
                        "SELECT pg_cancel_backend(pid) FROM pg_stat_activity"
                        " WHERE datname = %s AND wait_event = 'PgSleep'",
                        (self.database,),
                    )

        thread = Thread(target=cancel)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


@contextmanager
def ground(wall: type[On], database: str) -> Iterator[Ground]:
    """Both authorities planted anew, then this process's connections behind that wall, or without it."""
    with connected(database):
        one, two = authority_by_code("001"), authority_by_code("002")
    planted = Ground(
        wall=wall,
        database=database,
        one=one,
        two=two,
        canaries={name: f"canary-of-{name}-{uuid4().hex[:8]}" for name in ("one", "two")},
        school_id=uuid4(),
        policy_id=uuid4(),
    )
    with connected(database):
        planted.plant()
    with pytest.MonkeyPatch.context() as patch, wall.standing(database, patch):
        planted.patch = patch
        yield planted


@dataclass(frozen=True)
class Probe:
    """`foreign` is whose canary must not come back."""

    code: str
    run: Callable[[Ground], Any]
    off: type[On]
    foreign: str

    def __str__(self) -> str:
        return f"{self.code}-{self.run.__name__.replace('_', '-')}"


PROBES: list[Probe] = []


def probe(code: str, *, off: type[On] = Stock, foreign: str = "one") -> Any:
    """Add a probe to the list. `off` is the way of switching the wall off that lets it through."""

    def add(run: Callable[[Ground], Any]) -> Callable[[Ground], Any]:
        PROBES.append(Probe(code, run, off, foreign))
        return run

    return add


def answer(each: Probe, on: Ground) -> str:
    """What the probe got to read, or how it was denied."""
    try:
        return repr(each.run(on))
    except DENIED as denied:
        return f"denied: {type(denied).__name__}"
