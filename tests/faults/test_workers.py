"""What becomes of messages when workers die, stop, meet poison or lose their connection.

Every process here is a real one and is really killed. What the clock says is an argument, so nobody waits for a lease.
"""

import os
import secrets
import signal
from datetime import timedelta
from typing import Any

import pytest
from databases import as_superuser
from factories import SchoolFactory, recorded_policy
from post import kill_myself, nothing

from handrail.notices import actions
from handrail.notices.models import Notice, Sweep
from handrail.policies.reminders import owe_review_reminders
from handrail.schools.models import School
from tenants.context import inside
from tenants.routing import authority_by_code
from workflows import reminders
from workflows.notices import LEASE, Breaker, send

SOON = timedelta(minutes=1)


def run(ground: Any, *, later: timedelta = timedelta(), **more: Any) -> int:
    return send(ground.one, provider=ground.post, at=ground.at + later, breaker=Breaker(), **more)


class TestKilled:
    """F1, F2: `kill -9` of a worker."""

    def test_before_the_provider_is_called_it_is_sent_once_after_the_lease(self, ground):
        [notice] = ground.owe(1)
        ground.post.before = kill_myself
        assert ground.in_a_process(lambda: run(ground)).wait() == -signal.SIGKILL
        assert ground.states() == {"claimed": 1}
        ground.post.before = lambda message: None
        assert run(ground, later=LEASE - SOON) == 0
        assert run(ground, later=LEASE) == 1
        assert ground.post.taken() == [(notice.reference, notice.recipient)]
        assert ground.states() == {"accepted": 1}

    def test_after_the_provider_took_it_the_provider_is_asked(self, ground):
        [notice] = ground.owe(1)
        ground.post.after = kill_myself
        assert ground.in_a_process(lambda: run(ground)).wait() == -signal.SIGKILL
        run(ground, later=LEASE)
        assert ground.post.asked == [notice.reference]
        assert len(ground.post.taken()) == 1
        assert ground.states() == {"accepted": 1}

    def test_leaves_one_claim_behind_and_the_rest_goes_on(self, ground):
        ground.owe(5)
        ground.post.after = kill_myself
        ground.in_a_process(lambda: run(ground)).wait()
        assert ground.states() == {"claimed": 1, "owed": 4}
        ground.post.after = lambda message: None
        run(ground)
        assert ground.states() == {"accepted": 4, "claimed": 1}
        run(ground, later=LEASE)
        assert len(ground.post.taken()) == len(set(ground.post.taken())) == 5

    def test_with_a_provider_that_cannot_be_asked_a_second_copy_is_flagged_and_a_third_never_sent(self, ground):
        ground.owe(1)
        ground.post.can_be_asked = False
        ground.post.after = kill_myself
        for times in range(4):
            ground.in_a_process(lambda now=times: run(ground, later=now * 2 * LEASE)).wait()
        assert len(ground.post.taken()) == 2
        assert ground.states() == {"unknown": 1}
        with inside(ground.one):
            assert Notice.objects.undelivered().get().is_possible_duplicate


class TestStopped:
    """F3: a worker that stops for longer than its lease, and goes on."""

    def test_its_late_write_is_refused_and_noted(self, ground):
        ground.owe(1)
        ground.post.after = lambda message: os.kill(os.getpid(), signal.SIGSTOP)
        slow = ground.in_a_process(lambda: run(ground))
        slow.wait_until_stopped()
        ground.post.after = lambda message: None
        run(ground, later=LEASE)
        os.kill(slow.pid, signal.SIGCONT)
        assert slow.wait() == 0
        assert ground.states() == {"accepted": 1}
        assert ground.outcomes() == ["late", "accepted"]
        assert len(ground.post.taken()) == 1

    def test_it_does_not_send_when_its_lease_runs_out(self, ground):
        ground.owe(1)
        assert run(ground, lease=timedelta(microseconds=1)) == 1
        assert ground.post.taken() == []
        run(ground, later=LEASE)
        assert len(ground.post.taken()) == 1


class TestPoison:
    """F4: a message that kills every worker it meets."""

    def test_is_given_up_after_three_and_the_rest_goes_on(self, ground):
        poison = ground.owe(4)[0]
        ground.post.before = lambda message: message.reference == poison.reference and kill_myself(message)
        for times in range(3):
            while ground.in_a_process(lambda now=times: run(ground, later=now * LEASE)).wait():
                pass
        run(ground, later=3 * LEASE)
        assert ground.states() == {"accepted": 3, "dead": 1}
        with inside(ground.one):
            assert "3 times" in Notice.objects.undelivered().get().last_error
        assert len(ground.post.taken()) == 3


