"""Errors for programs: problem details (RFC 9457). They ask nothing of the database, and repeat nothing sent."""

import json
from collections.abc import Sequence
from http import HTTPStatus
from typing import NamedTuple

from django.http import HttpRequest, HttpResponse

from handrail.core.request_id import request_id

FOR_PROGRAMS = "/api/"
"""What begins with this answers in problem details, whatever goes wrong."""

CONTENT_TYPE = "application/problem+json"


class Wrong(NamedTuple):
    """One thing that is wrong with what was asked: a word for programs, where it is, and a sentence."""

    code: str
    pointer: str
    detail: str


def problem(status: int, detail: str, errors: Sequence[Wrong] = ()) -> HttpResponse:
    """An answer that says what went wrong, and under which id the log knows the request."""
    said = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": f"urn:uuid:{request_id.get()}",
    }
    if errors:
        said["errors"] = [each._asdict() for each in errors]
    return HttpResponse(json.dumps(said, ensure_ascii=False), status=status, content_type=CONTENT_TYPE)


def is_for_program(request: HttpRequest) -> bool:
    return request.path.startswith(FOR_PROGRAMS)
