"""A ceiling for tries to sign in to one authority, from wherever and for whichever account they are."""

import logging
from typing import Any

from allauth.core.exceptions import ImmediateHttpResponse
from django.conf import settings
from django.core.cache import cache

from handrail.accounts.known_browsers import counted_as
from handrail.core.views import error_page

security = logging.getLogger("handrail.security")

MINUTE = 60


def count_try(request: Any) -> None:
    """Count a try that the limits of its address and its account let pass, and that is in no known browser.

    Raises ImmediateHttpResponse, with words and the seconds to wait, above the ceiling of the minute.
    """
    if counted_as(request):
        return
    minute, second = divmod(int(request.now.timestamp()), MINUTE)
    key, ceiling = f"tries-to-sign-in:{minute}", settings.SIGN_IN_TRIES_A_MINUTE
    cache.add(key, 0, timeout=2 * MINUTE)
    tries = cache.incr(key)
    if tries <= ceiling:
        return
    if tries == ceiling + 1:
        security.warning("More than %s tries to sign in within a minute: the rest of them wait.", ceiling)
    answer = error_page("429.html", status=429, is_flood=True)
    answer["Retry-After"] = str(MINUTE - second)
    raise ImmediateHttpResponse(answer)
