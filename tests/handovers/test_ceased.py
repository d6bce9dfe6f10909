"""An authority that has ceased, with envelopes under way: they come back, and go to whichever has the setting now."""

from datetime import date, timedelta
from typing import Any

import pytest
from databases import as_superuser
from django.db import Error
from handovers.between import AT, CHILD, HOSPITAL_URN, Between, telling
from handovers.test_admissions import admitted
from handovers.test_onward import carried, report

from handrail.absences.actions import change_return
from handrail.absences.models import SicknessReturn
from handrail.handovers import actions, by_hand, ceased, due, onward, post
from handrail.handovers.actions import NotNow, Refused
from handrail.handovers.models import Handover, Message, OnwardReturn, Setting
from handrail.schools.models import Pupil
from tenants import exchange
from tenants.context import inside
from tenants.database import execute

LATER = AT + timedelta(hours=2)
WHY = "Borchester ceased on 23 November 2026. It was followed by Casterbridge."


def clock(between: Between, *, at: Any = LATER) -> None:
    between.post(at=at, rounds=2)


def again(between: Between, code: str = "003", *, at: Any = LATER) -> Handover:
    with inside(between.one):
        came = Handover.objects.get(state="came_back")
        return ceased.send_again(handover=came, code=code, by=between.people["lead"], at=at)


class TestWhatNobodyHadOpened:
    @pytest.mark.parametrize("is_collected", [False, True], ids=["on its way", "in the inbox"])
    def test_comes_back_with_the_reason_and_goes_to_the_successor_once(
        self, between: Between, is_collected: bool
    ) -> None:
        between.sent()
        if is_collected:
            between.post()
        else:
            with inside(between.one):
                post.deposit_owed(at=AT)
        between.cease(between.two, between.three)
        clock(between)
        assert (between.home().state, between.bodies()) == ("came_back", 0)
        with inside(between.one):
            came = between.home_inside()
            assert came.steps.last().said == {"reason": WHY}
            assert [each.due for each in due.lapsed(on=LATER.date())] == [LATER.date()]
            assert [each.authority for each in ceased.where_to(came, at=LATER)] == ["Casterbridge"]
        if is_collected:
            assert between.setting().state == "came_back"
            with pytest.raises(Refused, match="is over"):
                between.open(at=LATER)
        made = again(between)
        with inside(between.one):
            assert not due.lapsed(on=LATER.date())
            assert (made.state, made.earlier.state, made.other_name) == ("submitted", "came_back", "Casterbridge")
            assert made.newest_pack().sha256 == made.earlier.newest_pack().sha256
        with pytest.raises(NotNow, match="Somebody has sent this again"):
            again(between)
        clock(between)
        with inside(between.three):
            there = Handover.objects.get()
            assert (there.state, there.side) == ("submitted", "setting")
            assert exchange.envelope(there.messages.get().envelope_id).state == "collected"
        with inside(between.two):
            assert not Pupil.objects.exists()
        assert (between.bodies(), between.differences()) == (1, [])

    def test_from_one_that_has_ceased_is_taken_back(self, between: Between) -> None:
        between.sent()
        between.post()
        between.cease(between.one, between.three)
        clock(between)
        assert (between.home().state, between.setting().state, between.bodies()) == ("came_back", "came_back", 0)
        with inside(between.one):
            assert ceased.where_to(between.home_inside(), at=LATER) == []
        with pytest.raises(Refused, match="is over"):
            between.open(at=LATER)
        assert between.differences() == []

    def test_is_not_opened_between_the_day_and_the_clock(self, between: Between) -> None:
        between.sent()
        between.post()
        between.cease(between.two, between.three)
        with pytest.raises(Refused, match=f"{WHY} What nobody had opened"):
            between.open(at=LATER)
        with pytest.raises(Error, match="takes up and opens nothing"), inside(between.two):
            execute("UPDATE exchange.envelope SET state = 'opened', opened_at = %s", (LATER,))

    def test_waits_for_its_day(self, between: Between) -> None:
        between.sent()
        between.cease(between.two, between.three, on=date(2026, 11, 24))
        between.post(at=LATER)
        assert (between.home().state, between.setting().state) == ("submitted", "submitted")
        midnight = AT.replace(day=24, hour=0, minute=0)
        clock(between, at=midnight - timedelta(minutes=1))
        assert between.bodies() == 1
        clock(between, at=midnight)
        assert (between.home().state, between.bodies()) == ("came_back", 0)


class TestWhereItGoes:
    def test_is_where_the_register_has_the_setting(self, between: Between) -> None:
        between.sent()
        between.cease(between.two, between.one, between.three)
        clock(between)
        with inside(between.one):
            came = between.home_inside()
            assert [each.authority_code for each in ceased.where_to(came, at=LATER)] == ["001", "003"]
        with as_superuser(between.database) as admin:
            admin.execute(
                """INSERT INTO public.tenants_establishment (urn, la_code, la_name, establishment_number, name,
                       type_code, type_name, group_code, group_name, status_code, status_name, phase_name, trust_code,
                       trust_name, street, locality, town, county, postcode, website)
                   VALUES (%s, '003', 'Casterbridge', '', 'Felpersham Hospital School', 7, 'Special', 5, 'Special', 1,
                       'Open', '', '', '', '', '', '', '', '', '')""",
                (HOSPITAL_URN,),
            )
        try:
            with inside(between.one):
                [to] = ceased.where_to(came, at=LATER)
            assert (to.authority_code, to.role) == ("003", between.three.schema_name)
            with pytest.raises(NotNow, match="cannot go there"):
                again(between, "001")
        finally:
            with as_superuser(between.database) as admin:
                admin.execute("DELETE FROM public.tenants_establishment WHERE urn = %s", (HOSPITAL_URN,))

    def test_is_rung_where_the_successor_has_not_joined(self, between: Between) -> None:
        between.sent()
        between.cease(between.two, between.three)
        clock(between)
        with as_superuser(between.database) as admin:
            admin.execute("UPDATE exchange.member SET joined_at = NULL WHERE code = '003'")
        made = again(between)
        assert made.has_no_other_side and made.other_name == "Casterbridge"

    def test_takes_what_was_prepared_along(self, between: Between) -> None:
        draft = between.prepare()
        between.cease(between.two, between.three)
        clock(between)
        with inside(between.one):
            made = ceased.send_again(handover=draft, code="003", by=between.people["lead"], at=LATER)
            assert (made.state, Handover.objects.get(id=draft.id).state) == ("draft", "withdrawn")


