"""What the data page gives to be copied: the Python of it run against a live server, the rest held to the tables."""

import re
import subprocess
import sys
from typing import Any

import pytest

from handrail.reporting.columns import fields
from handrail.reporting.snippets import POWER_QUERY, PYTHON, R, snippets
from handrail.reporting.tables import TABLES

SITE = "https://handrail.barsetshire.example"

HERE = """
import socket
found = socket.getaddrinfo
socket.getaddrinfo = lambda host, *more, **others: found("127.0.0.1", *more, **others)
"""
"""Every name is this machine."""


@pytest.mark.parametrize("table", TABLES.values(), ids=list(TABLES))
class TestEveryProgram:
    def test_is_given_the_address_and_every_column(self, table: Any) -> None:
        found = snippets(table, SITE)
        assert set(found) == {POWER_QUERY, R, PYTHON}
        for text in found.values():
            assert SITE in text
            assert f"api/v1/{table.name}.csv" in text
        assert re.findall(r'{"(\w+)", [\w. ]+}', found[POWER_QUERY]) == list(fields(table.row))
        assert re.findall(r"(\w+) = col_\w+\(\)", found[R]) == list(fields(table.row))

    def test_of_power_bi_can_be_refreshed(self, table: Any) -> None:
        """Its base is the same each time: Power BI refuses to refresh an address that is put together."""
        text = snippets(table, SITE)[POWER_QUERY]
        assert f'"{SITE}",' in text
        assert "RelativePath" in text
        assert "Query = [all" in text
        for opening, closing in ("()", "[]", "{}"):
            assert text.count(opening) == text.count(closing)


class TestPython:
    def test_reads_every_table_from_a_live_server(self, live: Any) -> None:
        site, key = live.site, live.key
        for table in TABLES.values():
            text = snippets(table, site)[PYTHON]
            said = run(text, key)
            assert re.fullmatch(r"\d+ rows\n", said)
            if table.name == "schools":
                assert said == "2 rows\n"

    def test_reads_by_the_name_of_a_server_elsewhere(self, live: Any) -> None:
        elsewhere = f"http://handrail.example:{live.port}"
        text = snippets(TABLES["schools"], elsewhere)[PYTHON]
        assert f'"{elsewhere}/api' in text
        assert "Host" not in text
        assert run(HERE + text.replace(elsewhere, live.site), live.key) == "2 rows\n"


def run(program: str, key: str) -> str:
    """What it prints."""
    ran = subprocess.run(
        [sys.executable, "-c", program], env={"HANDRAIL_KEY": key}, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout
