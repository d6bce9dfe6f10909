"""How surely we know who somebody is, before a page opens."""

from collections.abc import Callable
from typing import Any

from allauth.account.authentication import get_authentication_records
from django.http import HttpRequest, HttpResponse

from handrail.accounts.factors import has_two_factors, is_fresh, is_stepped_up
from handrail.accounts.second_step import actions
from handrail.accounts.second_step.views import ask
from handrail.core.access import PUBLIC, SIGNED_IN


class SecondStepMiddleware:
    """Asks for a second factor: of people at the authority before anything, and of everybody where the authority has
    chosen so; of others where a door needs it.

    `Door.needs_step_up` and `Door.asks_again` concern only somebody who may open the door at all.
    """

    ALWAYS_OPEN = frozenset({"account_logout", "second_step_again"})

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: Any, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        door = getattr(view, "view_class", None)
        permission = getattr(door, "permission", SIGNED_IN)
        if permission == PUBLIC or request.resolver_match.url_name in self.ALWAYS_OPEN:
            return None
        if not request.user.is_authenticated:
            return None
        records = get_authentication_records(request, request.user)
        has_too_few = not has_two_factors(records) and actions.must_have_one(request.user)
        is_let_in = permission == SIGNED_IN or request.user.may(permission)
        needs_step_up = getattr(door, "needs_step_up", False) and is_let_in
        asks_again = request.method in getattr(door, "asks_again", ()) and is_let_in
        if not has_too_few and (not (needs_step_up or asks_again) or is_stepped_up(records, at=request.now)):
            return None
        opens_without = getattr(door, "sets_up_second_step", False) or not (has_too_few or needs_step_up)
        is_shown = not asks_again or is_fresh(records, at=request.now)
        if opens_without and is_shown and not actions.has_one(request.user):
            return None
        return ask(request)
