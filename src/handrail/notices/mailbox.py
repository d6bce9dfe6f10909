"""The demo's post: one file per message, in a folder per authority, which a page shows. Nothing leaves the machine.

It behaves as the best of providers would: a message with a reference that it has is not taken a second time, and it
can be asked by reference.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path
from uuid import UUID

from handrail.notices.letters import Message

A_CODE = re.compile(r"^\s*([0-9]{6}|[A-Z0-9]{3,4}-?[A-Z0-9]{3,4})\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Letter:
    """A message as the mailbox page shows it; `code` when it is there to bring a sign-in code."""

    reference: UUID
    at: datetime
    recipient: str
    subject: str
    text: str

    @property
    def code(self) -> str:
        found = A_CODE.search(self.text)
        return found[1] if found else ""

    @property
    def paragraphs(self) -> list[list[str]]:
        """The text as paragraphs of lines."""
        return [part.splitlines() for part in self.text.replace("\r\n", "\n").strip().split("\n\n")]


class Mailbox:
    """The post of one authority."""

    name = "mailbox"
    can_be_asked = True

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def send(self, message: Message) -> str:
        """Keep the message. The file appears whole, once, and stays as it is when the same is sent again."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path, half = self._path(message.reference), self.folder / f"{message.reference}.{os.getpid()}.half"
        with half.open("wb") as out:
            out.write(message.raw)
            out.flush()
            os.fsync(out.fileno())
        try:
            os.link(half, path)
        except FileExistsError:
            pass
        finally:
            half.unlink()
        return path.stem

    def ask(self, reference: UUID) -> str | None:
        return str(reference) if self._path(reference).exists() else None

    def letters(self, *, about_signing_in: bool = False) -> Iterator[Letter]:
        """All of them, newest first; or those alone that are no notices, so that no flood of those hides a code."""
        paths = [path for path in self.folder.glob("*.eml") if not about_signing_in or not is_of_notice(path.stem)]
        for path in sorted(paths, key=lambda each: (each.stat().st_mtime_ns, each.name), reverse=True):
            yield _read(path)

    def letter(self, reference: UUID) -> Letter | None:
        path = self._path(reference)
        return _read(path) if path.exists() else None

    def _path(self, reference: UUID) -> Path:
        return self.folder / f"{reference}.eml"


def is_of_notice(reference: str) -> bool:
    """A notice's reference is made of its row's id; that of any other message is random."""
    return UUID(reference).version == 5


def _read(path: Path) -> Letter:
    email = message_from_bytes(path.read_bytes(), policy=policy.default)
    body = email.get_body(("plain",))
    return Letter(
        reference=UUID(path.stem),
        at=datetime.fromtimestamp(path.stat().st_mtime, UTC),
        recipient=str(email["To"]),
        subject=str(email["Subject"]),
        text=body.get_content() if body else "",
    )
