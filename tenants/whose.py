"""Whose work is being done: for the log and for reports of faults, never to decide what may be seen."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tenants.routing import Authority

_authority: "ContextVar[Authority | None]" = ContextVar("authority", default=None)


@contextmanager
def on_behalf_of(authority: "Authority") -> Iterator[None]:
    """Say so for as long as the block lasts, and on every exception that leaves it: most faults are told of later."""
    token = _authority.set(authority)
    try:
        yield
    except Exception as error:
        error.authority = authority  # type: ignore[attr-defined]
        raise
    finally:
        _authority.reset(token)


def whose_work(error: BaseException | None = None) -> "Authority | None":
    """The authority that is being worked for, or that `error` came out of."""
    found: Authority | None = _authority.get()
    while found is None and error is not None:
        found, error = getattr(error, "authority", None), error.__cause__ or error.__context__
    return found
