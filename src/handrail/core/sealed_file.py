"""A file sealed with a key of its own, in chunks, so that neither side ever holds the whole of it.

Each chunk is AES-256-GCM with its place in the file as the nonce, and whether it is the last: a chunk that is changed,
moved, left out or added does not open, nor does a file that was cut short. A key seals one file, once.
"""

import io
from collections.abc import Iterator
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from handrail.core.vault import CannotOpen

CHUNK = 1 << 20
TAG = 16


def new_key() -> bytes:
    return AESGCM.generate_key(256)


def write(file: BinaryIO, out: BinaryIO, *, key: bytes, context: bytes) -> None:
    """Seal all of `file` into `out`. `context` must be the same when it is read."""
    aes = AESGCM(key)
    for number, chunk, is_last in _chunks(file, CHUNK):
        out.write(aes.encrypt(_nonce(number, is_last), chunk, context))


class Reader(io.RawIOBase):
    """What was sealed, as a file that can be read from its beginning to its end.

    Gives no byte of a chunk that does not open. Raises CannotOpen there.
    """

    def __init__(self, sealed: BinaryIO, *, key: bytes, context: bytes) -> None:
        self._sealed, self._clear = sealed, self._open(AESGCM(key), context)
        self._left = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._left:
            chunk = next(self._clear, None)
            if chunk is None:
                return 0
            self._left = memoryview(chunk)
        count = min(len(buffer), len(self._left))
        buffer[:count] = self._left[:count]
        self._left = self._left[count:]
        return count

    def close(self) -> None:
        if not self.closed:
            self._sealed.close()
        super().close()

    def _open(self, aes: AESGCM, context: bytes) -> Iterator[bytes]:
        for number, chunk, is_last in _chunks(self._sealed, CHUNK + TAG):
            try:
                yield aes.decrypt(_nonce(number, is_last), chunk, context)
            except InvalidTag as error:
                raise CannotOpen("a sealed file was changed, cut short or moved") from error


def _chunks(file: BinaryIO, size: int) -> Iterator[tuple[int, bytes, bool]]:
    """Each chunk with its number and whether it is the last. An empty file has one, empty."""
    number, chunk = 0, _read(file, size)
    while True:
        following = _read(file, size)
        yield number, chunk, not following
        if not following:
            return
        number, chunk = number + 1, following


def _read(file: BinaryIO, size: int) -> bytes:
    """So many bytes, fewer only at the end of the file: a network gives as many as it has just now."""
    parts, left = [], size
    while left and (part := file.read(left)):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def _nonce(number: int, is_last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([is_last])
