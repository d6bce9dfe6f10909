"""F18: the document store is down for a while: nothing counts as done, people are told, and another try does it."""

import io
import shutil
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from factories import PolicyFactory
from imports_data import lines_of

from handrail.core.documents import keep
from handrail.core.file_kinds import PDF
from handrail.core.models import AuditEntry, Document
from handrail.imports.models import FileImport
from handrail.policies.actions import record_review
from handrail.policies.models import PolicyReview
from tenants.context import inside
from workflows.register import work_on_next_file

pytestmark = pytest.mark.django_db
REGISTER = "edubasealldata20261120.csv"


@pytest.fixture
def store(settings: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch, at: Any) -> Any:
    """The folder of the store; pages are asked for at the moment of the tests."""
    monkeypatch.setattr("handrail.accounts.middleware.timezone.now", lambda: at)
    settings.DOCUMENT_STORE = tmp_path / "documents"
    return settings.DOCUMENT_STORE


@pytest.fixture
def down(store: Any) -> Callable[[], None]:
    """`down()` takes the store away, as when a disk is not mounted; `down.up()` brings it back as it was."""
    away = store.with_name("away")

    class Switch:
        def __call__(self) -> None:
            if store.exists():
                store.rename(away)
            store.write_text("a file where a folder belongs")

        def up(self) -> None:
            store.unlink()
            if away.exists():
                shutil.move(away, store)

    return Switch()


@pytest.fixture
def upload(cast: Any, browse: Any, store: Any) -> Callable[[], Any]:
    def send() -> Any:
        file = SimpleUploadedFile(REGISTER, lines_of(REGISTER, count=3).encode(), content_type="text/csv")
        return browse(cast.officer).post("/imports/", {"kind": "register", "register-file": file})

    return send


class TestStoreDown:
    def test_an_upload_is_refused_in_words_and_leaves_nothing(self, one: Any, upload: Any, down: Any) -> None:
        with inside(one):
            entries = AuditEntry.objects.count()
        down()
        answer = upload()
        assert answer.status_code == 200
        assert "The file could not be kept. Try again in a few minutes" in answer.text
        with inside(one):
            assert not FileImport.objects.exists() and not Document.objects.exists()
            assert AuditEntry.objects.count() == entries
        down.up()
        assert upload().status_code == 302

    def test_a_file_that_waits_is_not_marked_as_checked_and_is_tried_again(
        self, one: Any, upload: Any, down: Any, at: Any
    ) -> None:
        upload()
        down()
        assert work_on_next_file(one, clock=lambda: at) is False
        with inside(one):
            assert FileImport.objects.get().state == FileImport.State.WAITING
        down.up()
        assert work_on_next_file(one, clock=lambda: at) is True
        with inside(one):
            assert FileImport.objects.get().state == FileImport.State.CHECKED

    def test_a_document_is_said_to_be_away_and_is_there_again(
        self, one: Any, cast: Any, browse: Any, down: Any, on: Any, at: Any
    ) -> None:
        with inside(one):
            policy = PolicyFactory(school=cast.oak)
            document = keep(io.BytesIO(b"%PDF-"), name="Policy.pdf", content_type=PDF, by=cast.head, at=at)
            new = PolicyReview.Outcome.NEW
            record_review(policy=policy, by=cast.head, at=at, reviewed_on=on, outcome=new, document=document)
        address = f"/schools/{cast.oak.urn}/policies/{policy.id}/versions/1/document/"
        down()
        answer = browse(cast.head).get(address)
        assert answer.status_code == 503
        assert "Policy.pdf could not be fetched. Try again in a few minutes." in answer.text
        down.up()
        assert b"".join(browse(cast.head).get(address).streaming_content) == b"%PDF-"
