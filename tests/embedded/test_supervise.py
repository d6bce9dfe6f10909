"""The supervisor: one log, restarts within reason, and nothing left behind however it ends."""

import json
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from infra.embedded.processes import birth_mark, signal_group
from infra.embedded.supervise import end_leftovers

ROOT = Path(__file__).resolve().parents[2]

# A child with a child of its own, as a web server has workers. Both write their numbers to a file.
FAMILY = """
import os, signal, subprocess, sys, time
if {stubborn}: signal.signal(signal.SIGTERM, signal.SIG_IGN)
grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
open({file!r}, "w").write(f"{{os.getpid()}} {{grandchild.pid}}")
print("family is up", flush=True)
time.sleep(600)
"""


class Supervise:
    """Starts supervisors in processes of their own whose children run the programs given."""

    def __init__(self, tmp_path: Path) -> None:
        self.pids = tmp_path / "pids"
        self.started: list[subprocess.Popen[str]] = []

    def __call__(self, *programs: str, grace: float = 5.0) -> "subprocess.Popen[str]":
        host = f"""
            import sys
            from pathlib import Path
            from infra.embedded import supervise
            supervise.GRACE_SECONDS = {grace}
            supervise.FIRST_WAIT_SECONDS = 0.05
            children = [
                supervise.Child(f"child{{number}}", [sys.executable, "-c", program], {{}})
                for number, program in enumerate({programs!r})
            ]
            sys.exit(supervise.Supervisor(children, Path({str(self.pids)!r})).run())
        """
        command = [sys.executable, "-c", textwrap.dedent(host)]
        supervisor = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True)
        self.started.append(supervisor)
        return supervisor


@pytest.fixture
def supervise(tmp_path: Path) -> Iterator[Supervise]:
    supervise = Supervise(tmp_path)
    yield supervise
    left = json.loads(supervise.pids.read_text()) if supervise.pids.exists() else {}
    for supervisor in supervise.started:
        supervisor.kill()
        supervisor.wait()
        assert supervisor.stdout is not None
        supervisor.stdout.close()
    for pid in left:
        signal_group(int(pid), signal.SIGKILL)


def numbers_in(file: Path) -> list[int]:
    return [int(number) for number in file.read_text().split()] if file.exists() else []


def comes_true(condition: Callable[[], bool], seconds: float = 60.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def all_gone(pids: list[int]) -> bool:
    return not any(birth_mark(pid) for pid in pids)


class TestTheEnd:
    @pytest.mark.parametrize("with_signal", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    def test_a_signal_ends_children_and_their_children(
        self, tmp_path: Path, supervise: Supervise, with_signal: signal.Signals
    ) -> None:
        files = [tmp_path / "one", tmp_path / "two"]
        supervisor = supervise(*(FAMILY.format(stubborn=False, file=str(file)) for file in files))
        assert comes_true(lambda: all(len(numbers_in(file)) == 2 for file in files))
        family = [number for file in files for number in numbers_in(file)]
        assert not all_gone(family)
        supervisor.send_signal(with_signal)
        assert supervisor.wait(60) == 0
        assert comes_true(lambda: all_gone(family))
        assert not (tmp_path / "pids").exists()

    def test_those_that_do_not_listen_are_killed(self, tmp_path: Path, supervise: Supervise) -> None:
        file = tmp_path / "one"
        supervisor = supervise(FAMILY.format(stubborn=True, file=str(file)), grace=0.2)
        assert comes_true(lambda: len(numbers_in(file)) == 2)
        supervisor.terminate()
        assert supervisor.wait(60) == 0
        assert comes_true(lambda: all_gone(numbers_in(file)))

    def test_a_killed_supervisor_leaves_nothing_after_the_next_start(
        self, tmp_path: Path, supervise: Supervise
    ) -> None:
        file = tmp_path / "one"
        supervisor = supervise(FAMILY.format(stubborn=True, file=str(file)))
        assert comes_true(lambda: len(numbers_in(file)) == 2 and (tmp_path / "pids").exists())
        supervisor.kill()
        supervisor.wait()
        assert not all_gone(numbers_in(file))
        assert end_leftovers(tmp_path / "pids", grace_seconds=0.2) == 1
        assert comes_true(lambda: all_gone(numbers_in(file)))
        assert end_leftovers(tmp_path / "pids") == 0

    @pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
    def test_a_killed_supervisor_takes_its_children_along(self, tmp_path: Path, supervise: Supervise) -> None:
        file = tmp_path / "one"
        supervisor = supervise(FAMILY.format(stubborn=False, file=str(file)))
        assert comes_true(lambda: len(numbers_in(file)) == 2)
        supervisor.kill()
        supervisor.wait()
        assert comes_true(lambda: all_gone(numbers_in(file)[:1]))

    def test_a_stranger_who_got_the_number_is_spared(self, tmp_path: Path) -> None:
        stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
        (tmp_path / "pids").write_text(json.dumps({stranger.pid: "another life"}))
        assert end_leftovers(tmp_path / "pids") == 0
        assert stranger.poll() is None
        signal_group(stranger.pid, signal.SIGKILL)
        stranger.wait()


class TestTheLog:
    def test_names_who_speaks(self, supervise: Supervise) -> None:
        supervisor = supervise("print('hello', flush=True); import time; time.sleep(600)")
        assert supervisor.stdout is not None
        assert supervisor.stdout.readline() == "  child0 | hello\n"
        supervisor.terminate()
        assert supervisor.wait(60) == 0

    def test_ends_everything_when_nobody_reads_any_more(self, supervise: Supervise) -> None:
        supervisor = supervise("while True: print('hello' * 1000)")
        assert supervisor.stdout is not None
        supervisor.stdout.readline()
        supervisor.stdout.close()
        assert supervisor.wait(60) == 0


class TestDeaths:
    def test_starts_again_what_died(self, tmp_path: Path, supervise: Supervise) -> None:
        file = tmp_path / "lives"
        program = f"""
            import time
            with open({str(file)!r}, "a+") as file:
                first_life = file.tell() == 0
                file.write("1 ")
            time.sleep(0 if first_life else 600)
        """
        supervisor = supervise(textwrap.dedent(program))
        assert comes_true(lambda: numbers_in(file) == [1, 1])
        supervisor.terminate()
        said, _ = supervisor.communicate(timeout=60)
        assert "handrail | child0 ended with code 0; starting it again" in said

    def test_gives_up_on_what_dies_again_and_again(self, tmp_path: Path, supervise: Supervise) -> None:
        file = tmp_path / "one"
        supervisor = supervise("raise SystemExit(3)", FAMILY.format(stubborn=False, file=str(file)))
        said, _ = supervisor.communicate(timeout=60)
        assert supervisor.returncode == 1
        assert "child0 ended with code 3 5 times in a row: giving up" in said
        assert all_gone(numbers_in(file))
