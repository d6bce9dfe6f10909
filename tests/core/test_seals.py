"""Nobody can take away or change what was recorded without it being found."""

import pytest
from django.db import connection

from handrail.core.audit import CLOCK, record
from handrail.core.documents import Folder
from handrail.core.models import AuditSeal
from handrail.core.seals import keep_newest, seal, verify
from tenants.context import inside

pytestmark = pytest.mark.django_db


@pytest.fixture
def sealed(one, at):
    """Three seals over six entries, besides what making the authority recorded."""

    def write() -> None:
        with inside(one):
            for _ in range(3):
                for verb in ("opened", "closed"):
                    record(verb, by=CLOCK, at=at, subject_kind="door")
                seal(at=at)

    return write


class TestSeal:
    def test_covers_each_entry_once(self, one, sealed, at):
        sealed()
        with inside(one):
            assert list(AuditSeal.objects.order_by("number").values_list("number", "entry_count")) == [
                (1, 3),
                (2, 2),
                (3, 2),
            ]
            assert seal(at=at) is None
            assert verify() == []

    def test_cannot_be_changed_by_the_authority(self, one, sealed):
        sealed()
        with pytest.raises(Exception, match="permission denied"), inside(one):
            AuditSeal.objects.update(digest="0" * 64)


@pytest.mark.django_db(transaction=True)
class TestVerify:
    """What an owner with a database console could do."""

    @pytest.mark.parametrize(
        ("tampering", "finding"),
        [
            ("UPDATE {0}.core_auditentry SET verb = 'x' WHERE verb = 'closed'", "was changed"),
            ("UPDATE {0}.core_auditentry SET at = at + interval '1 s' WHERE verb = 'opened'", "was changed"),
            ("DELETE FROM {0}.core_auditentry WHERE verb = 'opened'", "are missing"),
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
                go_on.wait(10)
            connection.close()

        thread = threading.Thread(target=slow)
        thread.start()
        written.wait(10)
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
