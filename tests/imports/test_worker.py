"""The worker's part: two of them, one that dies, and files that always fail."""

import io
from datetime import UTC, datetime, timedelta

import pytest
from imports_data import lines_of

from handrail.imports import actions, extract
from handrail.imports.models import FileImport
from handrail.schools.models import School
from tenants.context import inside
from workflows import register

pytestmark = pytest.mark.django_db

State = FileImport.State
REGISTER = "edubasealldata20261120.csv"
NOW = datetime(2026, 11, 23, 9, 5, tzinfo=UTC)


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
