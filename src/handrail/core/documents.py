"""Files that people give us: checked, then kept through one seam. The bytes are never in the database.

A key carries the authority, so that no slip in Python can reach another authority's file by its id.
"""

import hashlib
import os
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol
from uuid import uuid4

from django.conf import settings
from django.utils.module_loading import import_string

from handrail.core import audit
from handrail.core.models import Document
from tenants.database import require_bound


class NotFound(LookupError):
    """The document's bytes are not in the store."""


class Store(Protocol):
    """Where bytes are kept, by key."""

    def put(self, key: str, file: BinaryIO) -> None: ...
    def open(self, key: str) -> BinaryIO: ...
    def delete(self, key: str) -> None: ...


class Folder:
    """The embedded default: files under one folder. A file appears whole or not at all."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, key: str, file: BinaryIO) -> None:
        path = self.root / key
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        half = path.with_suffix(f".{os.getpid()}.half")
        with half.open("wb") as out:
            while block := file.read(1 << 20):
                out.write(block)
            out.flush()
            os.fsync(out.fileno())
        half.replace(path)

    def open(self, key: str) -> BinaryIO:
        try:
            return (self.root / key).open("rb")
        except FileNotFoundError as error:
            raise NotFound(key) from error

    def delete(self, key: str) -> None:
        (self.root / key).unlink(missing_ok=True)


def store() -> Store:
    """The store this process was set up with: S3 when a bucket is named, else the folder."""
    if settings.DOCUMENT_BUCKET:
        bucket: Store = import_string("handrail.core.aws.Bucket")()
        return bucket
    return Folder(settings.DOCUMENT_STORE)


def key_of(document: Document) -> str:
    """`a/<authority>/<document>`. Raises NobodyBound outside a door."""
    return f"a/{require_bound().id}/{document.id}"


def keep(file: BinaryIO, *, name: str, content_type: str, by: audit.Actor, at: datetime) -> Document:
    """Store the bytes, then write their row: a row without bytes cannot exist."""
    digest, size = hashlib.sha256(), 0
    file.seek(0)
    while block := file.read(1 << 20):
        digest.update(block)
        size += len(block)
    file.seek(0)
    document = Document(
        id=uuid4(),
        name=name[-200:],
        content_type=content_type,
        size=size,
        sha256=digest.hexdigest(),
        added_at=at,
        added_by=by.actor_id,
    )
    store().put(key_of(document), file)
    document.save(force_insert=True)
    return document


def open_document(document: Document) -> BinaryIO:
    """The document's bytes. Raises NotFound."""
    return store().open(key_of(document))
