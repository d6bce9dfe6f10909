"""The tables of `asvs.md` and of `accounts/README.md` name tests and settings that are there; the first is whole."""

import ast
import re
from collections import Counter
from pathlib import Path

import pytest
from django.conf import settings

TESTS = Path(__file__).resolve().parents[1]
PAGE = (TESTS / "asvs.md").read_text()
FAULTS = (TESTS / "accounts" / "README.md").read_text()
NAMED = sorted(set(re.findall(r"`([\w./]+\.py(?:::\w+)*)`", PAGE + FAULTS)))
ROWS = re.findall(r"^\| (\d+\.\d+\.\d+) \| ([^|]+) \| (\d) \| ([^|]+) \|$", PAGE, re.MULTILINE)


def is_there(name: str) -> bool:
    """Whether a file, a class in it or a test in that, as `path::Class::test` below this folder, exists."""
    path, *inside = name.split("::")
    if not (TESTS / path).is_file():
        return False
    node: ast.AST = ast.parse((TESTS / path).read_text())
    for each in inside:
        found = [one for one in ast.iter_child_nodes(node) if getattr(one, "name", None) == each]
        if not found:
            return False
        node = found[0]
    return True


class TestTheTable:
    @pytest.mark.parametrize("name", NAMED)
    def test_names_what_is_there(self, name):
        assert is_there(name)

    def test_names_settings_that_are_there(self):
        assert not [name for name in re.findall(r"`([A-Z][A-Z\d]*_[A-Z\d_]+)`", PAGE) if not hasattr(settings, name)]

    def test_answers_each_requirement_of_levels_1_and_2_once(self):
        assert Counter(number.split(".")[0] for number, *_ in ROWS) == {"6": 35, "7": 18, "8": 7, "10": 29}
        assert len({number for number, *_ in ROWS}) == len(ROWS)
        assert {level for _, _, level, _ in ROWS} == {"1", "2"}
        assert len(ROWS) == len(re.findall(r"^\| \d", PAGE, re.MULTILINE))
