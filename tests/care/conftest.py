"""A child of Oak School, and the moment at which pages are asked for."""

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
def facts(on):
    """What is said of an ordinary medicine."""
    return {
        "kind": "medicine",
        "name": "Cetirizine syrup",
        "dose": "5 ml when the skin itches",
        "place": "School office",
        "given_by": "Ann Able",
        "expires_on": on.replace(year=2027),
        "received_on": on,
        "accepted": ["labelled", "in_date", "container", "instructions"],
        "consent_by": "Pat Parent",
        "consent_on": on,
    }
