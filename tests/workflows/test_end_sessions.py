"""Everybody is signed out at once by command, and programs only when that is asked for."""

from argparse import Namespace
from datetime import timedelta
from typing import Any

import pytest

from handrail.core.audit import CLOCK
from handrail.core.calendar import day_of
from handrail.core.models import AuditEntry
from handrail.reporting.actions import make_key
from handrail.reporting.models import ApiKey, Scope
from tenants.context import inside
from workflows.commands import end_sessions as command

pytestmark = pytest.mark.django_db


def run(*, authority: str | None = None, keys: bool = False) -> int:
    return command.run(Namespace(authority=authority, all=authority is None, keys=keys))


@pytest.fixture
def key(one: Any, at: Any) -> Any:
    with inside(one):
        made, _ = make_key(
            name="Power BI", scopes=[Scope.AGGREGATE], expires_on=day_of(at) + timedelta(days=3650), by=CLOCK, at=at
        )
    return made


def is_in(client: Any) -> bool:
    return bool(client.get("/account/").status_code == 200)


def test_of_one_authority(cast, one, two, browse, key, capsys):
    here, there = [browse(cast.head), browse(cast.officer)], browse(cast.stranger, authority=two)
    assert all(map(is_in, [*here, there]))
    assert run(authority="001") == 0
    assert capsys.readouterr().out == "001: people signed out: 2\n"
    assert [is_in(each) for each in (*here, there)] == [False, False, True]
    with inside(one):
        assert AuditEntry.objects.get(verb="signed everybody out").role == "clock"
        assert ApiKey.objects.get().revoked_at is None


def test_of_all(cast, one, two, browse, capsys):
    here, there = browse(cast.head), browse(cast.stranger, authority=two)
    assert run() == 0
    assert capsys.readouterr().out == "001: people signed out: 1\n002: people signed out: 1\n"
    assert [is_in(each) for each in (here, there)] == [False, False]


def test_with_the_keys_of_programs(cast, one, key, capsys):
    assert run(authority="001", keys=True) == 0
    assert "keys revoked: 1" in capsys.readouterr().out
    with inside(one):
        assert ApiKey.objects.get().revoked_at
        assert AuditEntry.objects.get(verb="revoked a key of a program").subject_id == key.id
    assert run(authority="001", keys=True) == 0
    assert "keys revoked: 0" in capsys.readouterr().out


def test_of_one_that_is_not_there(cast, capsys):
    assert run(authority="009") == 1
    assert "There is no authority with the code 009" in capsys.readouterr().err
