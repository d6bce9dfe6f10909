"""A worker, or a page's process, that is killed (`kill -9`) at a commit on the way of a handover: before it, or after.

Whoever was at it does it again, as a person or the clock would. Nothing is lost, and nothing is there twice.
"""

import os
import signal
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from handovers.between import SAID, Between

from handrail.handovers import actions, ledger, post
from handrail.handovers.actions import Refused
from handrail.handovers.models import Handover, Message, Pack, Step
from handrail.notices.models import Notice
from handrail.schools.models import Pupil
from tenants import exchange
from tenants.context import inside
from workflows.handovers import WORK, deliver_one


def submit(between: Between) -> None:
    """As a person does, who sees on the page whether it was sent."""
    with inside(between.one):
        handover = between.home_inside()
        if handover.state == "draft":
            actions.submit(handover=handover, by=between.people["lead"], at=between.at)


def delivers(who: str) -> Callable[[Between], None]:
    """The clock's own task, as a worker runs it: it commits after each piece of its work."""
    return lambda between: deliver_one(authority=str(getattr(between, who).id))


STEPS: dict[str, tuple[Callable[[Between], Any], int]] = {
    "submit": (submit, 1),
    "pack goes": (delivers("one"), len(WORK)),
    "pack comes": (delivers("two"), len(WORK)),
    "open": (lambda between: between.open(at=between.at), 1),
    "accept": (lambda between: between.move("accept", at=between.at), 1),
    "answer goes": (delivers("two"), len(WORK)),
    "answer comes": (delivers("one"), len(WORK)),
}
"""What happens from the home school to the answer, and how many commits each has."""


@dataclass(frozen=True)
class Kill:
    """Where it strikes: before or after a commit of a step, or when the step has just sealed something."""

    step: str
    when: str
    commit: int = 1

    def __str__(self) -> str:
        return f"{self.step}, {self.when} commit {self.commit}" if self.when != "sealed" else f"{self.step}, sealed"

    def arm(self) -> None:
        """Let this process die there."""
        if self.when == "sealed":
            real_suite = exchange.SUITE

            class Suite:
                def encrypt(self, *args: Any, **more: Any) -> None:
                    real_suite.encrypt(*args, **more)
                    die()

            pytest.MonkeyPatch().setattr(exchange, "SUITE", Suite())
            return
        real, made = BaseDatabaseWrapper.commit, []

        def commit(wrapper: BaseDatabaseWrapper) -> None:
            made.append(1)
            if len(made) == self.commit and self.when == "before":
                die()
            real(wrapper)
            if len(made) == self.commit:
                die()

        pytest.MonkeyPatch().setattr(BaseDatabaseWrapper, "commit", commit)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


KILLS = [
    *(
        Kill(step, when, commit)
        for step, (_, commits) in STEPS.items()
        for commit in range(1, commits + 1)
        for when in ("before", "after")
    ),
    *(Kill(step, "sealed") for step in ("pack goes", "answer goes")),
]
ALWAYS = {
    Kill("pack goes", "after", 1 + WORK.index(post.deposit_owed)),
    Kill("pack comes", "before", 1 + WORK.index(post.collect)),
    Kill("open", "after", 1),
    Kill("answer goes", "sealed"),
}
"""The ones that each run of the suite tries; the others are for --full."""


def in_a_process(work: Callable[[], Any]) -> int:
    """How a process of its own ended that did the work: an exit code, or minus the signal that killed it."""
    connections.close_all()
    pid = os.fork()
    if not pid:
        try:
            work()
            os._exit(0)
        except BaseException:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def remembered(between: Between) -> dict[str, Any]:
    """All that there is afterwards, in numbers, of each authority."""
    found: dict[str, Any] = {"bodies": between.bodies(), "differences": between.differences()}
    for who in ("one", "two", "three"):
        with inside(getattr(between, who)):
            found[who] = {
                "states": list(Handover.objects.values_list("side", "state")),
                "steps": Counter(Step.objects.values_list("move", flat=True)),
                "packs": Counter(Pack.objects.values_list("sha256", flat=True)),
                "messages": Counter(
                    (way, kind, done_at is not None, trouble)
                    for way, kind, done_at, trouble in Message.objects.values_list("way", "kind", "done_at", "trouble")
                ),
                "envelopes": Counter((each.kind, each.state) for each in exchange.ledger()),
                "children": Pupil.objects.count(),
                "told": Counter(Notice.objects.values_list("subject_kind", "recipient_role")),
            }
    return found


def go(between: Between, kill: Kill | None) -> dict[str, Any]:
    """The whole way, with a kill somewhere; what was killed is done again, and the clock goes on."""
    between.prepare(at=between.at)
    with inside(between.one):
        actions.write(handover=between.home_inside(), said=SAID, by=between.people["lead"], at=between.at)
    for name, (work, _) in STEPS.items():
        if kill and kill.step == name:

            def dying(work: Callable[[Between], Any] = work) -> None:
                kill.arm()
                work(between)

            assert in_a_process(dying) == -signal.SIGKILL
        with suppress(Refused):  # it had been done: a person who tries again is told so
            work(between)
    for _ in range(2):
        for who in ("one", "two", "three"):
            delivers(who)(between)
    return remembered(between)


@pytest.fixture(params=KILLS, ids=str)
def kill(request: pytest.FixtureRequest, full: bool) -> Kill:
    if not full and request.param not in ALWAYS:
        pytest.skip("with --full")
    found: Kill = request.param
    return found


def test_loses_nothing_and_doubles_nothing(kill: Kill, between: Between) -> None:
    found = go(between, kill)
    assert found["one"]["states"] == [("home", "accepted")]
    assert found["two"]["states"] == [("setting", "accepted")]
    assert found["one"]["steps"] == found["two"]["steps"] + Counter(["prepare"])
    assert set(found["two"]["steps"].values()) == {1}
    assert found["one"]["packs"] == found["two"]["packs"]
    assert found["two"]["children"] == found["one"]["children"] == 1
    assert (found["bodies"], found["differences"]) == (0, [])
    assert found["two"]["messages"] == {("in", "pack", True, ""): 1, ("out", "move", True, ""): 2}
    assert found["one"]["messages"] == {("out", "pack", True, ""): 1, ("in", "move", True, ""): 2}
    assert not any(found["three"].values())
    assert found["two"]["told"][("handover_pack", "coordinator")] == 1


def test_both_ledgers_say_the_same_afterwards(between: Between) -> None:
    go(between, None)
    before = between.at.replace(year=2100)
    with inside(between.one):
        ours = ledger.tallies(before=before)
    with inside(between.two):
        theirs = ledger.tallies(before=before)
    assert {way: tally for (side, way), tally in ours.items() if side == "out"} == {
        way: tally for (side, way), tally in theirs.items() if side == "in"
    }
