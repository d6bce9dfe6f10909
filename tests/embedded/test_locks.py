"""The lock files: everything by hash, from whichever package index the installer uses."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RUNNING, DEVELOPING = ROOT / "requirements.lock", ROOT / "requirements-dev.lock"


def entries(lock: Path) -> dict[str, str]:
    """Each requirement, with its version and conditions, and the text of its hashes."""
    parts = re.split(r"^(?=\S)", lock.read_text(), flags=re.MULTILINE)
    return {part.split("\\")[0].strip(): part for part in parts if part.strip()}


@pytest.mark.parametrize("lock", [RUNNING, DEVELOPING], ids=lambda lock: lock.name)
class TestLock:
    def test_names_no_address(self, lock: Path) -> None:
        assert "://" not in lock.read_text()

    def test_has_a_version_and_a_hash_for_everything(self, lock: Path) -> None:
        for requirement, text in entries(lock).items():
            assert "==" in requirement and "--hash=sha256:" in text, requirement


def test_developing_adds_to_running_and_changes_nothing() -> None:
    """Which of the two was installed last makes no difference to the product."""
    names = {entry.split(" ;")[0] for entry in entries(DEVELOPING)}
    assert {entry.split(" ;")[0] for entry in entries(RUNNING)} <= names