class TestMany:
    """F7, F8: the same ring heard several times."""

    def test_five_sweeps_at_once_owe_each_reminder_once(self, ground):
        with inside(ground.one):
            for days in range(20):
                recorded_policy(SchoolFactory(head_email=""), next_review_on=ground.on - timedelta(days=days))

        def sweep() -> None:
            with inside(ground.one):
                owe_review_reminders(on=ground.on, at=ground.at)

        processes = [ground.in_a_process(sweep) for _ in range(5)]
        assert [each.wait() for each in processes] == [0] * 5
        assert ground.states() == {"owed": 20}
        with inside(ground.one):
            assert Sweep.objects.get().owed == 20

    def test_five_runs_at_once_send_each_message_once(self, ground):
        ground.owe(30)
        processes = [ground.in_a_process(lambda: run(ground)) for _ in range(5)]
        assert [each.wait() for each in processes] == [0] * 5
        assert ground.states() == {"accepted": 30}
        assert len(ground.post.taken()) == len(set(ground.post.taken())) == 30

    def test_three_days_without_a_clock_are_caught_up_with_the_newest_alone(self, ground):
        with inside(ground.one):
            policy = recorded_policy(SchoolFactory(head_email=""), next_review_on=ground.on - timedelta(days=6))
            owe_review_reminders(on=ground.on, at=ground.at)
            for _ in range(2):
                owe_review_reminders(on=ground.on + timedelta(days=9), at=ground.at + timedelta(days=9))
            found = Notice.objects.of_subject("policy", policy.id).order_by("step_on")
            assert [(each.step, each.suppressed_reason) for each in found] == [
                ("before-0", ""),
                ("overdue-1", "superseded"),
                ("overdue-2", ""),
            ]
        run(ground, later=timedelta(days=9))
        assert len([each for each in ground.post.taken() if "admin" not in each[1]]) == 1


class TestHeld:
    """F20, F22: whom it concerns has changed meanwhile."""

    def test_what_a_suspended_authority_owes_is_held_and_sent_when_it_is_served_again(self, ground, settings):
        from celery.exceptions import Reject

        from workflows import notices

        settings.MAILBOX = ground.post.book.parent
        ground.owe(2)
        with as_superuser(ground.database) as admin:
            admin.execute("UPDATE tenants_localauthority SET state = 'suspended' WHERE code = '001'")
        for task in (notices.send_for_authority, reminders.sweep_authority, notices.check_silence_of):
            with pytest.raises(Reject, match="not being served"):
                task(authority=str(ground.one.id))
        assert ground.states() == {"owed": 2}
        assert not (settings.MAILBOX / str(ground.two.id)).exists()
        with as_superuser(ground.database) as admin:
            admin.execute("UPDATE tenants_localauthority SET state = 'active'")
        assert authority_by_code("001").is_served
        notices.send_for_authority(authority=str(ground.one.id))
        assert ground.states() == {"accepted": 2}

    def test_a_recipient_removed_between_claim_and_sending_is_not_written_to(self, ground):
        ground.owe(1)
        with inside(ground.one):
            claim = actions.claim(urgency=Notice.Urgency.DEADLINE, at=ground.at, lease=LEASE)
            School.objects.update(lead_email="", office_email="")
        assert claim is not None
        run(ground, later=LEASE)
        assert ground.post.taken() == []
        assert ground.states() == {"suppressed": 1}


class TestCampaign:
    """Workers that are killed at random while they send: nothing lost, nothing twice.

    A message at which three of them died is given up, as poison is, and a person is told.
    """

    def test_loses_and_repeats_nothing(self, ground, long):
        sends, kills, workers = (10_000, 200, 4) if long else (120, 12, 3)
        ground.owe(sends)
        chance = kills / sends / 2  # before and after each message

        def perhaps(message: Any) -> None:
            if secrets.randbelow(1_000_000) < chance * 1_000_000:
                kill_myself(message)

        ground.post.before = ground.post.after = perhaps
        killed, rounds = 0, 0
        while ground.states().keys() - {"accepted", "dead"}:
            assert rounds < 4 * kills, f"they go on for ever: {ground.states()}"
            now = rounds * LEASE
            processes = [
                ground.in_a_process(lambda now=now: run(ground, later=now, at_most=sends)) for _ in range(workers)
            ]
            killed += sum(each.wait() == -signal.SIGKILL for each in processes)
            rounds += 1
            if rounds > 3 * kills:
                ground.post.before = ground.post.after = nothing
        taken = {reference for reference, _ in ground.post.taken()}
        assert len(ground.post.taken()) == len(taken)
        with inside(ground.one):
            assert {each.reference for each in Notice.objects.filter(state="accepted")} <= taken
            given_up = list(Notice.objects.undelivered())
        assert [each for each in given_up if "begun 3 times and never finished" not in each.last_error] == []
        assert ground.states().get("accepted", 0) + len(given_up) == sends
        print(f"{sends} messages, {killed} kills in {rounds} rounds, {len(given_up)} given up: none lost or sent twice")
