"""A return about a child who lives in another authority is sent on to it, and opened there by a named person."""

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from factories import person
from handovers.between import AT, CHILD, CONDITION, Between

from handrail.absences.actions import make_return, withdraw_return
from handrail.absences.models import SicknessReturn
from handrail.accounts.models import Membership
from handrail.accounts.roles import Role
from handrail.core.models import AuditEntry
from handrail.handovers import ledger, onward, post
from handrail.handovers.actions import NotNow, Refused
from handrail.handovers.models import Handover, OnwardReturn
from handrail.notices.actions import NoLongerDue
from handrail.notices.models import Notice
from handrail.schools.models import Pupil
from tenants import exchange
from tenants.context import inside

LATER = AT + timedelta(hours=1)


def report(between: Between, lives_in: str = "002", **more: Any) -> None:
    with inside(between.one):
        says = {"address": "3 Mid Street, Felpersham", "category": "mental", "family_view": CONDITION}
        given = {"first_on": date(2026, 11, 16), "is_likely": True, "says": says, "lives_in": lives_in} | more
        pupil = Pupil.objects.get(id=between.pupil_id)
        make_return(pupil=pupil, by=between.people["lead"], at=AT, **given)


def carried(between: Between, *, at: Any = AT) -> None:
    """What the clock does."""
    with inside(between.one):
        onward.send_on(at=at)
    between.post(at=at)


@pytest.fixture
def ned(between: Between) -> Any:
    """The named officer there, and nobody who was one in another test."""
    with inside(between.two):
        Membership.objects.filter(role=Role.NAMED_OFFICER).update(to_on=AT.date())
        return person(f"ned-{uuid4().hex}@borchester.example", Role.NAMED_OFFICER)


def came(between: Between) -> OnwardReturn:
    found: OnwardReturn = OnwardReturn.objects.get(way="in")
    return found


class TestSentOn:
    def test_says_what_the_law_asks_for_and_no_more(self, between: Between, ned: Any) -> None:
        report(between)
        carried(between)
        with inside(between.two):
            opened = onward.open_return(onward=came(between), by=ned, at=LATER)
            said = opened.says
            assert said == {
                "name": CHILD,
                "born_on": "2016-05-01",
                "address": "3 Mid Street, Felpersham",
                "school": "Overcombe Junior School",
                "urn": said["urn"],
                "first_on": "2026-11-16",
                "last_on": "",
                "is_likely": True,
                "by": said["by"],
            }
            assert CONDITION not in repr(onward.in_words(said))
            assert AuditEntry.objects.get(verb="opened a return from another authority").by == ned.id
            assert not Pupil.objects.exists() and not Handover.objects.exists()
        assert (between.bodies(), between.differences()) == (0, [])

    def test_tells_those_who_decide_there_at_once_and_nothing_of_the_child(self, between: Between, ned: Any) -> None:
        report(between)
        carried(between)
        with inside(between.two):
            notice = Notice.objects.get()
            assert (notice.recipient, notice.urgency, notice.wording) == (ned.email, "now", "child_action")
            assert onward.still_due(notice, at=LATER)["role"] == "officer"
            [card] = exchange.ledger()
            assert CHILD not in repr(card) and "Mid Street" not in repr(card) and "Overcombe" not in repr(card)
            onward.open_return(onward=came(between), by=ned, at=LATER)
            with pytest.raises(NoLongerDue):
                onward.still_due(notice, at=LATER)
        assert not [row for row in between.what_three_knows() if "Canary" in row]

    def test_goes_once(self, between: Between, ned: Any) -> None:
        report(between)
        for _ in range(3):
            carried(between)
        with inside(between.two):
            assert OnwardReturn.objects.count() == Notice.objects.count() == 1

    @pytest.mark.parametrize("lives_in", ["", "001"])
    def test_goes_nowhere_where_the_child_lives_here(self, between: Between, lives_in: str) -> None:
        report(between, lives_in)
        carried(between)
        with inside(between.one):
            assert not OnwardReturn.objects.exists()

    def test_waits_in_words_for_an_authority_that_has_not_joined(self, between: Between) -> None:
        with inside(between.two):
            exchange.leave(at=AT)
        report(between)
        carried(between)
        with inside(between.one):
            waiting = OnwardReturn.objects.get()
            assert (waiting.done_at, waiting.trouble[:33]) == (None, "That authority has not joined the")
        with inside(between.two):
            post.join_exchange(by=between.people["hospital"], at=AT)
        carried(between, at=LATER)
        with inside(between.two):
            assert OnwardReturn.objects.exists()

    def test_does_not_go_when_the_school_took_it_back(self, between: Between) -> None:
        report(between)
        with inside(between.one):
            withdraw_return(made=SicknessReturn.objects.get(), by=between.people["lead"], at=AT)
        carried(between)
        with inside(between.two):
            assert not OnwardReturn.objects.exists()


class TestOpened:
    def test_once(self, between: Between, ned: Any) -> None:
        report(between)
        carried(between)
        with inside(between.two):
            onward.open_return(onward=came(between), by=ned, at=LATER)
            with pytest.raises(NotNow, match="has opened this already"):
                onward.open_return(onward=came(between), by=ned, at=LATER)

    def test_in_its_time(self, between: Between, ned: Any) -> None:
        report(between)
        carried(between)
        with inside(between.two), pytest.raises(Refused, match="not opened in time"):
            onward.open_return(onward=came(between), by=ned, at=AT + onward.LASTS)
        with inside(between.one):
            exchange.expire(at=AT + onward.LASTS)
        assert (between.bodies(), between.differences()) == (0, [])

    def test_by_nobody_who_does_not_decide(self, between: Between, ned: Any) -> None:
        report(between)
        carried(between)
        with inside(between.two):
            assert OnwardReturn.objects.visible_to(ned.as_at(AT.date())).count() == 1
            other = person(f"pol-{uuid4().hex}@borchester.example", Role.POLICY_OFFICER)
            assert not OnwardReturn.objects.visible_to(other).exists()
        with inside(between.one):
            assert ledger.differences() == []
