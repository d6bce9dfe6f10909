"""Files that people give us: checked, then kept through one seam. The bytes are never in the database.

A key carries the authority, so that no slip in Python can reach another authority's file by its id. What tells of a
child is sealed before it reaches the store, and opened on its way out through us.
"""

import base64
import hashlib
import io
import logging
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Protocol, cast
from uuid import UUID, uuid4

from django.conf import settings
from django.http import FileResponse, HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.module_loading import import_string

from handrail.core import audit, sealed_file, vault
from handrail.core.file_kinds import accept, file_name
from handrail.core.models import Document
from tenants.database import require_bound

log = logging.getLogger(__name__)

LINK_SECONDS = 60
"""How long a download's own address works: long enough to follow, too short to pass on."""


class NotFound(LookupError):
    """The document's bytes are not in the store."""


class StoreUnavailable(OSError):
    """The store did not do what it was asked: it is down, full or refuses us. Trying again later may help."""


class Store(Protocol):
    """Where bytes are kept, by key. Each method may raise StoreUnavailable."""

    def put(self, key: str, file: BinaryIO) -> None: ...
    def open(self, key: str) -> BinaryIO: ...
    def delete(self, key: str) -> None: ...
    def keys(self, folder: str) -> Iterator[tuple[str, datetime]]:
        """Every key in a folder, such as "a/<authority>/", and when it was put there."""
        ...

    def link(self, key: str, *, name: str, content_type: str, seconds: int) -> str:
        """An address at which anybody gets these bytes for a while; empty where the store has none to give."""
        ...


class Folder:
    """The embedded default: files under one folder. A file appears whole or not at all."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, key: str, file: BinaryIO) -> None:
        path = self.root / key
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            half = path.with_name(str(uuid4()))  # a key that has no row: what a kill leaves of it is swept
            with open(half, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as out:
                try:
                    while block := file.read(1 << 20):
                        out.write(block)
                    out.flush()
                    os.fsync(out.fileno())
                    half.replace(path)
                except BaseException:
                    half.unlink(missing_ok=True)
                    raise
        except OSError as error:
            raise StoreUnavailable(key) from error

    def open(self, key: str) -> BinaryIO:
        try:
            return (self.root / key).open("rb")
        except FileNotFoundError as error:
            raise NotFound(key) from error
        except OSError as error:
            raise StoreUnavailable(key) from error

    def delete(self, key: str) -> None:
        try:
            (self.root / key).unlink(missing_ok=True)
        except OSError as error:
            raise StoreUnavailable(key) from error

    def keys(self, folder: str) -> Iterator[tuple[str, datetime]]:
        try:
            for path in (self.root / folder).rglob("*"):
                with suppress(FileNotFoundError):  # deleted meanwhile
                    if path.is_file():
                        put_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
                        yield path.relative_to(self.root).as_posix(), put_at
        except OSError as error:
            raise StoreUnavailable(folder) from error

    def link(self, key: str, *, name: str, content_type: str, seconds: int) -> str:
        return ""


def store() -> Store:
    """The store this process was set up with: S3 when a bucket is named, else the folder."""
    if settings.DOCUMENT_BUCKET:
        bucket: Store = import_string("handrail.core.aws.Bucket")()
        return bucket
    return Folder(settings.DOCUMENT_STORE)


def folder_of(authority_id: UUID) -> str:
    """Where all that is kept of one authority is."""
    return f"a/{authority_id}/"


def key_of(document: Document) -> str:
    """`a/<authority>/<document>`. Raises NobodyBound outside a door."""
    return f"{folder_of(require_bound().id)}{document.id}"


def without_rows(keys: Iterable[str]) -> list[str]:
    """Which of these keys of the bound authority are of documents that it does not have.

    A transaction that failed leaves such a key, and so does a document that was deleted. Keys that are no document's
    are not among them.
    """
    by_id: dict[UUID, str] = {}
    for key in keys:
        with suppress(ValueError):
            by_id[UUID(key.removeprefix(folder_of(require_bound().id)))] = key
    there = set(Document.objects.filter(id__in=by_id).values_list("id", flat=True))
    return [key for id, key in by_id.items() if id not in there]


def keep(
    file: BinaryIO, *, name: str, content_type: str, by: audit.Actor, at: datetime, sealed: bool = False
) -> Document:
    """Store the bytes, then write their row: a row without bytes cannot exist.

    Sealed, neither the store nor the row tells what is in the file or what it is called. Raises StoreUnavailable, and
    VaultClosed before anything is stored.
    """
    document = Document(
        id=uuid4(), name=name[-200:], content_type=content_type, is_sealed=sealed, added_at=at, added_by=by.actor_id
    )
    digest = hashlib.sha256()
    document.size = file.seek(0, os.SEEK_END)
    file.seek(0)
    with _sealed(file, document) if sealed else nullcontext(file) as kept:
        while block := kept.read(1 << 20):
            digest.update(block)
        document.sha256 = digest.hexdigest()
        kept.seek(0)
        store().put(key_of(document), kept)
    document.save(force_insert=True)
    return document


def keep_given(file: BinaryIO, *, name: str, by: audit.Actor, at: datetime) -> Document:
    """Keep a PDF, DOCX or ODT that somebody gives us, under a safe name. Raises UnusableFile, StoreUnavailable."""
    content_type = accept(file)
    return keep(file, name=file_name(name, content_type), content_type=content_type, by=by, at=at)


@contextmanager
def _sealed(file: BinaryIO, document: Document) -> Iterator[BinaryIO]:
    """A passing file of the bytes as they are to be stored, with what opens them noted on the document."""
    vault.require_open()
    key = sealed_file.new_key()
    document.secrets = {"key": base64.b64encode(key).decode(), "name": document.name}
    document.name = ""
    with tempfile.TemporaryFile() as passing:
        sealed_file.write(file, passing, key=key, context=key_of(document).encode())
        passing.seek(0)
        yield passing


def open_document(document: Document) -> BinaryIO:
    """The document's bytes. Raises NotFound, StoreUnavailable; of a sealed one VaultClosed and CannotOpen too."""
    place, secrets = key_of(document), document.secrets
    if secrets is None:
        return store().open(place)
    key = base64.b64decode(secrets["key"])
    reader = sealed_file.Reader(store().open(place), key=key, context=place.encode())
    return cast(BinaryIO, io.BufferedReader(reader, sealed_file.CHUNK))


def download(document: Document) -> HttpResponseBase:
    """Give the document to be saved, never shown: from S3 by an address that soon ends, from the folder by streaming.

    A sealed one always comes through us. The caller has seen to it that the person may have it. Raises as
    `open_document` does; a sealed file that was changed further on ends early, short of the length it declares.
    """
    if not document.is_sealed:
        key, kept = key_of(document), store()
        address = kept.link(key, name=document.name, content_type=document.content_type, seconds=LINK_SECONDS)
        if address:
            return HttpResponseRedirect(address)
    file = open_document(document)
    answer = FileResponse(file, as_attachment=True, filename=document.file_name, content_type=document.content_type)
    if document.is_sealed:
        file.peek(1)  # type: ignore[attr-defined] # else its first chunk would be refused after we had answered
        answer["Content-Length"] = document.size
    return answer


def download_or_say(request: HttpRequest, document: Document, *, back: str) -> HttpResponseBase:
    """Give a document that is not sealed to be saved, or a page that says it cannot be fetched now."""
    try:
        return download(document)
    except (NotFound, StoreUnavailable):
        log.exception("document %s cannot be opened", document.id)
        facts = {"name": document.name, "back": back}
        return render(request, "document_unavailable.html", facts, status=503)
