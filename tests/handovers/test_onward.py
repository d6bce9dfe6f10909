"""A return about a child who lives in another authority is sent on to it, and opened there by a named person."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from factories import person
from handovers.between import AT, CHILD, CONDITION, TODAY, Between

from handrail.absences.actions import change_return, make_return, withdraw_return
from handrail.absences.counting import counts, standing_of
from handrail.absences.models import Case, SicknessReturn
from handrail.absences.section19 import Standing
from handrail.accounts.models import Membership
from handrail.accounts.roles import Role
from handrail.core.audit import CLOCK
from handrail.core.models import AuditEntry, AuthoritySettings
from handrail.handovers import ledger, onward, onward_cases, post
from handrail.handovers.actions import NotNow, Refused
from handrail.handovers.models import Handover, OnwardReturn
from handrail.notices.actions import NoLongerDue
from handrail.notices.models import Notice
from handrail.schools.models import Pupil
from handrail.schools.own_schools import ELSEWHERE, add_without_urn
from handrail.schools.terms import Calendar
from tenants import exchange
from tenants.context import inside

LATER = AT + timedelta(hours=1)
LATE = AT + timedelta(days=10)


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
                "from_pm": False,
                "last_on": "",
                "until_am": False,
                "is_likely": True,
                "takes_back": False,
                "by": said["by"],
                "setting": "",
                "stands": "",
                "taught_since": "",
                "likely_on": "2026-11-23",
            }
            assert CONDITION not in repr(onward.in_words(said))
            assert AuditEntry.objects.get(verb="opened a return from another authority").by == ned.id
            assert Pupil.objects.get().school.urn == ELSEWHERE and not Handover.objects.exists()
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


def change(between: Between, **what: Any) -> None:
    with inside(between.one):
        made = SicknessReturn.objects.get()
        says = made.says | {key: what.pop(key) for key in ("address", "work") if key in what}
        known = {"last_on": made.last_on, "until_am": made.until_am, "is_likely": made.likely_on is not None}
        change_return(made=made, says=says, by=between.people["lead"], at=AT, **known | what)


def take_back(between: Between) -> None:
    with inside(between.one):
        withdraw_return(made=SicknessReturn.objects.get(), by=between.people["lead"], at=AT)


def read_there(between: Between, ned: Any, who: str = "two") -> list[dict[str, Any]]:
    """What the named officer there reads of all that came, in its order."""
    with inside(getattr(between, who)):
        for each in OnwardReturn.objects.to_open(at=LATER):
            onward.open_return(onward=each, by=ned, at=LATER)
        return [each.says for each in OnwardReturn.objects.filter(way="in").order_by("edition") if each.says]


class TestChangedSince:
    def test_is_sent_again_as_a_correction(self, between: Between, ned: Any) -> None:
        report(between)
        carried(between)
        assert len(read_there(between, ned)) == 1
        change(between, last_on=date(2026, 11, 20), address="9 New Street")
        for _ in range(2):
            carried(between, at=LATER)
        first, second = read_there(between, ned)
        assert (first["last_on"], second["last_on"]) == ("", "2026-11-20")
        assert (second["address"], second["takes_back"]) == ("9 New Street", False)
        with inside(between.two):
            newest, oldest = OnwardReturn.objects.filter(way="in").order_by("-edition")
            assert (oldest.newer, newest.earlier, newest.newer) == (newest, oldest, None)
            assert Notice.objects.count() == 2
        assert (between.bodies(), between.differences()) == (0, [])

    @pytest.mark.parametrize("what", [{"work": "Fractions."}, {}])
    def test_in_what_the_law_does_not_ask_for_stays_here(self, between: Between, ned: Any, what: Any) -> None:
        report(between)
        carried(between)
        change(between, **what)
        carried(between, at=LATER)
        with inside(between.two):
            assert OnwardReturn.objects.count() == 1

    def test_before_anybody_opened_it_takes_its_place(self, between: Between, ned: Any) -> None:
        report(between)
        carried(between)
        change(between, is_likely=False)
        carried(between, at=LATER)
        assert between.bodies() == 1
        with inside(between.two):
            first = OnwardReturn.objects.filter(way="in").get(edition=1)
            with pytest.raises(NotNow, match="A newer one"):
                onward.open_return(onward=first, by=ned, at=LATER)
            notices = {each.subject_id: each for each in Notice.objects.all()}
            with pytest.raises(NoLongerDue):
                onward.still_due(notices[first.id], at=LATER)
        assert [said["is_likely"] for said in read_there(between, ned)] == [False]
        assert (between.bodies(), between.differences()) == (0, [])

    def test_before_it_went_is_sent_as_it_is_now(self, between: Between, ned: Any) -> None:
        with inside(between.one):
            exchange.leave(at=AT)
        report(between)
        carried(between)
        change(between, address="9 New Street")
        carried(between)
        with inside(between.one):
            post.join_exchange(by=between.people["lead"], at=AT)
        carried(between, at=LATER)
        assert [said["address"] for said in read_there(between, ned)] == ["9 New Street"]

    def test_that_it_was_taken_back_is_told(self, between: Between, ned: Any) -> None:
        report(between)
        carried(between)
        read_there(between, ned)
        take_back(between)
        for _ in range(2):
            carried(between, at=LATER)
        assert [said["takes_back"] for said in read_there(between, ned)] == [False, True]

    def test_that_was_taken_back_before_its_card_was_seen_is_heard_of_by_nobody(self, between: Between) -> None:
        report(between)
        with inside(between.one):
            assert onward.send_on(at=AT) == 1
        take_back(between)
        carried(between, at=LATER)
        with inside(between.two):
            assert not OnwardReturn.objects.exists()
        assert (between.bodies(), between.differences()) == (0, [])

    def test_to_another_authority_goes_there_and_ends_at_the_first(self, between: Between, ned: Any) -> None:
        report(between)
        carried(between)
        read_there(between, ned)
        change(between, lives_in="003", address="1 Third Street")
        carried(between, at=LATER)
        last = read_there(between, ned)[-1]
        assert (last["takes_back"], last["address"]) == (True, ""), "not where the child lives now"
        with inside(between.three):
            came_there = OnwardReturn.objects.get(way="in")
            officer = person(f"tess-{uuid4().hex}@casterbridge.example", Role.NAMED_OFFICER)
            opened = onward.open_return(onward=came_there, by=officer, at=LATER)
            assert (opened.says["address"], opened.earlier) == ("1 Third Street", None)
        change(between, lives_in="001")
        for _ in range(2):
            carried(between, at=LATER)
        with inside(between.three):
            assert OnwardReturn.objects.filter(way="in").count() == 2
        assert len(read_there(between, ned)) == 2
        assert between.differences() == []

    def test_leaves_where_the_child_lives_as_it_was_said(self, between: Between) -> None:
        report(between)
        change(between, is_likely=False)
        with inside(between.one):
            assert SicknessReturn.objects.get().lives_in == "002"


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

    def test_by_nobody_in_its_time_is_told_by_hand(self, between: Between, ned: Any) -> None:
        report(between)
        carried(between)
        with inside(between.one):
            decides = person(f"nora-{uuid4().hex}@barsetshire.example", Role.NAMED_OFFICER)
            late = AT + onward.LASTS
            for _ in range(2):
                post.let_run_out(at=late)
                onward.send_on(at=late)
            held = OnwardReturn.objects.held_up().get()
            assert held.trouble == "Nobody there opened it within 28 days."
            [notice] = Notice.objects.filter(subject_id=held.id)
            assert onward.still_due(notice, at=late)["role"] == "officer"
            said = {"whom": "Ned", "how": "By telephone", "told_on": late.date()}
            onward.note_told(onward=held, by=decides, at=late, **said)
            post.let_run_out(at=late)
            assert not OnwardReturn.objects.held_up().exists()
        assert (between.bodies(), between.differences()) == (0, [])

    def test_by_nobody_in_its_time_goes_anew_when_the_school_changes_it(self, between: Between, ned: Any) -> None:
        report(between)
        carried(between)
        late = AT + onward.LASTS
        with inside(between.one):
            post.let_run_out(at=late)
        change(between, address="9 New Street")
        carried(between, at=late)
        with inside(between.one):
            post.let_run_out(at=late)
            assert not OnwardReturn.objects.held_up().exists()
        assert between.differences() == []

    def test_by_nobody_who_does_not_decide(self, between: Between, ned: Any) -> None:
        report(between)
        carried(between)
        with inside(between.two):
            assert OnwardReturn.objects.visible_to(ned.as_at(AT.date())).count() == 1
            other = person(f"pol-{uuid4().hex}@borchester.example", Role.POLICY_OFFICER)
            assert not OnwardReturn.objects.visible_to(other).exists()
        with inside(between.one):
            assert ledger.differences() == []


class TestItsCase:
    """The duty is of where the child lives: what was opened there has a clock there."""

    @pytest.fixture
    def opened(self, between: Between, ned: Any) -> Between:
        report(between)
        carried(between)
        with inside(between.two):
            onward.open_return(onward=came(between), by=ned, at=LATER)
        return between

    def changed(self, between: Between, ned: Any, **said: Any) -> OnwardReturn:
        """What the school says next, carried and opened."""
        with inside(between.one):
            made = SicknessReturn.objects.get()
            if said:
                given = {"last_on": None, "until_am": False, "is_likely": True, "says": made.says, **said}
                change_return(made=made, by=between.people["lead"], at=LATER, **given)
            else:
                withdraw_return(made=made, by=between.people["lead"], at=LATER)
        carried(between, at=LATER)
        with inside(between.two):
            newest: Any = OnwardReturn.objects.filter(way="in").order_by("-edition").first()
            return onward.open_return(onward=newest, by=ned, at=LATER)

    def standing(self) -> Standing:
        return standing_of(Case.objects.get(), on=LATER.date())

    def test_begins_as_the_return_is_opened(self, opened: Between, ned: Any) -> None:
        with inside(opened.two):
            case = Case.objects.visible_to(ned).get()
            assert (case.pupil.name, case.pupil.school.urn, case.pupil.lives_in) == (CHILD, ELSEWHERE, "002")
            assert (self.standing().needs_somebody, self.standing().started_on) == (True, LATER.date())
            made = case.returns.get()
            assert (made.first_on, made.says) == (date(2026, 11, 16), {"address": "3 Mid Street, Felpersham"})
            assert came(opened).returned == made
            assert came(opened).went == "Came from Barsetshire, Overcombe Junior School"
            assert OnwardReturn.objects.filter(way="out").count() == 0, "it goes nowhere from here"

    def test_follows_what_the_school_says_next(self, opened: Between, ned: Any) -> None:
        self.changed(opened, ned, last_on=date(2026, 11, 20), says={"address": "4 Mid Street"})
        with inside(opened.two):
            made = SicknessReturn.objects.get()
            assert (made.last_on, made.says["address"]) == (date(2026, 11, 20), "4 Mid Street")

    def test_counts_the_same_half_days_as_the_school_has(self, between: Between, ned: Any) -> None:
        report(between, first_on=date(2026, 11, 16), from_pm=True, last_on=date(2026, 11, 18))
        carried(between)
        with inside(between.two):
            found = onward.open_return(onward=came(between), by=ned, at=LATER)
            assert ("First day away", "16 November 2026, from the afternoon") in onward.in_words(found.says)
        self.changed(between, ned, last_on=date(2026, 11, 18), until_am=True)
        for side in (between.one, between.two):
            with inside(side):
                made = SicknessReturn.objects.get()
                assert (made.from_pm, made.until_am) == (True, True)
                [lost] = counts(
                    Case.objects.all(), calendar=Calendar([]), settings=AuthoritySettings(), on=TODAY
                ).values()
                assert lost.sessions == 4

    def test_of_a_release_that_told_no_half_days_has_whole_ones(self, between: Between, ned: Any) -> None:
        report(between, from_pm=True)
        with inside(between.one):
            told = onward._content(SicknessReturn.objects.get(), takes_back=False)
        says = onward._read({name: told[name] for name in told if name not in ("from_pm", "until_am")})
        assert (says["from_pm"], says["until_am"]) == (False, False)

    def test_hears_how_the_handover_of_the_child_stands(self, between: Between, ned: Any) -> None:
        with inside(between.three):
            neve = person(f"neve-{uuid4().hex}@elsewhere.example", Role.NAMED_OFFICER)
        report(between, lives_in="003")
        carried(between)
        assert len(read_there(between, neve, "three")) == 1
        between.sent(at=LATER)
        between.post(at=LATER)
        carried(between, at=LATER)
        assert len(read_there(between, neve, "three")) == 1, "nobody has agreed to anything yet"
        between.open(at=LATER)
        between.move("accept", at=LATER)
        between.post(at=LATER)
        for _ in range(2):
            carried(between, at=LATER)
        assert len(read_there(between, neve, "three")) == 2
        between.read_steps(at=LATER)
        between.move("begin", at=LATER)
        between.post(at=LATER)
        for _ in range(2):
            carried(between, at=LATER)
        first, second, third = read_there(between, neve, "three")
        assert (first["setting"], first["taught_since"]) == ("", "")
        assert (second["setting"], second["stands"]) == ("Felpersham Hospital School", "Accepted")
        assert (third["stands"], third["taught_since"]) == ("Being taught", "2026-11-23")
        with inside(between.three):
            newest, before, _ = OnwardReturn.objects.filter(way="in").order_by("-edition")
            where = "To Felpersham Hospital School"
            assert before.went.endswith(f"{where}. Accepted")
            assert newest.went.endswith(f"{where}. Being taught. First taught there on 23 November 2026")
            assert SicknessReturn.objects.count() == 1
        assert (between.bodies(), between.differences()) == (0, [])

    def test_clock_runs_since_the_school_said_that_15_days_are_likely(self, between: Between, ned: Any) -> None:
        assert self.clock_of_one_opened_on(LATE, between, ned) == AT.date()

    def test_clock_of_a_release_that_did_not_say_when_runs_since_it_is_opened(
        self, between: Between, ned: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        content = onward._content
        monkeypatch.setattr(onward, "_content", lambda made, **more: content(made, **more) | {"likely_on": None})
        assert self.clock_of_one_opened_on(LATE, between, ned) == LATE.date()

    def clock_of_one_opened_on(self, at: datetime, between: Between, ned: Any) -> date | None:
        report(between)
        carried(between)
        with inside(between.two):
            made: Any = onward.open_return(onward=came(between), by=ned, at=at).returned
            return standing_of(made.case, on=at.date()).started_on

    def test_is_told_once_of_what_is_agreed_anew_and_not_of_what_is_only_prepared(
        self, between: Between, ned: Any
    ) -> None:
        report(between)
        carried(between)
        between.prepare(at=LATER)
        between.move_home("withdraw", at=LATER, said={"reason": "Not now."})
        change(between, address="4 Mid Street")
        carried(between, at=LATER)
        assert [said["setting"] for said in read_there(between, ned)] == [""]
        with inside(between.one):
            Handover.objects.all().delete()
        between.sent(at=LATER)
        between.post(at=LATER)
        between.open(at=LATER)
        for hours in ("10", "12"):
            between.move("accept", at=LATER, said={"hours": hours})
            between.post(at=LATER)
            carried(between, at=LATER)
        assert [said["stands"] for said in read_there(between, ned)] == ["", "Accepted"]

    def test_is_told_of_a_pack_that_ran_out(self, between: Between, ned: Any) -> None:
        report(between)
        between.sent()
        between.post()
        carried(between)
        assert [said["stands"] for said in read_there(between, ned)] == ["Sent"]
        late = AT + timedelta(days=29)
        with inside(between.one):
            assert post.let_run_out(at=late) == 1
        carried(between, at=late)
        with inside(between.two):
            newest = OnwardReturn.objects.to_open(at=late).get()
            assert onward.open_return(onward=newest, by=ned, at=late).says["stands"] == "Ran out"

    @pytest.mark.parametrize("how", ["taken back", "ended"])
    @pytest.mark.parametrize("is_newest_first", [True, False])
    def test_takes_in_what_follows_another_return_in_whichever_order_they_are_opened(
        self, opened: Between, ned: Any, how: str, is_newest_first: bool
    ) -> None:
        if how == "taken back":
            take_back(opened)
            report(opened, first_on=date(2026, 11, 16), from_pm=True)
        else:
            change(opened, last_on=date(2026, 11, 17))
            report(opened, first_on=date(2026, 11, 19))
        carried(opened, at=LATER)
        with inside(opened.two):
            order = "-owed_at" if is_newest_first else "owed_at"
            waiting = list(OnwardReturn.objects.to_open(at=LATER).order_by(order, "takes_back"))
            for each in sorted(waiting, key=lambda one: one.edition == 1, reverse=is_newest_first):
                onward.open_return(onward=each, by=ned, at=LATER)
            assert Pupil.objects.count() == 1
            standing = SicknessReturn.objects.standing()
            found = [(made.first_on.day, made.from_pm) for made in standing.order_by("first_on")]
            assert found == ([(16, True)] if how == "taken back" else [(16, False), (19, False)])

    def test_lists_no_child_whose_days_fit_none(self, between: Between, ned: Any) -> None:
        report(between)
        carried(between)
        with inside(between.two):
            found = onward.open_return(onward=came(between), by=ned, at=LATER)
            says = found.says | {"name": "Somebody Else"}
            OnwardReturn.objects.update(returned=None)
            found.says = says
            onward_cases.follow(found, by=ned, at=AT.replace(year=2028))
            assert [each.name for each in Pupil.objects.all()] == [CHILD]

    def test_runs_on_when_the_school_takes_its_return_back(self, opened: Between, ned: Any) -> None:
        self.changed(opened, ned)
        with inside(opened.two):
            assert SicknessReturn.objects.get().withdrawn_at == LATER
            assert self.standing().needs_somebody and Case.objects.visible_to(ned).count() == 1

    def test_is_one_for_two_absences_of_one_child(self, opened: Between, ned: Any) -> None:
        self.changed(opened, ned, last_on=date(2026, 11, 17))
        report(opened, first_on=date(2026, 11, 19))
        carried(opened, at=LATER)
        with inside(opened.two):
            second = OnwardReturn.objects.filter(way="in", done_at=None).get()
            onward.open_return(onward=second, by=ned, at=LATER)
            assert (Pupil.objects.count(), Case.objects.get().returns.count()) == (1, 2)

    def test_days_that_fit_none_leave_the_return_to_be_read(self, between: Between, ned: Any) -> None:
        report(between)
        carried(between)
        with inside(between.two):
            found = onward.open_return(onward=came(between), by=ned, at=AT.replace(month=12, day=10))
            assert found.returned is not None
            OnwardReturn.objects.update(returned=None)
            onward_cases.follow(found, by=ned, at=AT.replace(year=2028))
            assert came(between).returned is None and found.says["name"] == CHILD

    def test_its_provision_has_numbers_of_its_own(self, opened: Between) -> None:
        with inside(opened.two):
            made = add_without_urn(name="Home Tuition", type_name="Tuition", by=CLOCK, at=AT)
            assert made.urn == "000001"
