"""The commands about keys, run as an operator would: killed in the middle, beside people at work, and without a key."""

import base64
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from databases import ROOT, connected, handrail, scratch
from django.db import connections

from handrail.config.env import whole_environment
from handrail.core import rotation, vault
from handrail.core.models import AuditEntry, DataKey, Document
from handrail.core.vault import VaultClosed
from tenants.context import inside
from tenants.routing import authority_by_code

AT = datetime(2026, 11, 23, 9, 5, tzinfo=UTC)
ROWS = 600
KILLS = 2


@pytest.fixture(scope="module")
def database(django_db_blocker: Any) -> Iterator[str]:
    with scratch("test_keys") as name, django_db_blocker.unblock(), connected(name):
        yield name


@pytest.fixture
def one(database: str) -> Any:
    return authority_by_code("001")


def document(number: int) -> Document:
    return Document(added_at=AT, size=0, is_sealed=True, secrets={"name": f"{number}"})


def at_work(authority: Any, ids: list[UUID], changed: dict[UUID, str], until: threading.Event) -> list[Exception]:
    """Somebody who reads and changes documents for as long as it takes; gives what went wrong."""
    failed: list[Exception] = []
    chance = random.Random(threading.get_ident())
    try:
        while not until.is_set():
            with inside(authority):
                row = Document.objects.select_for_update().get(id=chance.choice(ids))
                name = f"{row.file_name}+"
                row.secrets = {"name": name}
                row.save(update_fields=["secrets"])
            changed[row.id] = name
    except Exception as error:
        failed.append(error)
    finally:
        connections.close_all()
    return failed


class TestRotateKeys:
    @pytest.mark.storm
    def test_loses_nothing_when_it_is_killed_again_and_again(self, database: str, one: Any) -> None:
        with inside(one):
            made = Document.objects.bulk_create(document(number) for number in range(ROWS))
        names = {row.id: row.secrets["name"] for row in made}
        until, failed = threading.Event(), []
        halves = [list(names)[::2], list(names)[1::2]]
        workers = [
            threading.Thread(target=lambda ids=ids: failed.extend(at_work(one, ids, names, until))) for ids in halves
        ]
        for each in workers:
            each.start()
        hit = 0
        try:
            for number in range(KILLS):
                process = _begin(database)
                _wait_for_rows(one, ROWS * number // (KILLS + 1), process)
                process.send_signal(signal.SIGKILL)
                hit += process.wait() == -signal.SIGKILL
                self.assert_everything_opens(one)
            process = _begin(database)
            out, error = process.communicate(timeout=120)
        finally:
            until.set()
            for each in workers:
                each.join()
        assert failed == []
        assert process.returncode == 0, error
        assert hit >= 1
        report = json.loads(out)["authorities"]["001"]
        assert (report["key"], report["left"], report["unreadable"]) == (2, 0, [])
        with inside(one):
            assert DataKey.objects.count() == 2
            assert set(rotation._keys_in_use()) == {DataKey.objects.get(number=2).id}
            assert {row.id: row.file_name for row in Document.objects.all()} == names
            Document.objects.all().delete()

    @staticmethod
    def assert_everything_opens(authority: Any) -> None:
        vault._unwrapped.clear()
        with inside(authority):
            assert sum(1 for row in Document.objects.all() if row.file_name) == ROWS

    def test_works_in_one_authority_when_asked_to(self, database: str, one: Any) -> None:
        two = authority_by_code("002")
        for authority in (one, two):
            with inside(authority):
                document(1).save()
        before = {each.code: _newest(each) for each in (one, two)}
        done = handrail("rotate-keys", "--authority", "002", HANDRAIL_DB_NAME=database)
        assert (done.returncode, done.stdout) == (0, f"002: key {before['002'] + 1}, 1 rows sealed anew\n")
        assert _newest(one) == before["001"]
        for authority in (one, two):
            with inside(authority):
                Document.objects.all().delete()

    def test_knows_no_authority_that_is_not_there(self, database: str) -> None:
        done = handrail("rotate-keys", "--authority", "999", HANDRAIL_DB_NAME=database)
        assert (done.returncode, done.stdout) == (1, "")
        assert "There is no authority with the code 999" in done.stderr

    def test_says_which_key_it_lacks(self, database: str, one: Any) -> None:
        with inside(one):
            document(1).save()
        before = _newest(one)
        done = handrail("rotate-keys", HANDRAIL_DB_NAME=database, HANDRAIL_VAULT_KEY=in_base64(os.urandom(32)))
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("The keys cannot be used: this process was not given the key environment:")
        assert "Traceback" not in done.stderr
        assert _newest(one) == before


class TestRewrapKeys:
    def test_lets_the_environments_key_be_changed(self, database: str, one: Any, process: Any, settings: Any) -> None:
        [old], new = settings.VAULT_KEYS, os.urandom(32)
        with inside(one):
            made = document(7)
            made.save()

        def opens_with(key: bytes) -> bool:
            process(keys=(key,))
            try:
                with inside(one):
                    return Document.objects.get(id=made.id).file_name == "7"
            except VaultClosed:
                return False

        refused = handrail("rewrap-keys", "--json", HANDRAIL_DB_NAME=database, HANDRAIL_VAULT_KEY=in_base64(new))
        assert refused.returncode == 1
        assert "001" in json.loads(refused.stdout)["failed"]
        assert (opens_with(old), opens_with(new)) == (True, False)
        done = handrail("rewrap-keys", HANDRAIL_DB_NAME=database, HANDRAIL_VAULT_KEY=in_base64(new, old))
        assert (done.returncode, done.stderr) == (0, "")
        assert (opens_with(old), opens_with(new)) == (False, True)
        with inside(one):
            entry = AuditEntry.objects.filter(subject_kind="data_key").latest("at")
            assert entry.verb == "wrapped a data key anew"


def in_base64(*keys: bytes) -> str:
    return ",".join(base64.b64encode(key).decode() for key in keys)


def _environment(database: str) -> dict[str, str]:
    return {
        **whole_environment(),
        "DJANGO_SETTINGS_MODULE": "handrail.config.settings",
        "HANDRAIL_LOGIN": "app",
        "HANDRAIL_DB_NAME": database,
    }


def _begin(database: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "handrail", "rotate-keys", "--authority", "001", "--json"],
        env=_environment(database),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


def _sealed_with_the_second(authority: Any) -> int:
    with inside(authority):
        second = DataKey.objects.filter(number=2).first()
        return ROWS - rotation._count_stale(Document, second) if second else 0


def _newest(authority: Any) -> int:
    with inside(authority):
        number: int = DataKey.objects.latest("number").number
        return number


def _wait_for_rows(authority: Any, number: int, process: "subprocess.Popen[str]") -> None:
    while _sealed_with_the_second(authority) <= number and process.poll() is None:
        time.sleep(0.01)
