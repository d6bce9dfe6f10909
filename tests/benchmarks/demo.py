"""The demo as a newcomer meets it: its first start, a later one, and the memory of all its processes. On Linux.

In a folder of its own, so that nobody's demo is touched; the packages are there already.
"""

import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from databases import ROOT

from infra.embedded.postgres import port_is_free

FIRST_SECONDS, LATER_SECONDS, MOST_MEGABYTES = 60, 10, 800
HOST = "barsetshire.localhost"
PAGES = ("/", "/sign-in/", "/mailbox/", "/help/")
WATCHED_SECONDS, ROUNDS = 20, 3
RUN = """
import sys
from pathlib import Path
from infra.embedded import demo
demo.STATES, demo.STATE = Path(sys.argv[1]), Path(sys.argv[1]) / "demo"
sys.exit(demo.demo(["--port", sys.argv[2]]))
"""


def free_port() -> int:
    return next(port for port in range(18_000, 19_000) if port_is_free(port))


def get(port: int, path: str) -> int:
    """The status of one page, or 0 while nobody answers."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Host": HOST})
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


@contextmanager
def running(state: str, port: int) -> Iterator[tuple[float, int]]:
    """The demo, from its start until the block ends. Gives the seconds to its first page, and its process."""
    began = time.monotonic()
    with open(Path(state) / "log", "ab") as log:
        demo = subprocess.Popen([sys.executable, "-c", RUN, state, str(port)], cwd=ROOT, stdout=log, stderr=log)
    try:
        while get(port, "/sign-in/") != 200:
            assert demo.poll() is None, (Path(state) / "log").read_text()[-2000:]
            time.sleep(0.05)
        yield time.monotonic() - began, demo.pid
    finally:
        demo.send_signal(signal.SIGINT)
        demo.wait()


def family(pid: int) -> set[int]:
    """A process and all that come from it."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue  # it has just ended
    found = {pid}
    while more := {each for each, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def megabytes(pid: int) -> float:
    """The memory of a process and its family, what they share counted once (PSS)."""
    total = 0
    for each in family(pid):
        try:
            lines = Path(f"/proc/{each}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def most_used(port: int, pid: int) -> tuple[float, int]:
    """The most that the demo takes while it works and is looked at, and its number of processes then."""
    until, most = time.monotonic() + WATCHED_SECONDS, (0.0, 0)
    while time.monotonic() < until:
        for path in PAGES:
            assert get(port, path) in (200, 302), path
        most = max(most, (megabytes(pid), len(family(pid))))
    return most


def main(say: Callable[[str], None]) -> None:
    first, later, used = [], [], []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory(prefix="handrail-bench-demo-") as state:
            port = free_port()
            with running(state, port) as (seconds, pid):
                first.append(seconds)
                used.append(most_used(port, pid))
            with running(state, port) as (seconds, _pid):
                later.append(seconds)
    say(f"first start to the first page {median(first):.1f} s (at most {FIRST_SECONDS}), with the packages there")
    say(f"a later start to the first page {median(later):.1f} s (at most {LATER_SECONDS})")
    memory, processes = median(used)
    say(f"memory of all {processes} processes {memory:.0f} MB (at most {MOST_MEGABYTES})")
