"""Doors opened, broken, left and nested in every order that hypothesis can think of.

After each step, whatever is visible belongs to the authority whose door is open, and with no door nothing is.
"""

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, suppress
from typing import Any

import pytest
from databases import as_superuser
from django.core.cache.backends.base import BaseCache
from django.db import IntegrityError, connection, connections, transaction
from factories import SchoolFactory
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as some
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from isolation.probing import DENIED, Ground, On, ground

from handrail.schools.models import School
from tenants.cache import AuthorityCache, key_of_authority
from tenants.database import bound
from tenants.errors import AlreadyInside, NobodyBound

AUTHORITIES = some.sampled_from(["one", "two"])
USES = some.sampled_from(["refresh", "save", "delete", "reverse", "forward", "evaluate", "advance", "raw"])


class Oops(Exception):
    pass


class Doors(RuleBasedStateMachine):
    """`open` is the name of the authority whose door is open; `blocks` its door and the savepoints inside."""

    on: Ground

    @initialize()
    def begin(self) -> None:
        connections.close_all()
        self.on.plant()
        self.open = ""
        self.blocks: list[AbstractContextManager[Any]] = []
        self.carried: dict[str, list[Any]] = {}
        self.urns = iter(range(100_000, 900_000))
        self.cache: BaseCache = AuthorityCache("core_cacheentry", {"KEY_FUNCTION": key_of_authority})

    # -- doors

    @rule(name=AUTHORITIES)
    def enter(self, name: str) -> None:
        door = self.on.inside(getattr(self.on, name))
        if self.open:
            with pytest.raises(AlreadyInside):
                door.__enter__()
        else:
            connection.close_if_unusable_or_obsolete()  # as before each request
            door.__enter__()
            self.open, self.blocks = name, [door]
            self._carry()

    @precondition(lambda self: self.open)
    @rule()
    def leave(self) -> None:
        self._leave(1, None)

    @precondition(lambda self: self.open)
    @rule()
    def leave_by_an_exception(self) -> None:
        self._leave(1, Oops)

    @precondition(lambda self: self.open)
    @rule()
    def begin_a_savepoint(self) -> None:
        block = transaction.atomic()
        with suppress(*DENIED):
            block.__enter__()
            self.blocks.append(block)

    @precondition(lambda self: len(self.blocks) > 1)
    @rule(error=some.sampled_from([None, Oops]))
    def end_a_savepoint(self, error: type[Exception] | None) -> None:
        self._leave(len(self.blocks), error)

    def _leave(self, down_to: int, error: type[Exception] | None) -> None:
        """Leave blocks from the innermost on, the last one of them being number `down_to`."""
        while len(self.blocks) >= down_to:
            block = self.blocks.pop()
            if not self.blocks:
                self.open = ""
            with suppress(Oops, *DENIED):
                if error is None:
                    block.__exit__(None, None, None)
                    continue
                try:
                    raise error
                except error:
                    block.__exit__(*sys.exc_info())

    # -- work

    @precondition(lambda self: self.open)
    @rule()
    def create(self) -> None:
        with suppress(*DENIED):
            SchoolFactory(name=self.on.canaries[self.open], urn=str(next(self.urns)))

    @precondition(lambda self: self.open)
    @rule()
    def swallow_an_error(self) -> None:
        with suppress(IntegrityError, *DENIED):
            SchoolFactory(urn="900001")

    @precondition(lambda self: self.open)
    @rule()
    def swallow_a_raw_error(self) -> None:
        with suppress(*DENIED):
            self.on.sql("SELECT 1 / 0")

    @rule()
    def lose_the_connection(self) -> None:
        if connection.connection is not None and not connection.connection.closed:
            with as_superuser(self.on.database) as admin:
                pid = connection.connection.info.backend_pid
                admin.execute(
                    "SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity"
                    " WHERE pid = %s AND datname = current_database()",
                    (pid,),
                )

    @rule()
    def close_the_connection(self) -> None:
        connection.close()

    @precondition(lambda self: self.open)
    @rule()
    def use_the_cache(self) -> None:
        own = self.on.canaries[self.open]
        with suppress(*DENIED):
            assert self.cache.get("kept") in (None, own)
            self.cache.set("kept", own)
            assert self.cache.get("kept") == own

    # -- things carried from one door to another

    def _carry(self) -> None:
        """Whoever enters takes things along: rows, a query, one half read, a cursor."""
        with suppress(StopIteration, *DENIED):
            rows = School.objects.iterator(chunk_size=10)
            next(rows)
            things = [self.on.school(), self.on.policy(), School.objects.all(), rows, connection.cursor()]
            self.carried[self.open] = things

    @precondition(lambda self: self.carried)
    @rule(whose=AUTHORITIES, use=USES)
    def use_what_was_carried(self, whose: str, use: str) -> None:
        if whose not in self.carried:
            return
        school, policy, queryset, rows, cursor = self.carried[whose]
        seen: list[str] = []
        with suppress(StopIteration, *DENIED):
            if use == "refresh":
                school.refresh_from_db()
                seen = [school.name]
            elif use == "save":
                school.save()
            elif use == "delete":
                if policy.pk:  # Django forgets it with the first deletion, even one that is rolled back
                    policy.delete()
            elif use == "reverse":
                seen = [each.lead_name for each in school.policies.all()]
            elif use == "forward":
                policy.refresh_from_db(fields=["school"])
                seen = [policy.school.name]
            elif use == "evaluate":
                seen = [each.name for each in queryset.all()]
            elif use == "advance":
                seen = [next(rows).name]
            else:
                cursor.execute("SELECT name FROM schools_school")
                seen = [name for (name,) in cursor.fetchall()]
        assert set(seen) <= {self.on.canaries.get(self.open)}, f"{use} showed {seen} in {self.open or 'no'} door"

    # -- what must hold

    @invariant()
    def what_is_visible_is_ones_own(self) -> None:
        if not self.open:
            assert bound() is None
            with pytest.raises(NobodyBound):
                self.on.names()
            return
        try:
            assert set(self.on.names()) <= {self.on.canaries[self.open]}
            assert self.on.sql("SELECT current_user")[0][0] == getattr(self.on, self.open).schema_name
        except DENIED:
            pass  # a broken transaction shows nothing at all

    def teardown(self) -> None:
        self._leave(1, Oops)
        connections.close_all()
        with as_superuser(self.on.database) as admin:
            for name, authority in (("one", self.on.one), ("two", self.on.two)):
                stored = admin.execute(f"SELECT DISTINCT name FROM {authority.schema_name}.schools_school").fetchall()
                assert {each for (each,) in stored} <= {self.on.canaries[name]}


@pytest.fixture
def planted(apart: str, django_db_blocker: Any) -> Iterator[Ground]:
    with django_db_blocker.unblock(), ground(On, apart) as on:
        yield on


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # cursors that outlive their door
def test_whatever_is_visible_belongs_to_the_open_door(planted: Ground, full: bool) -> None:
    Doors.on = planted
    run_state_machine_as_test(
        Doors,
        settings=settings(
            max_examples=300 if full else 15,
            derandomize=not full,
            phases=[*Phase] if full else [Phase.generate],
            stateful_step_count=30,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
