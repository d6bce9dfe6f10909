"""Several processes as one: a prefixed log, restarts, and an end that leaves nothing behind.

Each child leads a process group of its own, so that Ctrl-C reaches it only through us and its children end with it.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .processes import birth_mark, dies_with_parent, signal_group

GRACE_SECONDS = 10.0  # for requests and tasks under way, when asked to stop
QUICK_DEATH_SECONDS = 10.0
FIRST_WAIT_SECONDS = 1.0  # after a quick death; doubled after each
QUICK_DEATHS_ALLOWED = 4
COLOURS = (36, 33, 35, 32, 34)


@dataclass
class Child:
    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    process: subprocess.Popen[str] | None = None
    started_at: float = 0.0
    start_again_at: float = 0.0
    quick_deaths: int = field(default=0)


class Supervisor:
    """Runs its children until a signal, or until one of them dies again and again."""

    def __init__(self, children: Sequence[Child], pids: Path) -> None:
        self.children = children
        self.pids = pids
        self.ending = False  # plain, not an Event: a signal handler that takes a lock can meet itself
        self._one_line_at_a_time = threading.Lock()

    def run(self) -> int:
        """Returns 0 after a signal and 1 when it gave up on a child."""
        for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(each, self._asked_to_end)
        code = 0
        try:
            while not self.ending and code == 0:
                code = max(self._look_after(child) for child in self.children)
                time.sleep(0.1)
        finally:
            self._end()
        return code

    def _asked_to_end(self, *_: object) -> None:
        self.ending = True

    def _look_after(self, child: Child) -> int:
        now = time.monotonic()
        if child.process is None:
            if now >= child.start_again_at:
                self._start(child)
            return 0
        if child.process.poll() is None:
            return 0
        how, lived = child.process.returncode, now - child.started_at
        signal_group(child.process.pid, signal.SIGKILL)  # what it left behind
        child.process = None
        child.quick_deaths = child.quick_deaths + 1 if lived < QUICK_DEATH_SECONDS else 0
        how_it_died = f"was killed by {signal.Signals(-how).name}" if how < 0 else f"ended with code {how}"
        if child.quick_deaths > QUICK_DEATHS_ALLOWED:
            self.say("handrail", f"{child.name} {how_it_died} {child.quick_deaths} times in a row: giving up")
            return 1
        wait = FIRST_WAIT_SECONDS * 2 ** (child.quick_deaths - 1) if child.quick_deaths else 0.0
        child.start_again_at = now + wait
        self.say("handrail", f"{child.name} {how_it_died}; starting it again in {wait:.0f} s")
        return 0

    def _start(self, child: Child) -> None:
        child.started_at = time.monotonic()
        child.process = subprocess.Popen(
            child.command,
            env=dict(child.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
            preexec_fn=dies_with_parent(signal.SIGTERM),
        )
        self._write_pids()
        threading.Thread(target=self._relay, args=(child, child.process), daemon=True).start()

    def _relay(self, child: Child, process: subprocess.Popen[str]) -> None:
        for line in process.stdout or ():
            self.say(child.name, line.rstrip("\n"))

    def say(self, name: str, line: str) -> None:
        """One line of the log. When nobody reads it any more, that is the end too."""
        names = [child.name for child in self.children]
        prefix = f"{name:>{max(map(len, [*names, 'handrail']))}} |"
        if sys.stdout.isatty() and "NO_COLOR" not in os.environ and name in names:
            prefix = f"\033[{COLOURS[names.index(name) % len(COLOURS)]}m{prefix}\033[0m"
        with self._one_line_at_a_time:
            try:
                print(prefix, line, flush=True)
            except OSError:
                self.ending = True

    def _end(self) -> None:
        alive = [child.process for child in self.children if child.process is not None]
        for process in alive:
            process.terminate()  # it alone: a worker lets its own processes finish what they are doing
        deadline = time.monotonic() + GRACE_SECONDS
        while any(process.poll() is None for process in alive) and time.monotonic() < deadline:
            time.sleep(0.05)
        for process in alive:
            signal_group(process.pid, signal.SIGKILL)
            process.wait()
        self.pids.unlink(missing_ok=True)

    def _write_pids(self) -> None:
        alive = [child.process.pid for child in self.children if child.process is not None]
        self.pids.write_text(json.dumps({pid: birth_mark(pid) for pid in alive}))


def end_leftovers(pids: Path, grace_seconds: float = GRACE_SECONDS) -> int:
    """End what a supervisor left that was itself killed; returns how many groups that were."""
    try:
        noted: dict[str, str] = json.loads(pids.read_text())
    except (OSError, ValueError):
        return 0
    groups = [int(pid) for pid, mark in noted.items() if mark and birth_mark(int(pid)) == mark]
    for group in groups:
        os.kill(group, signal.SIGTERM)
    deadline = time.monotonic() + grace_seconds
    while any(birth_mark(group) == noted[str(group)] for group in groups) and time.monotonic() < deadline:
        time.sleep(0.05)
    for group in groups:
        signal_group(group, signal.SIGKILL)
    pids.unlink(missing_ok=True)
    return len(groups)
