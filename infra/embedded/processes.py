"""Asking the operating system about processes, so that a number in a file is never mistaken for a process.

A process number alone proves nothing: after a crash or a restart it may belong to somebody else.
"""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

PR_SET_PDEATHSIG = 1


def command_of(pid: int) -> str:
    """The command line of a living process, or nothing: also for one that has ended and was not yet reaped."""
    if Path("/proc/self").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return ""
    return _ps(pid, "command=")


def birth_mark(pid: int) -> str:
    """When this process began, as text that no other process of this number can have; nothing when it has ended."""
    if Path("/proc/self").exists():
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        except OSError:
            return ""
        return "" if fields[0] in "ZX" else f"{boot} {fields[19]}"
    return _ps(pid, "lstart=")


def dies_with_parent(with_signal: signal.Signals) -> Callable[[], None] | None:
    """What a child runs before its program so that a killed parent takes it along. Only Linux can promise that."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(PR_SET_PDEATHSIG, int(with_signal))


def signal_group(group: int, with_signal: signal.Signals) -> bool:
    """Signal every process of a group; false when none is left."""
    try:
        os.killpg(group, with_signal)
    except (ProcessLookupError, PermissionError):  # macOS answers "not permitted" for a group of the dead
        return False
    return True


def _ps(pid: int, column: str) -> str:
    asked = subprocess.run(["ps", "-ww", "-o", column, "-p", str(pid)], capture_output=True, text=True)
    return asked.stdout.strip()
