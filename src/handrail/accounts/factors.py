"""How surely a session knows who somebody is: the rule, over the records of how they signed in.

allauth keeps the records in the session: each has a `method` and `at`, in seconds since 1970, and one about a second
factor its `type`. A passkey is kept only when it checks its holder (a finger, a face or a PIN), so it is two factors.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

Record = Mapping[str, Any]

STEP_UP_LASTS = timedelta(minutes=15)
FIRST = frozenset({"code", "password", "password_reset", "socialaccount"})
"""Something known, or somebody else's word for it. A password and a code by e-mail are still one factor: whoever
reads the mail chooses a new password.
"""

BY_BOTH = {"both_factors": True}
"""What to record of a sign-in elsewhere that says it asked for two factors:
`record_authentication(request, user, method, **BY_BOTH)`.
"""


def has_two_factors(records: Iterable[Record]) -> bool:
    """Whether the person has shown two different things in this session."""
    found = list(records)
    return any(map(_is_both, found)) or (any(map(_is_first, found)) and any(map(_is_second, found)))


def stepped_up_at(records: Iterable[Record]) -> datetime | None:
    """When the person last showed a second factor in this session."""
    moments = [each["at"] for each in records if _is_second(each) or _is_both(each)]
    return datetime.fromtimestamp(max(moments), tz=UTC) if moments else None


def is_stepped_up(records: Iterable[Record], *, at: datetime) -> bool:
    """Whether that is at most 15 minutes before the moment `at`."""
    found = stepped_up_at(records)
    return found is not None and at - found <= STEP_UP_LASTS


def is_fresh(records: Iterable[Record], *, at: datetime) -> bool:
    """Whether the person last showed who they are, in whatever way, at most 15 minutes before the moment `at`."""
    moments = [each["at"] for each in records]
    return bool(moments) and at - datetime.fromtimestamp(max(moments), tz=UTC) <= STEP_UP_LASTS


def _is_first(record: Record) -> bool:
    return record["method"] in FIRST


def _is_second(record: Record) -> bool:
    return record["method"] == "mfa"


def _is_both(record: Record) -> bool:
    return record.get("both_factors") is True or (_is_second(record) and record.get("type") == "webauthn")
