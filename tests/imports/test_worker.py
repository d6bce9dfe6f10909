"""The worker's part: two of them, one that dies, and files that always fail."""

import io
from datetime import UTC, datetime, timedelta

import pytest
from imports_data import lines_of

from handrail.core.documents import Folder, StoreUnavailable, folder_of, key_of
from handrail.core.models import AuditEntry, Document
from handrail.imports import actions, extract
from handrail.imports.models import FileImport
from handrail.schools.models import School
from tenants.context import inside
from workflows import documents, register

pytestmark = pytest.mark.django_db

State = FileImport.State
REGISTER = "edubasealldata20261120.csv"
NOW = datetime(2026, 11, 23, 9, 5, tzinfo=UTC)
A_DAY, MOMENT = timedelta(days=1), timedelta(seconds=1)
LATER = datetime(2100, 1, 1, tzinfo=UTC)  # than any real clock: the store knows no other


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def waiting(one, cast, at):
    """A file that nobody has looked at."""
    file = io.BytesIO(lines_of(REGISTER, count=3).encode())
    with inside(one):
        return actions.upload(kind="register", file=file, name=REGISTER, by=cast.officer, at=at)


def work(authority, *, later=timedelta()):
    return register.work_on_next_file(authority, clock=lambda: NOW + later)


def now(authority, file):
    with inside(authority):
        return FileImport.objects.get(id=file.id)


class TestTwoWorkers:
    def test_the_second_finds_nothing_to_do(self, one, waiting, monkeypatch):
        read, seen = extract.read, []

        def read_while_another_looks(*args, **kwargs):
            seen.append(work(one))
            return read(*args, **kwargs)

        monkeypatch.setattr(extract, "read", read_while_another_looks)
        assert work(one) is True
        assert seen == [False]
        assert now(one, waiting).state == State.CHECKED

    def test_one_that_was_held_up_past_its_lease_writes_nothing(self, one, waiting, monkeypatch):
        read, slow = extract.read, [True]

        def held_up(*args, **kwargs):
            if slow.pop() if slow else False:
                assert work(one, later=actions.LEASE) is True
                with inside(one):
                    FileImport.objects.update(note="from the second worker")
            return read(*args, **kwargs)

        monkeypatch.setattr(extract, "read", held_up)
        assert work(one) is True
        file = now(one, waiting)
        assert (file.state, file.note) == (State.CHECKED, "from the second worker")

    def test_nothing_is_taken_from_one_that_lost_its_lease(self, one, waiting):
        with inside(one):
            file = actions.claim(at=NOW)
            actions.claim(at=NOW + actions.LEASE)
            with pytest.raises(actions.LeaseLost):
                actions.refuse(actions.Claim(file.id, file.attempt, file.state), why="It is late.", at=NOW)

    def test_progress_is_refused_to_one_that_lost_its_lease(self, one, waiting):
        with inside(one):
            file = actions.claim(at=NOW)
            actions.claim(at=NOW + actions.LEASE)
            with pytest.raises(actions.LeaseLost):
                actions.report_progress(
                    actions.Claim(file.id, file.attempt, file.state), done=1, total=2, at=NOW + actions.LEASE
                )


class TestDeath:
    def test_in_the_middle_of_reading_leaves_the_file_waiting(self, one, waiting, monkeypatch):
        with monkeypatch.context() as patch:
            patch.setattr(extract, "read", _dies)
            with pytest.raises(Killed):
                work(one)
        assert now(one, waiting).state == State.WAITING
        assert work(one) is False  # the dead worker's lease still runs
        assert work(one, later=actions.LEASE) is True
        assert now(one, waiting).state == State.CHECKED

    def test_in_the_middle_of_importing_leaves_nothing_half_done(self, one, cast, waiting, monkeypatch, at):
        work(one)
        with inside(one):
            actions.confirm(file=waiting, has_understood=True, by=cast.officer, at=at)
        with monkeypatch.context() as patch:
            patch.setattr(extract, "open_policies", _dies)
            with pytest.raises(Killed):
                work(one)
        with inside(one):
            assert School.objects.count() == 2
        assert work(one, later=actions.LEASE) is True
        assert now(one, waiting).state == State.COMMITTED
        with inside(one):
            assert School.objects.count() == 5


class TestFailure:
    def test_is_tried_three_times_and_then_given_up(self, one, waiting, monkeypatch):
        monkeypatch.setattr(extract, "read", _fails)
        assert [work(one) for _ in range(3)] == [False, False, False]
        assert now(one, waiting).state == State.WAITING
        assert work(one) is True
        file = now(one, waiting)
        assert (file.state, file.refusal) == (
            State.REFUSED,
            "This file could not be imported, and nothing was changed. Upload it again.",
        )
        assert work(one) is False


