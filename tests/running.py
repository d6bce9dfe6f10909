"""Real processes of the product, for as long as a test needs them: workers, their clock, and a Redis of their own."""

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from databases import ROOT

from handrail.config.env import whole_environment
from infra.embedded.processes import dies_with_parent

ALONE = ("--without-gossip", "--without-mingle", "--without-heartbeat")


def environment_of(database: str, folder: Path, **more: str) -> dict[str, str]:
    """What a process is told that serves or works on this database and keeps its files in this folder."""
    broker = urlsplit(whole_environment()["HANDRAIL_BROKER_URL"])._replace(path=f"/{database}").geturl()
    return {
        **whole_environment(),
        "DJANGO_SETTINGS_MODULE": "handrail.config.settings",
        "PYTHONPATH": os.pathsep.join(str(ROOT / place) for place in ("tests", "src", ".")),
        "HANDRAIL_LOGIN": "app",
        "HANDRAIL_DB_NAME": database,
        "HANDRAIL_BROKER_URL": broker,
        "HANDRAIL_STORE": str(folder / "documents"),
        **more,
    }


@contextmanager
def running(*command: str, environment: dict[str, str], log: Path, **more: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A module of Python in a process of its own, which is killed with its children when the block ends."""
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", *command],
            env=environment,
            cwd=ROOT,
            stdout=out,
            stderr=out,
            start_new_session=True,
            preexec_fn=dies_with_parent(signal.SIGKILL),
            **more,
        )
    try:
        yield process
    finally:
        kill(process)


@contextmanager
def worker(app: str, *, processes: int = 1, **more: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A Celery worker with the tasks of this module."""
    command = ("celery", "--quiet", "-A", app, "worker", f"--concurrency={processes}", *ALONE)
    with running(*command, **more) as process:
        yield process


@dataclass
class Redis:
    """A Redis that keeps nothing when it is killed."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        place = ("--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self.folder))
        keep_nothing = ("--save", "", "--appendonly", "no")
        with (self.folder / "redis.log").open("ab") as out:
            self.process = subprocess.Popen(
                ["redis-server", *place, *keep_nothing],
                stdout=out,
                start_new_session=True,
                preexec_fn=dies_with_parent(signal.SIGKILL),
            )
        wait_until(self.answers)

    def kill(self) -> None:
        if self.process is not None:
            kill(self.process)

    @contextmanager
    def down(self) -> Iterator[None]:
        self.kill()
        try:
            yield
        finally:
            self.start()

    def answers(self) -> bool:
        with suppress(OSError):
            return self.ask("PING") == b"+PONG\r\n"
        return False

    def flush(self) -> None:
        assert self.ask("FLUSHALL") == b"+OK\r\n"

    def ask(self, command: str) -> bytes:
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as line:
            line.sendall(command.encode() + b"\r\n")
            return line.recv(100)


@contextmanager
def redis_server(folder: Path) -> Iterator[Redis]:
    """A Redis of the test's own; without the program the test is skipped loudly, and with CI set it fails."""
    if shutil.which("redis-server") is None:
        missing = "NO redis-server FOUND: the worker was not tried on a real Redis. Install it."
        if "CI" in whole_environment():
            pytest.fail(missing)
        pytest.skip(missing)
    server = Redis(folder, free_port())
    server.start()
    try:
        yield server
    finally:
        server.kill()


def free_port() -> int:
    """A port below those that the system lends to whoever connects: nobody gets it while its server is down."""
    while True:
        port = random.randrange(20_000, 32_000)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def kill(process: subprocess.Popen[bytes]) -> None:
    """`kill -9` of a process and all of its children, as when the machine goes."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def wait_until(happens: Callable[[], Any], *, seconds: float = 120) -> float:
    """Wait; give how long it took, in seconds."""
    began = time.monotonic()
    while not happens():
        assert time.monotonic() - began < seconds, f"it did not happen within {seconds:.0f} s"
        time.sleep(0.02)
    return time.monotonic() - began
