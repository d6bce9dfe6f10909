"""What docker/compose.yaml tells each container is what the product reads, and all that it needs."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from handrail.config.env import read_env, whole_environment

ROOT = Path(__file__).parents[2]
SERVICES = yaml.safe_load((ROOT / "docker/compose.yaml").read_text())["services"]
OURS = [name for name, service in SERVICES.items() if service.get("image") == "handrail"]


def told(name: str) -> dict[str, str]:
    """The environment of a container whose docker/.env holds all that docker/README.md asks for."""
    written = {"HANDRAIL_VAULT_KEY": "A" * 43 + "=", "HANDRAIL_MAIL_PROVIDER": "smtp"}
    return {each: written.get(each, value) for each, value in SERVICES[name]["environment"].items()}


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> Any:
    for name in whole_environment():
        if name.startswith("HANDRAIL_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HANDRAIL_STORE", "/var/lib/handrail/documents")  # the image's
    return monkeypatch


class TestEachContainer:
    @pytest.mark.parametrize("name", OURS)
    def test_is_told_all_that_it_needs(self, name: str, alone: Any) -> None:
        for each, value in told(name).items():
            alone.setenv(each, value)
        assert read_env().mode == "production"

    @pytest.mark.parametrize("name", OURS)
    def test_is_told_nothing_that_nobody_reads(self, name: str) -> None:
        reader = (ROOT / "src/handrail/config/env.py").read_text()
        assert [each for each in told(name) if f'"{each.removeprefix("HANDRAIL_")}"' not in reader] == []

    def test_that_serves_has_only_the_login_that_serves(self) -> None:
        assert OURS == ["set-up", "web", "worker", "beat"]
        for name in ("web", "worker", "beat"):
            assert not {"HANDRAIL_OWNER_PASSWORD", "HANDRAIL_SUPERUSER_URL"} & set(told(name))
        assert "HANDRAIL_BROKER_URL" not in told("web")
