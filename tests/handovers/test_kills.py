"""A worker, or a page's process, that is killed (`kill -9`) at a commit on the way of a handover: before it, or after.

Whoever was at it does it again, as a person or the clock would. Nothing is lost, and nothing is there twice.
"""

import os
import signal
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

import pytest
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from handovers.between import AT, CHILD, HOSPITAL_URN, SAID, TODAY, Between, furnished, telling
from handovers.test_returning import SAID as BACK

from handrail.absences.actions import ReportedAlready, make_return
from handrail.handovers import actions, admissions, ledger, onward, post, returning
from handrail.handovers.actions import Refused
from handrail.handovers.homes import Home
from handrail.handovers.models import Handover, Message, OnwardReturn, Pack, Setting
from handrail.handovers.models import Step as StepMade
from handrail.notices.models import Notice
from handrail.schools.models import Pupil
from tenants import exchange
from tenants.context import inside
from workflows.handovers import WORK, deliver_one


@dataclass(frozen=True)
class Step:
    """Something that is done on the way, and at which of its commits it may be killed."""

    name: str
    work: Callable[[Between], Any]
    commits: tuple[int, ...] = (1,)
    seals: bool = False

    def __str__(self) -> str:
        return self.name


def by_home(work: Callable[..., Any], *, of: str = "", **more: Any) -> Callable[[Between], None]:
    """As a person at the home school does, who sees on the page whether it is to be done: when it stands at `of`."""

    def do(between: Between) -> None:
        with inside(between.one):
            handover = between.home_inside()
            if not of or handover.state == of:
                work(handover=handover, by=between.people["lead"], at=between.at, **more)

    return do


def by_setting(work: Callable[..., Any], *, of: str = "", **more: Any) -> Callable[[Between], None]:
    """As a person at the hospital school does, who sees the same."""

    def do(between: Between) -> None:
        with inside(between.two):
            handover = between.setting_inside()
            if not of or handover.state == of:
                work(handover=handover, by=between.people["hospital"], at=between.at, **more)

    return do


def clock_of(who: str) -> Callable[[Between], None]:
    """The clock's own task, as a worker runs it: it commits after each piece of its work."""
    return lambda between: deliver_one(authority=str(getattr(between, who).id))


EACH_PIECE = tuple(range(1, len(WORK) + 1))


def goes(what: str, who: str, commits: tuple[int, ...] = (1 + WORK.index(post.deposit_owed),)) -> Step:
    return Step(f"{what} goes", clock_of(who), commits, seals=True)


def comes(what: str, who: str, commits: tuple[int, ...] = (1 + WORK.index(post.collect),)) -> Step:
    return Step(f"{what} comes", clock_of(who), commits)


def correct(between: Between) -> None:
    with inside(between.one):
        handover = between.home_inside()
        if handover.packs.count() == 1:
            said = {"medicine": "The mother brings it."}
            actions.write(handover=handover, said=said, by=between.people["lead"], at=between.at)
            actions.submit(handover=handover, by=between.people["lead"], at=between.at)


def read_and_begin(between: Between) -> None:
    between.read_steps(at=between.at)
    between.move("begin", at=between.at)


def send_back(between: Between) -> None:
    with inside(between.two):
        handover = between.setting_inside()
        if not handover.packs.filter(is_return=True).exists():
            returning.write(handover=handover, said=BACK, by=between.people["hospital"], at=between.at)
            returning.send(handover=handover, by=between.people["hospital"], at=between.at)


def admit(between: Between) -> None:
    with inside(between.two):
        if not Handover.objects.exists():
            admissions.admit(
                setting=Setting.objects.get(school__urn=HOSPITAL_URN),
                name=CHILD,
                born_on=date(2016, 5, 1),
                admitted_on=TODAY,
                home=Home("001", "Barsetshire", exchange.member("001").role),
                is_urgent=True,
                by=between.people["hospital"],
                at=between.at,
            )


def report(between: Between) -> None:
    with inside(between.one):
        make_return(
            pupil=Pupil.objects.get(id=between.pupil_id),
            first_on=date(2026, 11, 16),
            is_likely=True,
            says={"address": "3 Mid Street"},
            lives_in="002",
            by=between.people["lead"],
            at=between.at,
        )


def open_onward(between: Between) -> None:
    with inside(between.two):
        onward.open_return(onward=OnwardReturn.objects.get(way="in"), by=between.people["hospital"], at=between.at)


def written(between: Between) -> None:
    between.prepare(at=between.at)
    by_home(actions.write, said=SAID)(between)


