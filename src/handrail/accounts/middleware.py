"""What day it is, what the signed-in person may do on it, and what happens when their session has ended."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from handrail.accounts import drafts
from handrail.accounts.actions import forget_draft
from handrail.core.access import PUBLIC
from handrail.core.calendar import day_of
from handrail.core.forms.rendering import typed_before

KEEP = "X-Handrail-Keep"
"""Says that a form is sent by the page itself, to be kept and not acted upon. It does not count as use."""


class PeopleMiddleware:
    """Sets `request.now` (an aware moment) and `request.today` (London's date), and dates the user's rights.

    Notes that the session is in use, or ends one that was left alone.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        now: datetime = timezone.now()  # noqa: TID251 - a door's clock
        request.now = now  # type: ignore[attr-defined]
        request.today = today = day_of(now)  # type: ignore[attr-defined]
        session: Any = request.session
        session.go_on(at=now, user_agent=request.headers.get("User-Agent", ""), is_use=KEEP not in request.headers)
        user = request.user
        request.user = SimpleLazyObject(lambda: user.as_at(today) if user.is_authenticated else user)  # type: ignore
        return self.get_response(request)


class DraftMiddleware:
    """Keeps what was sent in a session that has ended, and offers it when the same person comes back to the page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponse:
        request.draft, request.replaces_draft = None, False
        token = typed_before.set(None)
        try:
            answer = self.get_response(request)
        finally:
            typed_before.reset(token)
        if request.replaces_draft and request.user.is_authenticated and answer.status_code < 400:
            forget_draft(user=request.user, path=request.path)
        return answer

    def process_view(self, request: Any, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        door: Any = getattr(view, "view_class", None)
        is_only_kept = KEEP in request.headers
        if getattr(door, "permission", PUBLIC) != PUBLIC:
            if not request.user.is_authenticated:
                self._of_nobody(request, takes_text=drafts.takes_text(door))
            elif door.shows_child:
                request.session.show_child(at=request.now)
            if request.user.is_authenticated and drafts.takes_text(door):
                if is_only_kept:
                    drafts.keep_typed(request, user_id=request.user.id)
                elif request.method == "GET":
                    drafts.offer(request)
                request.replaces_draft = request.method == "POST" and not is_only_kept
        return HttpResponse(status=204) if is_only_kept and not getattr(door, "keeps_typed", False) else None

    def _of_nobody(self, request: Any, *, takes_text: bool) -> None:
        """What is asked for in a session that has ended. The page that asks to sign in will say what became of it."""
        person = request.session.whose_it_was(at=request.now)
        if person and request.method in ("GET", "POST"):
            if KEEP not in request.headers:
                messages.info(request, drafts.SIGNED_OUT)
            if request.method == "POST" and takes_text:
                drafts.keep_typed(request, user_id=person)
