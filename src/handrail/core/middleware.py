"""What every request gets before any room sees it, and headers that every answer carries."""

import logging
from collections.abc import Callable
from uuid import UUID, uuid4

from django.http import HttpRequest, HttpResponse

from handrail.core.problems import is_for_program, problem
from handrail.core.request_id import request_id
from handrail.core.vault import VaultClosed
from handrail.core.views import error_page

log = logging.getLogger(__name__)

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)

WE_NEVER_USE = (
    "accelerometer",
    "autoplay",
    "camera",
    "display-capture",
    "encrypted-media",
    "geolocation",
    "gyroscope",
    "hid",
    "idle-detection",
    "local-fonts",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "picture-in-picture",
    "screen-wake-lock",
    "serial",
    "usb",
    "xr-spatial-tracking",
)
"""What a browser can do for a page and must not for ours. Names that Chromium does not know it complains of."""

PERMISSIONS = ", ".join(
    [f"{each}=()" for each in WE_NEVER_USE]
    + [f"publickey-credentials-{each}=(self)" for each in ("create", "get")]  # passkeys
)


class RequestId:
    """Give each request an id, or keep the one that what stands in front of us has given it if that is a UUID."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            given = UUID(request.headers.get("X-Request-ID", ""))
        except ValueError:
            given = uuid4()
        request.request_id = str(given)  # type: ignore[attr-defined]
        token = request_id.set(str(given))
        try:
            response = self.get_response(request)
        finally:
            request_id.reset(token)
        response["X-Request-ID"] = str(given)
        return response


class ContentSecurityPolicy:
    """No script or style that is not a file of ours, and nothing of ours in another site's page.

    Nothing personal is kept by a browser or proxy.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.setdefault("Content-Security-Policy", POLICY)
        response.setdefault("Permissions-Policy", PERMISSIONS)
        response.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        if not request.path.startswith("/static/"):
            response.setdefault("Cache-Control", "no-store, private")
        return response


class ClosedVault:
    """Says that health records, or what else is sealed, cannot be opened just now, where no key is at hand."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, VaultClosed):
            return None
        log.error("health records cannot be opened: %s", str(exception))
        if is_for_program(request):
            answer = problem(503, "What is sealed cannot be opened just now. Try again in some minutes.")
        else:
            answer = error_page(exception.page, status=503)
        answer["Retry-After"] = "300"
        return answer
