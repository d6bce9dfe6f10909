"""Every request has an id: in its answer and in the record of what it changed."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client

from handrail.core.audit import CLOCK, record
from handrail.core.models import AuditEntry
from tenants.context import inside

pytestmark = [pytest.mark.django_db, pytest.mark.urls("telemetry.failing")]


class TestRequestId:
    def test_is_made_anew_for_each_request(self, browse: Callable[..., Client]) -> None:
        first, second = (browse().get("/health/")["X-Request-ID"] for _ in range(2))
        assert UUID(first) != UUID(second)

    def test_is_kept_when_it_is_a_uuid(self, browse: Callable[..., Client]) -> None:
        given = str(uuid4())
        assert browse().get("/help/", headers={"X-Request-ID": given})["X-Request-ID"] == given

    @pytest.mark.parametrize("given", ["", "7", "Poppy Canarywright", "../../etc/passwd", "a" * 36, "é" * 36])
    def test_is_not_taken_when_it_is_anything_else(self, browse: Callable[..., Client], given: str) -> None:
        answer = browse().get("/help/", headers={"X-Request-ID": given})["X-Request-ID"]
        assert str(UUID(answer)) == answer != given

    def test_is_in_every_row_of_the_record(self, one: Any, at: Any, browse: Callable[..., Client]) -> None:
        answer = browse().get("/recorded/")
        with inside(one):
            assert AuditEntry.objects.get(verb="looked").request_id == answer["X-Request-ID"]
            record("looked", by=CLOCK, at=at, subject_kind="page")
            assert AuditEntry.objects.filter(verb="looked", request_id="").count() == 1
