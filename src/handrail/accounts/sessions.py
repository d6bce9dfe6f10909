"""Sessions that carry their authority, and end.

They live in the authority's own schema. Their key and their data name it as well, so that a cookie or a row that
strays to another authority is worth nothing there and is noticed.
"""

import logging
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import VALID_KEY_CHARS
from django.utils.crypto import get_random_string

from tenants.database import require_bound

security = logging.getLogger("handrail.security")

BEGAN = "began_at"
LENGTH = 32


class SessionStore(db.SessionStore):
    """Django's own, in the database. Raises NobodyBound outside a door."""

    @property
    def key_salt(self) -> str:
        return f"handrail.session.{require_bound().id}"

    def _get_new_session_key(self) -> str:
        return get_random_string(LENGTH - len(mark()), VALID_KEY_CHARS) + mark()

    def _validate_session_key(self, key: str | None) -> bool:
        """Refuse a key that does not name this authority, before anything is looked up by it."""
        if not key or len(key) != LENGTH:
            return False
        if key.endswith(mark()):
            return True
        security.warning("A session that is not of authority %s was refused.", require_bound().code)
        return False

    def cycle_key(self) -> None:
        """A new key, as at sign-in: the session's hours are counted from here, whatever happens in it."""
        super().cycle_key()
        self[BEGAN] = time.time()

    def get_expiry_age(self, **kwargs: Any) -> int:
        began = self._get_session().get(BEGAN, time.time())  # type: ignore[attr-defined]
        return max(0, round(began + settings.SESSION_COOKIE_AGE - time.time()))

    def get_expiry_date(self, **kwargs: Any) -> datetime:
        return datetime.fromtimestamp(time.time(), tz=UTC) + timedelta(seconds=self.get_expiry_age())

    def get_expire_at_browser_close(self) -> bool:
        """Always: office computers are shared."""
        return True


def mark() -> str:
    """What the keys of this authority's sessions end with."""
    return require_bound().id.hex[:8]
