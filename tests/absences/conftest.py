"""Children of Oak School, a named officer, the terms of the year, and the moment at which pages are asked for."""

from datetime import date, timedelta

import pytest
from factories import PupilFactory, person

from handrail.absences.actions import make_return
from handrail.accounts.roles import Role
from handrail.schools.models import Term
from tenants.context import inside


@pytest.fixture(autouse=True)
def clock(monkeypatch, at):
    """Pages are asked for at the moment of the tests."""
    monkeypatch.setattr("handrail.accounts.middleware.timezone.now", lambda: at)


@pytest.fixture
def terms(one):
    """The autumn of 2026 and the spring after it."""
    with inside(one):
        Term.objects.create(
            school_year=2026,
            number=1,
            first_on=date(2026, 9, 2),
            last_on=date(2026, 12, 18),
            half_from_on=date(2026, 10, 26),
            half_to_on=date(2026, 10, 30),
        )
        Term.objects.create(school_year=2026, number=2, first_on=date(2027, 1, 4), last_on=date(2027, 3, 25))


@pytest.fixture
def poppy(one, cast):
    with inside(one):
        return PupilFactory(school=cast.oak, name="Poppy Canarywright")


@pytest.fixture
def nora(one, cast):
    with inside(one):
        return person("nora@barsetshire.example", Role.NAMED_OFFICER, name="Nora Named")


@pytest.fixture
def report(cast, at):
    """`report(child, first_on)` makes a return, as the head and on its first day, or now. Call inside a door."""

    def make(pupil, first_on, **more):
        then = min(at, at.replace(year=first_on.year, month=first_on.month, day=first_on.day))
        given = {"is_likely": False, "says": {"address": "1 High Street"}, "by": cast.head, "at": then} | more
        return make_return(pupil=pupil, first_on=first_on, **given)

    return make


@pytest.fixture
def days_ago(on):
    return lambda number: on - timedelta(days=number)
