"""Real processes on a real database of their own, where every transaction is a real one."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pytest
from databases import as_superuser, connected, scratch
from django.db import connections
from factories import SchoolFactory, recorded_policy
from post import Scripted
from psycopg import sql

from handrail.core.models import AuthoritySettings
from handrail.notices.models import Notice, NoticeAttempt
from handrail.policies.reminders import owe_review_reminders
from tenants.context import inside
from tenants.routing import authority_by_code

EMPTIED = (
    "notices_noticeattempt",
    "notices_notice",
    "notices_sweep",
    "policies_policy",
    "schools_school",
    "imports_fileimport",
    "core_document",
)


@pytest.fixture(scope="session")
def faulty() -> Iterator[str]:
    """The database's name."""
    with scratch("test_faults") as name:
        yield name


@dataclass
class Ground:
    """Where a test happens: two authorities without schools or notices, and a provider that notes what it takes."""

    database: str
    one: Any
    two: Any
    post: Scripted
    on: date
    at: datetime

    def owe(self, number: int, authority: Any = None) -> list[Notice]:
        """Owe that many reminders, of as many schools."""
        authority = authority or self.one
        with inside(authority):
            for _ in range(number):
                recorded_policy(SchoolFactory(head_email="", joined_on=self.on), next_review_on=self.on)
            owe_review_reminders(on=self.on, at=self.at)
            return list(Notice.objects.exclude(state="suppressed").order_by("id"))

    def states(self, authority: Any = None) -> dict[str, int]:
        with inside(authority or self.one):
            found = list(Notice.objects.values_list("state", flat=True))
        return {state: found.count(state) for state in sorted(set(found))}

    def outcomes(self) -> list[str]:
        with inside(self.one):
            return list(NoticeAttempt.objects.order_by("number", "at").values_list("outcome", flat=True))

    def in_a_process(self, work: Callable[[], Any]) -> "Process":
        """Begin the work in a process of its own, with connections of its own."""
        connections.close_all()
        pid = os.fork()
        if pid:
            return Process(pid)
        try:
            work()
            os._exit(0)
        except BaseException:
            os._exit(1)


@dataclass
class Process:
    pid: int

    def wait(self) -> int:
        """How it ended: an exit code, or minus the signal that killed it."""
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def wait_until_stopped(self) -> None:
        os.waitpid(self.pid, os.WUNTRACED)


@pytest.fixture
def ground(faulty: str, django_db_blocker: Any, tmp_path: Any, at: datetime) -> Iterator[Ground]:
    with django_db_blocker.unblock(), connected(faulty):
        one, two = authority_by_code("001"), authority_by_code("002")
        with as_superuser(faulty) as admin:
            for authority in (one, two):
                tables = [sql.Identifier(authority.schema_name, table) for table in EMPTIED]
                admin.execute(sql.SQL("TRUNCATE {} CASCADE").format(sql.SQL(", ").join(tables)))
            admin.execute("UPDATE tenants_localauthority SET state = 'active'")
        for authority in (one, two):
            with inside(authority):
                AuthoritySettings.objects.update_or_create(defaults={"has_quiet_hours": False})
        yield Ground(faulty, one, two, Scripted(tmp_path / "book"), at.date(), at)
