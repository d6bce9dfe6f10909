"""The answers that need no room: errors. They ask nothing of the database or the person and repeat nothing sent."""

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from handrail.core.problems import is_for_program, problem


def error_page(template: str, *, status: int, **facts: object) -> HttpResponse:
    """An error page. Rendered without the request: the session or the connection may be what is broken."""
    return HttpResponse(render_to_string(template, facts), status=status)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    if isinstance(exception, RequestDataTooBig):
        return _error(request, 413, "More was sent than is taken.")
    return _error(request, 400, "The request could not be read.")


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _error(request, 403, "This is not allowed.")


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _error(request, 404, "There is nothing at this address.")


def not_served(request: HttpRequest, status: int) -> HttpResponse:
    """At a host that is no authority's or whose authority is suspended, 404; while it is being updated, 503."""
    page, for_program = NOT_SERVED[status]
    answer = problem(status, for_program) if is_for_program(request) else error_page(page, status=status)
    if status == 503:
        answer["Retry-After"] = "120"
    return answer


NOT_SERVED = {
    404: ("unknown_host.html", "No authority has this address. Each local authority has its own."),
    503: ("behind.html", "Handrail is being updated. Ask again in a few minutes."),
}


def server_error(request: HttpRequest) -> HttpResponse:
    return _error(request, 500, "Something went wrong here. Nothing was changed. Try again later.")


def _error(request: HttpRequest, status: int, for_program: str) -> HttpResponse:
    """A page for people, and for programs the same in their own way."""
    if is_for_program(request):
        return problem(status, for_program)
    return error_page(f"{status}.html", status=status)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that was open for too long, or in another tab: say what to do, not what a token is."""
    return error_page("403.html", status=403, is_stale_form=True)


def too_many_requests(request: HttpRequest) -> HttpResponse:
    """The limit of an address or an account is used up, which lasts five minutes at least where it is an account's."""
    answer = error_page("429.html", status=429)
    answer["Retry-After"] = "300"
    return answer
