"""F9, F11, F27: at each statement in turn the connection is cut, PostgreSQL refuses, or an error is swallowed.

A try that failed leaves nothing behind, and the next one does all of the work once.
"""

import io
from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta
from itertools import cycle
from typing import Any
from uuid import uuid4

import pytest
from databases import as_superuser
from django.db import DatabaseError, connection
from factories import PupilFactory, SchoolFactory, person, recorded_policy
from imports_data import lines_of

from handrail.accounts.models import User
from handrail.accounts.roles import Role
from handrail.core.models import AuditEntry
from handrail.imports import actions as imports
from handrail.imports.models import FileImport
from handrail.notices.models import Notice, Sweep
from handrail.plans.models import HealthcarePlan, Stage
from handrail.plans.reminders import owe_review_reminders as owe_plan_reminders
from handrail.policies.actions import record_review
from handrail.policies.models import Policy, PolicyReview, PolicyVersion
from handrail.policies.reminders import owe_review_reminders
from handrail.schools.models import School
from tenants.context import inside
from tenants.errors import WallError
from workflows.notices import LEASE, Breaker, send
from workflows.register import work_on_next_file

REGISTER = "edubasealldata20261120.csv"
Fault = Callable[[Any], None]


class Interference:
    """Does something just before the statement numbered `number` (from 0) of the block."""

    def __init__(self, number: int, deed: Fault) -> None:
        self.number, self.deed, self.seen = number, deed, 0

    def __call__(self, execute: Any, sql: Any, parameters: Any, many: Any, context: Any) -> Any:
        number, self.seen = self.seen, self.seen + 1
        if number == self.number:
            self.deed(context["connection"])
        return execute(sql, parameters, many, context)

    @property
    def happened(self) -> bool:
        return self.seen > self.number


@pytest.fixture
def cut(ground: Any) -> Fault:
    """The connection goes."""

    def terminate(wrapper: Any) -> None:
        with as_superuser(ground.database) as admin:
            admin.execute("SELECT pg_terminate_backend(%s, 5000)", (wrapper.connection.info.backend_pid,))

    return terminate


@pytest.fixture
def refuse() -> Fault:
    """PostgreSQL ends the transaction for somebody else's sake: in turn a deadlock, a failure to serialize, a lock."""
    codes = cycle(["40P01", "40001", "55P03"])

    def raise_it(wrapper: Any) -> None:
        with wrapper.wrap_database_errors, wrapper.connection.cursor() as cursor:
            cursor.execute(f"DO $$ BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = '{next(codes)}'; END $$")

    return raise_it


@pytest.fixture
def swallow() -> Fault:
    """An error that nobody hears of: PostgreSQL would undo all at the end, without a word."""

    def fail_quietly(wrapper: Any) -> None:
        with suppress(DatabaseError), wrapper.wrap_database_errors, wrapper.connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")

    return fail_quietly


def at_each_statement(fault: Fault, work: Callable[[], Any], seen: Callable[[], Any]) -> int:
    """Let the fault happen at each statement of the work in turn until it gets through; give the number of them.

    `seen` gives what is to be seen of the work in the database.
    """
    number, before = 0, seen()
    while True:
        interference = Interference(number, fault)
        try:
            with connection.execute_wrapper(interference):
                work()
        except (DatabaseError, WallError):
            connection.close()
            assert seen() == before, f"statement {number}"
        else:
            assert not interference.happened, f"statement {number} failed and nobody was told"
        if not interference.happened:
            return number
        number += 1


