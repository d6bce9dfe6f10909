"""Pages happen at the moment of the tests; a policy is put on file in one line; lists are read as rows."""

import csv
import io
from collections.abc import Callable
from datetime import date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from factories import PolicyFactory, SchoolFactory, recorded_policy

from handrail.policies.models import Kind, Policy
from handrail.schools.models import School

AGES = (None, -400, -91, -90, -31, -30, -8, -7, -1, 0, 1, 6, 7, 30, 31, 89, 90, 200)
"""Days until a review: both sides of every boundary."""


@pytest.fixture(autouse=True)
def pages_happen_at(monkeypatch: pytest.MonkeyPatch, at: datetime) -> None:
    monkeypatch.setattr("handrail.accounts.middleware.timezone", SimpleNamespace(now=lambda: at))


@pytest.fixture
def policy(on: date) -> Callable[..., Policy]:
    """`policy(school, due_in=-3)`: one that was due three days ago; without `due_in`, one never recorded."""

    def put(school: School, kind: Kind = Kind.MEDICAL_CONDITIONS, *, due_in: int | None = None, **more: Any) -> Policy:
        if due_in is None:
            return PolicyFactory(school=school, kind=kind, **more)
        return recorded_policy(school, kind=kind, next_review_on=on + timedelta(days=due_in), **more)

    return put


@pytest.fixture
def many(policy: Callable[..., Policy]) -> Callable[[int], None]:
    """`many(n)`: that many schools of several kinds, some closed, with policies of every age."""

    def put(count: int) -> None:
        for number in range(count):
            school = SchoolFactory(
                phase_name=("Primary", "Secondary")[number % 2],
                body="independent_school" if number % 11 == 5 else "maintained_school",
                trust_name="" if number % 3 else "Wessex Trust",
                closed_on=date(2026, 8, 31) if number % 13 == 7 else None,
            )
            for place, kind in enumerate((Kind.MEDICAL_CONDITIONS, Kind.ALLERGY_SAFETY, Kind.CANNOT_ATTEND)):
                age = AGES[(number * 3 + place * 5) % len(AGES)]
                policy(school, kind, due_in=age, not_needed_reason="Shared" if number % 17 == 3 else "")

    return put


@pytest.fixture
def rows() -> Callable[[Any], list[dict[str, str]]]:
    """The rows of a CSV answer."""

    def read(response: Any) -> list[dict[str, str]]:
        text = b"".join(response.streaming_content).decode("utf-8-sig")
        return list(csv.DictReader(io.StringIO(text, newline="")))

    return read
