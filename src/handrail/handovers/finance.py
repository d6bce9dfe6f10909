"""What the finance teams of two authorities have to know of a case. Nothing here works out a charge. Pure."""

SPECIAL = frozenset({7, 8, 10, 12, 33, 36, 44})
"""The types of special schools, by the register's codes."""


def flags(*, is_looked_after: bool, setting_type: int | None, home: str, host: str) -> list[str]:
    """What is to be told where the child lives in one authority and is taught in another; `home` and `host` by code.

    Charges between authorities for looked-after children are in the Inter-authority Recoupment (England) Regulations,
    as amended from September 2026.
    """
    if not home or not host or home == host:
        return []
    known = [("A looked-after child", is_looked_after), ("A special school", setting_type in SPECIAL)]
    return [words for words, is_so in known if is_so]
