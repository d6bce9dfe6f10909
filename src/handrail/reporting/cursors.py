"""Where a reader has got to, as a text that means nothing to them and that nobody can make or move by hand.

A cursor is signed for its authority, for what its key may read, and for what was asked: under another key's rights, at
another authority or with other filters it is no cursor.
"""

from collections.abc import Sequence
from typing import Any

from django.core import signing

from tenants.database import require_bound


class NotACursor(ValueError):
    """The text is none of ours, or not for this."""

    def __init__(self) -> None:
        super().__init__("The cursor is not one that this list gave to this key for these filters.")


def write(place: Sequence[Any], *, about: Sequence[str]) -> str:
    """A cursor to this place in what is told by `about`: the list, the key's scopes and the filters."""
    return signing.dumps(list(place), salt=_salt(about), compress=True)


def read(text: str, *, about: Sequence[str]) -> list[Any]:
    """The place of a cursor. Raises NotACursor."""
    try:
        place: list[Any] = signing.loads(text, salt=_salt(about))
    except (signing.BadSignature, ValueError):
        raise NotACursor from None
    return place


def _salt(about: Sequence[str]) -> str:
    return repr(("handrail.reporting.cursor", str(require_bound().id), *about))
