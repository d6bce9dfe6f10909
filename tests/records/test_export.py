"""Everything an authority holds: two people agree, a worker makes it, whoever kills the worker loses one file."""

import hashlib
import io
import json
import zipfile
from datetime import timedelta

import pytest
from factories import person

from handrail.accounts.roles import Role
from handrail.core import documents
from handrail.core.audit import CLOCK
from handrail.core.models import AuditEntry, Document
from handrail.records import actions, tables
from handrail.records.models import KEPT_FOR, AuthorityExport, ExportFile
from tenants.context import inside
from workflows import records

pytestmark = pytest.mark.django_db

State = AuthorityExport.State


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.DOCUMENT_STORE = tmp_path


@pytest.fixture
def second(cast, one):
    """The data protection lead, who may agree."""
    with inside(one):
        return person("dora@barsetshire.example", Role.DATA_PROTECTION_LEAD)


@pytest.fixture
def confirmed(cast, one, second, at):
    with inside(one):
        documents.keep(
            io.BytesIO(b"%PDF-1.7 a policy"), name="policy.pdf", content_type="application/pdf", by=CLOCK, at=at
        )
        export = actions.ask_for_export(by=cast.admin, at=at)
        actions.confirm_export(export=export, by=second, at=at)
    return export


def now(authority, export):
    with inside(authority):
        return AuthorityExport.objects.select_related("document").get(id=export.id)


def opened(authority, export):
    """The ZIP file."""
    with inside(authority), documents.open_document(now_document(export)) as file:
        return zipfile.ZipFile(io.BytesIO(file.read()))


def now_document(export):
    return AuthorityExport.objects.select_related("document").get(id=export.id).document


class TestAsking:
    def test_needs_a_second_person(self, cast, one, second, at):
        with inside(one):
            export = actions.ask_for_export(by=cast.admin, at=at)
            with pytest.raises(actions.SamePerson, match="somebody else has to agree"):
                actions.confirm_export(export=export, by=cast.admin, at=at)
            assert not AuthorityExport.objects.waiting(at=at).exists()
            actions.confirm_export(export=export, by=second, at=at)
            assert AuthorityExport.objects.waiting(at=at).exists()

    def test_refuses_another_while_one_is_under_way(self, cast, one, at):
        with inside(one):
            actions.ask_for_export(by=cast.admin, at=at)
            with pytest.raises(actions.UnderWay):
                actions.ask_for_export(by=cast.admin, at=at)

    def test_can_be_taken_back_and_then_not_agreed_to(self, cast, one, second, at):
        with inside(one):
            export = actions.ask_for_export(by=cast.admin, at=at)
            actions.cancel_export(export=export, by=cast.admin, at=at)
            with pytest.raises(actions.NotReady):
                actions.confirm_export(export=export, by=second, at=at)

    def test_is_recorded_at_every_step(self, cast, one, confirmed, at):
        assert records.work_on_export(one, now=lambda: at)
        with inside(one):
            actions.take_export(export=confirmed, by=cast.admin, at=at)
            verbs = set(AuditEntry.objects.filter(subject_id=confirmed.id).values_list("verb", flat=True))
        assert {verb.split()[0] for verb in verbs} == {"asked", "agreed", "finished", "downloaded"}


