"""A child who is erased on one side of a handover: the other is told, without a name, and keeps what is its own."""

from datetime import date, timedelta
from uuid import uuid4

import pytest
from databases import as_superuser
from factories import person
from handovers.between import AT, CHILD, Between
from handovers.test_onward import carried, change, report

from handrail.accounts.models import Membership
from handrail.accounts.roles import Role
from handrail.core.audit import CLOCK
from handrail.core.models import AuditEntry
from handrail.handovers import actions, by_hand, onward, post
from handrail.handovers.actions import NotNow, Refused
from handrail.handovers.models import ErasedEnvelope, Handover, Message, OnwardReturn
from handrail.handovers.moves import DECLINED_KEPT
from handrail.notices.actions import NoLongerDue
from handrail.notices.models import Notice
from handrail.records.actions import erase_child
from handrail.records.declined import destroy_declined
from handrail.schools.models import Pupil
from tenants import exchange
from tenants.context import inside

LATER = AT + timedelta(hours=2)


def erased(between: Between, side: str = "one") -> None:
    with inside(getattr(between, side)):
        who = between.people["lead" if side == "one" else "hospital"]
        erase_child(pupil=Pupil.objects.get(), by=who, at=LATER)
        assert not Handover.objects.exists() and not Message.objects.exists()


def opened(between: Between, *moves: str) -> None:
    between.sent()
    between.post()
    between.open()
    for name in moves:
        between.move(name, said={"reason": "No bed."})
    between.post()


class TestErasedAtHome:
    def test_is_told_without_a_name_and_the_setting_keeps_its_own_copy(self, between: Between) -> None:
        opened(between, "accept")
        erased(between)
        with as_superuser(between.database) as admin:
            before = {row for (row,) in admin.execute("SELECT id FROM exchange.envelope").fetchall()}
        between.post(at=LATER)
        there = between.setting()
        assert (there.state, there.alone_since) == ("accepted", LATER.date())
        with inside(between.two):
            assert Pupil.objects.get().name == CHILD
            reason = between.setting_inside().steps.last().said["reason"]
            assert reason.startswith("Barsetshire has erased what it held of this child.")
            [news] = [each for each in exchange.ledger() if each.id not in before]
            assert (news.kind, news.card, news.state) == ("erased", exchange.Card(setting=""), "ended")
            by, session = between.people["hospital"], between.setting_inside()
            by_hand.note_theirs(handover=session, name="end", by=by, at=LATER, said={"reason": "Home."})
            assert Pupil.objects.get().left_on == LATER.date()
        assert (between.bodies(), between.differences()) == (0, [])

    @pytest.mark.parametrize("is_collected", [False, True], ids=["on its way", "in the inbox"])
    def test_leaves_nothing_of_a_pack_that_nobody_has_opened(self, between: Between, is_collected: bool) -> None:
        between.sent()
        if is_collected:
            between.post()
        erased(between)
        assert between.bodies() == 0, "at once, and not when the clock comes by"
        if is_collected:
            with pytest.raises(Refused, match="taken this back"):
                between.open(at=LATER)
        between.post(at=LATER)
        with inside(between.two):
            assert [each.state for each in Handover.objects.all()] == (["came_back"] if is_collected else [])
            assert not Pupil.objects.exists()
        with inside(between.one):
            assert ErasedEnvelope.objects.filter(is_owed=True).count() == 0
        assert (between.bodies(), between.differences()) == (0, [])

    def test_takes_a_correction_back_that_waits(self, between: Between) -> None:
        opened(between)
        with inside(between.one):
            actions.submit(handover=between.home_inside(), by=between.people["lead"], at=AT)
        between.post()
        assert between.bodies() == 1
        erased(between)
        between.post(at=LATER)
        between.move("accept", at=LATER)
        assert (between.bodies(), between.differences()) == (0, [])

    def test_changes_nothing_of_a_copy_that_is_to_be_destroyed(self, between: Between) -> None:
        opened(between, "decline")
        erased(between)
        between.post(at=LATER)
        with inside(between.two):
            assert Handover.objects.get().state == "declined"
            day = date(2026, 11, 23) + DECLINED_KEPT
            assert destroy_declined(on=day, at=LATER) == 1
            assert not Pupil.objects.exists()
        assert (between.bodies(), between.differences()) == (0, [])

    def test_waits_while_the_other_side_takes_nothing(self, between: Between) -> None:
        opened(between)
        with inside(between.two):
            exchange.leave(at=AT)
        erased(between)
        between.post(at=LATER)
        assert (between.setting().alone_since, between.differences()) == (None, [])
        with inside(between.two):
            post.join_exchange(by=CLOCK, at=LATER)
        between.post(at=LATER)
        assert between.setting().alone_since == LATER.date()
        assert between.differences() == []

    def test_has_nobody_to_tell_where_the_other_side_has_ceased(self, between: Between) -> None:
        opened(between)
        between.cease(between.two, between.three)
        erased(between)
        between.post(at=LATER)
        with inside(between.one):
            assert not ErasedEnvelope.objects.filter(is_owed=True).exists()
        assert (between.bodies(), between.differences()) == (0, [])


