"""Somebody who acts, without the rest of the cast."""

from typing import Any

import pytest


@pytest.fixture
def cast_officer(here: Any) -> Any:
    """A policy officer, inside the open door."""
    from factories import person

    from handrail.accounts.roles import Role

    return person("officer@barsetshire.example", Role.POLICY_OFFICER, name="Olu Officer")
