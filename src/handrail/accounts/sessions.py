"""Sessions that carry their authority and their person, and end.

They live in the authority's own schema. Their key and their data name it as well, so that a cookie or a row that
strays to another authority is worth nothing there and is noticed. A session ends ten hours after signing in, and when
nothing was asked for in it for eight; for 15 minutes, if a page about a child was opened in it.
"""

import hashlib
import logging
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import VALID_KEY_CHARS, CreateError, UpdateError
from django.utils.crypto import get_random_string

from handrail.accounts.models import Session
from handrail.accounts.visits import device_of
from tenants.database import require_bound

security = logging.getLogger("handrail.security")

BEGAN = "began_at"
LENGTH = 33
"""Eight of them name the authority. The other 25, each one of 36, are 129 bits that nobody can guess."""
CHILD = "shows_child"
NOTED_EVERY = timedelta(minutes=1)
IDLE, IDLE_WITHOUT_CHILD = timedelta(minutes=15), timedelta(hours=8)
A_DAY = timedelta(days=1)


class SessionStore(db.SessionStore):
    """In rows of our own, found by a digest of the key: who reads the table cannot use what is in it.

    Raises NobodyBound outside a door.
    """

    row: Session | None = None

    def __init__(self, session_key: str | None = None) -> None:
        super().__init__(session_key)
        self._given = self.session_key

    # -- what names the authority --------------------------------------------------------------------------

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

    # -- the row -------------------------------------------------------------------------------------------

    def _get_session_from_db(self) -> Session | None:
        self.row = Session.objects.filter(id=id_of(self.session_key or ""), expire_date__gt=now()).first()
        if self.row is None:
            self._session_key = None
        return self.row

    def exists(self, session_key: str) -> bool:
        return bool(Session.objects.filter(id=id_of(session_key)).exists())

    def save(self, must_create: bool = False) -> None:
        """Raises CreateError for a key that is there already, and UpdateError when the session has ended meanwhile."""
        if self.session_key is None:
            return self.create()
        data: dict[str, Any] = self._get_session(no_load=must_create)  # type: ignore[attr-defined]
        columns = {
            "session_data": self.encode(data),
            "expire_date": self.get_expiry_date(),
            "user_id": data.get(SESSION_KEY),
            "ways": [each.get("type", each["method"]) for each in data.get(AUTHENTICATION_METHODS_SESSION_KEY, [])],
        }
        rows = Session.objects.filter(id=id_of(self.session_key))
        if must_create:
            began_at = moment(data.get(BEGAN, time.time()))
            began = {"id": id_of(self.session_key), "began_at": began_at, "last_used_at": now()}
            self.row, is_new = rows.get_or_create(defaults=began | columns)
            if not is_new:
                raise CreateError
        elif not rows.filter(expire_date__gt=now()).update(**columns):
            raise UpdateError
        return None

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key:
            Session.objects.filter(id=id_of(key)).delete()

    @property
    def row_id(self) -> UUID | None:
        """The id of this session's row, when it has one."""
        return id_of(self.session_key) if self.session_key else None

    # -- when it ends --------------------------------------------------------------------------------------

    def cycle_key(self) -> None:
        """A new key. The session's hours are counted from signing in, whatever is shown or changed in it later."""
        if SESSION_KEY not in self:
            self[BEGAN] = time.time()
        super().cycle_key()

    def get_expiry_age(self, **kwargs: Any) -> int:
        began = self._get_session().get(BEGAN, time.time())  # type: ignore[attr-defined]
        return max(0, round(began + settings.SESSION_COOKIE_AGE - time.time()))

    def get_expiry_date(self, **kwargs: Any) -> datetime:
        return now() + timedelta(seconds=self.get_expiry_age())

    def get_expire_at_browser_close(self) -> bool:
        """Always: office computers are shared."""
        return True

    def go_on(self, *, at: datetime, user_agent: str, is_use: bool = True) -> None:
        """End the session if it was left alone; else note that it is in use.

        That is written at most once a minute, but each time after a child's page.
        """
        self._get_session()  # type: ignore[attr-defined]
        row = self.row
        if row is None or row.user_id is None:
            return
        left_alone = at - row.last_used_at
        if left_alone >= (IDLE if self.has_shown_child else IDLE_WITHOUT_CHILD):
            row.expire_date = at
            row.save(update_fields=["expire_date"])
            self.clear()
            self.row = self._session_key = None
        elif is_use and (self.has_shown_child or left_alone >= NOTED_EVERY or not row.device):
            row.last_used_at, row.device = at, device_of(user_agent)
            row.save(update_fields=["last_used_at", "device"])

    def show_child(self, *, at: datetime) -> None:
        """From now on the session ends soon when it is left alone."""
        if self.row and not self.has_shown_child:
            self[CHILD] = True
            self.row.last_used_at = at
            self.row.save(update_fields=["last_used_at"])

    @property
    def has_shown_child(self) -> bool:
        return CHILD in self

    @property
    def idle_ends_at(self) -> datetime | None:
        """When it will end for the child's sake if nothing is asked for in it from now on."""
        return self.row.last_used_at + IDLE if self.row and self.has_shown_child else None

    def whose_it_was(self, *, at: datetime) -> UUID | None:
        """The person who was signed in with the key that the browser holds, if that session ended within a day."""
        if self.session_key or not self._given:
            return None
        ended = Session.objects.filter(id=id_of(self._given), expire_date__gt=at - A_DAY, user__is_active=True)
        return ended.values_list("user_id", flat=True).first()


def mark() -> str:
    """What the keys of this authority's sessions end with."""
    return require_bound().id.hex[:8]


def id_of(session_key: str) -> UUID:
    """The row of the session with this key."""
    return UUID(bytes=hashlib.sha256(session_key.encode()).digest()[:16])


def now() -> datetime:
    """The moment by the clock that sessions are counted by."""
    return moment(time.time())


def moment(seconds: float) -> datetime:
    """The moment so many seconds after 1970."""
    return datetime.fromtimestamp(seconds, tz=UTC)
