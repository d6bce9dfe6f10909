"""Nobody can take away or change what was recorded without it being found."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from databases import connected
from django.db import connection, connections

from handrail.core.audit import CLOCK, record, record_read
from handrail.core.documents import Folder
from handrail.core.models import AuditEntry, AuditSeal, ReadEntry, RetiredSegment, SealedEntry
from handrail.core.seals import NOTHING, TooYoung, delete_retired, keep_newest, retire, seal, verify
from tenants.actions import as_owner_of
from tenants.context import inside
from tenants.models import LocalAuthority

pytestmark = pytest.mark.django_db


@pytest.fixture
def sealed(one, at):
    """Three seals over six changes and three reads, besides what making the authority recorded."""

    def write() -> None:
        with inside(one):
            for _ in range(3):
                for verb in ("opened", "closed"):
                    record(verb, by=CLOCK, at=at, subject_kind="door")
                record_read([uuid4(), uuid4()], by=CLOCK, at=at, group=ReadEntry.Group.EMERGENCY)
                seal(at=at)

    return write


class TestSeal:
    def test_covers_each_entry_once(self, one, sealed, at):
        sealed()
        with inside(one):
            assert list(AuditSeal.objects.order_by("number").values_list("number", "entry_count")) == [
                (1, 4),
                (2, 3),
                (3, 3),
            ]
            assert seal(at=at) is None
            assert verify() == []

    def test_cannot_be_changed_by_the_authority(self, one, sealed):
        sealed()
        with pytest.raises(Exception, match="permission denied"), inside(one):
            AuditSeal.objects.update(digest="0" * 64)

    @pytest.mark.parametrize("table", [AuditEntry, ReadEntry, SealedEntry, RetiredSegment])
    @pytest.mark.parametrize("statement", ["update", "delete"])
    def test_covers_what_the_authority_can_neither_change_nor_delete(self, one, sealed, table, statement):
        sealed()
        with pytest.raises(Exception, match="permission denied"), inside(one):
            rows = table.objects.all()
            rows.update(id=uuid4()) if statement == "update" else rows._raw_delete("default")

    def test_made_before_there_were_reads_stays_valid(self, one, at):
        """The first form, made by hand as it was then."""
        with inside(one):
            record("opened", by=CLOCK, at=at, subject_kind="door", school_id=uuid4(), fields=["handle"])
            entries = list(AuditEntry.objects.order_by("id"))
            digest = hashlib.sha256(NOTHING.encode())
            for entry in entries:
                values = {field.attname: getattr(entry, field.attname) for field in AuditEntry._meta.concrete_fields}
                digest.update(json.dumps(values, sort_keys=True, default=as_it_was).encode() + b"\n")
            old = AuditSeal.objects.create(
                form=1, number=1, sealed_at=at, entry_count=len(entries), previous=NOTHING, digest=digest.hexdigest()
            )
            SealedEntry.objects.bulk_create(SealedEntry(id=entry.id, seal=old) for entry in entries)
            record_read([uuid4()], by=CLOCK, at=at, group=ReadEntry.Group.IDENTITY)
            assert (seal(at=at).form, verify()) == (2, [])


def as_it_was(value):
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value)


@pytest.mark.django_db(transaction=True)
class TestVerify:
    """What an owner with a database console could do."""

    @pytest.mark.parametrize(
        ("tampering", "finding"),
        [
            ("UPDATE {0}.core_auditentry SET verb = 'x' WHERE verb = 'closed'", "was changed"),
            ("UPDATE {0}.core_auditentry SET at = at + interval '1 s' WHERE verb = 'opened'", "was changed"),
            ("DELETE FROM {0}.core_auditentry WHERE verb = 'opened'", "are missing"),
            ("UPDATE {0}.core_readentry SET child_ids = child_ids[1:1]", "was changed"),
            ("UPDATE {0}.core_readentry SET child_ids = ARRAY[child_ids[2], child_ids[1]]", "was changed"),
            ("UPDATE {0}.core_readentry SET by_name = 'Somebody Else'", "was changed"),
            ("UPDATE {0}.core_auditseal SET sealed_at = sealed_at - interval '1 day' WHERE number = 3", "was changed"),
            (
                "DELETE FROM {0}.core_readentry WHERE id IN (SELECT e.id FROM {0}.core_sealedentry e "
                "JOIN {0}.core_auditseal s ON s.id = e.seal_id WHERE s.number = 3)",
                "1 of the 3 entries of seal 3 are missing",
            ),
            (
                "WITH swapped AS (SELECT id, lead(id) OVER (ORDER BY id) AS other FROM {0}.core_readentry LIMIT 1) "
                "UPDATE {0}.core_readentry r SET at = r.at + interval '1 s', written_at = o.written_at "
                "FROM swapped s, {0}.core_readentry o WHERE r.id = s.id AND o.id = s.other",
                "was changed",
            ),
            (
                "DELETE FROM {0}.core_sealedentry WHERE seal_id = (SELECT id FROM {0}.core_auditseal WHERE number = 3)",
                "are missing",
            ),
            (
                "WITH gone AS (DELETE FROM {0}.core_sealedentry s USING {0}.core_auditseal a WHERE a.id = s.seal_id "
                "AND a.number = 2) DELETE FROM {0}.core_auditseal WHERE number = 2",
                "seals 2 to 2 are missing",
            ),
        ],
    )
    def test_finds_tampering(self, one, sealed, owner_sql, tampering, finding):
        sealed()
        owner_sql(tampering.format(one.schema_name))
        with inside(one):
            assert any(finding in each.what for each in verify())

    def test_finds_a_cut_off_end_by_the_copy_outside(self, one, sealed, owner_sql, tmp_path):
        sealed()
        with inside(one):
            keep_newest(Folder(tmp_path))
        owner_sql(
            f"WITH gone AS (DELETE FROM {one.schema_name}.core_sealedentry s USING {one.schema_name}.core_auditseal a "
            f"WHERE a.id = s.seal_id AND a.number = 3) DELETE FROM {one.schema_name}.core_auditseal WHERE number = 3"
        )
        with inside(one):
            assert verify() == []
            assert [each.what for each in verify(Folder(tmp_path))] == [
                "the record ends before seal 3, which was kept outside"
            ]

    def test_seals_what_was_committed_late(self, one, at):
        """An entry whose transaction outlasts a seal is in the next one."""
        import threading

        written, go_on = threading.Event(), threading.Event()

        def slow() -> None:
            with inside(one):
                record("slow", by=CLOCK, at=at, subject_kind="door")
                written.set()
                go_on.wait(60)
            connection.close()

        thread = threading.Thread(target=slow)
        thread.start()
        assert written.wait(60)
        with inside(one):
            record("quick", by=CLOCK, at=at, subject_kind="door")
        with inside(one):
            first = seal(at=at)
        go_on.set()
        thread.join()
        with inside(one):
            second = seal(at=at)
            assert (first.entry_count, second.entry_count) == (2, 1)
            assert verify() == []


@pytest.mark.django_db(transaction=True)
class TestRetire:
    """What is past its time goes in whole seals, and the rest still proves itself."""

    @pytest.fixture
    def years(self, one, at):
        """Seals of three years, two in each."""
        with inside(one):
            for year in (3, 2, 1):
                for _ in range(2):
                    record("opened", by=CLOCK, at=at, subject_kind="door")
                    record_read([uuid4()], by=CLOCK, at=at, group=ReadEntry.Group.IDENTITY)
                    seal(at=at - timedelta(days=365 * year))

    def remove(self):
        name = connections["default"].settings_dict["NAME"]
        with connected(name, "owner"), as_owner_of(LocalAuthority.objects.get(code="001")):
            return delete_retired()

    def test_removes_whole_seals_and_leaves_a_record_that_is_whole(self, one, years, at, tmp_path):
        with inside(one):
            keep_newest(Folder(tmp_path))
            segment = retire(before_on=(at - timedelta(days=600)).date(), by=CLOCK, at=at)
            assert (segment.from_number, segment.to_number) == (1, 4)
            assert AuditSeal.objects.filter(number=4, digest=segment.digest).exists()
            assert verify(Folder(tmp_path)) == []
        assert self.remove() == 9, "with what making the authority recorded"
        with inside(one):
            assert list(AuditSeal.objects.order_by("number").values_list("number", flat=True)) == [5, 6]
            assert (ReadEntry.objects.count(), SealedEntry.objects.count()) == (2, 4)
            seal(at=at)
            assert verify(Folder(tmp_path)) == []
            assert AuditEntry.objects.filter(verb="retired old entries of the record").count() == 1
        assert self.remove() == 0

    def test_goes_on_from_where_it_ended(self, one, years, at):
        with inside(one):
            retire(before_on=(at - timedelta(days=900)).date(), by=CLOCK, at=at)
            assert retire(before_on=(at - timedelta(days=900)).date(), by=CLOCK, at=at) is None
            segment = retire(before_on=(at - timedelta(days=400)).date(), by=CLOCK, at=at)
            assert (segment.from_number, segment.to_number) == (3, 4)
            assert verify() == []

    def test_leaves_the_newest_seal(self, one, years, at):
        late = at + timedelta(days=3650)
        with inside(one):
            assert retire(before_on=at.date(), by=CLOCK, at=late).to_number == 5

    def test_refuses_what_is_too_young(self, one, years, at):
        with inside(one), pytest.raises(TooYoung):
            retire(before_on=(at - timedelta(days=300)).date(), by=CLOCK, at=at)

    @pytest.mark.parametrize(
        ("tampering", "finding"),
        [
            ("DELETE FROM {0}.core_retiredsegment", "seals 1 to 4 are missing"),
            ("UPDATE {0}.core_retiredsegment SET to_number = 5", "does not follow"),
            ("UPDATE {0}.core_retiredsegment SET from_number = 2", "seals 1 to 1 are missing"),
            ("UPDATE {0}.core_retiredsegment SET before_on = '2026-11-20'", "too young"),
        ],
    )
    def test_is_no_way_to_hide_anything(self, one, years, at, owner_sql, tampering, finding):
        with inside(one):
            retire(before_on=(at - timedelta(days=600)).date(), by=CLOCK, at=at)
        for table, which in (
            ("sealedentry", "seal_id IN (SELECT id FROM {0}.core_auditseal WHERE number <= 4)"),
            ("auditseal", "number <= 4"),
        ):
            owner_sql(f"DELETE FROM {{0}}.core_{table} WHERE {which}".format(one.schema_name))
        owner_sql(tampering.format(one.schema_name))
        with inside(one):
            assert any(finding in each.what for each in verify()), [each.what for each in verify()]
