"""Workers are killed; nothing is lost and nothing is sent twice.

Every obligation ends accepted, suppressed, dead or visibly unknown, and the post holds one letter for each that was
accepted. Real processes, a real `kill -9`; the time that a lease takes is an argument, never waited for.
"""

import random
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from factories import SchoolFactory, recorded_policy
from sender import SURVIVED

from handrail.config.env import whole_environment
from handrail.core.models import AuthoritySettings
from handrail.notices.mailbox import Mailbox
from handrail.notices.models import Notice, NoticeAttempt
from handrail.policies.reminders import owe_review_reminders
from tenants.context import inside
from workflows import notices

pytestmark = pytest.mark.django_db(transaction=True)

State = Notice.State
KILLED = -signal.SIGKILL
AFTER_THE_LEASE = timedelta(minutes=6)
SENDER = Path(__file__).with_name("sender.py")


@pytest.fixture
def owed(one: Any, at: datetime) -> Callable[[int], None]:
    """`owed(n)` owes one reminder about each of n policies."""

    def owe(number: int) -> None:
        with inside(one):
            AuthoritySettings.objects.create(has_quiet_hours=False)
            for _ in range(number):
                recorded_policy(SchoolFactory(), next_review_on=at.date())
            owe_review_reminders(on=at.date(), at=at)
            assert Notice.objects.filter(state=State.OWED).count() == number

    return owe


@pytest.fixture
def start(one: Any, tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """`start(at, fault)` starts a worker process on the test's own database."""

    def begin(at: datetime, fault: str = "none") -> subprocess.Popen[str]:
        environment = {
            **whole_environment(),
            "HANDRAIL_LOGIN": "app",
            "DJANGO_SETTINGS_MODULE": "handrail.config.settings",
            "PYTHONPATH": ":".join(path for path in sys.path if path),
        }
        return subprocess.Popen(
            [sys.executable, str(SENDER), one.code, at.isoformat(), str(tmp_path / "post"), fault],
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )

    return begin


@pytest.fixture
def work(start: Callable[..., subprocess.Popen[str]]) -> Callable[..., int]:
    """`work(at, fault)` runs a worker to its end, or its death, and gives its exit code."""

    def run(at: datetime, fault: str = "none") -> int:
        worker = start(at, fault)
        _, errors = worker.communicate(timeout=60)
        assert worker.returncode in (0, SURVIVED, KILLED), errors
        return worker.returncode

    return run


@pytest.fixture
def recover(one: Any, tmp_path: Path) -> Callable[[datetime], None]:
    """`recover(at)` does what the next worker does, in this process."""
    return lambda at: notices.send(one, provider=Mailbox(tmp_path / "post"), at=at, at_most=10_000) and None


@pytest.fixture
def sent(tmp_path: Path) -> Callable[[], int]:
    """How many letters are in the post."""
    return lambda: len(list((tmp_path / "post").glob("*.eml")))


def states(one: Any) -> dict[str, int]:
    with inside(one):
        found = list(Notice.objects.values_list("state", flat=True))
    return {state: found.count(state) for state in sorted(set(found))}


class TestOneKill:
    def test_at_every_boundary_loses_nothing_and_doubles_nothing(self, one, owed, work, recover, sent, at):
        """F1, F2 and all between: the worker dies once at each boundary of sending one message."""
        owed(0)
        boundary, survived = 0, False
        while not survived:
            boundary += 1
            now = at + boundary * timedelta(hours=1)
            with inside(one):
                recorded_policy(SchoolFactory(), next_review_on=at.date())
                owe_review_reminders(on=at.date(), at=at)
            survived = work(now, f"boundary:{boundary}") == SURVIVED
            recover(now + AFTER_THE_LEASE)
            assert states(one) == {"accepted": boundary}, f"boundary {boundary}"
            assert sent() == boundary, f"boundary {boundary}"
        assert boundary > 6

    def test_of_the_same_message_again_and_again_buries_it_alone(self, one, owed, work, sent, at):
        """F4: a row that kills every worker is given up after three, and the rest goes out."""
        owed(4)
        with inside(one):
            poison = Notice.objects.order_by("id")[1].recipient
        for hour in range(8):
            if work(at + timedelta(hours=hour), f"poison:{poison}") == 0:
                break
        assert (states(one), sent()) == ({"accepted": 3, "dead": 1}, 3)
        assert hour == 3


class TestManyWorkers:
    def test_at_once_send_each_message_once(self, one, owed, start, sent, at):
        """F7, F8: the bell is rung five times at once."""
        owed(30)
        workers = [start(at) for _ in range(5)]
        for worker in workers:
            assert worker.wait(60) == 0, worker.stderr.read()
        assert (states(one), sent()) == ({"accepted": 30}, 30)
        with inside(one):
            assert NoticeAttempt.objects.count() == 30

    def test_one_that_was_stopped_past_its_lease_writes_over_nobody(self, one, owed, start, work, sent, at, tmp_path):
        """F3."""
        owed(1)
        gate = tmp_path / "gate"
        gate.touch()
        paused = start(at, f"pause:{gate}")
        while not gate.with_suffix(".reached").exists():
            assert paused.poll() is None, paused.stderr.read()
        assert work(at + AFTER_THE_LEASE) == 0
        gate.unlink()
        assert paused.wait(60) == 0
        assert (states(one), sent()) == ({"accepted": 1}, 1)
        with inside(one):
            assert Notice.objects.get().attempt == 2

    @pytest.mark.storm
    def test_killed_at_random_lose_and_double_nothing(self, one, owed, work, recover, sent, at, full):
        """A campaign: workers die at random boundaries until everything is sent."""
        messages, kills = (2_000, 400) if full else (40, 6)
        owed(messages)
        dice = random.Random(2026)
        for kill in range(kills):
            work(at + timedelta(minutes=10 * kill), f"boundary:{dice.randint(1, 5 * messages // kills)}")
        recover(at + timedelta(minutes=10 * kills))
        counts = states(one)
        print(f"{messages} messages, {kills} kills: {counts}, {sent()} letters")
        assert sum(counts.values()) == messages
        assert counts.get("accepted", 0) == messages
        assert sent() == messages
