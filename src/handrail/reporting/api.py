"""What programs read and write. Each address is a door that opens to a key, and answers and refuses in words."""

import base64
import binascii
import json
from functools import partial
from typing import Any, ClassVar

from django.core.cache import cache
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.views import APIView

from handrail.core import audit
from handrail.core.access import PUBLIC, Door
from handrail.core.models import ReadEntry
from handrail.core.problems import Wrong, problem
from handrail.reporting import cursors, excel, reading
from handrail.reporting.actions import digest_of, note_use
from handrail.reporting.filters import ALL, CURSOR, PAGES, Asked, Refused, understood
from handrail.reporting.models import ApiKey, Scope
from handrail.reporting.openapi import TableSchema, WriteSchema, description
from handrail.reporting.tables import TABLES, AsAt, Table
from handrail.reporting.writes import WRITES, Write, write

CALLS_A_MINUTE = 300
"""For one key. They are counted on the cache's own connection, so a call that fails counts too."""

MINUTE = 60
READ: Any = {"group": ReadEntry.Group.PLAN, "verb": ReadEntry.Verb.API}
"""How it is recorded who was in what was told of single children."""

SCHEMA = "/api/v1/openapi.json"
LONGEST_BODY = 1 << 16
"""Bytes of JSON. No fact needs a quarter of them."""


class Json(BaseRenderer):
    media_type, format = "application/json", "json"


class Csv(BaseRenderer):
    media_type, format = "text/csv", "csv"


class Excel(BaseRenderer):
    media_type, format = reading.EXCEL, "xlsx"


TAKES = {"json": PAGES, "csv": PAGES | {ALL}, "xlsx": frozenset[str]()}
"""Which parameters about pages each form takes. A workbook is always the whole."""


