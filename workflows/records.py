"""Everything that an authority holds is put together when two of its people have asked for it.

A file is finished and kept before the next is begun, each in its own transaction: whoever kills the worker costs the
file it was at. Each table is as it was at one moment, but not all of them at the same.
"""

import hashlib
import json
import logging
import tempfile
import zipfile
from collections.abc import Callable
from datetime import datetime
from typing import IO, Any, BinaryIO, cast

from celery import shared_task
from django.db import models
from django.utils import timezone

from handrail.core.documents import NotFound, open_document
from handrail.core.models import Document
from handrail.core.vault import VaultClosed
from handrail.records import actions, tables
from handrail.records.models import AuthorityExport
from tenants.context import inside
from tenants.routing import Authority, authorities
from workflows.per_authority import AuthorityTask, UnboundTask, clock, for_each_authority

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]

READ_ME = """Everything that {name} holds in Handrail, as at {at:%-d %B %Y}.

manifest.json   every file here with its number of rows, its size and its SHA-256 digest, and what was left out
tables/         each table as .csv (for a spreadsheet) and as .jsonl (one JSON object a line: exact values)
schemas/        a JSON Schema of the lines of each .jsonl file
documents/      the files that people uploaded, by id; manifest.json has their names

In the .csv files a text that a spreadsheet would run as a formula has an apostrophe before it.
Each table is as it was at one moment while this was made, but not all of them at the same one.
"""


@shared_task
def make_exports() -> int:
    """Ring for every authority in which an export waits: one short look each."""
    now, waiting = timezone.now(), []
    for authority in authorities():
        if authority.is_served:
            with inside(authority):
                if AuthorityExport.objects.waiting(at=now).exists():
                    waiting.append(authority)
    for authority in waiting:
        make_export.apply_async(kwargs={"authority": str(authority.id)})
    return len(waiting)


@shared_task(base=UnboundTask)
def make_export(*, authority: Authority) -> None:
    """Make the export that waits in one authority."""
    work_on_export(authority)


@shared_task
def delete_old() -> int:
    """Ring for every authority to delete exports that were ready a week ago."""
    return for_each_authority(delete_old_of)


@shared_task(base=AuthorityTask)
def delete_old_of(*, authority: Authority) -> None:
    actions.delete_old_exports(at=clock())


def work_on_export(authority: Authority, *, now: Clock = timezone.now) -> bool:
    """Take the export that waits to its end; give whether there was one. Whatever breaks, what is finished stays."""
    with inside(authority):
        export = actions.claim(at=now())
    if export is None:
        return False
    mine = actions.Claim(export.id, export.attempt)
    try:
        for model in tables.exported():
            with inside(authority):
                finish_table(mine, model, now)
        with tempfile.TemporaryFile() as whole:
            put_together(authority, mine, whole, now)
            whole.seek(0)
            with inside(authority):
                actions.finish(mine, content=whole, at=now())
    except actions.LeaseLost:
        log.warning("another worker has export %s in hand", mine.id)
    except VaultClosed:
        log.warning("export %s of authority %s waits: the vault is closed", mine.id, authority.code)
    except Exception:
        log.exception("export %s of authority %s failed and will be tried again", mine.id, authority.code)
        with inside(authority):
            actions.release(mine)
    return True


def finish_table(mine: actions.Claim, model: type[models.Model], now: Clock) -> None:
    """Keep the three files of one table, unless a worker before has. Inside an authority."""
    name = tables.table_name(model)
    if AuthorityExport.objects.filter(id=mine.id, files__path=f"schemas/{name}.json").exists():
        return
    with tempfile.TemporaryFile() as as_csv, tempfile.TemporaryFile() as as_json, tempfile.TemporaryFile() as schema:
        count = tables.write(model, as_csv=cast(BinaryIO, as_csv), as_json=cast(BinaryIO, as_json))
        schema.write(json.dumps(tables.schema(model), indent=2, ensure_ascii=False).encode())
        for path, content, content_type in (
            (f"tables/{name}.csv", as_csv, "text/csv"),
            (f"tables/{name}.jsonl", as_json, "application/jsonl"),
            (f"schemas/{name}.json", schema, "application/schema+json"),
        ):
            content.seek(0)
            actions.add_file(
                mine,
                path=path,
                content=cast(BinaryIO, content),
                content_type=content_type,
                row_count=count if path.startswith("tables/") else 0,
                at=now(),
            )


def put_together(authority: Authority, mine: actions.Claim, whole: IO[bytes], now: Clock) -> None:
    """Write the ZIP file: what is finished, the documents, and the manifest of both. Raises LeaseLost."""
    manifest: list[dict[str, Any]] = []
    with inside(authority):
        export = AuthorityExport.objects.get(id=mine.id)
        finished = list(export.files.select_related("document").order_by("path"))
        own = [file.document_id for file in finished]
        kept = list(Document.objects.exclude(id__in=own).exclude(id__in=exports_before()).order_by("id"))
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in finished:
            with inside(authority):
                facts = copy(archive, file.document, file.path)
                actions.hold(mine, at=now())
            manifest.append({"path": file.path, "rows": file.row_count, **facts})
        for document in kept:
            path = f"documents/{document.id}"
            with inside(authority):
                try:
                    facts = copy(archive, document, path)
                except NotFound:
                    facts = {"missing": True}
                actions.hold(mine, at=now())
                manifest.append({"path": path, "name": document.file_name, **facts})
        facts = {
            "authority": {"code": authority.code, "name": authority.name},
            "made_at": now(),
            "files": manifest,
            "left_out": tables.LEFT_OUT | tables.LEFT_OUT_FIELDS,
        }
        archive.writestr("manifest.json", json.dumps(facts, indent=2, ensure_ascii=False, default=str))
        archive.writestr("README.txt", READ_ME.format(name=authority.name, at=now()))


def exports_before() -> "models.QuerySet[Any, Any]":
    """The documents that are exports themselves."""
    return AuthorityExport.objects.exclude(document=None).values("document_id")


def copy(archive: zipfile.ZipFile, document: Document, path: str) -> dict[str, Any]:
    """Write a document into the archive; give its size and digest. Raises NotFound, StoreUnavailable."""
    digest, size = hashlib.sha256(), 0
    with open_document(document) as source, archive.open(path, "w", force_zip64=True) as target:
        while block := source.read(1 << 20):
            digest.update(block)
            size += len(block)
            target.write(block)
    return {"bytes": size, "sha256": digest.hexdigest()}
