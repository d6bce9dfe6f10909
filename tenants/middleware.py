"""Host name -> authority -> its door, around the whole request. Outermost but for security headers and statics."""

from collections.abc import Callable

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port
from django.utils.module_loading import import_string

from tenants.context import inside
from tenants.errors import UnknownAuthority
from tenants.routing import active_authority_for_host


class _RollBack(Exception):
    pass


class AuthorityMiddleware:
    """Serve each request inside its authority's transaction; a 5xx undoes it, sessions and cookies included.

    What is said where no authority is served the setting NOT_SERVED names: it is given the request and the status, 404,
    or 503 while the authority's tables are older than the code.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.not_served: Callable[..., HttpResponse] = import_string(settings.NOT_SERVED)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path == "/health/":
            connection.route("SELECT 1", ())  # type: ignore[attr-defined]
            return HttpResponse("ok", content_type="text/plain")
        host, _port = split_domain_port(request.get_host())
        request.authority = None  # type: ignore[attr-defined]
        try:
            authority = active_authority_for_host(host)
        except UnknownAuthority:
            return self.not_served(request, 404)
        if authority.is_behind:
            return self.not_served(request, 503)
        request.authority = authority  # type: ignore[attr-defined]
        response = HttpResponse(status=500)
        try:
            with inside(authority):
                response = self.get_response(request)
                if response.status_code >= 500:
                    raise _RollBack
        except _RollBack:
            response.cookies.clear()
        return response
