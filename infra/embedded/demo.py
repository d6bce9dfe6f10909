"""The demo: one state folder with a database and documents, prepared once and kept from run to run."""

import argparse
import hashlib
import os
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from typing import TextIO

from . import environment
from .kept import locked
from .postgres import Postgres, Server, port_is_free
from .supervise import Child, Supervisor, end_leftovers

ROOT = Path(__file__).resolve().parents[2]
STATES = ROOT / ".state"
STATE = STATES / "demo"
REGISTER = ROOT / "tests/data/gias/edubasealldata20261120.csv"
LINKS = ROOT / "tests/data/gias/links_edubasealldata20261120.csv"
HOST = "barsetshire.localhost"
FIRST_PORT = 8000

SET_UP = {
    "logins and database": ("prepare-cluster",),
    "migrations": ("migrate",),
    "demo authorities and schools": ("load-demo", "--register", str(REGISTER), "--links", str(LINKS)),
}
# A change in any of these makes the next start prepare again; every step may be repeated on data that is there.
PREPARED_FROM = (
    "tenants/database/*.py",
    "tenants/migrations/*.py",
    "src/handrail/*/migrations/*.py",
    "workflows/**/*demo*.py",
    "tests/data/gias/*20261120.csv",
    "requirements.lock",
)


def demo(arguments: Sequence[str]) -> int:
    """Run the whole product here until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="./dev demo", description=demo.__doc__)
    parser.add_argument("--fresh", action="store_true", help="delete the demo's data first")
    parser.add_argument("--port", type=int, default=FIRST_PORT, help=f"of the web server (default {FIRST_PORT})")
    options = parser.parse_args(arguments)
    began = time.monotonic()
    os.chdir(ROOT)  # Python looks for modules where it stands
    with _the_only_demo() as register_address:
        postgres = Postgres(STATE)
        if left := end_leftovers(STATE / "processes.json"):
            print(f"A demo that was killed had left {left} of its processes; they are ended.")
        if options.fresh:
            with step("deleting the demo's data"):
                postgres.destroy()
        with postgres.shared() as server:
            prepare(server)
            port = _free_port(options.port)
            register_address(f"http://{HOST}:{port}/")
            supervisor = Supervisor(_servers(server, port), STATE / "processes.json")
            threading.Thread(target=_announce, args=(supervisor, server, port, began), daemon=True).start()
            return supervisor.run()


def handrail(arguments: Sequence[str]) -> int:
    """Run a command of the product on the demo's database, which is started, and prepared, if need be."""
    with Postgres(STATE).shared() as server:
        prepare(server, to=sys.stderr)
        command = [sys.executable, "-m", "handrail", *arguments]
        return subprocess.run(command, env=environment.for_commands(server, STATE, mode="demo")).returncode


def prepare(server: Server, to: TextIO = sys.stdout) -> None:
    """Bring the database to what this checkout expects; nothing to do when that has not changed since."""
    stamp = STATE / "prepared"
    with locked(STATE / "prepare.lock"):
        expected = _what_it_is_prepared_from()
        if stamp.exists() and stamp.read_text() == expected:
            return
        variables = environment.for_commands(server, STATE, mode="demo")
        for title, command in SET_UP.items():
            with step(title, to=to):
                done = subprocess.run(
                    [sys.executable, "-m", "handrail", *command],
                    cwd=ROOT,
                    env=variables,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                )
            if done.returncode != 0:
                raise SystemExit(f"{done.stdout}\n`handrail {command[0]}` failed; the demo is not ready.")
        stamp.write_text(expected)


@contextmanager
def step(title: str, to: TextIO | None = None) -> Iterator[None]:
    """Say what is being done, and when it is done how long it took."""
    to = to or sys.stdout
    began = time.monotonic()
    print(f"  {title:.<34} ", end="", file=to, flush=True)
    try:
        yield
    except BaseException:
        print("stopped", file=to, flush=True)
        raise
    print(f"{time.monotonic() - began:5.1f} s", file=to, flush=True)


@contextmanager
def _the_only_demo() -> Iterator[Callable[[str], None]]:
    """Refuse a second demo of this checkout, saying where the first is. Gives the function that notes the address."""
    STATES.mkdir(exist_ok=True)
    with (STATES / "demo.lock").open("a+") as file:

        def note(address: str) -> None:
            file.truncate(0)
            file.write(address)
            file.flush()

        try:
            flock(file, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            where = file.read() or "it is still starting"
            raise SystemExit(f"The demo of this folder is already running: {where}") from None
        note("")
        yield note


def _what_it_is_prepared_from() -> str:
    digest = hashlib.sha256()
    for pattern in PREPARED_FROM:
        for path in sorted(ROOT.glob(pattern)):
            digest.update(bytes(path.relative_to(ROOT)) + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _free_port(wanted: int) -> int:
    if port_is_free(wanted):
        return wanted
    for port in range(max(wanted, 1024) + 1, wanted + 1000):
        if port_is_free(port):
            print(f"Port {wanted} is in use by another program: the demo takes {port}.")
            return port
    raise SystemExit(f"Port {wanted} and those after it are in use: choose another with --port.")


def _servers(server: Server, port: int) -> list[Child]:
    web = environment.for_web(server, STATE, mode="demo", site_port=port)
    work = environment.for_work(server, STATE, mode="demo", site_port=port)
    gunicorn = ("gunicorn", "handrail.config.wsgi:application", "--config=python:handrail.config.server")
    celery = ("celery", "--quiet", "-A", "workflows.app")
    work["PYTHONWARNINGS"] = "ignore:You're running the worker with superuser privileges"  # a demo may well be root's
    work["HANDRAIL_ALLOWS_LOOPBACK"] = "yes"  # the schools' websites are on this machine; refused in production
    alone = ("--without-gossip", "--without-mingle", "--without-heartbeat")
    return [
        Child("websites", _python("workflows.demo_websites"), {"PYTHONUNBUFFERED": "1"}),
        Child("web", _python(*gunicorn, f"--bind=127.0.0.1:{port}"), web),
        Child("worker", _python(*celery, "worker", "--concurrency=2", *alone), work),
        Child("beat", _python(*celery, "beat", f"--schedule={STATE / 'celerybeat-schedule'}", "--pidfile="), work),
    ]


def _python(*module_and_arguments: str) -> list[str]:
    return [sys.executable, "-m", *module_and_arguments]


def _announce(supervisor: Supervisor, server: Server, port: int, began: float) -> None:
    """Say where everything is, once the web answers."""
    variables = environment.for_commands(server, STATE, mode="demo", site_port=port)
    describe = _python("handrail", "describe-demo", "--port", str(port))
    described = subprocess.run(describe, env=variables, capture_output=True, text=True)
    while not supervisor.ending and not _answers(port):
        time.sleep(0.1)
    if supervisor.ending:
        return
    for line in (described.stdout or f"http://{HOST}:{port}/").splitlines():
        supervisor.say("handrail", line)
    took = time.monotonic() - began
    supervisor.say("handrail", f"Ready after {took:.1f} s. Ctrl-C stops everything and keeps the data.")


def _answers(port: int) -> bool:
    try:
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"http://127.0.0.1:{port}/health/", timeout=5)
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True
