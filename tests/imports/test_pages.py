"""The pages of uploaded files: who may, what they say, and what they refuse at once."""

import csv
import io
import re
from html import unescape
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from imports_data import lines_of, sample

from handrail.imports.models import FileImport
from tenants.context import inside

pytestmark = pytest.mark.django_db

State = FileImport.State
REGISTER = "edubasealldata20261120.csv"


@pytest.fixture
def checked(bring):
    return bring("register", lines_of(REGISTER, count=2), name=REGISTER)


def upload(client, content, *, name="file.csv", kind="register"):
    return client.post("/imports/", {"kind": kind, f"{kind}-file": SimpleUploadedFile(name, content)})


def words(answer):
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


class TestUpload:
    def test_keeps_the_file_and_says_that_it_is_being_checked(self, one, cast, browse):
        client = browse(cast.officer)
        answer = upload(client, b"URN\r\n1\r\n", name="Register.CSV")
        page = client.get(answer["Location"])
        assert "You can leave this page and come back" in words(page)
        assert page["Refresh"] == f"3; url={answer['Location']}"
        with inside(one):
            file = FileImport.objects.select_related("document").get()
        assert (file.state, file.file_name, file.document.size) == (State.WAITING, "Register.CSV", 8)
        assert (file.uploaded_by, file.uploaded_by_name) == (cast.officer.id, "Olu Officer")

    @pytest.mark.parametrize(
        ("content", "name", "why"),
        [
            (b"", "file.csv", "The selected file is empty"),
            (b"x", "file.xlsx", "The selected file must be a CSV"),
            (b"x", "file", "The selected file must be a CSV"),
        ],
    )
    def test_refuses_at_once(self, one, cast, browse, content, name, why):
        answer = upload(browse(cast.officer), content, name=name)
        assert why in words(answer)
        assert "<title>Error: " in answer.content.decode()
        with inside(one):
            assert not FileImport.objects.exists()

    def test_refuses_nothing_and_an_unknown_kind(self, cast, browse):
        assert "Select a file" in words(browse(cast.officer).post("/imports/", {"kind": "register"}))
        assert browse(cast.officer).post("/imports/", {"kind": "other"}).status_code == 200

    def test_refuses_a_file_over_60_megabytes(self, cast, browse, monkeypatch):
        from handrail.imports.forms import RegisterForm

        monkeypatch.setattr(RegisterForm.base_fields["file"], "megabytes", 0)
        assert "must be smaller than" in words(upload(browse(cast.officer), b"URN\r\n1\r\n"))


class TestWhoMay:
    @pytest.mark.parametrize("who", ["head", "neighbour"])
    @pytest.mark.parametrize("what", ["", "problems.csv", "changes.csv", "cancel/", "undo/"])
    def test_people_at_schools_may_not(self, cast, browse, checked, who, what):
        client = browse(getattr(cast, who))
        ask = client.post if what.endswith("/") else client.get
        answer = ask(f"/imports/{checked.id}/{what}")
        assert answer.status_code == 403
        assert "You cannot see this page" in words(answer)

    @pytest.mark.parametrize("what", ["", "problems.csv", "changes.csv", "cancel/", "undo/"])
    def test_another_authority_finds_nothing(self, cast, two, browse, checked, what):
        client = browse(cast.stranger, authority=two)
        ask = client.post if what.endswith("/") else client.get
        assert ask(f"/imports/{checked.id}/{what}").status_code == 404

    def test_files_are_visible_at_the_authority_alone(self, one, cast, checked):
        with inside(one):
            assert FileImport.objects.visible_to(cast.officer).count() == 1
            assert FileImport.objects.visible_to(cast.head).count() == 0

    def test_nobody_is_sent_to_sign_in(self, browse, checked):
        assert browse().get(f"/imports/{checked.id}/").status_code == 302


class TestCheckPage:
    def test_says_what_would_happen(self, cast, browse, checked):
        page = words(browse(cast.officer).get(f"/imports/{checked.id}/"))
        assert "Check what this file changes" in page
        assert "2 new schools" in page
        assert "Of your 2 open schools, 2 would be missing" in page
        assert "Import the 2 good rows" in page

    def test_counts_the_skipped_rows_on_the_button(self, cast, browse, bring):
        file = bring("register", sample("malformed/bad_rows.csv"))
        page = words(browse(cast.officer).get(f"/imports/{file.id}/"))
        assert "Import the 3 good rows and skip 6" in page
        assert "Rows with a problem" in page
        assert "Line 3 12A456 URN 12A456 This must be exactly 6 digits" in page

    def test_downloads_cells_that_no_spreadsheet_runs(self, one, cast, browse, bring):
        file = bring("register", sample("malformed/bad_rows.csv"))
        with inside(one):
            FileImport.objects.filter(id=file.id).update(problems=[{**file.problems[0], "value": "=1+1"}])
        for name in ("problems.csv", "changes.csv"):
            answer = browse(cast.officer).get(f"/imports/{file.id}/{name}")
            text = b"".join(answer.streaming_content).decode("utf-8-sig")
            cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
            assert not [cell for cell in cells if cell.startswith("=")]
            assert [cell for cell in cells if cell.startswith("'=")], name

    def test_is_put_away(self, one, cast, browse, checked):
        client = browse(cast.officer)
        assert "Nothing was imported" in words(client.post(f"/imports/{checked.id}/cancel/", follow=True))
        assert "Somebody has already decided" in words(
            client.post(f"/imports/{checked.id}/", {"has_understood": "on"}, follow=True)
        )
        with inside(one):
            assert FileImport.objects.get(id=checked.id).state == State.CANCELLED


def test_the_list_asks_as_often_for_many_files_as_for_one(one, cast, browse, checked):
    client = browse(cast.officer)

    def asked():
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/imports/").status_code == 200
        return len(queries)

    asked()
    once = asked()
    with inside(one):
        for _ in range(5):
            checked.pk = uuid4()
            checked.save(force_insert=True)
    assert asked() == once
