"""The description of what programs read: it is valid, public, and what the answers are, whatever is asked."""

import json
from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.test import Client
from django.utils import timezone
from factories import PupilFactory, recorded_policy
from hypothesis import HealthCheck, given, settings
from openapi_spec_validator import validate
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks

from handrail.core.calendar import day_of
from handrail.plans.models import HealthcarePlan
from handrail.reporting.columns import fields
from handrail.reporting.openapi import ADDED, description, dictionary
from handrail.reporting.tables import TABLES
from tenants.context import inside

pytestmark = pytest.mark.django_db
SCHEMA = "/api/v1/openapi.json"

load_all_checks()
NOT_OURS = [CHECKS.get_one(name) for name in ("ignored_auth", "unsupported_method", "positive_data_acceptance")]
"""The first two ask by themselves, without our host: tests of our own hold both. And a made-up cursor is refused."""


class TestTheDescription:
    def test_is_valid(self):
        assert description()["openapi"].startswith("3.1")
        validate(description())

    def test_is_there_for_everybody(self, one):
        answer = Client(HTTP_HOST=one.host).get(SCHEMA)
        assert json.loads(answer.content) == description()

    def test_has_all_that_was_ever_in_v1(self):
        """What is new is added to `v1.txt`, and what programs can read since when to `openapi.ADDED`. Nothing goes."""
        columns = {f"{name}.{column}" for name, table in TABLES.items() for column in fields(table.row)}
        filters = {f"{name}?{each}" for name, table in TABLES.items() for each in table.filters}
        assert columns | filters == set((Path(__file__).parent / "v1.txt").read_text().split())
        assert all(f"- {day}: {what}." in description()["info"]["description"] for day, what in ADDED)

    def test_has_every_table_and_column_in_words(self):
        for table in TABLES.values():
            asked = description()["paths"][f"/api/v1/{table.name}"]["get"]
            assert {each["name"] for each in asked["parameters"]} == {*table.filters, "limit", "cursor", "all"}
            assert all(each["description"] for each in asked["parameters"])
            assert [each["column"] for each in dictionary(table)] == list(fields(table.row))
            assert all(each["meaning"].endswith(".") for each in dictionary(table))


@pytest.fixture
def application() -> Iterator[Any]:
    """The product as a server has it, on this test's connection, which no request closes at its end."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield get_wsgi_application()
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture
def described(application: Any, monkeypatch: Any) -> Any:
    """Gives a description, with which schemathesis asks the product as often as it likes."""
    monkeypatch.setattr("handrail.reporting.api.CALLS_A_MINUTE", 10**9)

    def made(told: dict[str, Any]) -> Any:
        found = schemathesis.openapi.from_dict(told)
        found.app = application
        return found

    return made


DAY = day_of(timezone.now()) - timedelta(days=3)
FACTS = {
    "policy-reviews": {"kind": "medical_conditions", "reviewed_on": str(DAY), "outcome": "no_change"},
    "plan-reviews": {"upn": "B801200005001", "reviewed_on": str(DAY), "outcome": "updated"},
    "sickness-returns": {"upn": "B801200005001", "first_on": str(DAY), "is_likely": True, "address": "1 High Street"},
}


def of_fact(name: str) -> dict[str, Any]:
    """The description of one of them, with it as the only body, since none that comes by chance is true; and with a
    link on to the same again.
    """
    told, path = deepcopy(description()), f"/api/v1/{name}"
    one = {field: {"enum": [value]} for field, value in {"urn": "900001", **FACTS[name]}.items()}
    body = {"type": "object", "properties": one, "required": [*one], "additionalProperties": False}
    told["paths"] = {path: told["paths"][path]}
    asked = told["paths"][path]["post"]
    asked["requestBody"]["content"] = {"application/json": {"schema": body}}
    again = {"operationId": asked["operationId"], "requestBody": {"urn": "$request.body#/urn"}}
    for status in ("200", "201"):
        asked["responses"][status].setdefault("links", {})["again"] = again
    return told


class TestWhateverIsAsked:
    """By `--long` some thousands of cases, else a few for each address."""

    def test_is_answered_as_described(self, described: Any, one: Any, key_of: Any, long: bool) -> None:
        asked, headers = 0, {"Authorization": f"Bearer {key_of()[1]}"}
        for found in described(description()).get_all_operations():
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

                @given(case=found.ok().as_strategy(generation_mode=mode))
                @as_often(150 if long else 8, long=long)
                def ask(case: Any) -> None:
                    nonlocal asked
                    asked += 1
                    case.call_and_validate(base_url=f"http://{one.host}", headers=headers, excluded_checks=NOT_OURS)

                ask()
        assert asked > 100

    def test_is_answered_as_described_step_by_step(self, described: Any, walk: Any, long: bool) -> None:
        """From page to page, from a school to what is about it, from what was written to where it can be read."""
        answers = walk(described(description()), as_often(800 if long else 12, long=long, stateful_step_count=6))
        assert answers["GET", 200]

    @pytest.mark.parametrize("name", FACTS)
    def test_is_written_step_by_step(self, described: Any, walk: Any, name: str, long: bool) -> None:
        """A fact is made once, is unchanged from then on, and can be read."""
        answers = walk(described(of_fact(name)), as_often(200 if long else 4, long=long, stateful_step_count=6))
        assert (answers["POST", 201], answers["POST", 200] > 0, answers["GET", 200] > 0) == (1, True, True)

    @pytest.fixture
    def walk(self, one: Any, cast: Any, key_of: Any) -> Any:
        """Takes the steps of a description, in which Oak School has a policy and a child with a plan. Gives how often
        which answer was given to which method.
        """
        with inside(one):
            for school in (cast.oak, cast.elm):
                recorded_policy(school, next_review_on=DAY + timedelta(days=20))
            child = PupilFactory(school=cast.oak, upn=FACTS["plan-reviews"]["upn"])
            HealthcarePlan.objects.create(pupil=child, stage="active", due_on=DAY + timedelta(days=20))
        headers = {"Authorization": f"Bearer {key_of()[1]}"}

        def call_kwargs(_steps: Any, _case: Any) -> dict[str, Any]:
            return {"base_url": f"http://{one.host}", "headers": headers}

        def take(told: Any, often: Any) -> Counter[tuple[str, int]]:
            answers = Counter[tuple[str, int]]()

            def validate(_steps: Any, response: Any, case: Any, **_more: Any) -> None:
                answers[case.method, response.status_code] += 1
                case.validate_response(response, excluded_checks=NOT_OURS)

            steps = told.as_state_machine()
            steps.get_call_kwargs, steps.validate_response = call_kwargs, validate
            steps.run(settings=often)
            return answers

        return take


def as_often(cases: int, *, long: bool, **more: Any) -> Any:
    return settings(
        max_examples=cases,
        deadline=None,
        database=None,
        derandomize=not long,
        suppress_health_check=list(HealthCheck),
        **more,
    )