class TestNobodySends:
    def test_to_one_that_has_ceased(self, between: Between) -> None:
        between.cease(between.two, between.three)
        with pytest.raises(NotNow, match=f"{WHY} Hand the child over to the one that now has Felpersham"):
            between.prepare()
        with inside(between.one), pytest.raises(exchange.Refused, match=WHY):
            deposit(between)

    @pytest.mark.parametrize("who", ["one", "two"])
    def test_past_the_code_that_refuses_it(self, between: Between, who: str, monkeypatch: pytest.MonkeyPatch) -> None:
        between.cease(getattr(between, who), between.three)
        monkeypatch.setattr(exchange.Member, "has_ceased", lambda *_: False)
        with pytest.raises(Error, match="row-level security"), inside(between.one):
            deposit(between)

    def test_when_it_has_ceased_itself(self, between: Between) -> None:
        between.cease(between.one, between.three)
        with inside(between.one), pytest.raises(exchange.Refused, match="Barsetshire ceased on"):
            deposit(between)


def deposit(between: Between) -> None:
    exchange.deposit(
        recipient=exchange.member("002"),
        reference=between.pupil_id,
        kind="move",
        card=exchange.Card(setting=""),
        content=b"{}",
        at=LATER,
        expires_at=LATER + post.LASTS,
    )


class TestWhatWasOpened:
    @pytest.mark.parametrize("who", ["one", "two"])
    def test_stays_and_goes_on_alone(self, between: Between, who: str) -> None:
        between.sent()
        between.post()
        between.open()
        between.post()
        between.cease(getattr(between, who), between.three)
        between.move("accept", at=LATER)  # the answer goes to nobody
        clock(between)
        assert (between.home().state, between.setting().state) == ("acknowledged", "accepted")
        for side in (between.home(), between.setting()):
            assert side.alone_since == LATER.date() and side.has_no_other_side
        with inside(between.two):
            assert Pupil.objects.get().name == CHILD
            assert not Message.objects.filter(done_at=None).exists()
            assert between.setting_inside().steps.last().said["reason"].endswith(ceased.LOST)
        with inside(between.one):
            by = between.people["lead"]
            by_hand.note_theirs(handover=between.home_inside(), name="accept", by=by, at=LATER, **telling("accept", {}))
        assert between.home().state == "accepted"
        assert (between.bodies(), between.differences()) == (0, [])

    def test_and_a_correction_that_was_not_is_gone(self, between: Between) -> None:
        between.sent()
        between.post()
        between.open()
        with inside(between.one):
            handover, by = between.home_inside(), between.people["lead"]
            actions.write(handover=handover, said={"fitness": "None."}, by=by, at=LATER)
            actions.submit(handover=handover, by=by, at=LATER)
        between.post(at=LATER)
        between.cease(between.one, between.three)
        clock(between)
        assert between.bodies() == 0
        between.move("accept", at=LATER)  # nothing that can no longer be opened is in the way
        assert between.differences() == []

    def test_a_child_who_arrived_unannounced_stays_known_there(self, between: Between) -> None:
        admitted(between)
        between.post()
        between.cease(between.one, between.three)
        clock(between)
        there = between.setting()
        assert (there.state, there.alone_since, by_hand.may_keep_pack(there)) == ("pack_asked", LATER.date(), True)
        assert (between.bodies(), between.differences()) == (0, [])


class TestReturns:
    def test_come_back_and_wait_for_where_the_child_lives_now(self, between: Between) -> None:
        report(between)
        carried(between)
        between.cease(between.two, between.three)
        for _ in range(2):
            clock(between)
            carried(between, at=LATER)
        assert between.bodies() == 0
        with inside(between.one):
            assert OnwardReturn.objects.held_up().get().trouble == WHY
            change_return(
                made=SicknessReturn.objects.get(),
                last_on=None,
                until_am=False,
                says={"address": "3 Mid Street"},
                is_likely=True,
                lives_in="003",
                by=between.people["lead"],
                at=LATER,
            )
        carried(between, at=LATER)
        clock(between)
        carried(between, at=LATER)
        with inside(between.one):
            assert not OnwardReturn.objects.held_up().exists()
        with inside(between.three):
            assert OnwardReturn.objects.to_open(at=LATER).count() == 1
        with inside(between.two):
            came = OnwardReturn.objects.get(way="in")
            with pytest.raises(Refused, match=WHY):
                onward.open_return(onward=came, by=between.people["hospital"], at=LATER)
        assert (between.bodies(), between.differences()) == (1, [])


def test_a_setting_is_confirmed_anew_by_the_successor(between: Between) -> None:
    between.sent()
    between.cease(between.two, between.three)
    clock(between)
    again(between)
    clock(between)
    with inside(between.three):
        assert not Setting.objects.exists() and Handover.objects.get().setting is None
