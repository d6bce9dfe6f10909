"""The product's own worker, with tasks that stray. Each notes in a file that its body ran and what it got to read."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from celery import shared_task

from workflows.app import app  # isort: skip - it sets up what the others need
from django.db import DatabaseError, connection, connections, transaction

from handrail.schools.models import School
from tenants.context import inside
from tenants.errors import WallError
from tenants.routing import Authority
from workflows.per_authority import AuthorityTask, UnboundTask

__all__ = ["app"]


class Unguarded(AuthorityTask):
    """What is left without the guard: the body runs, whatever it was given."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.run(*args, **kwargs)


def note(witness: str, work: Callable[[], Any]) -> None:
    try:
        found = work()
    except (WallError, DatabaseError) as error:
        found = f"denied: {type(error).__name__}"
    with Path(witness).open("a") as file:
        file.write(f"{found}\n")


def names() -> list[str]:
    return list(School.objects.values_list("name", flat=True))


@shared_task(base=Unguarded)
def unguarded(authority: Any = None, witness: str = "") -> None:
    note(witness, lambda: "ran")


@shared_task(base=AuthorityTask)
def read(*, authority: Authority, witness: str) -> None:
    note(witness, names)


@shared_task(base=UnboundTask)
def read_between_doors(*, authority: Authority, witness: str) -> None:
    with inside(authority):
        note(witness, names)


@shared_task(base=UnboundTask)
def read_after_the_door(*, authority: Authority, witness: str) -> None:
    with inside(authority):
        names()
    note(witness, names)


@shared_task
def read_for_nobody(*, witness: str) -> None:
    note(witness, names)


@shared_task(base=AuthorityTask)
def nest(*, authority: Authority, other: str, witness: str) -> None:
    """Calls a task of another authority within its own, and goes on as if nothing had been."""
    note(witness, lambda: read(authority=other, witness=witness))
    note(witness, lambda: read_between_doors(authority=other, witness=witness))
    note(witness, lambda: read.apply(kwargs={"authority": other, "witness": witness}, throw=True))
    note(witness, names)


@shared_task(base=AuthorityTask)
def hand_out(*, authority: Authority, witness: str) -> Any:
    """Gives a query that has not been asked yet: Celery writes what a task gave to its log."""
    note(witness, lambda: "handed out")
    return School.objects.all()


@shared_task(base=AuthorityTask)
def read_after_the_commit(*, authority: Authority, witness: str) -> None:
    transaction.on_commit(lambda: note(witness, names))


@shared_task(base=AuthorityTask)
def read_in_a_thread(*, authority: Authority, witness: str) -> None:
    with ThreadPoolExecutor(1) as pool:
        pool.submit(note, witness, names).result()
        pool.submit(connections.close_all).result()


class Afterwards(AuthorityTask):
    def on_success(self, retval: Any, task_id: str, args: Any, kwargs: Any) -> None:
        note(kwargs["witness"], names)


@shared_task(base=Afterwards)
def read_when_it_is_over(*, authority: Authority, witness: str) -> None:
    names()


@shared_task(base=AuthorityTask)
def leave_the_door_open(*, authority: Authority, witness: str) -> None:
    """Ends the transaction under the door's feet."""
    connection.close()
    note(witness, names)
