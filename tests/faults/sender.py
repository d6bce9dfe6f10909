"""A real worker process that sends what is due in one authority, and dies or waits where it is told to.

`python sender.py CODE MOMENT FOLDER FAULT`. FAULT is `none`, `boundary:N` (kill -9 at the Nth boundary: behind each
commit, and on each side of the call to the provider), `poison:WORD` (kill -9 when a message has the word in it) or
`pause:FILE` (stop inside the provider until FILE is gone).
"""

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn
from uuid import UUID

import django

django.setup()

from handrail.notices.letters import Message  # noqa: E402
from handrail.notices.mailbox import Mailbox  # noqa: E402
from tenants.context import inside  # noqa: E402
from tenants.routing import Authority, authority_by_code  # noqa: E402
from workflows import notices  # noqa: E402

SURVIVED = 17
"""The exit code of a worker that was to die at a boundary which it never reached."""


def die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("still alive")


class Boundaries:
    """Counts the boundaries passed, and dies at one of them."""

    def __init__(self, fatal: int) -> None:
        self.fatal, self.passed = fatal, 0

    def __call__(self) -> None:
        self.passed += 1
        if self.passed == self.fatal:
            die()


class Provider(Mailbox):
    """The demo's post, with accidents."""

    def __init__(self, folder: Path, kind: str, word: str, boundary: Boundaries) -> None:
        super().__init__(folder)
        self.kind, self.word, self.boundary = kind, word, boundary

    def send(self, message: Message) -> str:
        if self.kind == "poison" and self.word.encode() in message.raw:
            die()
        if self.kind == "pause":
            Path(self.word).with_suffix(".reached").touch()
            while Path(self.word).exists():
                time.sleep(0.01)
        self.boundary()
        taken = super().send(message)
        self.boundary()
        return taken

    def ask(self, reference: UUID) -> str | None:
        self.boundary()
        return super().ask(reference)


def main(code: str, moment: str, folder: str, fault: str) -> int:
    kind, _, word = fault.partition(":")
    boundary = Boundaries(int(word) if kind == "boundary" else 0)

    @contextmanager
    def inside_then_boundary(authority: Authority, **more: Any) -> Iterator[Authority]:
        with inside(authority, **more) as bound:
            yield bound
        boundary()

    notices.inside = inside_then_boundary  # type: ignore[assignment]
    authority = authority_by_code(code)
    notices.send(
        authority,
        provider=Provider(Path(folder), kind, word, boundary),
        at=datetime.fromisoformat(moment),
        at_most=10_000,
    )
    return SURVIVED if kind == "boundary" else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
