"""Work inside one authority: the only way a task reaches data."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from celery import Task
from celery.exceptions import Reject

from tenants.context import inside
from tenants.database import bound, execute
from tenants.errors import UnknownAuthority, WallError
from tenants.routing import Authority, authorities, authority_by_code, authority_by_id
from tenants.whose import on_behalf_of

log = logging.getLogger(__name__)


class AuthorityTask(Task):
    """A task that runs inside the authority it names, in one transaction.

    Takes ids only, by keyword, with `authority=` among them; the body receives the Authority. A task whose
    authority is unknown, suspended or behind is rejected before the body runs: its rows wait.
    """

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if args:
            raise Reject("keyword arguments only", requeue=False)
        with inside(served(kwargs.get("authority"))) as authority:
            result = super().__call__(**kwargs | {"authority": authority})
        assert_nobody_bound()
        return result


class UnboundTask(Task):
    """A task that opens its authority several times, each in its own transaction (claim, send, record).

    The body receives the Authority and calls `inside(authority)` itself; the provider is called outside.
    """

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if args:
            raise Reject("keyword arguments only", requeue=False)
        assert_nobody_bound()
        authority = served(kwargs.get("authority"))
        with on_behalf_of(authority):
            result = super().__call__(**kwargs | {"authority": authority})
        assert_nobody_bound()
        return result


def served(authority_id: Any) -> Authority:
    """The authority, if it is being served. Raises Reject, which leaves the doorbell empty and the rows waiting."""
    try:
        authority = authority_by_id(authority_id)
    except UnknownAuthority as error:
        raise Reject(str(error), requeue=False) from error
    if not authority.is_served:
        raise Reject(f"authority {authority.code} is not being served", requeue=False)
    return authority


def for_each_authority(task: Task, **kwargs: Any) -> int:
    """Ring for every authority that is being served; give their number. One authority's trouble is its own."""
    ringing = [authority for authority in authorities() if authority.is_served]
    for authority in ringing:
        task.apply_async(kwargs={"authority": str(authority.id), **kwargs})
    return len(ringing)


def run_for_each_authority(work: Callable[[Authority], Any]) -> dict[str, Any]:
    """Run `work` in each served authority's own transaction, now and in this process. For commands."""
    results = {}
    for authority in authorities():
        if authority.is_served:
            with inside(authority):
                results[authority.code] = work(authority)
    return results


def with_their_tables(code: str | None = None) -> tuple[list[Authority], list[Authority]]:
    """Every authority, or the one with this code: those with all tables of this release, suspended too, and the rest.

    Raises UnknownAuthority.
    """
    chosen = [authority_by_code(code)] if code else authorities()
    return [each for each in chosen if not each.is_behind], [each for each in chosen if each.is_behind]


def clock() -> datetime:
    """The database's clock. A run reads it once, inside its door, and passes it on as `at=`."""
    [(now,)] = execute("SELECT now()")
    return now


def assert_nobody_bound() -> None:
    if bound() is not None:
        raise WallError("an authority was left bound")
