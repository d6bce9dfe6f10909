"""What a child or an item is called where no name may stand: in messages, and for people at the authority. Pure."""

from hashlib import sha256
from uuid import UUID

CHARACTERS = "23456789ABCDEFGHJKLMNPQRTUVWXYZ"
"""None that is taken for another."""

LENGTH = 4


def reference(row_id: UUID) -> str:
    """H-7F3K: the same for the same row each time, and nothing can be told from it."""
    number, found = int.from_bytes(sha256(row_id.bytes).digest()), ""
    for _ in range(LENGTH):
        number, place = divmod(number, len(CHARACTERS))
        found += CHARACTERS[place]
    return f"H-{found}"
