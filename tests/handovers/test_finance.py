"""What finance is told: where two authorities are concerned, and no charge."""

import pytest

from handrail.handovers.finance import flags


@pytest.mark.parametrize(
    ("is_looked_after", "setting_type", "home", "host", "told"),
    [
        (True, 7, "001", "002", ["A looked-after child", "A special school"]),
        (True, 14, "001", "002", ["A looked-after child"]),
        (False, 33, "001", "002", ["A special school"]),
        (False, None, "001", "002", []),
        (True, 7, "001", "001", []),
        (True, 7, "", "002", []),
        (True, 7, "001", "", []),
    ],
)
def test_is_told_of_children_of_another_authority(
    is_looked_after: bool, setting_type: int | None, home: str, host: str, told: list[str]
) -> None:
    assert flags(is_looked_after=is_looked_after, setting_type=setting_type, home=home, host=host) == told
