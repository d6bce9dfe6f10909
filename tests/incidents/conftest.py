"""A child of Oak School, and the moment at which pages are asked for."""

from datetime import timedelta

import pytest
from factories import PupilFactory

from tenants.context import inside


@pytest.fixture(autouse=True)
def clock(monkeypatch, at):
    """Pages are asked for at the moment of the tests."""
    monkeypatch.setattr("handrail.accounts.middleware.timezone.now", lambda: at)


@pytest.fixture
def poppy(one, cast):
    with inside(one):
        return PupilFactory(school=cast.oak, name="Poppy Canarywright")


@pytest.fixture
def facts(at):
    """What is said of an ordinary incident."""
    return {
        "kind": "near_miss",
        "harm": "none",
        "happened_at": at - timedelta(hours=1),
        "place": "Dining hall",
        "what_happened": "The wrong tray was handed out.",
        "what_was_done": "It was taken back before anybody ate.",
    }
