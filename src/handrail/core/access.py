"""Doors. Every page and endpoint declares a `permission`; without one it is no door and the build fails."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views import View

from handrail.core import audit
from handrail.core.models import ReadEntry
from handrail.core.views import error_page

PUBLIC = "public"
"""The permission of a page that anybody may open."""

SIGNED_IN = "signed_in"
"""The permission of a page that everybody with an account in this authority may open."""


SHOWS_NOBODY = frozenset({204, 301, 302, 303, 304, 403, 404, 405})
"""Answers that hold no data of a child's: they lead on, or refuse. An answer of 500 and more undoes everything."""


class ReadNotRecorded(RuntimeError):
    """A page was about to show a child without a record of it. Nothing is shown."""


class Request(HttpRequest):
    """A request as the middleware leaves it: who asks, of which authority, and when."""

    user: Any
    session: Any
    authority: Any
    now: datetime
    today: date


class Door(View):
    """A page. *May this role?* is `permission`; *may they see this row?* is `visible_to(user)` inside it."""

    permission: ClassVar[str]
    shows_child: ClassVar[bool] = False
    """Whether it shows what is held about a named child. Its answer leaves only when `shows` has recorded that, and a
    session that has opened one ends when it is left alone.
    """
    needs_step_up: ClassVar[bool] = False
    """Whether a second factor within the last 15 minutes is asked for, as before named health data."""
    asks_again: ClassVar[tuple[str, ...]] = ()
    """The methods that ask again who somebody is, unless they showed it within the last 15 minutes: by their second
    factor, or by signing in anew when they have none.
    """
    keeps_typed: ClassVar[bool] = False
    """Whether it keeps itself what was typed and not sent, because whom it is for has no account."""
    sets_up_second_step: ClassVar[bool] = False
    """Whether somebody who has no second factor yet may open it, because it is where they get one."""
    http_method_names = ["get", "head", "post"]
    _is_recorded = False

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if self.permission != PUBLIC:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            if self.permission != SIGNED_IN:
                if not request.user.may(self.permission):
                    return not_allowed(request)
                request.user.act_under(self.permission)
        answer = super().dispatch(request, *args, **kwargs)
        if self.shows_child and not self._is_recorded and answer.status_code not in SHOWS_NOBODY:
            raise ReadNotRecorded(type(self).__qualname__)
        return answer

    def shows(self, child_ids: Iterable[UUID], group: ReadEntry.Group, **more: Any) -> None:
        """Record that this request shows these children, none of them if a search found none.

        `more` is what `audit.record_read` takes besides: the verb, the school, and why; and `by`, where it shows them
        to somebody who has not signed in.
        """
        request: Any = self.request
        audit.record_read(child_ids, at=request.now, group=group, **{"by": request.user, **more})
        self._is_recorded = True

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        answer = error_page("405.html", status=405)
        answer["Allow"] = ", ".join(self._allowed_methods())  # type: ignore[attr-defined]
        return answer


def not_allowed(request: HttpRequest) -> HttpResponse:
    """Nobody sees a bare 403: the page says who can add them."""
    person: Any = request.user
    return render(request, "not_allowed.html", {"who_can_help": person.who_can_help()}, status=403)


def get_or_404(queryset: Any, **by: Any) -> Any:
    """One row of what the person may see. Not visible is not found, never forbidden."""
    found = queryset.filter(**by).first()
    if found is None:
        raise Http404
    return found
