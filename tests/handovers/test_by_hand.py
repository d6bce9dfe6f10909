"""A child was admitted whose home authority does not use Handrail: the setting rings, and writes down what it hears."""

from datetime import date, timedelta
from typing import Any

import pytest
from factories import ContactFactory, emergency
from handovers.between import AT, CHILD, SAID, Between, telling
from handovers.test_admissions import admitted

from handrail.handovers import actions, admissions, by_hand, due, reminders, returning
from handrail.handovers.actions import GapsLeft, NotNow, StepsNotRead
from handrail.handovers.homes import Home
from handrail.handovers.models import Handover, Message
from handrail.handovers.today import taught
from handrail.notices.models import Notice
from handrail.plans import versions
from handrail.schools.models import Pupil
from tenants import exchange
from tenants.context import inside

HOME = Home("999", "Nowhereshire", "", "800001", "Some School")
TOLD = {"home_authority": "999", "roll": "guest", "ring": "Sam Stone", "telephone": "01632 960009"}


@pytest.fixture
def rung(between: Between) -> Between:
    """Somebody has rung the home school."""
    admitted(between, HOME)
    with inside(between.two):
        told_on = date(2026, 11, 22)
        by = between.people["hospital"]
        admissions.home_told(handover=between.setting_inside(), told_on=told_on, by=by, at=AT, **TOLD)
    return between


def written(between: Between) -> None:
    """What the school said is written down: of the child, for the plan and for the pack."""
    by = between.people["hospital"]
    Pupil.objects.update(year_group="Year 5")
    ContactFactory(pupil=Pupil.objects.get())
    versions.write_emergency(pupil=Pupil.objects.get(), says=emergency(), based_on=0, by=by, at=AT)
    actions.write(handover=between.setting_inside(), said=SAID, by=by, at=AT)


def kept(between: Between) -> Any:
    return by_hand.keep_pack(handover=between.setting_inside(), by=between.people["hospital"], at=AT)


def heard(between: Between, name: str, **more: Any) -> None:
    with inside(between.two):
        handover = between.setting_inside()
        by_hand.note_theirs(handover=handover, name=name, by=between.people["hospital"], at=AT, **telling(name, more))


class TestHome:
    def test_was_told_by_somebody_on_a_day(self, rung: Between) -> None:
        handover = rung.setting()
        assert (handover.state, handover.due_on, handover.ring) == ("pack_asked", date(2026, 11, 25), "Sam Stone")
        with inside(rung.two):
            step = rung.setting_inside().steps.last()
            assert step.said == {"told": "Sam Stone, 01632 960009, told on 22 November 2026"}
            assert (step.by_name, step.at) == (rung.people["hospital"].name, AT)
            assert not Message.objects.exists() and list(exchange.ledger()) == []

    def test_is_told_once_and_only_where_nothing_goes_through_the_exchange(self, rung: Between) -> None:
        again: Any = {"told_on": AT.date(), "by": rung.people["hospital"], "at": AT, **TOLD}
        with inside(rung.two):
            with pytest.raises(NotNow):
                admissions.home_told(handover=rung.setting_inside(), **again)
            Handover.objects.update(other_role=rung.one.schema_name, state="admitted")
            with pytest.raises(NotNow, match="told through Handrail"):
                admissions.home_told(handover=rung.setting_inside(), **again)
            with pytest.raises(NotNow, match="sends its pack itself"):
                kept(rung)

    def test_is_to_be_rung_until_its_pack_is_there(self, rung: Between) -> None:
        with inside(rung.two):
            on = date(2026, 11, 25)
            reminders.owe_handover_reminders(on=on, at=AT + timedelta(days=2))
            told = [each.recipient for each in Notice.objects.filter(subject_kind="handover")]
            assert told == [rung.people["hospital"].email]
            assert due.to_answer(rung.setting_inside().setting.school_id, on=on) == [on]


class TestItsPack:
    def test_is_kept_when_it_is_complete(self, rung: Between) -> None:
        with inside(rung.two), pytest.raises(GapsLeft) as refusal:
            kept(rung)
        assert {"year_group", "contacts", "emergency", "medicine"} <= {each.name for each in refusal.value.missing}
        with inside(rung.two):
            assert rung.setting_inside().state == "pack_asked"
            written(rung)
            made = kept(rung)
            assert made.content["home"] == {
                "school": "Some School",
                "urn": "800001",
                "authority": "999",
                "lives_in": "999",
                "school_authority": "999",
                "named_officer": "",  # of the school’s own authority, which is not this one
                "ring": "Sam Stone",
                "telephone": "01632 960009",
            }
            assert (made.content["child"]["name"], made.version.number) == (CHILD, 1)
            assert [each.move for each in rung.setting_inside().steps.all()] == [
                *("admit", "ask_for_pack", "submit", "acknowledge")
            ]

    def test_is_corrected_and_then_read_anew(self, rung: Between) -> None:
        with inside(rung.two):
            written(rung)
            kept(rung)
        rung.read_steps()
        rung.move("accept")
        with inside(rung.two):
            actions.write(handover=rung.setting_inside(), said={"fitness": "None."}, by=rung.people["hospital"], at=AT)
            assert kept(rung).number == 2
        assert rung.setting().state == "accepted"
        with pytest.raises(StepsNotRead):
            rung.move("begin")


def test_there_and_back(rung: Between) -> None:
    with inside(rung.two):
        written(rung)
        kept(rung)
    rung.read_steps()
    for name in ("accept", "begin", "plan_return"):
        rung.move(name)
    with inside(rung.two):
        by = rung.people["hospital"]
        said = {"report": "Well.", "work": "All.", "timetable": "Slowly.", "hours": "3"}
        returning.write(handover=rung.setting_inside(), said=said, by=by, at=AT)
        returning.send(handover=rung.setting_inside(), by=by, at=AT)
    heard(rung, "begin_return", return_until_on=date(2026, 12, 18))
    with pytest.raises(NotNow, match="makes this move itself"):
        heard(rung, "accept")
    heard(rung, "confirm_return")
    assert rung.setting().state == "returned"
    with inside(rung.two):
        assert not Message.objects.exists()
        assert taught(rung.setting_inside().setting.school, user=by, on=AT.date()) == ([], [])
