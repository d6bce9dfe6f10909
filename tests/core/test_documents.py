"""Documents: what is taken, what is refused in words, and where the bytes go."""

import hashlib
import io
import os
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen
from uuid import uuid4

import pypdf
import pytest
from django.db import IntegrityError
from django.db.transaction import atomic
from pypdf.generic import NameObject

from handrail.core import file_kinds
from handrail.core.aws import Bucket, client
from handrail.core.documents import Folder, NotFound, StoreUnavailable, download, folder_of, keep, key_of, open_document
from handrail.core.file_kinds import (
    DOCX,
    MEGABYTE,
    ODT,
    PDF,
    DamagedFile,
    EmptyFile,
    FileTooLarge,
    FileWithMacros,
    ProtectedFile,
    UnusableFile,
    WrongKind,
    accept,
    file_name,
)
from handrail.core.models import Document
from handrail.core.sealed_file import CHUNK, TAG
from handrail.core.vault import CannotOpen, VaultClosed
from tenants.context import inside
from workflows.documents import sweep_one

MAIN = f'<Override PartName="/word/document.xml" ContentType="{DOCX}.main+xml"/>'


def pdf(*, password: str = "", algorithm: str = "AES-256", padding: int = 0) -> bytes:
    writer = pypdf.PdfWriter()
    writer.add_blank_page(width=595, height=842)
    if padding:
        writer.add_attachment("padding.bin", bytes(range(256)) * (padding // 256))
    if password:
        writer.encrypt(password, algorithm=algorithm)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def archive(parts: dict[str, str | bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as found:
        for name, content in parts.items():
            found.writestr(name, content)
    return out.getvalue()


def docx(types: str = MAIN, **more: str | bytes) -> bytes:
    return archive({"[Content_Types].xml": f"<Types>{types}</Types>", "word/document.xml": "<w:document/>", **more})


def odt(manifest: str = "<manifest/>", **more: str | bytes) -> bytes:
    return archive({"mimetype": ODT, "content.xml": "<office/>", "META-INF/manifest.xml": manifest, **more})


def with_encrypted_part(content: bytes) -> bytes:
    """The same archive with the flag that says its parts need a password."""
    return content.replace(b"PK\x01\x02\x14\x03\x14\x00\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01\x00")


def ole(*streams: str) -> bytes:
    return bytes.fromhex("d0cf11e0a1b11ae1") + bytes(504) + b"".join(name.encode("utf-16-le") for name in streams)


class TestAccept:
    @pytest.mark.parametrize(
        ("content", "kind"), [(pdf(), PDF), (pdf(padding=9 * MEGABYTE), PDF), (docx(), DOCX), (odt(), ODT)]
    )
    def test_takes_a_document_for_what_it_is(self, content: bytes, kind: str) -> None:
        file = io.BytesIO(content)
        assert accept(file) == kind
        assert file.tell() == 0

    @pytest.mark.parametrize(
        ("content", "refusal"),
        [
            (b"", EmptyFile),
            (b"%PDF-1.7" + bytes(10 * MEGABYTE), FileTooLarge),
            (b"Our policy is to be kind.", WrongKind),
            (b"<html><script>alert(1)</script></html>", WrongKind),
            (b"MZ" + bytes(500), WrongKind),
            (b"\x89PNG\r\n\x1a\n", WrongKind),
            (b"PK\x05\x06" + bytes(18), WrongKind),
            (ole("WordDocument"), WrongKind),
            (archive({"notes.txt": "hello"}), WrongKind),
            (docx(types=MAIN.replace("wordprocessingml.document", "spreadsheetml.sheet")), WrongKind),
            (docx(types=MAIN.replace(".document.main", ".template.main")), WrongKind),
            (archive({"[Content_Types].xml": MAIN}), WrongKind),
            (archive({"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": ""}), WrongKind),
            (archive({"mimetype": "application/epub+zip"}), WrongKind),
            (ole("EncryptionInfo", "EncryptedPackage"), ProtectedFile),
            (pdf(password="kept from you"), ProtectedFile),
            (pdf(password="kept from you", algorithm="RC4-40"), ProtectedFile),
            (with_encrypted_part(docx()), ProtectedFile),
            (odt(manifest="<manifest:encryption-data/>"), ProtectedFile),
            (docx(types='<Default ContentType="application/vnd.ms-word.document.macroEnabled"/>'), FileWithMacros),
            (docx(**{"word/vbaProject.bin": b"\x00"}), FileWithMacros),
            (odt(**{"Basic/Standard/Module1.xml": "<script/>"}), FileWithMacros),
            (b"%PDF-1.7\nthis is where it stopped", DamagedFile),
            (pdf()[:-200], DamagedFile),
            (docx()[:-30], DamagedFile),
            (archive({"mimetype": ODT} | {f"part{n}": "" for n in range(5_001)}), DamagedFile),
        ],
    )  # fmt: skip
    def test_refuses_anything_else_and_says_why(self, content: bytes, refusal: type[UnusableFile]) -> None:
        with pytest.raises(refusal, match=r"^The selected file "):
            accept(io.BytesIO(content))

    def test_refuses_an_archive_that_would_unpack_to_far_more(self) -> None:
        content = docx(**{"word/media/image1.png": bytes(8 * MEGABYTE)})
        assert accept(io.BytesIO(content)) == DOCX
        bomb = docx(**{f"word/media/image{n}.png": bytes(8 * MEGABYTE) for n in range(26)})
        assert len(bomb) < MEGABYTE
        with pytest.raises(DamagedFile):
            accept(io.BytesIO(bomb))

    def test_reads_no_more_of_a_part_than_it_needs(self) -> None:
        content = archive({"mimetype": "x" * 150 * MEGABYTE})
        with pytest.raises(WrongKind):
            accept(io.BytesIO(content))

    def test_gives_up_on_a_pdf_that_keeps_it_busy(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert accept(io.BytesIO(pdf())) == PDF
        monkeypatch.setattr(file_kinds, "MOST_STEPS", 20)
        with pytest.raises(DamagedFile):
            accept(io.BytesIO(pdf()))

    def test_needs_no_cipher_to_see_that_a_pdf_is_protected(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def without_ciphers(*_args: Any, **_more: Any) -> None:
            raise pypdf.errors.DependencyError("cryptography>=3.1 is required for AES algorithm")

        monkeypatch.setattr("pypdf._encryption.Encryption.verify", without_ciphers)
        with pytest.raises(ProtectedFile):
            accept(io.BytesIO(pdf(password="kept from you")))

    def test_refuses_a_pdf_without_pages(self) -> None:
        writer = pypdf.PdfWriter()
        writer.root_object.pop(NameObject("/Pages"))
        out = io.BytesIO()
        writer.write(out)
        with pytest.raises(DamagedFile):
            accept(io.BytesIO(out.getvalue()))


class TestFileName:
    @pytest.mark.parametrize(
        ("given", "kept"),
        [
            ("Policy 2026.pdf", "Policy 2026.pdf"),
            ("policy", "policy.pdf"),
            ("policy.docx", "policy.pdf"),
            ("invoice.pdf.exe", "invoice.pdf.pdf"),
            ("../../etc/passwd", "passwd.pdf"),
            ("C:\\Users\\jo\\Policy.pdf", "Policy.pdf"),
            ('a"b\r\nSet-Cookie: x=1.pdf', "a b Set-Cookie x=1.pdf"),
            ("Poli\u202efdp.exe", "Poli fdp.pdf"),
            ("Trefn\u00edadau.pdf", "Trefn\u00edadau.pdf"),
            (".pdf", "document.pdf"),
            ("...", "document.pdf"),
            ("", "document.pdf"),
            ("x" * 300 + ".pdf", "x" * 110 + ".pdf"),
        ],
    )
    def test_is_safe_and_ends_as_the_file_is(self, given: str, kept: str) -> None:
        assert file_name(given, PDF) == kept


# -- the stores ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def s3_server() -> Iterator[str]:
    """A local server that speaks like S3."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3_server: str, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """An empty bucket on it."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "invented")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "invented")
    settings.DOCUMENT_BUCKET, settings.DOCUMENT_ENDPOINT = f"documents-{uuid4()}", s3_server
    found = Bucket()
    where = {"LocationConstraint": settings.AWS_REGION}
    found.s3.create_bucket(Bucket=found.name, CreateBucketConfiguration=where)
    return found


@pytest.fixture
def folder(tmp_path: Any, settings: Any) -> Folder:
    settings.DOCUMENT_BUCKET, settings.DOCUMENT_STORE = "", tmp_path
    return Folder(tmp_path)


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


class TestStore:
    def test_gives_back_what_was_put(self, store: Any) -> None:
        store.put("a/one/two", io.BytesIO(b"policy"))
        store.put("a/one/two", io.BytesIO(b"newer policy"))
        assert store.open("a/one/two").read() == b"newer policy"

    def test_says_what_is_not_there(self, store: Any) -> None:
        with pytest.raises(NotFound):
            store.open("a/one/nothing")

    def test_forgets_what_is_deleted_and_does_not_mind_twice(self, store: Any) -> None:
        store.put("a/one/two", io.BytesIO(b"policy"))
        store.delete("a/one/two")
        store.delete("a/one/two")
        with pytest.raises(NotFound):
            store.open("a/one/two")

    def test_lists_what_is_in_a_folder_and_when_it_was_put_there(self, store: Any) -> None:
        for key in ("a/one/two", "a/one/three", "a/one/newest-seal", "a/other/two", "a/one-more"):
            store.put(key, io.BytesIO(b"policy"))
        found = dict(store.keys("a/one/"))
        assert set(found) == {"a/one/two", "a/one/three", "a/one/newest-seal"}
        now = datetime.now(UTC)
        assert all(now - timedelta(minutes=5) < put_at < now + timedelta(minutes=1) for put_at in found.values())
        assert list(store.keys("a/nobody/")) == []

    def test_sweeps_what_has_no_row(self, store: Any, one: Any, two: Any, cast: Any, at: Any) -> None:
        places = {}
        for authority in (one, two):
            with inside(authority):
                kept = keep(io.BytesIO(b"policy"), name="Policy.pdf", content_type=PDF, by=cast.head, at=at)
                places[authority] = key_of(kept), key_of(Document()), f"{folder_of(authority.id)}newest-seal"
            for key in places[authority][1:]:
                store.put(key, io.BytesIO(b"left over"))
        put_at = datetime.now(UTC)
        assert sweep_one(authority=str(one.id), at=put_at + timedelta(hours=23)) == 0
        assert sweep_one(authority=str(one.id), at=put_at + timedelta(hours=25)) == 1
        mine, _, seal = places[one]
        assert {key for key, _ in store.keys("a/")} == {mine, seal, *places[two]}
        assert sweep_one(authority=str(one.id), at=put_at + timedelta(hours=25)) == 0


class HalfAFile(io.BytesIO):
    """An upload that ends in the middle."""

    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell():
            raise OSError("the other side went away")
        return super().read(5)


class TestFolder:
    def test_shows_no_half_file(self, folder: Folder) -> None:
        with pytest.raises(StoreUnavailable):
            folder.put("a/one/two", HalfAFile(b"policy"))
        assert not [path for path in folder.root.rglob("*") if path.is_file()]

    def test_says_that_it_is_unavailable(self, folder: Folder) -> None:
        (folder.root / "a").write_text("a file where a folder belongs")
        with pytest.raises(StoreUnavailable):
            folder.put("a/one/two", io.BytesIO(b"policy"))
        with pytest.raises(StoreUnavailable):
            folder.open("a/one/two")


class TestBucket:
    def test_links_to_the_bytes_for_a_minute_under_their_own_name(self, bucket: Bucket) -> None:
        bucket.put("a/one/two", io.BytesIO(b"policy"))
        address = bucket.link("a/one/two", name="Our policy.pdf", content_type=PDF, seconds=60)
        query = parse_qs(urlsplit(address).query)
        assert query["X-Amz-Expires"] == ["60"]
        assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
        with urlopen(address) as answer:
            assert answer.read() == b"policy"
            assert answer.headers["Content-Disposition"] == 'attachment; filename="Our policy.pdf"'
            assert answer.headers["Content-Type"] == PDF

    def test_says_that_it_is_unavailable(self, bucket: Bucket, settings: Any) -> None:
        settings.DOCUMENT_BUCKET = "a-bucket-that-is-not-there"
        with pytest.raises(StoreUnavailable):
            Bucket().put("a/one/two", io.BytesIO(b"policy"))
        settings.DOCUMENT_ENDPOINT = "http://127.0.0.1:9"
        with pytest.raises(StoreUnavailable):
            Bucket().open("a/one/two")

    def test_shares_one_client(self, bucket: Bucket) -> None:
        assert Bucket().s3 is bucket.s3
        assert client.cache_info().currsize >= 1


class TestKeep:
    def test_keeps_the_bytes_under_the_authority_and_a_row_about_them(
        self, store: Any, one: Any, two: Any, cast: Any, at: Any
    ) -> None:
        with inside(one):
            document = keep(io.BytesIO(pdf()), name="Policy.pdf", content_type=PDF, by=cast.head, at=at)
            document.refresh_from_db()
            assert (document.size, document.added_by) == (len(pdf()), cast.head.id)
            assert key_of(document) == f"a/{one.id}/{document.id}"
            assert open_document(document).read() == pdf()
        with inside(two):
            carried = Document(id=document.id)
            with pytest.raises(NotFound):
                open_document(carried)

    def test_writes_no_row_when_the_store_fails(
        self, store: Any, one: Any, cast: Any, at: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*_args: Any) -> None:
            raise StoreUnavailable

        monkeypatch.setattr(type(store), "put", full)
        with inside(one):
            with pytest.raises(StoreUnavailable):
                keep(io.BytesIO(b"policy"), name="Policy.pdf", content_type=PDF, by=cast.head, at=at)
            assert not Document.objects.exists()


class TestDownload:
    @pytest.fixture
    def document(self, store: Any, one: Any, cast: Any, at: Any) -> Document:
        with inside(one):
            return keep(io.BytesIO(b"policy"), name='Our "policy".pdf', content_type=PDF, by=cast.head, at=at)

    def test_saves_the_file_from_either_store(
        self, document: Document, one: Any, request: pytest.FixtureRequest
    ) -> None:
        with inside(one):
            answer = download(document)
        if answer.status_code == 302:
            answer = urlopen(answer["Location"])
            assert answer.read() == b"policy"
            headers: Any = answer.headers
        else:
            assert b"".join(answer.streaming_content) == b"policy"  # type: ignore[attr-defined]
            headers = answer
        assert headers["Content-Type"] == PDF
        assert headers["Content-Disposition"].startswith("attachment")

    def test_says_when_the_bytes_are_gone(self, folder: Folder, one: Any) -> None:
        with inside(one), pytest.raises(NotFound):
            download(Document(name="Policy.pdf", content_type=PDF))


# -- sealed ----------------------------------------------------------------------------------------------


class TestASealedDocument:
    @pytest.fixture(params=[0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 5])
    def content(self, request: pytest.FixtureRequest) -> bytes:
        return os.urandom(request.param)

    @pytest.fixture
    def kept(self, store: Any, one: Any, cast: Any, at: Any) -> Callable[[bytes], Document]:
        def make(content: bytes) -> Document:
            with inside(one):
                made = keep(
                    io.BytesIO(content), name="Poppy's scan.pdf", content_type=PDF, by=cast.head, at=at, sealed=True
                )
                return Document.objects.get(id=made.id)

        return make

    def test_comes_back_as_it_was(self, kept: Any, one: Any, content: bytes) -> None:
        document = kept(content)
        with inside(one), open_document(document) as file:
            assert file.read() == content

    def test_is_unreadable_in_the_store_and_in_its_row(self, kept: Any, store: Any, one: Any) -> None:
        document = kept(b"Poppy has epilepsy" * 100)
        with inside(one):
            there = store.open(key_of(document)).read()
            assert b"epilepsy" not in there
            assert (document.sha256, document.size) == (hashlib.sha256(there).hexdigest(), 1800)
            [row] = Document.objects.values()
            assert "Poppy" not in repr(row)
            assert (str(document), document.file_name, document.is_sealed) == ("", "Poppy's scan.pdf", True)
        assert kept(b"same").sha256 != kept(b"same").sha256

    def test_is_saved_through_us(self, kept: Any, one: Any, content: bytes) -> None:
        document = kept(content)
        with inside(one):
            answer = download(document)
        assert answer.status_code == 200
        assert b"".join(answer.streaming_content) == content  # type: ignore[attr-defined]
        assert answer["Content-Length"] == str(len(content))
        assert answer["Content-Type"] == PDF
        assert answer["Content-Disposition"] == 'attachment; filename="Poppy\'s scan.pdf"'

    def test_needs_nothing_of_the_authority_once_it_is_on_its_way(self, kept: Any, one: Any) -> None:
        document = kept(os.urandom(3 * CHUNK))
        with inside(one):
            answer = download(document)
        assert len(b"".join(answer.streaming_content)) == 3 * CHUNK  # type: ignore[attr-defined]

    def test_does_not_open_as_another_document(self, kept: Any, store: Any, one: Any) -> None:
        document, other = kept(b"one"), kept(b"two")
        with inside(one):
            store.put(key_of(other), io.BytesIO(store.open(key_of(document)).read()))
            with pytest.raises(CannotOpen):
                open_document(other).read()
            Document.objects.filter(id=other.id).delete()
            carried = Document(id=other.id, is_sealed=True, secrets=document.secrets)
            with pytest.raises(CannotOpen):
                open_document(carried).read()

    @pytest.mark.parametrize(
        "change",
        [
            lambda there: there[:-1],
            lambda there: there[: CHUNK + TAG],
            lambda there: there[: 2 * (CHUNK + TAG)],
            lambda there: there[CHUNK + TAG :],
            lambda there: there + b"x",
            lambda there: there[CHUNK + TAG : 2 * (CHUNK + TAG)] + there[: CHUNK + TAG] + there[2 * (CHUNK + TAG) :],
            lambda there: there[: CHUNK + TAG] * 2 + there[2 * (CHUNK + TAG) :],
            lambda there: b"",
            *(lambda there, at=at: there[:at] + bytes([there[at] ^ 1]) + there[at + 1 :] for at in (0, CHUNK, -1)),
        ],
    )
    def test_does_not_open_when_it_was_changed_or_cut(self, kept: Any, folder: Any, one: Any, change: Any) -> None:
        document = kept(os.urandom(2 * CHUNK + 100))
        with inside(one):
            folder.put(key_of(document), io.BytesIO(change(folder.open(key_of(document)).read())))
            with pytest.raises(CannotOpen):
                open_document(document).read()

    def test_is_refused_before_it_is_on_its_way(self, kept: Any, store: Any, one: Any) -> None:
        document = kept(b"Poppy has epilepsy")
        with inside(one):
            store.put(key_of(document), io.BytesIO(b"something else"))
            with pytest.raises(CannotOpen):
                download(document)

    def test_says_when_the_bytes_are_gone(self, kept: Any, store: Any, one: Any) -> None:
        document = kept(b"Poppy has epilepsy")
        with inside(one):
            store.delete(key_of(document))
            with pytest.raises(NotFound):
                download(document)

    def test_is_not_kept_while_the_vault_is_closed(
        self, store: Any, kept: Any, process: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(type(store), "put", lambda *_: pytest.fail("it was stored"))
        process()
        with pytest.raises(VaultClosed):
            kept(b"Poppy has epilepsy")

    @pytest.mark.parametrize("wrong", [{"secrets": None}, {"name": "Poppy.pdf"}, {"is_sealed": False, "name": "x"}])
    def test_has_all_its_secrets_or_none(self, kept: Any, one: Any, wrong: Any) -> None:
        document = kept(b"Poppy has epilepsy")
        with inside(one), pytest.raises(IntegrityError), atomic():
            Document.objects.filter(id=document.id).update(**wrong)
