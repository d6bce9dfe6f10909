"""What day it is, and what the signed-in person may do on it."""

from collections.abc import Callable
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from handrail.core.calendar import day_of


class PeopleMiddleware:
    """Sets `request.now` (an aware moment) and `request.today` (London's date), and dates the user's rights.

    Notes that the session is in use.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        now: datetime = timezone.now()  # noqa: TID251 - a door's clock
        request.now = now  # type: ignore[attr-defined]
        request.today = today = day_of(now)  # type: ignore[attr-defined]
        request.session.note_use(at=now, user_agent=request.headers.get("User-Agent", ""))  # type: ignore[attr-defined]
        user = request.user
        request.user = SimpleLazyObject(lambda: user.as_at(today) if user.is_authenticated else user)  # type: ignore
        return self.get_response(request)
