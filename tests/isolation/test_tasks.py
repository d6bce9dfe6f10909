"""C1-C5: a task whose authority is unknown, missing, suspended or behind; one within another; work after the door.

First as the other probes are, with the wall and without it. Then in a real worker: the body never runs, the doorbell
is empty afterwards, what was owed waits, and the worker's next task is well.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from celery import Celery, shared_task
from celery.exceptions import Reject
from databases import as_superuser, connected, scratch
from django.db import connections, transaction
from factories import SchoolFactory, recorded_policy
from isolation.probing import Ground, On, Probe, Stock, answer, ground
from running import environment_of, wait_until, worker

from handrail.core.models import AuthoritySettings
from handrail.notices.models import Notice
from handrail.policies.reminders import owe_review_reminders
from handrail.schools.models import School
from tenants.context import inside
from tenants.routing import authority_by_code
from workflows import per_authority
from workflows.per_authority import AuthorityTask

SUSPENDED = ("state = 'suspended'", "state = 'active'")
BEHIND = ("schema_version = schema_version - 1", "schema_version = schema_version + 1")


# -- with the wall and without it --------------------------------------------------------------------------


class Trusting(Stock):
    """Off: tasks take whatever authority they are told, and with none stay where the connection was left."""

    @classmethod
    @contextmanager
    def standing(cls, database: str, patch: pytest.MonkeyPatch) -> Iterator[None]:
        with connected(database):
            known = {str(each.id): each for each in (authority_by_code("001"), authority_by_code("002"))}
        patch.setattr(per_authority, "served", lambda given: known.get(str(given)))
        patch.setattr(per_authority, "inside", lambda each: cls.inside(each) if each else nullcontext())
        patch.setattr(per_authority, "assert_nobody_bound", lambda: None)
        with super().standing(database, patch):
            yield


@shared_task(base=AuthorityTask)
def names(*, authority: Any = None, first: Callable[[], Any] = lambda: None) -> Any:
    """What a page would list, after something else was done; one authority's canary or the other's."""
    first()
    return list(School.objects.values_list("name", flat=True))


@shared_task(base=AuthorityTask)
def asked(*, authority: Any) -> Any:
    return School.objects.values_list("name", flat=True)


@shared_task(base=AuthorityTask)
def begun(*, authority: Any) -> Any:
    rows = asked.run(authority=authority).iterator(chunk_size=1)
    next(rows)
    return rows


def of_an_unknown_authority(on: Ground) -> Any:
    names(authority=str(on.one.id))
    return names(authority=str(uuid4()))


def of_what_is_no_id(on: Ground) -> Any:
    names(authority=str(on.one.id))
    return names(authority="' OR true --")


def of_no_authority(on: Ground) -> Any:
    names(authority=str(on.one.id))
    return names()


def of_a_suspended_authority(on: Ground) -> Any:
    with registered(on, *SUSPENDED):
        return names(authority=str(on.one.id))


def of_an_authority_that_is_behind(on: Ground) -> Any:
    with registered(on, *BEHIND):
        return names(authority=str(on.one.id))


def within_another(on: Ground) -> Any:
    def nested() -> None:
        try:
            names(authority=str(on.two.id))
        except RuntimeError:
            return

    return names(authority=str(on.one.id), first=nested)


def that_gave_out_a_query(on: Ground) -> Any:
    return list(asked(authority=str(on.one.id)))


def that_gave_out_a_query_half_read(on: Ground) -> Any:
    return next(begun(authority=str(on.one.id)))


def that_reads_after_its_commit(on: Ground) -> Any:
    read: list[Any] = []
    names(authority=str(on.one.id), first=lambda: transaction.on_commit(lambda: read.extend(on.names())))
    return [*read, *on.names()]


def that_left_a_thread_behind(on: Ground) -> Any:
    with ThreadPoolExecutor(1) as pool:
        try:
            pool.submit(names, authority=str(on.one.id)).result()
            return pool.submit(on.names).result()
        finally:
            pool.submit(connections.close_all).result()


@contextmanager
def registered(on: Ground, do: str, undo: str) -> Iterator[None]:
    """Authority one stands in the register of authorities like this for a while."""
    row = "UPDATE public.tenants_localauthority SET {} WHERE schema_name = '{{one}}'"
    with on.as_administrator(row.format(do), row.format(undo)):
        yield


PROBES = [
    Probe("C1", of_an_unknown_authority, Trusting, "one"),
    Probe("C1", of_what_is_no_id, Trusting, "one"),
    Probe("C2", of_no_authority, Trusting, "one"),
    Probe("C3", of_a_suspended_authority, Trusting, "one"),
    Probe("C3", of_an_authority_that_is_behind, Trusting, "one"),
    Probe("C4", within_another, Trusting, "two"),
    Probe("C5", that_gave_out_a_query, Trusting, "one"),
    Probe("C5", that_gave_out_a_query_half_read, Trusting, "one"),
    Probe("C5", that_reads_after_its_commit, Trusting, "one"),
    Probe("C5", that_left_a_thread_behind, Trusting, "one"),
]


class TestProbes:
    @pytest.fixture(autouse=True)
    def django_connections(self, django_db_blocker: Any) -> Iterator[None]:
        with django_db_blocker.unblock():
            yield

    @pytest.mark.parametrize("each", PROBES, ids=str)
    def test_a_task_ends_in_denied_or_own_rows(self, each: Probe, apart: str) -> None:
        with ground(On, apart) as on:
            assert on.canaries[each.foreign] not in answer(each, on)
            assert set(names(authority=str(on.two.id))) == {on.canaries["two"]}, "the next task is not well"

    @pytest.mark.parametrize("each", PROBES, ids=str)
    def test_without_the_guard_it_reads_what_it_must_not(self, each: Probe, apart: str) -> None:
        with ground(each.off, apart) as off:
            assert off.canaries[each.foreign] in answer(each, off)

    def test_positional_arguments_are_refused(self, apart: str) -> None:
        with ground(On, apart) as on, pytest.raises(Reject, match="keyword arguments only"):
            names(str(on.one.id))


# -- in a real worker --------------------------------------------------------------------------------------


@dataclass
class Office:
    """A worker of one process, with the tasks that stray, and a database of its own."""

    database: str
    bell: Celery
    witness: Path
    one: Any
    two: Any

    def ring(self, name: str, *args: Any, **kwargs: Any) -> list[str]:
        """Ring for a task and wait until the doorbell is empty; give what its body noted."""
        self.witness.unlink(missing_ok=True)
        task = name if "." in name else f"isolation.straying_tasks.{name}"
        self.bell.send_task(task, args=args, kwargs=kwargs, queue="handrail")
        self.wait()
        return self.witness.read_text().splitlines() if self.witness.exists() else []

    def stray(self, name: str, authority: Any, **kwargs: Any) -> list[str]:
        return self.ring(name, authority=str(authority.id), witness=str(self.witness), **kwargs)

    def wait(self) -> None:
        with as_superuser(self.database) as admin:
            wait_until(lambda: admin.execute("SELECT count(*) FROM pgmq.q_handrail").fetchone() == (0,))

    def states(self) -> list[str]:
        with inside(self.one):
            return sorted(Notice.objects.values_list("state", flat=True))

    @contextmanager
    def registered(self, do: str, undo: str) -> Iterator[None]:
        row = "UPDATE public.tenants_localauthority SET {} WHERE code = '001'"
        with as_superuser(self.database) as admin:
            admin.execute(row.format(do))
            try:
                yield
            finally:
                admin.execute(row.format(undo))


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, django_db_blocker: Any) -> Iterator[Office]:
    folder = tmp_path_factory.mktemp("office")
    with scratch("test_tasks") as database, django_db_blocker.unblock(), connected(database):
        one, two = authority_by_code("001"), authority_by_code("002")
        for authority in (one, two):
            with inside(authority):
                SchoolFactory(name=f"canary of {authority.code}")
        environment = environment_of(database, folder)
        bell = Celery(broker=environment["HANDRAIL_BROKER_URL"])
        bell.conf.broker_transport_options = {"init_extension": False}
        with worker("isolation.straying_tasks", environment=environment, log=folder / "log"):
            found = Office(database, bell, folder / "witness", one, two)
            assert found.stray("read", one) == ["['canary of 001']"]
            yield found
        bell.close()


GIVEN: dict[str, Callable[[Office], tuple[tuple[Any, ...], dict[str, Any]]]] = {
    "an unknown authority": lambda office: ((), {"authority": str(uuid4())}),
    "what is no id": lambda office: ((), {"authority": "public"}),
    "an empty id": lambda office: ((), {"authority": None}),
    "no authority": lambda office: ((), {}),
    "a positional authority": lambda office: ((str(office.one.id),), {}),
}


class TestRefused:
    """C1, C2 and C3 in a worker."""

    @pytest.mark.parametrize("given", GIVEN)
    def test_given(self, office: Office, given: str) -> None:
        args, kwargs = GIVEN[given](office)
        for task in ("read", "read_between_doors"):
            assert office.ring(task, *args, **kwargs, witness=str(office.witness)) == []
        assert office.ring("unguarded", *args, **kwargs, witness=str(office.witness)) == ["ran"]
        assert office.stray("read", office.two) == ["['canary of 002']"]

    @pytest.mark.parametrize("row", [SUSPENDED, BEHIND], ids=["suspended", "behind"])
    def test_one_that_is_not_served_and_what_it_owes_waits(self, office: Office, row: Any, on: Any, at: Any) -> None:
        with inside(office.one):
            AuthoritySettings.objects.update_or_create(defaults={"has_quiet_hours": False})
            for _ in range(2):
                recorded_policy(SchoolFactory(head_email="", name="canary of 001"), next_review_on=on)
            owe_review_reminders(on=on, at=at)
        owed = office.states()
        assert owed.count("owed") >= 2
        with office.registered(*row):
            for task in ("read", "read_between_doors"):
                assert office.stray(task, office.one) == []
            assert office.stray("unguarded", office.one) == ["ran"]
            for name in ("workflows.notices.send_for_authority", "workflows.reminders.sweep_authority"):
                office.ring(name, authority=str(office.one.id))
            office.ring("workflows.notices.send_due")
            assert office.states() == owed
            assert office.stray("read", office.two) == ["['canary of 002']"]
        office.ring("workflows.notices.send_due")
        assert set(office.states()) == {"accepted"}


class TestNested:
    """C4 in a worker."""

    def test_a_task_of_another_authority_is_refused_and_the_outer_one_stays_at_home(self, office: Office) -> None:
        noted = office.stray("nest", office.one, other=str(office.two.id))
        assert noted[:-1] == ["denied: WallError"] * 3
        assert set(eval(noted[-1])) == {"canary of 001"}

    def test_one_of_the_same_authority_is_refused_too(self, office: Office) -> None:
        assert office.stray("nest", office.two, other=str(office.two.id))[0] == "denied: WallError"


class TestAfterTheDoor:
    """C5 in a worker."""

    @pytest.mark.parametrize(
        "task",
        [
            "read_for_nobody",
            "read_after_the_door",
            "read_after_the_commit",
            "read_in_a_thread",
            "read_when_it_is_over",
            "leave_the_door_open",
        ],
    )
    def test_nothing_is_read(self, office: Office, task: str) -> None:
        if task == "read_for_nobody":
            noted = office.ring(task, witness=str(office.witness))
        else:
            noted = office.stray(task, office.one)
        assert [each.partition(": ")[0] for each in noted] == ["denied"]
        assert office.stray("read", office.two) == ["['canary of 002']"]

    def test_a_query_that_was_given_out_is_not_asked_for_the_log(self, office: Office) -> None:
        assert office.stray("hand_out", office.one) == ["handed out"]
        assert "canary of" not in (office.witness.parent / "log").read_text()
        assert office.stray("read", office.two) == ["['canary of 002']"]
