"""The description of what programs read: it is valid, public, and what the answers are, whatever is asked."""

import json
from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from datetime import date
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.test import Client
from factories import recorded_policy
from hypothesis import HealthCheck, given, settings
from openapi_spec_validator import validate
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks

from handrail.reporting.columns import fields
from handrail.reporting.openapi import description, dictionary
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
    """The description, with which schemathesis asks the product as often as it likes.

    A school’s policy is reviewed in it too: a link that has most of a body is of no use to people.
    """
    monkeypatch.setattr("handrail.reporting.api.CALLS_A_MINUTE", 10**9)
    told = deepcopy(description())
    schools = told["paths"]["/api/v1/schools"]["get"]["responses"]["200"]["links"]
    body = {"urn": "$response.body#/data/0/urn", "kind": "medical_conditions", "outcome": "no_change"}
    schools["reviewed"] = {"operationId": "write_policy_reviews", "requestBody": body}
    found = schemathesis.openapi.from_dict(told)
    found.app = application
    return found


class TestWhateverIsAsked:
    """By `--long` some thousands of cases, else a few for each address."""

    def test_is_answered_as_described(self, described: Any, one: Any, key_of: Any, long: bool) -> None:
        asked, headers = 0, {"Authorization": f"Bearer {key_of()[1]}"}
        for found in described.get_all_operations():
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

                @given(case=found.ok().as_strategy(generation_mode=mode))
                @as_often(150 if long else 8, long=long)
                def ask(case: Any) -> None:
                    nonlocal asked
                    asked += 1
                    case.call_and_validate(base_url=f"http://{one.host}", headers=headers, excluded_checks=NOT_OURS)

                ask()
        assert asked > 100

    def test_is_answered_as_described_step_by_step(
        self, described: Any, one: Any, cast: Any, key_of: Any, long: bool
    ) -> None:
        """From page to page, from a school to what is about it, from what was written to where it can be read."""
        with inside(one):
            for school in (cast.oak, cast.elm):
                recorded_policy(school, next_review_on=date(2030, 1, 1))
        headers, answers = {"Authorization": f"Bearer {key_of()[1]}"}, Counter[int]()

        def call_kwargs(_steps: Any, _case: Any) -> dict[str, Any]:
            return {"base_url": f"http://{one.host}", "headers": headers}

        def validate(_steps: Any, response: Any, case: Any, **_more: Any) -> None:
            answers[response.status_code] += 1
            case.validate_response(response, excluded_checks=NOT_OURS)

        steps = described.as_state_machine()
        steps.get_call_kwargs, steps.validate_response = call_kwargs, validate
        steps.run(settings=as_often(800 if long else 12, long=long, stateful_step_count=6))
        assert answers[200]


def as_often(cases: int, *, long: bool, **more: Any) -> Any:
    return settings(
        max_examples=cases,
        deadline=None,
        database=None,
        derandomize=not long,
        suppress_health_check=list(HealthCheck),
        **more,
    )