class TestAReturnThatWasSentOn:
    @pytest.fixture
    def opened(self, between: Between) -> OnwardReturn:
        """One that the named officer of authority two has opened, and its correction, too."""
        with inside(between.two):
            Membership.objects.filter(role=Role.NAMED_OFFICER).update(to_on=AT.date())  # of other tests
            officer = person(f"ned-{uuid4().hex}@b.example", Role.NAMED_OFFICER)
        report(between)
        for address in ("1 Mid Street", "2 New Street"):
            change(between, address=address)
            carried(between)
            with inside(between.two):
                newest = OnwardReturn.objects.to_open(at=AT).get()
                onward.open_return(onward=newest, by=officer, at=AT)
        return newest

    def test_that_was_opened_asks_whether_the_copy_is_to_go(self, between: Between, opened: OnwardReturn) -> None:
        erased(between)
        between.post(at=LATER)
        with inside(between.two):
            copies = OnwardReturn.objects.filter(way="in")
            assert {each.erased_on for each in copies} == {LATER.date()}
            assert copies.to_look_at().count() == 2, "each is this side's own, and stays"
            [notice] = Notice.objects.filter(cycle="erased")
            assert CHILD not in str(onward.still_due(notice, at=LATER))
            newest = copies.first()
            onward.delete_copy(onward=newest, by=CLOCK, at=LATER)
            onward.delete_copy(onward=newest, by=CLOCK, at=LATER)
            assert not copies.filter(says__isnull=False).exists()
            assert AuditEntry.objects.filter(verb="deleted a return from another authority").count() == 1
            with pytest.raises(NoLongerDue):
                onward.still_due(notice, at=LATER)
        assert (between.bodies(), between.differences()) == (0, [])

    def test_is_not_deleted_while_its_sender_holds_the_child(self, between: Between, opened: OnwardReturn) -> None:
        with inside(between.two), pytest.raises(NotNow, match="still holds this child"):
            onward.delete_copy(onward=opened, by=CLOCK, at=LATER)
        with inside(between.two):
            assert OnwardReturn.objects.get(id=opened.id).says

    @pytest.mark.parametrize("is_collected", [False, True], ids=["on its way", "in the inbox"])
    def test_that_nobody_had_opened_leaves_nothing(self, between: Between, is_collected: bool) -> None:
        report(between)
        if is_collected:
            carried(between)
        else:
            with inside(between.one):
                onward.send_on(at=AT)
        erased(between)
        assert between.bodies() == 0, "at once, and not when the clock comes by"
        between.post(at=LATER)
        with inside(between.two):
            assert not OnwardReturn.objects.to_open(at=LATER).exists()
            assert not Notice.objects.filter(cycle="erased").exists()
            news = ErasedEnvelope.objects.filter(way="in").count()
            assert (OnwardReturn.objects.count(), news) == ((1, 1) if is_collected else (0, 0))
        assert (between.bodies(), between.differences()) == (0, [])


class TestErasedAtTheSetting:
    def test_is_told_to_the_home_school(self, between: Between) -> None:
        opened(between, "accept")
        erased(between, "two")
        between.post(at=LATER)
        home = between.home()
        assert (home.state, home.alone_since) == ("accepted", LATER.date())
        with inside(between.one):
            assert Pupil.objects.get().name == CHILD
        assert (between.bodies(), between.differences()) == (0, [])

    def test_and_at_home_at_once_leaves_both_ledgers_equal(self, between: Between) -> None:
        opened(between, "accept")
        erased(between)
        erased(between, "two")
        between.post(at=LATER, rounds=2)
        assert (between.bodies(), between.differences()) == (0, [])
        assert not [row for row in between.what_three_knows() if "Canary" in row]