class TestCheckFiles:
    def test_rings_only_where_a_file_waits(self, one, two, waiting, monkeypatch):
        rung = []
        monkeypatch.setattr(register.work_on_files, "apply_async", lambda kwargs: rung.append(kwargs))
        assert register.check_files() == 1
        assert rung == [{"authority": str(one.id)}]
        register.work_on_files(authority=str(one.id))
        assert now(one, waiting).state == State.CHECKED
        assert register.check_files() == 0

    def test_never_touches_another_authoritys_file(self, one, two, waiting):
        assert work(two) is False
        assert now(one, waiting).state == State.WAITING


class TestDeletion:
    @pytest.fixture
    def imported(self, one, cast, waiting, at):
        work(one)
        with inside(one):
            actions.confirm(file=waiting, has_understood=True, by=cast.officer, at=at)
        work(one)
        assert now(one, waiting).state == State.COMMITTED
        return waiting

    @pytest.fixture
    def kept(self, one, settings):
        """What the store has."""
        return lambda: [key for key, _ in Folder(settings.DOCUMENT_STORE).keys(folder_of(one.id))]

    def test_takes_a_file_away_when_it_can_no_longer_be_undone(self, one, imported, kept, cast):
        with inside(one):
            assert kept() == [key_of(imported.document)]
        register.delete_files_of(authority=str(one.id), at=NOW + A_DAY - MOMENT)
        assert len(kept()) == 1
        assert now(one, imported).before != {}
        register.delete_files_of(authority=str(one.id), at=NOW + A_DAY)
        assert kept() == []
        file = now(one, imported)
        assert (file.document, file.before, file.state, file.file_name) == (None, {}, State.COMMITTED, REGISTER)
        assert file.changes
        with inside(one):
            assert not Document.objects.exists()
            assert AuditEntry.objects.get(verb="deleted an uploaded file").subject_id == imported.id
            with pytest.raises(actions.TooLate):
                actions.ask_to_undo(file=file, by=cast.officer, at=NOW + A_DAY)

    def test_does_nothing_the_second_time(self, one, imported):
        for _ in range(2):
            register.delete_files_of(authority=str(one.id), at=NOW + A_DAY)
        with inside(one):
            assert AuditEntry.objects.filter(verb="deleted an uploaded file").count() == 1

    def test_leaves_a_file_that_somebody_is_having_undone(self, one, imported, kept, cast):
        with inside(one):
            actions.ask_to_undo(file=imported, by=cast.officer, at=NOW + A_DAY - MOMENT)
        register.delete_files_of(authority=str(one.id), at=NOW + A_DAY)
        assert len(kept()) == 1
        assert work(one, later=A_DAY)
        assert now(one, imported).state == State.UNDONE
        register.delete_files_of(authority=str(one.id), at=NOW + A_DAY)
        assert kept() == []

    def test_leaves_one_that_waits_and_can_import_one_whose_file_is_gone(self, one, waiting, kept, cast, at):
        register.delete_files_of(authority=str(one.id), at=NOW + A_DAY)
        assert len(kept()) == 1
        work(one)
        register.delete_files_of(authority=str(one.id), at=NOW + A_DAY)
        assert kept() == []
        with inside(one):
            actions.confirm(file=waiting, has_understood=True, by=cast.officer, at=at)
        work(one)
        assert now(one, waiting).state == State.COMMITTED

    def test_is_made_up_for_by_the_sweep_when_the_store_fails(self, one, two, imported, kept, monkeypatch):
        def fails(*_args):
            raise StoreUnavailable

        with monkeypatch.context() as patch:
            patch.setattr(Folder, "delete", fails)
            with pytest.raises(StoreUnavailable):
                register.delete_files_of(authority=str(one.id), at=NOW + A_DAY)
        assert now(one, imported).document is None
        assert len(kept()) == 1
        assert documents.sweep_one(authority=str(two.id), at=LATER) == 0
        assert documents.sweep_one(authority=str(one.id), at=LATER) == 1
        assert kept() == []


def test_says_how_far_reading_has_come(one, waiting, monkeypatch):
    seen = []
    monkeypatch.setattr(extract, "ROWS_BETWEEN_REPORTS", 2)
    report = actions.report_progress
    monkeypatch.setattr(actions, "report_progress", lambda mine, **facts: [report(mine, **facts), seen.append(facts)])
    work(one)
    assert [(each["done"], each["total"]) for each in seen] == [(2, 4)]


def _dies(*_args, **_kwargs):
    raise Killed


def _fails(*_args, **_kwargs):
    raise RuntimeError("broken")
