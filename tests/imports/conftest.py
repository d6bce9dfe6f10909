"""Uploading a file at the page, and the worker that takes it further."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from handrail.imports.models import FileImport
from tenants.context import inside
from workflows.register import work_on_next_file


@pytest.fixture(autouse=True)
def documents(settings, tmp_path):
    settings.DOCUMENT_STORE = tmp_path / "documents"


@pytest.fixture(autouse=True)
def clock(monkeypatch, at):
    """Pages are asked for at the moment of the tests."""
    monkeypatch.setattr("handrail.accounts.middleware.timezone.now", lambda: at)


@pytest.fixture
def work(one, at) -> Callable[..., None]:
    """`work()` does everything that waits, as the worker does."""

    def run(authority: Any = None) -> None:
        while work_on_next_file(authority or one, clock=lambda: at):
            pass

    return run


@pytest.fixture
def bring(one, cast, browse, work) -> Callable[..., FileImport]:
    """`bring(kind, content, name=)` uploads a file at the page as the officer, and gives it checked or refused."""

    def run(kind: str, content: bytes | str, *, name: str = "file.csv") -> FileImport:
        content = content.encode() if isinstance(content, str) else content
        file = SimpleUploadedFile(name, content, content_type="text/csv")
        page = "/imports/invitations/" if kind == "people" else "/imports/"
        answer = browse(cast.officer).post(page, {"kind": kind, f"{kind}-file": file})
        assert answer.status_code == 302, answer.content.decode()
        work()
        return state_of(one, answer["Location"])

    return run


@pytest.fixture
def decide(one, cast, browse, work) -> Callable[..., FileImport]:
    """`decide(file, "")` confirms it, `decide(file, "undo/")` has it undone; gives it afterwards."""

    def run(file: FileImport, what: str = "", **data: Any) -> FileImport:
        address = f"/imports/{file.id}/"
        assert browse(cast.officer).post(f"{address}{what}", data).status_code == 302
        work()
        return state_of(one, address)

    return run


def state_of(authority: Any, address: str) -> FileImport:
    with inside(authority):
        return FileImport.objects.get(id=address.strip("/").split("/")[-1])
