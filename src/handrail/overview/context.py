"""What every page is given besides its own."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def page(request: HttpRequest) -> dict[str, Any]:
    """The authority, the navigation for this person, and whether this is the demo."""
    user = getattr(request, "user", None)
    signed_in = bool(user and user.is_authenticated)
    return {
        "authority": getattr(request, "authority", None),
        "user": user if signed_in else None,
        "navigation": navigation(request) if signed_in else [],
        "demo": settings.IS_DEMO,
        "today": getattr(request, "today", None),
    }


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The few places this person goes to, with the one they are in marked."""
    return []