THERE = [
    Step("submit", by_home(actions.submit, of="draft")),
    goes("pack", "one", EACH_PIECE),
    comes("pack", "two", EACH_PIECE),
    Step("open", by_setting(post.open_pack)),
    Step("accept", by_setting(actions.make_move, of="acknowledged", name="accept", **telling("accept", {}))),
    goes("answer", "two", EACH_PIECE),
    comes("answer", "one", EACH_PIECE),
]
CORRECTED = [
    Step("correct", correct),
    goes("correction", "one"),
    comes("correction", "two"),
    Step("open correction", by_setting(post.open_pack)),
]
BACK_AGAIN = [
    Step("begin", read_and_begin, (1, 2)),
    Step(
        "plan return", by_setting(actions.make_move, of="active", name="plan_return", said={"plan": "Mornings first."})
    ),
    Step("send back", send_back),
    goes("return pack", "two"),
    comes("return pack", "one"),
    Step("open back", by_home(returning.open_back)),
    Step("confirm", by_home(actions.make_move, name="confirm_return")),
    goes("end", "one"),
    comes("end", "two"),
]
ADMITTED = [Step("admit", admit), goes("notice", "two"), comes("notice", "one")]
REPORTED = [
    Step("report", report),
    Step("return sent on", clock_of("one"), EACH_PIECE, seals=True),
    comes("return sent on", "two"),
    Step("open return", open_onward),
]
WAYS = {
    "a handover": [Step("write", written, ()), *THERE, *CORRECTED, *BACK_AGAIN],
    "an admission": ADMITTED,
    "a return": REPORTED,
}
"""What happens on each way, in order."""


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


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker's moment is the one of the people in these tests."""
    monkeypatch.setattr("workflows.handovers.clock", lambda: AT)


KILLS = [
    (way, Kill(step.name, when, commit))
    for way, steps in WAYS.items()
    for step in steps
    for commit in step.commits
    for when in ("before", "after")
] + [(way, Kill(step.name, "sealed")) for way, steps in WAYS.items() for step in steps if step.seals]
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
    digests: dict[str, set[str]] = {}
    for who in ("one", "two", "three"):
        with inside(getattr(between, who)):
            digests[who] = set(Pack.objects.values_list("sha256", flat=True))
            found[who] = {
                "states": list(Handover.objects.values_list("side", "state")),
                "steps": Counter(StepMade.objects.values_list("move", flat=True)),
                "packs": Pack.objects.values("sha256").distinct().count(),
                "messages": Counter(
                    (way, kind, done_at is not None, trouble)
                    for way, kind, done_at, trouble in Message.objects.values_list("way", "kind", "done_at", "trouble")
                ),
                "envelopes": Counter((each.kind, each.state) for each in exchange.ledger()),
                "children": Pupil.objects.count(),
                "told": Counter(Notice.objects.values_list("subject_kind", "recipient_role")),
            }
    return found | {"packs are the same": digests["one"] == digests["two"]}


def go(between: Between, way: str, kill: Kill | None = None) -> dict[str, Any]:
    """The whole way, with a kill somewhere; what was killed is done again, and the clock goes on."""
    for step in WAYS[way]:
        if kill and kill.step == step.name:

            def dying(work: Callable[[Between], Any] = step.work) -> None:
                kill.arm()
                work(between)

            assert in_a_process(dying) == -signal.SIGKILL
        with suppress(Refused, ReportedAlready):  # it had been done: a person who tries again is told so
            step.work(between)
    for _ in range(2):
        for who in ("one", "two", "three"):
            clock_of(who)(between)
    return remembered(between)


@cache
def undisturbed(database: str, way: str) -> dict[str, Any]:
    """What there is after a way on which nothing was killed."""
    return go(furnished(database), way)


@pytest.fixture(params=KILLS, ids=lambda each: f"{each[0]}, {each[1]}")
def killed(request: pytest.FixtureRequest, full: bool) -> tuple[str, Kill]:
    if not full and request.param[1] not in ALWAYS:
        pytest.skip("with --full")
    found: tuple[str, Kill] = request.param
    return found


def test_loses_nothing_and_doubles_nothing(killed: tuple[str, Kill], between: Between) -> None:
    way, kill = killed
    expected = undisturbed(between.database, way)
    assert go(furnished(between.database), way, kill) == expected


def test_what_a_handover_leaves_where_nothing_is_killed(between: Between) -> None:
    found = undisturbed(between.database, "a handover")
    assert found["one"]["states"] == [("home", "returned")]
    assert found["two"]["states"] == [("setting", "returned")]
    assert found["one"]["steps"] == found["two"]["steps"] + Counter(["prepare"])
    assert set(found["two"]["steps"].values()) == {1}
    assert found["packs are the same"] and found["one"]["packs"] == 3
    assert found["two"]["children"] == found["one"]["children"] == 1
    assert (found["bodies"], found["differences"]) == (0, [])
    assert not any(found["three"].values())


def test_both_ledgers_say_the_same_afterwards(between: Between) -> None:
    go(between, "a handover")
    before = between.at.replace(year=2100)
    with inside(between.one):
        ours = ledger.tallies(before=before)
    with inside(between.two):
        theirs = ledger.tallies(before=before)
    assert {way: tally for (side, way), tally in ours.items() if side == "out"} == {
        way: tally for (side, way), tally in theirs.items() if side == "in"
    }
