"""Providers for tests: one that does as it is told, and a mail server that answers as it is told."""

import os
import socketserver
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from handrail.notices.letters import Message

Deed = Callable[[Message], None]


def nothing(_message: Message) -> None:
    """Happens."""


@dataclass
class Scripted:
    """Takes messages and notes each in a file, so that what several processes sent, and one that was killed, can be
    counted. It is not idempotent: a message sent twice stands there twice.

    `before` and `after` happen before and after a message is taken, and may raise, kill or wait.
    """

    book: Path
    can_be_asked: bool = True
    before: Deed = nothing
    after: Deed = nothing
    name: str = "scripted"
    asked: list[UUID] = field(default_factory=list)

    def send(self, message: Message) -> str:
        self.before(message)
        with self.book.open("a") as book:
            book.write(f"{message.reference} {message.recipient}\n")
        self.after(message)
        return str(message.reference)

    def ask(self, reference: UUID) -> str | None:
        self.asked.append(reference)
        return str(reference) if reference in {each for each, _ in self.taken()} and self.can_be_asked else None

    def taken(self) -> list[tuple[UUID, str]]:
        """Every message taken, with its recipient, in order."""
        if not self.book.exists():
            return []
        return [(UUID(line.split()[0]), line.split()[1]) for line in self.book.read_text().splitlines()]


def once(deed: Deed) -> Deed:
    """The deed, the first time; nothing afterwards."""
    done = []

    def perhaps(message: Message) -> None:
        if not done:
            done.append(message)
            deed(message)

    return perhaps


def raising(error: Exception) -> Deed:
    def deed(_message: Message) -> None:
        raise error

    return deed


# -- a mail server ---------------------------------------------------------------------------------------


@dataclass
class MailServer:
    """Its `script` says what it answers at each step of each connection; when the script is at its end, all is well.

    An entry is (step, answer): the step is connect, mail, rcpt, data or end; an answer of "cut" breaks off.
    """

    script: list[tuple[str, str]] = field(default_factory=list)
    mails: list[bytes] = field(default_factory=list)
    port: int = 0

    def answer(self, step: str, otherwise: str) -> str:
        if self.script and self.script[0][0] == step:
            return self.script.pop(0)[1]
        return otherwise


@contextmanager
def mail_server(script: Sequence[tuple[str, str]] = ()) -> Iterator[MailServer]:
    """A mail server on a free port for as long as the block lasts."""
    state = MailServer(list(script))

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            if not self.say(state.answer("connect", "220 ready")):
                return
            while line := self.rfile.readline():
                verb = line[:4].upper().strip()
                if verb in (b"EHLO", b"HELO"):
                    said = self.say("250 here")
                elif verb == b"MAIL":
                    said = self.say(state.answer("mail", "250 ok"))
                elif verb == b"RCPT":
                    said = self.say(state.answer("rcpt", "250 ok"))
                elif verb == b"DATA":
                    said = self.take_data()
                else:
                    said = self.say("250 ok")
                if not said:
                    return

        def take_data(self) -> bool:
            answer = state.answer("data", "354 go on")
            if not self.say(answer) or not answer.startswith("354"):
                return answer != "cut"
            lines = []
            while (line := self.rfile.readline()) not in (b".\r\n", b""):
                lines.append(line[1:] if line.startswith(b".") else line)
            state.mails.append(b"".join(lines))
            return self.say(state.answer("end", "250 queued as 7"))

        def say(self, answer: str) -> bool:
            if answer == "cut":
                return False
            self.wfile.write(answer.encode() + b"\r\n")
            return True

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        state.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        try:
            yield state
        finally:
            server.shutdown()


def kill_myself(_message: Message) -> None:
    os.kill(os.getpid(), 9)
