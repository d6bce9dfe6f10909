"""Which request is being served: the same id in its answer, in each line of the log and in each row of the record."""

from contextvars import ContextVar

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""Empty outside a request."""
