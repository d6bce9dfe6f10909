"""Sealing everything anew: batch by batch, beside people who work, leaving nothing that does not open."""

import io
from datetime import timedelta
from typing import Any

import pytest
from core.notes import Note, store, stored
from databases import as_superuser
from django.db import connections

from handrail.core import rotation, vault
from handrail.core.audit import CLOCK
from handrail.core.documents import keep, open_document
from handrail.core.models import AuditEntry, DataKey, Document
from handrail.core.vault import VaultClosed
from tenants.context import inside
from workflows.commands.rotate_keys import rotate

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("notes_table")]

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def models(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Any) -> None:
    settings.DOCUMENT_STORE = tmp_path
    monkeypatch.setattr(rotation, "sealed_models", lambda: [Document, Note])
    monkeypatch.setattr("workflows.commands.rotate_keys.PAUSE", 0)


@pytest.fixture
def filled(one: Any, at: Any) -> None:
    with inside(one):
        Note.objects.bulk_create(Note(text=f"text {n}", answers={"n": n} if n % 2 else None) for n in range(25))
        keep(io.BytesIO(b"Poppy has epilepsy"), name="Poppy.pdf", content_type="x/y", by=CLOCK, at=at, sealed=True)


def used() -> set[Any]:
    return set(rotation._keys_in_use())


def everything_opens() -> bool:
    vault._unwrapped.clear()
    assert {each.text for each in Note.objects.all()} == {f"text {n}" for n in range(25)}
    assert [each.answers for each in Note.objects.filter(answers__isnull=False).order_by("id")]
    document = Document.objects.get()
    return document.file_name == "Poppy.pdf" and open_document(document).read() == b"Poppy has epilepsy"


class TestRotation:
    def test_finds_the_sealed_columns_in_the_models(self, monkeypatch):
        monkeypatch.undo()
        assert Document in rotation.sealed_models()
        assert DataKey not in rotation.sealed_models()

    def test_seals_everything_with_a_new_key(self, filled, one):
        report = rotate(one)
        assert (report.key, report.sealed, report.left, report.unreadable) == (2, 26, 0, [])
        with inside(one):
            assert used() == {DataKey.objects.get(number=2).id}
            assert everything_opens()
            entry = AuditEntry.objects.get(subject_kind="data_key")
            assert (entry.verb, entry.fields) == ("began to seal with a new key", [])

    def test_leaves_the_bytes_of_documents_where_they_are(self, filled, one, tmp_path):
        [there] = [each for each in tmp_path.rglob("*") if each.is_file()]
        before = there.read_bytes(), there.stat().st_mtime_ns
        rotate(one)
        assert (there.read_bytes(), there.stat().st_mtime_ns) == before

    def test_changes_nothing_of_another_authority(self, filled, one, two):
        with inside(two):
            note = Note.objects.create(text="theirs")
            before = stored(note)
        rotate(one)
        with inside(two):
            assert stored(note) == before
            assert DataKey.objects.get().number == 1

    def test_does_nothing_where_nothing_is_sealed(self, one):
        assert rotate(one).key is None
        with inside(one):
            assert not DataKey.objects.exists()

    def test_goes_on_where_it_was_stopped(self, filled, one, at):
        with inside(one):
            key = rotation.begin(at=at)
            batch = rotation.reseal(Note, key=key, after=None, at_most=10)
            assert batch.sealed == 10
            assert len(used()) == 2
            assert everything_opens()
        report = rotate(one)
        assert (report.key, report.sealed) == (2, 16)
        assert rotate(one).key == 3

    def test_removes_a_key_a_day_after_nothing_used_it(self, filled, one, at):
        with inside(one):
            first, key = DataKey.objects.get(), rotation.begin(at=at)
            straggler = Note.objects.first()
            for model in (Note, Document):
                rotation.reseal(model, key=key, after=None, at_most=100)
            assert rotation.finish(key=key, unreadable=0, at=at).removed == []
            assert rotation.finish(key=key, unreadable=0, at=at + DAY - timedelta(seconds=1)).removed == []
            now, before = stored(straggler), _sealed_with(first, straggler)
            store(straggler, before)
            assert rotation.finish(key=key, unreadable=0, at=at + DAY).removed == []
            store(straggler, now)
            assert rotation.finish(key=key, unreadable=0, at=at + DAY).removed == [1]
            assert everything_opens()

    def test_seals_anew_what_a_retired_key_sealed_late(self, filled, one):
        rotate(one)
        with inside(one):
            note = Note.objects.first()
            store(note, _sealed_with(DataKey.objects.get(number=1), note))
        rotate(one)
        with inside(one):
            assert used() == {DataKey.objects.get(number=3).id}
            assert everything_opens()

    def test_tells_of_what_does_not_open_and_goes_on(self, filled, one):
        with inside(one):
            broken = Note.objects.order_by("id")[3]
            content = stored(broken)
            store(broken, content[:-1] + bytes([content[-1] ^ 1]))
        report = rotate(one)
        assert (report.sealed, report.left, report.unreadable) == (25, 0, [f"core_note {broken.id}"])
        with inside(one):
            assert stored(broken)[:-1] == content[:-1]
            assert DataKey.objects.get(number=1).retired_at
            assert DataKey.objects.get(number=1).id in used()

    def test_leaves_rows_that_cannot_be_changed_their_key(self, filled, one, at, monkeypatch):
        monkeypatch.setattr(Note._meta, "db_table_comment", "Append-only: what was noted")
        report = rotate(one)
        assert (report.sealed, report.left, report.keep_their_key) == (1, 0, 25)
        with inside(one):
            key = DataKey.objects.get(number=2)
            assert rotation.finish(key=key, unreadable=0, at=at + 400 * DAY).removed == []
            assert everything_opens()

    @pytest.mark.parametrize("keys", [(), (bytes(32),)])
    def test_needs_the_key_that_unwraps_and_changes_nothing_without(self, filled, one, process, keys):
        process(keys=keys)
        with pytest.raises(VaultClosed):
            rotate(one)
        with inside(one):
            assert DataKey.objects.count() == 1


def _sealed_with(key: DataKey, note: Any) -> bytes:
    """As a transaction would have left it that began before the key was retired."""
    from tenants.database import remembered

    now = remembered().get(vault.NEWEST)
    remembered()[vault.NEWEST] = key.id
    try:
        return Note._meta.get_field("text").sealed(note.text, note)  # type: ignore[union-attr]
    finally:
        remembered()[vault.NEWEST] = now
        if now is None:
            remembered().clear()


class TestBesideSomebodyWhoChangesARow:
    def test_passes_over_it_and_does_not_wait(self, one, at, transactional_db):
        with inside(one):
            notes = [Note.objects.create(text=str(n)) for n in range(3)]
        with as_superuser(connections["default"].settings_dict["NAME"]) as other, other.transaction():
            other.execute(f"SET search_path = {one.schema_name}")
            other.execute("SELECT id FROM core_note WHERE id = %s FOR UPDATE", [notes[0].id])
            report = rotate(one)
            assert (report.sealed, report.left) == (2, 1)
            with inside(one):
                assert not DataKey.objects.filter(retired_at__isnull=False).exists()
        report = rotate(one)
        assert (report.key, report.sealed, report.left) == (2, 1, 0)
