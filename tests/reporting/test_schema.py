"""The description of what programs read: it is valid, public, and what the answers are, whatever is asked."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.test import Client
from hypothesis import HealthCheck, given, settings
from openapi_spec_validator import validate
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks

from handrail.reporting.columns import fields
from handrail.reporting.openapi import description, dictionary
from handrail.reporting.tables import TABLES

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


class TestWhateverIsAsked:
    """By `--long` some thousands of cases, else a few for each address."""

    def test_is_answered_as_described(
        self, application: Any, one: Any, key_of: Any, long: bool, monkeypatch: Any
    ) -> None:
        monkeypatch.setattr("handrail.reporting.api.CALLS_A_MINUTE", 10**9)
        described, asked = schemathesis.openapi.from_dict(description()), 0
        described.app = application
        headers = {"Authorization": f"Bearer {key_of()[1]}"}
        for found in described.get_all_operations():
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

                @given(case=found.ok().as_strategy(generation_mode=mode))
                @settings(
                    max_examples=150 if long else 8,
                    deadline=None,
                    database=None,
                    derandomize=not long,
                    suppress_health_check=list(HealthCheck),
                )
                def ask(case: Any) -> None:
                    nonlocal asked
                    asked += 1
                    case.call_and_validate(base_url=f"http://{one.host}", headers=headers, excluded_checks=NOT_OURS)

                ask()
        assert asked > 100
