"""What may be told of a fault: in a report to Sentry, where an address for reports is set, and in the log.

An exception's message may hold a child's name ("Key (email)=(...) already exists"), a local variable a diagnosis. So
nothing is taken out of a report: it is built anew of what is named here. Of an exception that is its type and the
places it came through, never its message; the log says no more.
"""

import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import sentry_sdk
from django.conf import settings
from django.http import HttpRequest
from sentry_sdk.integrations import Integration
from sentry_sdk.integrations.atexit import AtexitIntegration
from sentry_sdk.integrations.dedupe import DedupeIntegration
from sentry_sdk.integrations.django import DjangoIntegration
from sentry_sdk.integrations.logging import LoggingIntegration

from handrail.core.request_id import request_id
from tenants.whose import whose_work

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint

OURS = ("handrail", "tenants", "workflows")

# -- reports ---------------------------------------------------------------------------------------------

OF_AN_EVENT = ("event_id", "timestamp", "level", "platform", "logger", "release", "environment", "sdk")
OF_A_FRAME = ("module", "function", "filename", "lineno", "in_app")
WITHOUT_VALUES = ("component", "route", "task")
"""Where the name of a transaction comes from when it is not the address that somebody asked for."""


def report_faults(*more: Integration) -> None:
    """Send reports of faults to the address that this process was given, if it was."""
    if not settings.SENTRY_DSN:
        return
    sentry_sdk.init(
        dsn=settings.SENTRY_DSN,
        release=settings.RELEASE,
        environment=settings.ENV.mode,
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[
            AtexitIntegration(callback=lambda pending, timeout: None),
            DedupeIntegration(),
            LoggingIntegration(level=None, event_level=logging.ERROR),
            DjangoIntegration(),
            *more,
        ],
        before_send=rebuilt,
        before_send_transaction=lambda event, hint: None,
        before_breadcrumb=lambda crumb, hint: None,
        max_breadcrumbs=0,
        send_default_pii=False,
        include_local_variables=False,
        include_source_context=False,
        max_request_body_size="never",
        propagate_traces=False,
        auto_session_tracking=False,
        send_client_reports=False,
        enable_metrics=False,
        spotlight=False,
    )


def rebuilt(event: "Event", hint: "Hint") -> "Event | None":
    """The report of a fault. Reports nothing when a package complains without an exception: its words are not ours."""
    told: Any = {key: event[key] for key in OF_AN_EVENT if key in event}  # type: ignore[literal-required]
    faults = (event.get("exception") or {}).get("values") or []
    told["exception"] = {"values": [_fault(each) for each in faults]}
    record = hint.get("log_record")
    if record is not None and _is_ours(record.name):
        told["logentry"] = {"message": _shortened(str(_without_message(record.msg)))}
    elif not faults:
        return None
    if event.get("transaction_info", {}).get("source") in WITHOUT_VALUES:
        told["transaction"] = event["transaction"]
    authority = whose_work((hint.get("exc_info") or (None, None))[1])
    told["tags"] = {"authority": authority.code if authority else "none", "request_id": request_id.get() or "none"}
    report: Event = told
    return report


def _fault(value: Mapping[str, Any]) -> dict[str, Any]:
    mechanism = value.get("mechanism") or {}
    frames = (value.get("stacktrace") or {}).get("frames") or []
    return {
        "type": value.get("type"),
        "module": value.get("module"),
        "mechanism": {key: mechanism[key] for key in ("type", "handled") if key in mechanism},
        "stacktrace": {"frames": [{key: frame.get(key) for key in OF_A_FRAME} for frame in frames]},
    }


# -- lines -----------------------------------------------------------------------------------------------

OF_A_TASK = ("name", "id", "description", "runtime")
VALUES = re.compile(
    r"""\?[^\s"']*=[^\s"']*       # what was asked for, behind an address
    | [^\s"'<>(=]+@[\w.-]+\.\w+   # an e-mail address
    | \b[A-Z]\d{11}[\dA-Z]\b      # a unique pupil number
    | (?<==)\(.*?\)               # PostgreSQL's "Key (email)=(...)"
    | (?<=\ contains\ )\(.*\)     # and its "Failing row contains (...)"
    """,
    re.VERBOSE | re.DOTALL,
)


class Line(logging.Formatter):
    """One line for each record: level, logger, whose work it was, which request, and what happened."""

    def format(self, record: logging.LogRecord) -> str:
        error = record.exc_info[1] if record.exc_info else None
        asked = getattr(record, "request", None)
        request = asked if isinstance(asked, HttpRequest) else None
        authority = getattr(request, "authority", None) or whose_work(error)
        line = " ".join(
            (
                record.levelname,
                record.name,
                f"authority={authority.code if authority else '-'}",
                f"request={getattr(request, 'request_id', '') or request_id.get() or '-'}",
                _answer(record, request) if request else _message(record, error),
            )
        )
        return f"{line} | Traceback: {places_of(error)}" if error else line


def _answer(record: logging.LogRecord, request: HttpRequest) -> str:
    """Django's own words about a request repeat the address, which anybody may have written anything into."""
    match = request.resolver_match
    return f"{getattr(record, 'status_code', '')} {request.method} {match.route if match else 'at no page of ours'}"


def _message(record: logging.LogRecord, error: BaseException | None) -> str:
    arguments: Any = record.args
    if isinstance(arguments, Mapping):
        is_celerys = record.name.startswith("celery")
        arguments = {
            key: "…" if is_celerys and key not in OF_A_TASK else _without_message(value)
            for key, value in arguments.items()
        }
    elif arguments:
        arguments = tuple(map(_without_message, arguments))
    text = str(_without_message(record.msg))
    if arguments:
        with suppress(TypeError, ValueError, KeyError):  # else logging would print the values with its complaint
            text %= arguments
    for each in chain_of(error):
        for said in {repr(each), str(each)} - {""}:
            text = text.replace(said, type(each).__name__)
    return _shortened(text)


def _without_message(value: object) -> object:
    return type(value).__name__ if isinstance(value, BaseException) else value


def _shortened(text: str) -> str:
    return " ".join(VALUES.sub("…", text).split())


def _is_ours(module: str) -> bool:
    return module.split(".")[0] in OURS


def chain_of(error: BaseException | None) -> Iterator[BaseException]:
    """The exception and those that it came from, as a traceback would show them."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        if isinstance(error, BaseExceptionGroup):
            for part in error.exceptions:
                yield from chain_of(part)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def places_of(error: BaseException) -> str:
    """Each exception's type and where it went through code of ours, and where it was raised."""
    return "; from ".join(f"{type(each).__qualname__} at {_places(each)}" for each in chain_of(error))


def _places(error: BaseException) -> str:
    places, trace = [], error.__traceback__
    while trace is not None:
        module = trace.tb_frame.f_globals.get("__name__", "?")
        if _is_ours(module) or trace.tb_next is None:
            places.append(f"{module}.{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}")
        trace = trace.tb_next
    return ", ".join(places) or "?"