class Body(BaseParser):
    """What is sent, as JSON."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        text = stream.read(LONGEST_BODY + 1)
        if len(text) > LONGEST_BODY:
            raise Refused(Wrong("too_long", "/", f"The body is longer than {LONGEST_BODY} bytes."))
        try:
            return json.loads(text, parse_constant=self._is_none)
        except (ValueError, RecursionError):
            raise Refused(Wrong("invalid_json", "/", "The body is not JSON.")) from None

    def _is_none(self, word: str) -> None:
        """NaN and Infinity, which Python takes and JSON has not."""
        raise ValueError


class KeyAuthentication(BaseAuthentication):
    """A key, as `Bearer` or as the user name of `Basic`, which is what Power BI keeps."""

    def authenticate(self, request: Any) -> tuple[Any, ApiKey]:
        secret = self._given(request.headers.get("Authorization", ""))
        if not secret:
            raise exceptions.NotAuthenticated("Send a key, as “Authorization: Bearer” or as the user name of Basic.")
        key = ApiKey.objects.of_digest(digest_of(secret), on=request.today)
        if key is None:
            raise exceptions.AuthenticationFailed("The key is not known here.")
        if key.revoked_at:
            raise exceptions.AuthenticationFailed("The key was revoked.")
        if key.has_lost_maker:
            raise exceptions.AuthenticationFailed("Whoever made the key has left. An administrator makes another.")
        if not key.works_on(request.today):
            raise exceptions.AuthenticationFailed("The key has expired.")
        return request._request.user, key

    def authenticate_header(self, request: Any) -> str:
        return 'Bearer realm="Handrail", Basic realm="Handrail", charset="UTF-8"'

    def _given(self, header: str) -> str:
        scheme, _, text = header.partition(" ")
        if scheme.lower() == "bearer":
            return text.strip()
        if scheme.lower() != "basic":
            return ""
        try:
            return base64.b64decode(text.strip(), validate=True).decode().partition(":")[0]
        except (binascii.Error, ValueError):
            return ""


class Endpoint(Door, APIView):
    """A door for programs. It is open to everybody at the first look: which key opens it is asked inside."""

    permission = PUBLIC
    http_method_names = ["get", "head"]
    scope: ClassVar[Scope | None] = None
    authentication_classes: ClassVar[list[Any]] = [KeyAuthentication]
    permission_classes: ClassVar[list[Any]] = []
    throttle_classes: ClassVar[list[Any]] = []
    parser_classes: ClassVar[list[Any]] = []
    renderer_classes = [Json]

    def initial(self, request: Any, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        key: ApiKey = request.auth
        wait = seconds_to_wait(key, int(request.now.timestamp()))
        if wait:
            raise exceptions.Throttled(wait)
        note_use(key=key, at=request.now)
        scope = self.scope_for(request.method)
        if scope and scope not in key.scopes:
            raise exceptions.PermissionDenied(f"The key may not do this. It needs the right “{scope.label}” ({scope}).")

    def scope_for(self, method: str) -> Scope | None:
        """The right that it takes."""
        return self.scope

    def http_method_not_allowed(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        raise exceptions.MethodNotAllowed(request.method)

    def get_exception_handler(self) -> Any:
        return answer_to


class Nothing(Endpoint):
    """Every address under /api/ that is none."""

    authentication_classes: ClassVar[list[Any]] = []

    def initial(self, request: Any, *args: Any, **kwargs: Any) -> None:
        raise Http404


class Description(Nothing):
    """OpenAPI. It is no secret: it is the same for every authority."""

    def initial(self, request: Any, *args: Any, **kwargs: Any) -> None:
        if request.query_params:
            raise Refused(Wrong("unknown_parameter", "/", "This address takes no parameters."))

    def get(self, request: Any, **_: Any) -> HttpResponse:
        return HttpResponse(json.dumps(description(), ensure_ascii=False), content_type="application/json")


class List(Endpoint):
    """A table: a page of it, or all of it as CSV or a workbook."""

    table: ClassVar[Table]
    schema = TableSchema()
    renderer_classes = [Json, Csv, Excel]

    def get(self, request: Any, **_: Any) -> HttpResponseBase:
        form = request.accepted_renderer.format
        asked = understood(dict(request.query_params.lists()), self.table.filters, takes=TAKES[form])
        as_at = AsAt(request.authority, request.today)
        about = request.auth.scopes
        tag = reading.etag(self.table, asked, as_at, about=about, form=form)
        if tag and tag in [each.strip() for each in request.headers.get("If-None-Match", "").split(",")]:
            return _cached(HttpResponse(status=304), tag)
        if asked.is_all:
            note_reads = partial(audit.record_reads_of, by=request.auth, at=request.now, **READ)
            if form == "xlsx":
                file = excel.workbook(self.table, asked, as_at, note_reads, at=request.now)
            else:
                file = reading.whole_as_csv(self.table, asked, as_at, note_reads)
            return _cached(reading.download(self.table, file, form), tag)
        page = reading.page(self.table, asked, as_at, about=about, as_json=form == "json")
        if self.table.child:
            self.shows(page.children, by=request.auth, **READ)
        if form == "csv":
            answer: HttpResponseBase = reading.download(self.table, reading.page_as_csv(self.table, page.rows), form)
            if page.next_cursor:
                answer["Link"] = f'<{_next(request, page.next_cursor)}>; rel="next"'
            return _cached(answer, tag)
        return _cached(_json(request, asked, page), tag)


class Writing(Endpoint):
    """Where a fact is written."""

    fact: ClassVar[Write]
    http_method_names = ["get", "head", "post"]
    parser_classes = [Body]

    def scope_for(self, method: str) -> Scope | None:
        return self.fact.scope if method == "POST" else self.scope

    def get_renderers(self) -> list[Any]:
        """What was written is told as JSON, also where there is a list in other forms."""
        return [Json()] if self.request.method == "POST" else super().get_renderers()

    def post(self, request: Any, **_: Any) -> HttpResponse:
        understood(dict(request.query_params.lists()), {}, takes=frozenset())
        done = write(self.fact, request.data, by=request.auth, at=request.now)
        told = {"data": done, "meta": _meta(request)}
        return HttpResponse(
            json.dumps(told), status=201 if done["result"] == "made" else 200, content_type="application/json"
        )

    post.kwargs = {"schema": WriteSchema()}  # type: ignore[attr-defined]  # where drf-spectacular looks


class Changes(Endpoint):
    """What was written or removed in a table since a cursor."""

    table: ClassVar[Table]
    schema = TableSchema()

    def get(self, request: Any, **_: Any) -> HttpResponseBase:
        asked = understood(dict(request.query_params.lists()), {}, takes=PAGES)
        as_at = AsAt(request.authority, request.today)
        page = reading.changes(self.table, asked, as_at, about=request.auth.scopes)
        return _json(request, asked, page)


LISTS: dict[str, Any] = {
    table.name: type("List", (List,), {"table": table, "scope": table.scope, "__doc__": table.says})
    for table in TABLES.values()
}
WRITINGS: dict[str, Any] = {
    fact.name: type("Writing", (Writing, LISTS.get(fact.name, Endpoint)), {"fact": fact, "__doc__": fact.says})
    for fact in WRITES.values()
}
ADDRESSES = LISTS | WRITINGS
"""What is read, and what may be written too, by its name in the address."""
CHANGES: dict[str, Any] = {
    table.name: type("Changes", (Changes,), {"table": table, "scope": table.scope})
    for table in TABLES.values()
    if table.name in table.rests_on
}
"""Of those whose own rows are noted when they are written."""


def seconds_to_wait(key: ApiKey, at: int) -> int:
    """Count a call with the key at a second of the clock; how long to wait when there were too many this minute."""
    minute, second = divmod(at, MINUTE)
    name = f"calls-with-key:{key.id}:{minute}"
    try:
        calls = cache.incr(name)
    except ValueError:
        cache.add(name, 0, timeout=2 * MINUTE)
        calls = cache.incr(name)
    return MINUTE - second if calls > CALLS_A_MINUTE else 0


def answer_to(fault: Exception, context: Any) -> HttpResponse | None:
    """A refusal in words. Anything else is a fault of ours, which Django reports and answers."""
    if isinstance(fault, Refused):
        return problem(400, "What was asked for is not understood.", fault.errors)
    if isinstance(fault, cursors.NotACursor):
        return problem(400, str(fault), [Wrong("invalid_cursor", f"/{CURSOR}", str(fault))])
    if isinstance(fault, reading.Expired):
        return problem(410, str(fault), [Wrong("expired_cursor", f"/{CURSOR}", str(fault))])
    if isinstance(fault, Http404):
        return problem(404, "There is nothing at this address.")
    if not isinstance(fault, exceptions.APIException):
        return None
    if isinstance(fault, exceptions.MethodNotAllowed):
        takes = ", ".join(context["view"].allowed_methods)
        answer = problem(405, f"This address takes {takes}.")
        answer["Allow"] = takes
        return answer
    if isinstance(fault, exceptions.NotAcceptable):
        gives = ", ".join(each.media_type for each in context["view"].get_renderers())
        return problem(406, f"This address gives {gives}. Accept that.")
    if isinstance(fault, exceptions.UnsupportedMediaType):
        return problem(415, "Send JSON, and say so: “Content-Type: application/json”.")
    answer = problem(fault.status_code, str(fault.detail))
    if getattr(fault, "auth_header", None):
        answer["WWW-Authenticate"] = fault.auth_header
    if isinstance(fault, exceptions.Throttled):
        answer = problem(429, f"A key may ask {CALLS_A_MINUTE} times a minute. Wait, then go on.")
        answer["Retry-After"] = str(int(fault.wait or MINUTE))
    return answer


def _json(request: Any, asked: Asked, page: reading.Page) -> HttpResponse:
    told: dict[str, Any] = {} if page.removed is None else {"removed": page.removed}
    told["page"] = {"limit": asked.limit, "next_cursor": page.next_cursor, "has_more": page.has_more}
    told["meta"] = _meta(request)
    rest = json.dumps(told, ensure_ascii=False)
    return HttpResponse(f'{{"data": [{", ".join(page.rows)}], {rest[1:]}', content_type="application/json")


def _meta(request: Any) -> dict[str, str]:
    return {"as_at": f"{request.now:%Y-%m-%dT%H:%M:%SZ}", "schema": SCHEMA}


def _next(request: Any, cursor: str) -> str:
    asked = request.query_params.copy()
    asked[CURSOR] = cursor
    return f"{request.path}?{asked.urlencode()}"


def _cached(answer: HttpResponseBase, tag: str | None) -> HttpResponseBase:
    """To be kept by the reader alone, and asked about each time."""
    answer["Cache-Control"] = "private, no-cache" if tag else "no-store, private"
    answer["Vary"] = "Accept, Authorization"
    if tag:
        answer["ETag"] = tag
    return answer
