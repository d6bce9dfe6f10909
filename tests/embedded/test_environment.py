"""What each process is told: never more than it needs."""

import socket
from pathlib import Path

import pytest

from infra.embedded import demo, environment
from infra.embedded.postgres import Server

SERVER = Server("127.0.0.1", 5555, "postgres", "administrators-password", 1)
NOT_FOR_PAGES = {"HANDRAIL_OWNER_PASSWORD", "HANDRAIL_SUPERUSER_URL", "HANDRAIL_BROKER_URL"}


class TestEnvironment:
    def test_pages_get_one_login_even_when_the_caller_has_more(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in NOT_FOR_PAGES:
            monkeypatch.setenv(name, "of the caller")
        told = environment.for_web(SERVER, tmp_path, mode="demo", site_port=8000)
        assert told["HANDRAIL_LOGIN"] == "app"
        assert not NOT_FOR_PAGES & set(told)
        others = {environment.for_commands(SERVER, tmp_path, mode="demo")[name] for name in NOT_FOR_PAGES}
        assert not others & set(told.values())

    def test_work_gets_the_doorbell_and_no_owner(self, tmp_path: Path) -> None:
        told = environment.for_work(SERVER, tmp_path, mode="demo")
        assert NOT_FOR_PAGES & set(told) == {"HANDRAIL_BROKER_URL"}

    def test_secrets_are_made_once(self, tmp_path: Path) -> None:
        first, second = (environment.for_commands(SERVER, tmp_path, mode="demo") for _ in range(2))
        assert first == second
        assert len({first[f"HANDRAIL_{name}"] for name in ("APP_PASSWORD", "OWNER_PASSWORD", "SECRET_KEY")}) == 3

    def test_postgresqls_own_variables_do_not_reach_the_product(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PGOPTIONS", "-c search_path=elsewhere")
        assert "PGOPTIONS" not in environment.for_commands(SERVER, tmp_path, mode="test")


class TestDemo:
    def test_takes_the_next_port_and_says_so(self, capsys: pytest.CaptureFixture[str]) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            assert demo._free_port(port) > port
        assert f"Port {port} is in use by another program: the demo takes" in capsys.readouterr().out

    def test_runs_once_and_says_where(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(demo, "STATES", tmp_path)
        with demo._the_only_demo() as note:
            note("http://barsetshire.localhost:8000/")
            refused = pytest.raises(SystemExit, match=r"already running: http://barsetshire\.localhost:8000/")
            with refused, demo._the_only_demo():
                pass
        with demo._the_only_demo():
            pass
