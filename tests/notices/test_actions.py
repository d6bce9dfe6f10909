"""Writes to notices: a claim has one holder, moves are legal, and what happened is added, never changed."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from factories import NoticeFactory

from handrail.core.models import AuditEntry
from handrail.notices import actions
from handrail.notices.models import Notice, NoticeAttempt
from tenants.context import inside

pytestmark = pytest.mark.django_db

State, Urgency = Notice.State, Notice.Urgency
LEASE = timedelta(minutes=5)


@pytest.fixture(autouse=True)
def here(one):
    with inside(one):
        yield


@pytest.fixture
def claim(at):
    def take(*, later: timedelta = timedelta(), urgency: Urgency = Urgency.ROUTINE) -> actions.Claim | None:
        return actions.claim(urgency=urgency, at=at + later, lease=LEASE)

    return take


class TestClaim:
    def test_takes_the_one_that_waited_longest(self, claim, at):
        new, old = NoticeFactory(), NoticeFactory(not_before=at - timedelta(hours=1))
        taken = claim()
        assert taken.notice == old
        assert not taken.may_have_left
        assert (taken.notice.state, taken.notice.attempt, taken.notice.lease_until) == ("claimed", 1, at + LEASE)
        assert claim().notice == new
        assert claim() is None

    def test_takes_one_of_many(self, claim):
        NoticeFactory.create_batch(30)
        for number in range(1, 31):
            assert claim()
            assert Notice.objects.filter(state="claimed").count() == number

    def test_leaves_what_is_not_due_of_another_urgency_or_at_an_end(self, claim, at):
        NoticeFactory(not_before=at + timedelta(seconds=1))
        NoticeFactory(urgency=Urgency.NOW)
        for state in (State.ACCEPTED, State.DELIVERED, State.BOUNCED, State.DEAD):
            NoticeFactory(state=state, ended_at=at)
        NoticeFactory(state=State.SUPPRESSED, suppressed_reason="not_due", ended_at=at)
        NoticeFactory(state=State.UNKNOWN, is_possible_duplicate=True, ended_at=at)
        assert claim() is None

    def test_takes_over_when_the_lease_has_ended_and_says_it_may_have_left(self, claim):
        NoticeFactory()
        first = claim()
        assert claim(later=LEASE - timedelta(seconds=1)) is None
        second = claim(later=LEASE)
        assert second.notice == first.notice
        assert second.may_have_left
        assert (second.notice.attempt, second.notice.unfinished) == (2, 2)

    def test_takes_up_what_is_not_known_to_have_left(self, claim, at):
        notice = NoticeFactory(state=State.UNKNOWN, attempt=1, not_before=at)
        assert claim().notice == notice


class TestFinish:
    def test_ends_the_claim_and_adds_an_attempt(self, claim, at):
        NoticeFactory()
        notice = claim().notice
        actions.accept(notice, provider="mailbox", provider_id="1", at=at)
        notice.refresh_from_db()
        assert (notice.state, notice.lease_until, notice.unfinished, notice.ended_at) == ("accepted", None, 0, at)
        assert [(each.number, each.outcome) for each in notice.attempts.all()] == [(1, "accepted")]

    @pytest.mark.parametrize("finish", ["accept", "try_again", "lose_sight", "bounce", "give_up", "suppress"])
    def test_refuses_who_lost_the_lease_and_keeps_a_note(self, claim, at, finish):
        more = {
            "accept": ((), {"provider": "mailbox", "provider_id": ""}),
            "try_again": (("busy",), {"again_at": at}),
            "lose_sight": (("silence",), {"again_at": at}),
            "bounce": (("550",), {}),
            "give_up": (("554",), {}),
            "suppress": (("not_due",), {}),
        }[finish]
        NoticeFactory()
        slow = claim().notice
        quick = claim(later=LEASE).notice
        with pytest.raises(actions.LeaseLost):
            getattr(actions, finish)(slow, *more[0], **more[1], at=at)
        notice = Notice.objects.get()
        assert (notice.state, notice.attempt, notice.lease_until) == ("claimed", 2, quick.lease_until)
        assert [(each.number, each.outcome) for each in notice.attempts.all()] == [(1, "late")]

    def test_owes_a_failed_one_again_later(self, claim, at):
        NoticeFactory()
        actions.try_again(claim().notice, "450 mailbox full", again_at=at + timedelta(minutes=2), at=at)
        notice = Notice.objects.get()
        assert (notice.state, notice.failures, notice.last_error) == ("owed", 1, "450 mailbox full")
        assert claim(later=timedelta(minutes=1)) is None
        assert not claim(later=timedelta(minutes=2)).may_have_left

    def test_does_not_count_an_outage_as_a_failure(self, claim, at):
        NoticeFactory()
        actions.hold(claim().notice, "421", again_at=at, at=at)
        assert Notice.objects.get().failures == 0

    def test_suppresses_with_a_reason_and_a_line_in_the_record(self, claim, at):
        NoticeFactory()
        notice = claim().notice
        actions.suppress(notice, Notice.Reason.NOT_DUE, at=at)
        notice.refresh_from_db()
        assert (notice.state, notice.suppressed_reason) == ("suppressed", "not_due")
        entry = AuditEntry.objects.get(verb="did not send a message")
        assert (entry.subject_id, entry.by, entry.fields) == (notice.subject_id, None, ["not_due"])


class TestPoison:
    def test_gives_up_what_no_worker_ever_saw_through(self, claim, at):
        poison = NoticeFactory(not_before=at - timedelta(days=1))
        for times in range(3):
            assert claim(later=times * LEASE).notice == poison
        assert actions.bury_poison(at=at + 2 * LEASE) == 0, "its lease has not ended"
        good = NoticeFactory()
        assert claim(later=3 * LEASE).notice == good
        assert actions.bury_poison(at=at + 3 * LEASE) == 1
        poison.refresh_from_db()
        assert poison.state == "dead"
        assert "3 times" in poison.last_error
        assert actions.bury_poison(at=at + 3 * LEASE) == 0

    def test_spares_what_was_seen_through_now_and_then(self, claim, at):
        NoticeFactory()
        for times in range(8):
            taken = claim(later=times * LEASE)
            if times % 3 == 2:
                actions.try_again(taken.notice, "busy", again_at=at, at=at)
        assert actions.bury_poison(at=at + 9 * LEASE) == 0


class TestReplay:
    @pytest.mark.parametrize(
        "more", [{"state": "dead"}, {"state": "bounced"}, {"state": "unknown", "is_possible_duplicate": True}]
    )
    def test_owes_it_anew_and_says_who_asked(self, cast_officer, claim, at, more):
        notice = NoticeFactory(**more, failures=14, attempt=14, ended_at=at)
        actions.replay(notice=notice, by=cast_officer, at=at)
        notice.refresh_from_db()
        assert (notice.state, notice.failures, notice.ended_at, notice.not_before) == ("owed", 0, None, at)
        assert notice.attempts.get().outcome == "replayed"
        assert AuditEntry.objects.get(by=cast_officer.id).subject_id == notice.subject_id
        assert claim().notice == notice

    @pytest.mark.parametrize("state", ["owed", "accepted", "delivered"])
    def test_refuses_one_that_needs_nobody(self, cast_officer, at, state):
        notice = NoticeFactory(state=state)
        with pytest.raises(actions.MayNotBeReplayed):
            actions.replay(notice=notice, by=cast_officer, at=at)
        assert not NoticeAttempt.objects.exists()


class TestMoves:
    """PostgreSQL itself refuses what no action does."""

    @pytest.mark.parametrize(
        ("state", "wanted"),
        [
            ("accepted", "owed"),
            ("accepted", "claimed"),
            ("delivered", "owed"),
            ("suppressed", "owed"),
            ("owed", "accepted"),
            ("dead", "claimed"),
            ("unknown", "dead"),
        ],
    )
    def test_refuses_an_illegal_one(self, at, state, wanted):
        notice = NoticeFactory(state=state, suppressed_reason="not_due" if state == "suppressed" else "")
        lease = at if wanted == "claimed" else None
        rises = 1 if wanted == "claimed" else 0
        with pytest.raises(DatabaseError, match="does not move"), transaction.atomic():
            Notice.objects.filter(id=notice.id).update(
                state=wanted, lease_until=lease, attempt=rises, suppressed_reason=""
            )

    @pytest.mark.parametrize("attempt", [0, 2])
    def test_refuses_a_claim_that_does_not_raise_the_fence_by_one(self, at, attempt):
        notice = NoticeFactory()
        with pytest.raises(DatabaseError, match="rises by one"), transaction.atomic():
            Notice.objects.filter(id=notice.id).update(state="claimed", lease_until=at, attempt=attempt)

    @pytest.mark.parametrize(
        "more", [{"state": "claimed"}, {"state": "suppressed"}, {"suppressed_reason": "not_due"}, {"unfinished": 1}]
    )
    def test_refuses_a_row_that_makes_no_sense(self, more):
        with pytest.raises(IntegrityError), transaction.atomic():
            NoticeFactory(**more)

    def test_refuses_to_change_or_remove_an_attempt(self, claim, at):
        NoticeFactory()
        actions.give_up(claim().notice, "554", at=at)
        for change in (lambda: NoticeAttempt.objects.update(outcome="accepted"), NoticeAttempt.objects.all().delete):
            with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
                change()

    def test_refuses_a_second_notice_of_the_same_step_to_the_same_person(self):
        notice = NoticeFactory(subject_id=uuid4())
        with pytest.raises(IntegrityError), transaction.atomic():
            NoticeFactory(subject_id=notice.subject_id, recipient=notice.recipient)
