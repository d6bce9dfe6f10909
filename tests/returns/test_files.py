"""Files that show what a school answered: added to an answer, kept with what was submitted, given to who may see it."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from factories import person
from reading import hidden_of

from handrail.accounts.roles import Role
from handrail.core.documents import StoreUnavailable
from handrail.core.models import AuditEntry, Document
from handrail.returns.actions import Wanted, open_cycle
from handrail.returns.models import Answer, Draft, Return
from handrail.returns.standing import sections_of
from tenants.context import inside

pytestmark = pytest.mark.django_db

HOME = "/schools/900001/return/"


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.DOCUMENT_STORE = tmp_path


@pytest.fixture
def upload(cast, browse, pdf):
    """`upload(point)` sends a file for an answer, by Oak School's lead unless told. Gives the page that follows."""

    def send(point, file=None, *, who=None, **more):
        sent = more or {"document": file or pdf()}
        return browse(who or cast.head).post(f"{HOME}points/{point}/file/", sent, follow=True)

    return send


def content(answer):
    return b"".join(answer.streaming_content)


class TestAddingAFile:
    def test_begins_with_saving_what_was_typed(self, one, cast, browse, cycle, ids):
        client = browse(cast.head)
        typed = {f"{ids[0]}-verdict": "yes", f"{ids[0]}-evidence": "The minutes", f"{ids[1]}-verdict": "no"}
        shown = hidden_of(client.get(f"{HOME}sections/1/"))
        answer = client.post(f"{HOME}sections/1/", shown | typed | {"file_for": ids[0]})
        assert answer["Location"] == f"{HOME}points/{ids[0]}/file/"
        with inside(one):
            assert {each.requirement_id for each in Draft.objects.all()} == set(ids[:2])
        page = client.get(answer["Location"]).text
        assert "You said: <strong>Yes</strong>" in page and "Take the file off" not in page

    def test_takes_an_answer_and_keeps_what_was_typed(self, one, cast, browse, cycle, ids):
        typed = {f"{ids[1]}-verdict": "no", f"{ids[1]}-reason": "We share one", "file_for": ids[0]}
        client = browse(cast.head)
        shown = hidden_of(client.get(f"{HOME}sections/1/"))
        page = client.post(f"{HOME}sections/1/", shown | typed).text
        assert "Select an answer before you add a file to it" in page and "We share one" in page

    def test_keeps_it_with_the_answer_and_shows_it(self, one, cast, browse, answer, ids, upload):
        answer(only=ids[:1])
        page = upload(ids[0]).text
        assert "Saved Our policy.pdf with your answer." in page and "Save, then change the file" in page
        with inside(one):
            draft = Draft.objects.get()
            assert (draft.verdict, draft.evidence_file.name) == ("yes", "Our policy.pdf")
            assert AuditEntry.objects.filter(verb="answered points of a return").last().fields == ids[:1]

    def test_leaves_it_there_when_the_section_is_saved_again(self, one, cast, browse, answer, ids, upload):
        answer(only=ids[:1])
        upload(ids[0])
        client = browse(cast.head)
        shown = hidden_of(client.get(f"{HOME}sections/1/"))
        client.post(f"{HOME}sections/1/", shown | {f"{ids[0]}-verdict": "partly"})
        with inside(one):
            assert (Draft.objects.get().verdict, Draft.objects.get().evidence_file.name) == ("partly", "Our policy.pdf")

    def test_puts_another_in_its_place_and_takes_it_off(self, one, cast, answer, ids, upload, pdf):
        answer(only=ids[:1])
        upload(ids[0])
        assert "Second.pdf" in upload(ids[0], pdf("Second.pdf")).text
        assert "The file is taken off." in upload(ids[0], take_off="yes").text
        with inside(one):
            assert Draft.objects.get().evidence_file is None and Draft.objects.get().verdict == "yes"

    @pytest.mark.parametrize(
        ("name", "held", "said"),
        [
            ("a.pdf", b"", "The selected file is empty"),
            ("a.xlsx", b"PK", "The selected file must be a PDF, DOCX or ODT"),
            ("a.pdf", b"We do.", "The selected file must be a PDF, DOCX or ODT"),
            ("a.pdf", b"%PDF-1.7", "The selected file is damaged"),
            ("a.pdf", b"%PDF-1.7" + bytes(10 * 1024 * 1024), "The selected file must be smaller than 10MB"),
        ],
    )
    def test_is_refused_in_words_and_the_answer_stays(self, one, answer, ids, upload, name, held, said):
        answer({ids[0]: Wanted("no", reason="We share one")}, only=[])
        assert said in upload(ids[0], SimpleUploadedFile(name, held)).text
        with inside(one):
            assert Draft.objects.get().reason == "We share one"
            assert not Document.objects.exists()

    def test_says_so_when_it_cannot_be_stored(self, one, answer, ids, upload, monkeypatch):
        def full(*_args):
            raise StoreUnavailable("a/one/two")

        answer(only=ids[:1])
        monkeypatch.setattr("handrail.core.documents.Folder.put", full)
        assert "The selected file could not be saved. Your answer is." in upload(ids[0]).text
        with inside(one):
            assert Draft.objects.get().evidence_file is None

    def test_is_for_those_who_answer_and_for_points_that_are_answered(
        self, one, cast, browse, answer, ids, upload, governor
    ):
        answer(only=ids[:1])
        for who, status in ((governor, 403), (cast.officer, 403), (cast.neighbour, 404)):
            assert upload(ids[0], who=who).status_code == status
        assert upload(ids[1]).status_code == 404
        with inside(one):
            assert not Document.objects.exists()


