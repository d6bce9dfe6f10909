"""What was typed into a page and could not be saved: kept for the person who typed it, and offered to them there."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import QueryDict

from handrail.accounts import actions
from handrail.accounts.models import Draft
from handrail.core.access import Door
from handrail.core.forms.rendering import typed_before
from handrail.core.vault import CannotOpen, VaultClosed

PUT_BACK = "put-back"
"""In the address of a page: fill its form with what was kept."""

SIGNED_OUT = "You have been signed out. Sign in to go on."
KEPT = "We have kept what you typed for 24 hours. Sign in, and we will offer it to you on the same page."
NOT_KEPT = "We could not keep what you typed, because health records cannot be stored just now."
CANNOT_OPEN = "What you typed cannot be opened just now. Try again in a few minutes."


def takes_text(door: type[Door]) -> bool:
    """Whether it is a page with a form, to which somebody can come back."""
    return hasattr(door, "get") and hasattr(door, "post")


def keep_typed(request: Any, *, user_id: UUID) -> None:
    """Keep what was sent and is not being saved, for that person. Somebody signed out is told so on the next page."""
    request.replaces_draft = False
    typed = dict(request.POST.lists())
    try:
        is_kept = actions.keep_draft(user_id=user_id, path=request.path, typed=typed, at=request.now)
    except VaultClosed:
        messages.warning(request, NOT_KEPT)
    else:
        if is_kept and not request.user.is_authenticated:
            messages.info(request, KEPT)


def offer(request: Any) -> None:
    """Find what was kept for this person on this page. Where they ask for it, the page's form is filled with it."""
    request.draft = draft = (
        Draft.objects.visible_to(request.user).kept(at=request.now).filter(path=request.path).first()
    )
    if draft is None or PUT_BACK not in request.GET:
        return
    try:
        typed = QueryDict(mutable=True)
        for name, values in draft.typed.items():
            typed.setlist(name, values)
    except (VaultClosed, CannotOpen):
        messages.warning(request, CANNOT_OPEN)
    else:
        typed_before.set(typed)
        draft.is_put_back = True
