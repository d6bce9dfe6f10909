"""What goes wrong around a handover: two at once, an authority that is suspended or gone, days unlike others."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from threading import Event
from typing import Any
from uuid import uuid4

import pytest
from databases import as_superuser
from django.db import connections
from factories import person
from handovers.between import AT, CHILD, Between
from handovers.test_onward import carried, report
from handovers.test_returning import SAID as BACK

from handrail.accounts.roles import Role
from handrail.core.models import AuditEntry
from handrail.handovers import actions, by_hand, ceased, due, post, returning
from handrail.handovers.actions import NotNow
from handrail.handovers.models import Handover, Message, OnwardReturn, Step
from handrail.handovers.moves import MOVES
from handrail.handovers.onward import open_return
from handrail.handovers.steps import VERBS
from handrail.schools.models import Pupil
from tenants import exchange
from tenants.actions import _leave_the_exchange
from tenants.context import inside
from workflows.handovers import deliver_one

LATER = AT + timedelta(hours=1)


def at_once(*work: Callable[[], Any]) -> Counter[str]:
    """Each in a process of its own, let go at the same moment: how many did it, and how many were told no."""
    connections.close_all()
    gate, go = os.pipe()
    pids = []
    for each in work:
        pid = os.fork()
        if not pid:
            code = 2
            with suppress(BaseException):
                os.close(go)
                os.read(gate, 1)
                try:
                    each()
                    code = 0
                except NotNow:
                    code = 1
            os._exit(code)
        pids.append(pid)
    os.close(gate)
    os.close(go)
    ended = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
    return Counter({0: "did it", 1: "was told no"}.get(code, "failed") for code in ended)


ONE_OF_TWO = {"did it": 1, "was told no": 1}


class TestTwoAtOnce:
    def test_open_a_pack_once(self, between: Between) -> None:
        between.sent()
        between.post()
        assert at_once(between.open, between.open) == ONE_OF_TWO
        with inside(between.two):
            assert Pupil.objects.count() == between.setting_inside().packs.count() == 1
            assert Step.objects.filter(move="acknowledge").count() == 1

    def test_answer_once(self, between: Between) -> None:
        between.sent()
        between.post()
        between.open()
        seen = {"seen": self.newest_step(between)}
        assert at_once(lambda: between.move("accept", **seen), lambda: between.move("decline", **seen)) == ONE_OF_TWO
        with inside(between.two):
            answers = Step.objects.filter(move__in=["accept", "decline"]).values_list("move", "state")
            assert [state for _, state in answers] == [between.setting_inside().state]

    @pytest.mark.parametrize(("first", "second"), [("accept", "decline"), ("decline", "accept"), ("accept", "accept")])
    def test_who_answers_what_stood_before_is_told_who_answered(
        self, between: Between, first: str, second: str
    ) -> None:
        between.sent()
        between.post()
        between.open()
        seen = self.newest_step(between)
        between.move(first, seen=seen)
        with pytest.raises(NotNow, match=rf"{VERBS[first]} meanwhile"):
            between.move(second, seen=seen)
        assert between.setting().state == MOVES[first].to
        if first == "accept":  # the place may still be given up, or another day said, by who has seen that it was
            between.move(second, seen=self.newest_step(between))

    def newest_step(self, between: Between) -> int:
        with inside(between.two):
            return between.setting_inside().steps.count()

    def test_open_a_return_of_another_authority_once(self, between: Between) -> None:
        report(between)
        carried(between)
        with inside(between.two):
            came = OnwardReturn.objects.get(way="in")

        def opens(name: str) -> Callable[[], None]:
            def work() -> None:
                with inside(between.two):
                    open_return(onward=came, by=person(f"{name}-{uuid4().hex}@b.example", Role.NAMED_OFFICER), at=LATER)

            return work

        assert at_once(opens("ned"), opens("nell")) == ONE_OF_TWO
        with inside(between.two):
            [entry] = AuditEntry.objects.filter(verb="opened a return from another authority", subject_id=came.id)
            now = OnwardReturn.objects.get(way="in")
            assert now.says["name"] == CHILD and (now.done_by, now.done_at) == (entry.by, LATER)
        assert (between.bodies(), between.differences()) == (0, [])

    def test_hand_a_child_over_once(self, between: Between) -> None:
        assert at_once(between.prepare, between.prepare) == ONE_OF_TWO
        with inside(between.one):
            assert Handover.objects.count() == 1


class TestTwoWhoDeposit:
    """A worker that has deposited a pack and not yet committed, and another that finds what was written after it."""

    @contextmanager
    def depositing(self, between: Between, *, at: datetime) -> Iterator[None]:
        done, go = Event(), Event()

        def work() -> None:
            with inside(between.one):
                post.deposit_owed(at=at)
                done.set()
                go.wait(30)
            connections.close_all()

        with ThreadPoolExecutor(1) as other:
            ended = other.submit(work)
            assert done.wait(30)
            try:
                yield
            finally:
                go.set()
                ended.result(30)

    def test_do_not_let_a_withdrawal_overtake_its_pack(self, between: Between) -> None:
        between.sent()
        with self.depositing(between, at=LATER):
            between.move_home("withdraw", said={"reason": "Gone home."}, at=LATER)
            with inside(between.one):
                assert post.deposit_owed(at=LATER) == 0
        with inside(between.two):
            assert post.collect(at=LATER) == 1
        assert between.setting().state == "submitted"
        with inside(between.one):
            assert post.deposit_owed(at=AT) == 1, "by a clock that is behind"
        with inside(between.two):
            assert post.collect(at=LATER) == 1
        assert (between.setting().state, between.bodies(), between.differences()) == ("withdrawn", 0, [])

    def test_are_told_apart_in_order_by_a_clock_that_is_behind(self, between: Between) -> None:
        between.sent()
        between.post(at=AT)
        between.open(at=AT)
        between.move("accept", at=AT)
        with inside(between.two):
            post.deposit_owed(at=LATER)
        between.read_steps(at=AT)
        between.move("begin", at=AT)
        with inside(between.two):
            post.deposit_owed(at=AT)
        with inside(between.one):
            assert post.collect(at=LATER) == 3
        assert between.home().state == "active"


class TestAPackCorrected:
    def test_between_reading_and_accepting_is_opened_first(self, between: Between) -> None:
        between.sent()
        between.post()
        between.open()
        between.read_steps()
        with inside(between.one):
            handover, by = between.home_inside(), between.people["lead"]
            actions.write(handover=handover, said={"fitness": "None."}, by=by, at=LATER)
            actions.submit(handover=handover, by=by, at=LATER)
        between.post(at=LATER)
        for name in ("accept", "begin"):
            with pytest.raises(NotNow, match="A newer pack has come"):
                between.move(name, at=LATER)
        between.open(at=LATER)
        between.move("accept", at=LATER)


class TestAnAuthority:
    def state(self, between: Between, state: str) -> None:
        with as_superuser(between.database) as admin:
            admin.execute("UPDATE tenants_localauthority SET state = %s WHERE code = '002'", (state,))

    def test_suspended_with_envelopes_in_flight_takes_them_up_when_it_is_back(self, between: Between) -> None:
        between.sent()
        with inside(between.one):
            post.deposit_owed(at=AT)
        self.state(between, "suspended")
        try:
            deliver_one.apply(kwargs={"authority": str(between.two.id)})
            with inside(between.two):
                assert not Handover.objects.exists()
        finally:
            self.state(between, "active")
        between.post(at=LATER)
        between.open(at=LATER)
        between.post(at=LATER)
        assert (between.home().state, between.bodies(), between.differences()) == ("acknowledged", 0, [])

    def test_suspended_as_the_sender_hears_of_all_that_was_answered_when_it_is_back(self, between: Between) -> None:
        between.sent()
        between.post()
        with inside(between.two):
            assert post.not_taken_up_since(between.setting_inside(), at=LATER) is None
        self.without_one(between)
        back = AT + timedelta(days=60)
        with inside(between.two):
            assert post.not_taken_up_since(between.setting_inside(), at=AT) is None, "its clock may be at rest"
            assert post.not_taken_up_since(between.setting_inside(), at=back) == AT
            assert post.let_run_out(at=back) == 0
        with inside(between.one):
            assert post.let_run_out(at=back) == 0, "somebody opened it there, as this side is about to hear"
        between.post(at=back)
        home = between.home()
        assert (home.state, home.return_from_on) == ("return_planned", date(2027, 1, 11))
        with inside(between.one):
            assert home.return_waits(on=back.date())
            returning.open_back(handover=home, by=between.people["lead"], at=back)
            names = [each.move for each in between.home_inside().steps.all()]
        assert names[-6:] == ["acknowledge", "accept", "begin", "plan_return", "send_back", "open_back"]
        between.post(at=back)
        with inside(between.two):
            assert post.not_taken_up_since(between.setting_inside(), at=back + timedelta(days=9)) is None
        assert (between.bodies(), between.differences()) == (0, [])

    def without_one(self, between: Between) -> None:
        """Authority one is suspended: the setting goes on, to the return pack, and nobody takes up what it tells."""
        between.open()
        between.read_steps()
        between.move("accept")
        between.move("begin")
        between.move("plan_return", return_from_on=date(2027, 1, 11))
        with inside(between.two):
            who = {"by": between.people["hospital"], "at": AT}
            returning.write(handover=between.setting_inside(), said=BACK, **who)
            returning.send(handover=between.setting_inside(), **who)
            post.deposit_owed(at=AT)

    @pytest.mark.parametrize("is_opened", [True, False], ids=["opened", "not opened"])
    def test_removed_as_the_sender_leaves_the_setting_to_go_on_alone(self, between: Between, is_opened: bool) -> None:
        between.sent()
        between.post()
        if is_opened:
            between.open()
            between.move("accept")
        with self.removed(between, between.one), inside(between.two):
            assert ceased.follow_ceased(at=LATER) == 1
            assert ceased.follow_ceased(at=LATER) == 0
            there = between.setting_inside()
            assert ceased.why_gone(there, at=LATER) == "Barsetshire no longer uses Handrail."
            assert there.steps.last().said["reason"].startswith("Barsetshire no longer uses Handrail.")
            assert (there.state, there.has_no_other_side) == (("accepted", True) if is_opened else ("came_back", False))
            assert not Message.objects.filter(way="out", done_at=None).exists()
            if is_opened:
                who = {"by": between.people["hospital"], "at": LATER}
                by_hand.note_theirs(handover=there, name="end", said={"reason": "Home."}, **who)
                assert between.setting_inside().state == "ended"

    @contextmanager
    def removed(self, between: Between, authority: Any) -> Iterator[None]:
        """What `handrail remove-authority` does to the exchange; its schema stays for the next test."""
        role = authority.schema_name
        with as_superuser(between.database) as admin:
            kept = admin.execute("SELECT to_jsonb(m)::text FROM exchange.member m WHERE role = %s", (role,)).fetchall()
            admin.execute("SET ROLE handrail_owner")
            _leave_the_exchange(admin, role)
        try:
            yield
        finally:
            with as_superuser(between.database) as admin:
                admin.execute(
                    """INSERT INTO exchange.member
                       SELECT * FROM jsonb_populate_record(NULL::exchange.member, %s::jsonb)""",
                    kept[0],
                )

    def test_removed_with_envelopes_in_flight_is_said_in_words(self, between: Between) -> None:
        between.sent()
        between.post()
        between.open()
        between.post()
        role = between.two.schema_name
        with self.removed(between, between.two):
            between.move_home("withdraw", said={"reason": "Gone home."}, at=LATER)
            with inside(between.one):
                assert post.deposit_owed(at=LATER) == 0
                [message] = Message.objects.filter(way="out", done_at=None)
                assert message.trouble == "Borchester no longer uses Handrail. Ring them."
                assert between.home_inside().state == "withdrawn"
                assert all(each.sender != role or each.collected_at for each in exchange.ledger())
        between.post(at=LATER)
        assert between.setting().state == "withdrawn"


class TestDays:
    @pytest.mark.parametrize(
        ("at", "day"),
        [
            (datetime(2026, 7, 1, 22, 59, tzinfo=UTC), date(2026, 7, 1)),
            (datetime(2026, 7, 1, 23, 0, tzinfo=UTC), date(2026, 7, 2)),  # midnight in summer
            (datetime(2026, 11, 23, 23, 59, tzinfo=UTC), date(2026, 11, 23)),
            (datetime(2027, 3, 28, 0, 30, tzinfo=UTC), date(2027, 3, 28)),  # the night the clocks go forward
            (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), date(2026, 10, 25)),  # and the one they go back
        ],
    )
    def test_are_those_of_london_when_a_pack_comes(self, between: Between, at: datetime, day: date) -> None:
        between.sent(at=at)
        between.post(at=at)
        assert between.setting().since_on == day
        with inside(between.two):
            [came] = due.with_packs(on=day)
            assert came.due == day
