"""The answers that need no room: errors. They ask nothing of the database or the person and repeat nothing sent."""

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string


def error_page(template: str, *, status: int, **facts: object) -> HttpResponse:
    """An error page. Rendered without the request: the session or the connection may be what is broken."""
    return HttpResponse(render_to_string(template, facts), status=status)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    if isinstance(exception, RequestDataTooBig):
        return error_page("413.html", status=413)
    return error_page("400.html", status=400)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return error_page("403.html", status=403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return error_page("404.html", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    return error_page("500.html", status=500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that was open for too long, or in another tab: say what to do, not what a token is."""
    return error_page("403.html", status=403, is_stale_form=True)


def too_many_requests(request: HttpRequest) -> HttpResponse:
    """The limit of an address or an account is used up, which lasts five minutes at least where it is an account's."""
    answer = error_page("429.html", status=429)
    answer["Retry-After"] = "300"
    return answer