class Work:
    """What is tried with every fault."""

    def test_owing(self, ground: Any, fault: Fault) -> None:
        with inside(ground.one):
            for _ in range(3):
                recorded_policy(SchoolFactory(head_email=""), next_review_on=ground.on)

        def owe() -> None:
            with inside(ground.one):
                owe_review_reminders(on=ground.on, at=ground.at)

        def seen() -> tuple[int, int]:
            with inside(ground.one):
                return Notice.objects.count(), Sweep.objects.count()

        assert at_each_statement(fault, owe, seen) >= 5
        assert seen() == (3, 1)

    def test_owing_about_plans(self, ground: Any, fault: Fault) -> None:
        with inside(ground.one):
            for stage in (Stage.DRAFT, Stage.ACTIVE, Stage.ACTIVE):
                school = SchoolFactory(head_email="")
                HealthcarePlan.objects.create(pupil=PupilFactory(school=school), stage=stage, due_on=ground.on)

        def owe() -> None:
            with inside(ground.one):
                owe_plan_reminders(on=ground.on, at=ground.at)

        def seen() -> tuple[int, int]:
            with inside(ground.one):
                return Notice.objects.filter(subject_kind="plan").count(), Sweep.objects.count()

        assert at_each_statement(fault, owe, seen) >= 5
        assert seen() == (3, 1)

    def test_recording_a_review(self, ground: Any, fault: Fault) -> None:
        with inside(ground.one):
            policy = recorded_policy(SchoolFactory(), next_review_on=ground.on)
            officer = an_officer(ground.on)

        def record() -> None:
            with inside(ground.one):
                given = {"reviewed_on": ground.on, "outcome": PolicyReview.Outcome.UPDATED, "changed": "The dates"}
                record_review(policy=Policy.objects.get(id=policy.id), by=officer, at=ground.at, **given)

        def seen() -> tuple[Any, ...]:
            with inside(ground.one):
                kept = Policy.objects.filter(id=policy.id).values_list("last_reviewed_on", "next_review_on").get()
                return kept, PolicyReview.objects.count(), PolicyVersion.objects.count(), AuditEntry.objects.count()

        before = seen()
        assert at_each_statement(fault, record, seen) >= 6
        assert seen()[1:] == tuple(count + 1 for count in before[1:])
        assert seen()[0][0] == ground.on

    def test_importing_a_file(self, ground: Any, fault: Fault, settings: Any, tmp_path: Any) -> None:
        settings.DOCUMENT_STORE = tmp_path / "documents"
        with inside(ground.one):
            officer = an_officer(ground.on)
            file = io.BytesIO(lines_of(REGISTER, count=3).encode())
            file = imports.upload(kind="register", file=file, name=REGISTER, by=officer, at=ground.at)
        work_on_next_file(ground.one, clock=lambda: ground.at)
        with inside(ground.one):
            imports.confirm(file=file, has_understood=True, by=officer, at=ground.at)
            claimed = imports.claim(at=ground.at)
        assert claimed is not None
        mine = imports.Claim(claimed.id, claimed.attempt, claimed.state)

        def commit() -> None:
            with inside(ground.one):
                imports.commit(mine, at=ground.at)

        def seen() -> tuple[Any, ...]:
            with inside(ground.one):
                state = FileImport.objects.get(id=mine.id).state
                return state, School.objects.count(), Policy.objects.count(), AuditEntry.objects.count()

        number = at_each_statement(fault, commit, seen)
        assert seen()[:2] == ("committed", 3)
        assert number >= 6

    def test_sending(self, ground: Any, fault: Fault) -> None:
        """Here the work is not one transaction: a message is claimed, sent, recorded, and lost or repeated never."""

        def run(later: timedelta) -> None:
            send(ground.one, provider=ground.post, at=ground.at + later, breaker=Breaker())

        ground.owe(1)
        number, later = 0, timedelta()
        while True:
            interference = Interference(number, fault)
            with suppress(DatabaseError, WallError), connection.execute_wrapper(interference):
                run(later)
            connection.close()
            if not interference.happened:
                break
            run(later + 2 * LEASE)
            run(later + 3 * LEASE)
            assert ground.states() == {"accepted": number + 1}, f"statement {number}"
            number, later = number + 1, later + 5 * LEASE
            ground.owe(1)
        assert number >= 12
        run(later + LEASE)
        assert len(ground.post.taken()) == len(set(ground.post.taken())) == number + 1


def an_officer(on: date) -> User:
    return person(f"{uuid4().hex}@barsetshire.example", Role.POLICY_OFFICER).as_at(on)


class TestCut(Work):
    """F9."""

    @pytest.fixture
    def fault(self, cut: Fault) -> Fault:
        return cut


class TestRefused(Work):
    """F11."""

    @pytest.fixture
    def fault(self, refuse: Fault) -> Fault:
        return refuse


class TestSwallowed(Work):
    """F27."""

    @pytest.fixture
    def fault(self, swallow: Fault) -> Fault:
        return swallow
