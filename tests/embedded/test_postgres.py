"""The embedded server: it comes up anywhere, keeps what it was given and is never mistaken for another process."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from infra.embedded import postgres as module
from infra.embedded.postgres import Identity, Postgres, PostgresError, Server
from infra.embedded.processes import birth_mark

ROOT = Path(__file__).resolve().parents[2]
ON_LINUX = sys.platform == "linux"
AS_ROOT = os.geteuid() == 0


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """One for all tests, because making one takes most of a second."""
    postgres = Postgres(tmp_path_factory.mktemp("embedded") / "state")
    yield postgres
    postgres.destroy()


@pytest.fixture
def postgres(cluster: Postgres) -> Iterator[Postgres]:
    yield Postgres(cluster.state)
    cluster.stop()


@pytest.fixture
def change(postgres: Postgres) -> Iterator[Callable[[str, str], None]]:
    """Overwrite a file of the stopped cluster until the test is over."""
    before: dict[Path, str] = {}

    def change(name: str, content: str) -> None:
        postgres.start()
        postgres.stop()
        path = postgres.cluster / name
        before[path] = path.read_text()
        path.write_text(content)

    yield change
    for path, content in before.items():
        path.write_text(content)


def connect(server: Server, password: str | None = None) -> psycopg.Connection:
    return psycopg.connect(
        host=server.host,
        port=server.port,
        user=server.superuser,
        password=server.password if password is None else password,
        dbname="postgres",
        autocommit=True,
    )


def write_a_fact(server: Server) -> None:
    with connect(server) as connection:
        connection.execute("DROP TABLE IF EXISTS fact")
        connection.execute("CREATE TABLE fact AS SELECT 'kept' AS word")


def read_the_fact(server: Server) -> str:
    with connect(server) as connection:
        row = connection.execute("SELECT word FROM fact").fetchone()
        assert row is not None
        return row[0]


def comes_true(condition: Callable[[], bool], seconds: float = 60.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def start_in_another_process(state: Path, durable: bool) -> int:
    """Start a server from a process that is then killed. Gives the server's number."""
    program = f"""
        import os, signal
        from pathlib import Path
        from infra.embedded.postgres import Postgres
        print(Postgres(Path({str(state)!r}), durable={durable}).start().pid, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    return int(done.stdout)


class TestStart:
    def test_asks_for_the_password_it_made(self, postgres: Postgres) -> None:
        server = postgres.start()
        with connect(server) as connection:
            assert connection.execute("SELECT current_setting('server_version_num')::int / 10000").fetchone() == (18,)
        for wrong in ("", "postgres"):
            with pytest.raises(psycopg.OperationalError, match="password"):
                connect(server, wrong)

    def test_keeps_its_secrets_to_its_owner(self, postgres: Postgres) -> None:
        server = postgres.start()
        secrets = postgres.state / "secrets"
        assert (secrets / "superuser").read_text() == server.password
        assert [oct(path.stat().st_mode & 0o777) for path in (secrets, secrets / "superuser", postgres.cluster)] == [
            "0o700",
            "0o600",
            "0o700",
        ]
        assert server.password not in repr(server)

    @pytest.mark.skipif(not ON_LINUX, reason="reads the server's environment from /proc")
    def test_hears_nothing_of_the_callers_settings_and_path(
        self, postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        false = tmp_path / "bin" / "postgres"
        false.parent.mkdir()
        false.write_text("#!/bin/sh\nexit 1\n")
        false.chmod(0o755)
        (false.parent / "initdb").symlink_to(false)
        monkeypatch.setenv("PATH", f"{false.parent}:{os.environ['PATH']}")
        for name in ("PGDATA", "PGPORT", "PGOPTIONS", "PGDATESTYLE", "LD_LIBRARY_PATH", "LC_ALL"):
            monkeypatch.setenv(name, "/nowhere")
        server = postgres.start()
        heard = Path(f"/proc/{server.pid}/environ").read_bytes().decode()
        assert "/nowhere" not in heard
        assert os.readlink(f"/proc/{server.pid}/exe") == str(module.binary("postgres").resolve())

    def test_takes_another_port_when_somebody_has_its_own(self, postgres: Postgres) -> None:
        first = postgres.start()
        write_a_fact(first)
        postgres.stop()
        with socket.create_server((first.host, first.port)):
            second = postgres.start()
            assert second.port != first.port
            assert read_the_fact(second) == "kept"

    def test_is_not_fooled_by_a_pid_file_that_names_another_process(self, postgres: Postgres) -> None:
        postgres.start()
        postgres.stop()
        with subprocess.Popen(["sleep", "10"]) as another:
            (postgres.cluster / "postmaster.pid").write_text(f"{another.pid}\n{postgres.cluster}\n1\n5432\n")
            assert not postgres.running()
            assert postgres.start().pid != another.pid
            assert another.poll() is None
            another.kill()

    def test_refuses_data_of_another_major_version(
        self, postgres: Postgres, change: Callable[[str, str], None]
    ) -> None:
        change("PG_VERSION", "17\n")
        with pytest.raises(PostgresError, match="made by PostgreSQL 17, this is 18: start over with --fresh"):
            postgres.start()

    def test_says_in_the_servers_words_why_it_does_not_start(
        self, postgres: Postgres, change: Callable[[str, str], None]
    ) -> None:
        change("postgresql.conf", "no_such_setting = 1\n")
        with pytest.raises(PostgresError, match="no_such_setting"):
            postgres.start()


class TestLife:
    def test_keeps_data_and_address_over_a_stop(self, postgres: Postgres) -> None:
        first = postgres.start()
        write_a_fact(first)
        postgres.stop()
        assert not postgres.running()
        with pytest.raises(psycopg.OperationalError):
            connect(first)
        second = postgres.start()
        assert (second.port, second.password) == (first.port, first.password)
        assert read_the_fact(second) == "kept"

    def test_recovers_from_a_kill_in_the_middle_of_a_transaction(self, postgres: Postgres) -> None:
        first = postgres.start()
        write_a_fact(first)
        open_connection = connect(first)
        open_connection.autocommit = False
        open_connection.execute("UPDATE fact SET word = 'never committed'")
        os.kill(first.pid, signal.SIGKILL)
        assert comes_true(lambda: not birth_mark(first.pid))
        second = postgres.start()
        assert (second.port, second.pid != first.pid) == (first.port, True)
        assert read_the_fact(second) == "kept"

    def test_a_second_caller_gets_the_living_server(self, postgres: Postgres) -> None:
        assert Postgres(postgres.state).start() == postgres.start()

    def test_the_last_of_several_users_stops_it(self, postgres: Postgres) -> None:
        with postgres.shared() as mine:
            with Postgres(postgres.state).shared() as theirs:
                assert theirs == mine
            assert postgres.running()
        assert not postgres.running()

    def test_a_durable_one_outlives_its_starter_and_is_found(self, postgres: Postgres) -> None:
        pid = start_in_another_process(postgres.state, durable=True)
        assert postgres.start().pid == pid
        postgres.stop()
        assert not postgres.running()

    @pytest.mark.skipif(not ON_LINUX, reason="only Linux ends a child with its parent")
    def test_a_throw_away_one_dies_with_its_starter(self, postgres: Postgres) -> None:
        start_in_another_process(postgres.state, durable=False)
        assert comes_true(lambda: not postgres.running())


@pytest.mark.skipif(not (AS_ROOT and shutil.which("setpriv")), reason="only root can become somebody else")
class TestWhoRunsIt:
    @pytest.fixture
    def folder(self) -> Iterator[Path]:
        """A folder that anybody can reach, unlike those of pytest."""
        folder = Path(tempfile.mkdtemp(prefix="handrail-"))
        folder.chmod(0o777)
        yield folder
        shutil.rmtree(folder)

    def test_an_ordinary_user(self, folder: Path) -> None:
        nobody = pwd.getpwnam("nobody")
        as_nobody = ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups", "--"]
        program = f"""
            import sys
            assert sys.version_info >= (3, 11)
            from pathlib import Path
            from infra.embedded.postgres import Postgres
            with Postgres(Path({str(folder / "state")!r})) as server:
                print(Path(f"/proc/{{server.pid}}").stat().st_uid)
        """
        wheels = module.binary("postgres").parents[3]
        for python in (sys.executable, "/usr/bin/python3"):
            done = subprocess.run(
                [*as_nobody, python, "-c", textwrap.dedent(program)] if os.path.exists(python) else ["false"],
                cwd=folder,
                env={"PATH": "/usr/bin:/bin", "PYTHONPATH": f"{ROOT}:{wheels}", "PYTHONDONTWRITEBYTECODE": "1"},
                capture_output=True,
                text=True,
            )
            if done.returncode == 0:
                assert done.stdout.split() == [str(nobody.pw_uid)]
                return
            if "Permission denied" not in done.stderr:
                pytest.fail(done.stderr)
        pytest.skip("an ordinary user can reach no suitable Python or not this checkout")

    def test_root_where_user_namespaces_are_forbidden(
        self, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        nobody = pwd.getpwnam("nobody")
        monkeypatch.setattr(module, "identity", lambda: Identity(user=nobody.pw_uid, group=nobody.pw_gid))
        monkeypatch.setattr(module, "NOBODYS_HOME", folder / "nobodys")
        monkeypatch.setattr(module, "_open_to_everybody", lambda path: False)  # a checkout in root's closed home
        postgres = Postgres(tmp_path / "state", durable=False)
        with postgres as server:
            assert Path(f"/proc/{server.pid}").stat().st_uid == nobody.pw_uid
            assert postgres.cluster.is_relative_to(folder)
            write_a_fact(server)
        assert read_the_fact(postgres.start()) == "kept"
        postgres.destroy()
        assert not postgres.cluster.exists()