class TestWhatWasSubmitted:
    def test_keeps_its_file_whatever_happens_to_the_next(self, one, cast, browse, answer, ids, upload, submitted):
        answer(only=ids[:1])
        upload(ids[0])
        first = submitted(only=ids[1:])
        upload(ids[0], take_off="yes")
        with inside(one):
            assert Answer.objects.get(requirement_id=ids[0]).evidence_file.name == "Our policy.pdf"
        assert "Our policy.pdf" in browse(cast.officer).get(f"{HOME}{first.id}/").text
        browse(cast.head).post(f"{HOME}submit/")  # without its file it is another answer: a correction
        with inside(one):
            assert [each.number for each in Return.objects.filter(school=cast.oak)] == [2, 1]

    def test_is_carried_to_the_next_year_by_reference(self, one, cast, at, on, answer, ids, upload, submitted):
        answer(only=ids[:1])
        upload(ids[0])
        submitted(only=ids[1:])
        with inside(one):
            due = on + timedelta(days=400)
            year = {"school_year": 2027, "framework_ids": ["CFA-100A"]}
            later = {"closes_on": due + timedelta(days=9), "at": at + timedelta(days=365)}
            following = open_cycle(**year, due_on=due, by=cast.officer, **later)
            point = sections_of(following, cast.oak)[0].points[0]
            assert point.is_carried and point.answer.evidence_file.name == "Our policy.pdf"
            assert Document.objects.count() == 1


class TestDownloading:
    @pytest.fixture
    def address(self, one, answer, ids, upload):
        answer(only=ids[:1])
        upload(ids[0])
        with inside(one):
            return f"{HOME}files/{Draft.objects.get().evidence_file_id}/"

    def test_is_for_the_school_while_it_writes(self, one, cast, browse, address, governor):
        answer = browse(cast.head).get(address)
        assert content(answer).startswith(b"%PDF")
        assert answer["Content-Disposition"] == 'attachment; filename="Our policy.pdf"'
        for who in (cast.officer, governor, cast.neighbour):
            assert browse(who).get(address).status_code == 404

    def test_is_for_the_authority_and_the_governors_once_it_is_submitted(
        self, one, cast, browse, address, governor, ids, submitted
    ):
        submitted(only=ids[1:])
        for who in (cast.officer, governor, cast.head):
            assert content(browse(who).get(address)).startswith(b"%PDF")
        for place in (address, address.replace("900001", "900002")):
            assert browse(cast.neighbour).get(place).status_code == 404
        with inside(one):
            teacher = person("terry@oak.example", Role.SETTING_TEACHER, school=cast.oak)
        assert browse(teacher).get(address).status_code == 403

    def test_gives_no_other_document(self, one, cast, browse, cycle, pdf, at):
        from handrail.core.documents import keep_given

        with inside(one):
            other = keep_given(pdf(), name="Other.pdf", by=cast.officer, at=at)
        assert browse(cast.head).get(f"{HOME}files/{other.id}/").status_code == 404

    def test_says_when_it_cannot_be_fetched(self, cast, browse, address, settings, tmp_path):
        settings.DOCUMENT_STORE = tmp_path / "away"
        answer = browse(cast.head).get(address)
        assert answer.status_code == 503 and "Our policy.pdf could not be fetched" in answer.text