class TestTheFile:
    def test_holds_every_table_every_document_and_a_manifest_that_is_right(self, cast, one, confirmed, at):
        assert records.work_on_export(one, now=lambda: at)
        archive = opened(one, confirmed)
        names = set(archive.namelist())
        for model in tables.exported():
            name = tables.table_name(model)
            assert {f"tables/{name}.csv", f"tables/{name}.jsonl", f"schemas/{name}.json"} <= names
        manifest = json.loads(archive.read("manifest.json"))
        assert {each["path"] for each in manifest["files"]} | {"manifest.json", "README.txt"} == names
        for each in manifest["files"]:
            content = archive.read(each["path"])
            assert (len(content), hashlib.sha256(content).hexdigest()) == (each["bytes"], each["sha256"])
        [schools] = [each for each in manifest["files"] if each["path"] == "tables/schools_school.jsonl"]
        assert schools["rows"] == 2
        assert b"%PDF-1.7 a policy" in {archive.read(name) for name in names if name.startswith("documents/")}

    def test_is_sealed_where_it_is_kept(self, one, confirmed, at, tmp_path):
        assert records.work_on_export(one, now=lambda: at)
        kept = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
        assert kept and not any(b"Oak School" in each or each.startswith(b"PK") for each in kept)

    def test_holds_no_export_before_it(self, cast, one, second, confirmed, at):
        assert records.work_on_export(one, now=lambda: at)
        with inside(one):
            again = actions.ask_for_export(by=cast.admin, at=at)
            actions.confirm_export(export=again, by=second, at=at)
        assert records.work_on_export(one, now=lambda: at)
        assert sum(name.startswith("documents/") for name in opened(one, again).namelist()) == 1

    def test_says_what_is_missing_from_the_store(self, one, confirmed, at, tmp_path):
        with inside(one):
            document = Document.objects.get(name="policy.pdf")
            documents.store().delete(documents.key_of(document))
        assert records.work_on_export(one, now=lambda: at)
        manifest = json.loads(opened(one, confirmed).read("manifest.json"))
        assert {"path": f"documents/{document.id}", "name": "policy.pdf", "missing": True} in manifest["files"]

    def test_goes_after_a_week(self, cast, one, confirmed, at):
        assert records.work_on_export(one, now=lambda: at)
        with inside(one):
            assert actions.delete_old_exports(at=at + KEPT_FOR - timedelta(seconds=1)) == 0
            assert actions.delete_old_exports(at=at + KEPT_FOR) == 1
            assert not Document.objects.filter(content_type="application/zip").exists()
            with pytest.raises(actions.NotReady):
                actions.take_export(export=confirmed, by=cast.admin, at=at + KEPT_FOR)


class Killed(BaseException):
    """The process ends here."""


class TestAWorkerThatDies:
    def test_costs_the_file_it_was_at(self, one, confirmed, at, monkeypatch):
        finish, done = records.finish_table, []

        def dies_at_the_fourth(mine, model, clock):
            if len(done) == 3:
                raise Killed
            finish(mine, model, clock)
            done.append(model)

        monkeypatch.setattr(records, "finish_table", dies_at_the_fourth)
        with pytest.raises(Killed):
            records.work_on_export(one, now=lambda: at)
        monkeypatch.setattr(records, "finish_table", finish)
        with inside(one):
            before = set(ExportFile.objects.values_list("id", flat=True))
        assert len(before) == 9
        assert not records.work_on_export(one, now=lambda: at), "its lease has not ended"
        assert records.work_on_export(one, now=lambda: at + actions.LEASE)
        assert now(one, confirmed).state == State.READY

    def test_and_comes_back_late_writes_nothing(self, one, confirmed, at):
        with inside(one):
            first = actions.claim(at=at)
            mine = actions.Claim(first.id, first.attempt)
            actions.claim(at=at + actions.LEASE)
            with pytest.raises(actions.LeaseLost):
                actions.add_file(
                    mine, path="tables/x.csv", content=io.BytesIO(), content_type="text/csv", row_count=0, at=at
                )

    def test_again_and_again_is_given_up(self, one, confirmed, at):
        for attempt in range(actions.MOST_ATTEMPTS):
            with inside(one):
                assert actions.claim(at=at + attempt * actions.LEASE)
        with inside(one):
            assert actions.claim(at=at + actions.MOST_ATTEMPTS * actions.LEASE) is None
        assert now(one, confirmed).state == State.FAILED


class TestThePage:
    def test_asks_agrees_and_downloads(self, cast, one, second, at, browse):
        first, other = browse(cast.admin), browse(second)
        assert "Somebody else must now agree" in first.post("/records/exports/", follow=True).content.decode()
        assert "Agree to this export" not in first.get("/records/exports/").content.decode()
        assert "Agree to this export" in other.get("/records/exports/").content.decode()
        with inside(one):
            export = AuthorityExport.objects.get()
        refused = first.post(f"/records/exports/{export.id}/confirm/", follow=True).content.decode()
        assert "somebody else has to agree" in refused
        other.post(f"/records/exports/{export.id}/confirm/")
        assert "Refresh" in other.get("/records/exports/").headers
        assert records.work_on_export(one)
        answer = other.post(f"/records/exports/{export.id}/download/")
        assert answer.headers["Content-Disposition"].startswith('attachment; filename="handrail-export-')
        assert zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))).testzip() is None

    def test_is_for_those_who_may(self, cast, browse):
        assert browse(cast.officer).get("/records/exports/").status_code == 403
        assert browse(cast.head).get("/records/exports/").status_code == 403
