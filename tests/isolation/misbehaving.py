"""Views that get it wrong, for `test_requests.py`: each must fail closed and leave the next request well."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from django.db import IntegrityError, close_old_connections, connection, transaction
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path

from handrail.config.urls import handler400, handler403, handler404, handler500, urlpatterns
from handrail.core.models import AuthoritySettings
from handrail.schools.models import School
from tenants.database import bound, execute

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]


def names() -> str:
    return ",".join(School.objects.values_list("name", flat=True))


def well(request: HttpRequest) -> HttpResponse:
    return HttpResponse(names())


def signed_in_as(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(request.user))


def write_and_answer(request: HttpRequest, status: int) -> HttpResponse:
    AuthoritySettings.objects.create()
    request.session["kept"] = True
    return HttpResponse(status=status)


def write_and_raise(request: HttpRequest) -> HttpResponse:
    AuthoritySettings.objects.create()
    raise RuntimeError("a fault")


def swallow(request: HttpRequest) -> HttpResponse:
    AuthoritySettings.objects.create()
    with suppress(IntegrityError):
        AuthoritySettings.objects.create()
    return HttpResponse("all is well")


def swallow_raw(request: HttpRequest) -> HttpResponse:
    AuthoritySettings.objects.create()
    try:
        execute("SELECT 1 / 0")
    except Exception:
        return HttpResponse("all is well")
    return HttpResponse()


def break_a_key(request: HttpRequest) -> HttpResponse:
    """A foreign key that is checked at COMMIT, after the view has answered."""
    execute(
        "INSERT INTO policies_policyreview (id, policy_id, reviewed_on, outcome, involved, changed, recorded_at,"
        " recorded_by_name) VALUES (gen_random_uuid(), gen_random_uuid(), now(), 'new', '{}', '', now(), '')"
    )
    return HttpResponse("all is well")


def stream(request: HttpRequest) -> StreamingHttpResponse:
    def rows() -> Iterator[str]:
        yield "begun,"
        yield names()

    return StreamingHttpResponse(rows())


def query_after_the_commit(request: HttpRequest) -> HttpResponse:
    transaction.on_commit(lambda: AuthoritySettings.objects.create())
    return HttpResponse("all is well")


def close_connection(request: HttpRequest) -> HttpResponse:
    names()
    connection.close()
    return HttpResponse(names())


def close_and_connect(request: HttpRequest) -> HttpResponse:
    names()
    connection.close()
    connection.connect()
    return HttpResponse(names())


def close_old(request: HttpRequest) -> HttpResponse:
    close_old_connections()
    return HttpResponse(names())


def lose_the_connection(request: HttpRequest) -> HttpResponse:
    AuthoritySettings.objects.create()
    wrapper: Any = connection
    wrapper.connection.pgconn.finish()
    return HttpResponse(names())


def nest_a_durable_block(request: HttpRequest) -> HttpResponse:
    with transaction.atomic(durable=True):
        return HttpResponse(names())


def use_the_other_connection(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(School.objects.using("side").count()))


def whoami(request: HttpRequest) -> HttpResponse:
    authority = bound()
    return HttpResponse(f"{authority.code if authority else 'nobody'} {execute('SELECT current_user')[0][0]}")


urlpatterns = [
    *urlpatterns,
    path("well/", well),
    path("whoami/", whoami),
    path("signed-in-as/", signed_in_as),
    path("write/<int:status>/", write_and_answer),
    path("stream/", stream),
    path("query-after-the-commit/", query_after_the_commit),
    *(
        path(f"wrong/{view.__name__}/", view)
        for view in (
            write_and_raise,
            swallow,
            swallow_raw,
            break_a_key,
            close_connection,
            close_and_connect,
            close_old,
            lose_the_connection,
            nest_a_durable_block,
            use_the_other_connection,
        )
    ),
]
WRONG = [str(each.pattern) for each in urlpatterns if str(each.pattern).startswith("wrong/")]
