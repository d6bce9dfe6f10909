"""Pages that fail with a child in their hands: in messages, local variables, rows and what was sent."""

import json
import logging
from collections.abc import Callable
from typing import Any

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import path
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from handrail.accounts.models import User
from handrail.config.urls import handler400, handler403, handler404, handler500, urlpatterns
from handrail.core.audit import CLOCK, record
from handrail.core.models import Document
from handrail.schools.models import School
from tenants.database import execute

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

NAME, UPN, CONDITION, EMAIL = "Poppy Canarywright", "Q815200108001", "epilepsy", "poppy.canary@oak.example"
CANARIES = ("Poppy", "Canarywright", UPN, CONDITION, "poppy.canary")
SAID = f"{NAME} ({UPN}, {EMAIL}) has {CONDITION}"
log = logging.getLogger("handrail.failing")


def simply() -> None:
    child, notes = {"name": NAME, "upn": UPN}, [CONDITION] * 3
    raise ValueError(SAID, child, notes)


def from_another() -> None:
    try:
        simply()
    except ValueError as error:
        raise RuntimeError(f"{NAME}: {error}") from error


def several() -> None:
    raise ExceptionGroup(SAID, [KeyError(NAME), ValueError(CONDITION)])


def with_a_note() -> None:
    error = ValueError(UPN)
    error.add_note(SAID)
    raise error


def of_what_cannot_be_encoded() -> None:
    f"{SAID} \u00e9".encode("ascii")


def of_what_cannot_be_read() -> None:
    json.loads(json.dumps({"child": SAID})[:-1])


def twice_the_same_person() -> None:
    for _ in range(2):
        User.objects.create(email=EMAIL, name=NAME, joined_at=timezone.now())


def without_a_urn() -> None:
    School.objects.create(name=SAID, urn=None)


def in_sql() -> None:
    execute("SELECT %s::integer", [SAID])


def at_the_end_of_the_door() -> None:
    execute(
        "INSERT INTO policies_policyreview (id, policy_id, reviewed_on, outcome, involved, changed, recorded_at,"
        " recorded_by_name) VALUES (gen_random_uuid(), gen_random_uuid(), now(), 'new', '{}', %s, now(), %s)",
        [SAID, NAME],
    )


def in_a_page() -> None:
    engines["jinja2"].from_string("{{ child.nothing.at_all }}{{ 1 / 0 }}").render({"child": SAID})


def at_a_sealed_value() -> None:
    """What was noted about a child was changed in the database, by hand or by a failing disk."""
    note = Document.objects.create(size=0, added_at=timezone.now(), is_sealed=True, secrets={"name": SAID})
    execute("UPDATE core_document SET secrets = set_byte(secrets, 40, 255 - get_byte(secrets, 40))")
    said = Document.objects.get(id=note.id).file_name
    raise AssertionError(said)


FAULTS: dict[str, tuple[Callable[[], None], str]] = {
    "simply": (simply, "ValueError"),
    "from-another": (from_another, "RuntimeError"),
    "several": (several, "ExceptionGroup"),
    "with-a-note": (with_a_note, "ValueError"),
    "encode": (of_what_cannot_be_encoded, "UnicodeEncodeError"),
    "decode": (of_what_cannot_be_read, "JSONDecodeError"),
    "twice": (twice_the_same_person, "IntegrityError"),
    "not-null": (without_a_urn, "IntegrityError"),
    "sql": (in_sql, "DataError"),
    "at-the-end": (at_the_end_of_the_door, "IntegrityError"),
    "page": (in_a_page, "ZeroDivisionError"),
    "sealed": (at_a_sealed_value, "CannotOpen"),
}


@csrf_exempt
def fail(request: HttpRequest, how: str) -> HttpResponse:
    sent = request.body, request.GET
    FAULTS[how][0]()
    return HttpResponse(str(sent))


@csrf_exempt
def tell(request: HttpRequest) -> HttpResponse:
    """A fault that the page itself notices, and tells the log of in every way."""
    try:
        simply()
    except ValueError as error:
        log.exception("could not read %s", "a plan")
        log.error("could not read it: %s", error)
        log.warning(error)
        log.warning("mail to %s was refused by %s", EMAIL, "the server")
        log.warning("asked for /pupils/?q=%s", NAME.replace(" ", "+"))
        log.warning("one\nline of %d %s", "not a number", SAID)
        log.warning("Key (email)=(%s) already exists\nFailing row contains (%s)", CONDITION, NAME)
    return HttpResponse("told")


@csrf_exempt
def suspicious(request: HttpRequest) -> HttpResponse:
    raise SuspiciousOperation(SAID)


@csrf_exempt
def denied(request: HttpRequest) -> HttpResponse:
    raise PermissionDenied(SAID)


def recorded(request: Any) -> HttpResponse:
    record("looked", by=CLOCK, at=request.now, subject_kind="page")
    return HttpResponse("recorded")


urlpatterns = [
    *urlpatterns,
    path("fail/<slug:how>/", fail),
    path("tell/", tell),
    path("suspicious/", suspicious),
    path("denied/", denied),
    path("recorded/", recorded),
]
