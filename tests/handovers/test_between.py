"""From a school to a hospital school in another authority, and what goes wrong on the way."""

import json
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db.utils import ProgrammingError
from factories import PupilFactory, SchoolFactory
from handovers.between import AT, CHILD, CONDITION, SAID, TODAY, Between

from handrail.absences.actions import make_return
from handrail.absences.counting import standing_of
from handrail.accounts.models import User
from handrail.authority.succession import carry_conversions
from handrail.core.audit import CLOCK
from handrail.core.models import AuditEntry, AuthoritySettings
from handrail.handovers import actions, by_hand, ceased, due, guests, ledger, places, post, reminders
from handrail.handovers.actions import GapsLeft, NotNow, ReasonMissing, Refused, StepsNotRead, WrongDay
from handrail.handovers.following import KEY_GONE
from handrail.handovers.models import ExchangeKey, Handover, Message, Setting
from handrail.handovers.moves import State
from handrail.handovers.today import taught
from handrail.notices.models import Notice
from handrail.plans import versions
from handrail.plans.models import PlanVersion
from handrail.schools.models import Contact, Pupil, School
from tenants import exchange
from tenants.context import inside

LATER = AT + timedelta(hours=2)


def accepted(between: Between) -> None:
    between.sent()
    between.post()
    between.open()
    between.move("accept", starts_on=date(2026, 11, 30))
    between.post()


class TestTheWholeWay:
    def test_there_and_back(self, between: Between) -> None:
        between.sent()
        between.post()
        assert between.home().due_on == date(2026, 11, 24), "a hospital school opens it within a day"
        arrived = between.setting()
        assert (arrived.state, arrived.pupil, arrived.due_on) == ("submitted", None, date(2026, 11, 24))
        opened = between.open()
        between.post()
        assert (between.home().state, between.setting().state) == ("acknowledged", "acknowledged")
        with inside(between.one):
            assert between.home_inside().newest_pack().sha256 == opened.sha256
        between.move("accept", starts_on=date(2026, 11, 30))
        between.post()
        between.read_steps()
        between.move("begin", at=LATER)
        between.post(at=LATER)
        assert (between.home().state, between.home().review_on) == ("active", date(2027, 1, 4))
        between.move("plan_return", said={"plan": "Two mornings first."}, return_from_on=date(2026, 12, 7))
        between.post()
        between.move_home("begin_return", return_until_on=date(2026, 12, 18))
        between.move_home("confirm_return")
        between.post()
        assert (between.home().state, between.setting().state, between.home().due_on) == ("returned", "returned", None)
        assert between.bodies() == 0
        assert between.differences() == []

    def test_keeps_the_day_of_the_first_session_on_both_sides(self, between: Between) -> None:
        between.sent()
        between.post()
        between.open()
        between.read_steps()
        between.move("accept")
        tomorrow = AT + timedelta(days=1)
        for day, words in ((date(2026, 11, 25), "in the past"), (date(2026, 11, 22), "after 23 November 2026")):
            with pytest.raises(WrongDay, match=words):
                between.move("begin", at=tomorrow, first_session_on=day)
        assert between.setting().state == "accepted"
        between.move("begin", at=tomorrow)
        between.post(at=tomorrow + timedelta(days=1))
        assert {each.first_session_on for each in (between.home(), between.setting())} == {tomorrow.date()}

    def test_makes_the_receivers_own_copy_of_the_child_and_the_plan(self, between: Between) -> None:
        between.sent()
        between.post()
        between.open()
        with inside(between.two):
            pupil = Pupil.objects.get()
            version = PlanVersion.objects.of_child(pupil).first()
            assert (pupil.name, pupil.upn, pupil.school.name) == (CHILD, "B801200005001", "Felpersham Hospital School")
            assert version is not None and version.says is not None and version.says.condition == CONDITION
            assert Contact.objects.get(pupil=pupil).has_parental_responsibility
        assert pupil.id != between.pupil_id

    def test_tells_nothing_before_it_is_opened(self, between: Between) -> None:
        between.sent()
        between.post()
        with inside(between.two):
            assert not Pupil.objects.exists()
            [card] = exchange.ledger()
            assert CHILD not in repr(card) and CONDITION not in repr(card)
        assert not [row for row in between.what_three_knows() if "Wren" in row or "Canary" in row]

    def test_within_one_authority_is_the_same(self, between: Between) -> None:
        with inside(between.one):
            lead = between.people["lead"]
            school = SchoolFactory(name="Overcombe Hospital School", type_code=7, type_name="Community special school")
            places.confirm_setting(school=school, name="", kind="hospital", ring="", telephone="", by=lead, at=AT)
        handover = between.sent()
        with inside(between.one):
            Handover.objects.update(other_role=between.one.schema_name, setting_urn=school.urn)
            post.deposit_owed(at=AT)
            post.collect(at=AT)
            theirs = Handover.objects.get(side="setting")
            post.open_pack(handover=theirs, by=lead, at=AT)
            post.deposit_owed(at=AT)
            post.collect(at=AT)
            assert Handover.objects.get(id=handover.id).state == "acknowledged"
            assert Pupil.objects.count() == 2
            assert ledger.differences() == []


class TestAfterwards:
    """What a setting has of a child who is back: on no list of today, and kept as the authority's periods say."""

    def back(self, between: Between) -> None:
        accepted(between)
        between.read_steps()
        for name in ("begin", "plan_return"):
            between.move(name)
        between.post()
        between.move_home("confirm_return", at=LATER)
        between.post(at=LATER)

    def test_the_child_has_left_the_setting_and_stays_on_file(self, between: Between) -> None:
        self.back(between)
        with inside(between.two):
            child, who = Pupil.objects.select_related("school").get(), between.people["hospital"]
            assert (child.left_on, PlanVersion.objects.of_child(child).exists()) == (LATER.date(), True)
            assert not Pupil.objects.not_left(on=LATER.date()).exists()
            assert taught(child.school, user=who, on=LATER.date()) == ([], [])
            assert Pupil.objects.visible_to(who).exists() and Handover.objects.visible_to(who).get().is_over
            assert AuditEntry.objects.filter(verb="recorded that a child left", subject_id=child.id).exists()
        with inside(between.one):
            assert Pupil.objects.get().left_on is None

    def test_who_comes_again_is_the_same_child(self, between: Between) -> None:
        self.back(between)
        between.sent(at=LATER)
        between.post(at=LATER)
        with inside(between.two):
            again = Handover.objects.get(side="setting", state="submitted")
            post.open_pack(handover=again, by=between.people["hospital"], at=LATER)
            child = Pupil.objects.get()
            assert (child.left_on, child.joined_on) == (None, LATER.date())
            assert Handover.objects.get(id=again.id).made_pupil

    def test_a_child_whom_the_setting_knows_otherwise_stays(self, between: Between) -> None:
        with inside(between.two):
            school = Setting.objects.get().school
            PupilFactory(school=school, name=CHILD, upn="B801200005001", born_on=date(2016, 5, 1))
        self.back(between)
        with inside(between.two):
            assert Pupil.objects.get().left_on is None

    def test_who_is_in_another_handover_there_stays_for_that(self, between: Between) -> None:
        accepted(between)
        with inside(between.two):
            theirs = Handover.objects.get()
            facts = {"since_on": AT.date(), "started_at": AT, "setting": theirs.setting, "setting_name": "x"}
            Handover.objects.create(reference=uuid4(), side="setting", state="active", pupil=theirs.pupil, **facts)
        between.move_home("end", said={"reason": "Moved."})
        between.post()
        with inside(between.two):
            assert Pupil.objects.get().left_on is None


class TestTheClock:
    """By which day the next move is expected, where the days of the case or the authority's settings decide."""

    def test_reviews_are_as_often_as_the_authority_of_the_setting_says(self, between: Between) -> None:
        with inside(between.two):
            AuthoritySettings.objects.update_or_create(defaults={"handover_review_weeks": 4})
        accepted(between)
        between.read_steps()
        between.move("begin")
        between.post()
        assert (between.setting().review_on, between.home().review_on) == (date(2026, 12, 21), date(2026, 12, 21))
        assert between.home().due_on == date(2026, 12, 21)
        with inside(between.two):
            AuthoritySettings.objects.update(handover_review_weeks=6)

    def test_an_acceptance_without_a_first_day_is_expected_within_a_week(self, between: Between) -> None:
        between.sent()
        between.post()
        between.open()
        with inside(between.two):
            Handover.objects.update(starts_on=None)
        between.move("accept")
        assert between.setting().due_on == date(2026, 11, 30)

    def test_a_return_is_expected_on_its_day_or_at_the_next_review(self, between: Between) -> None:
        accepted(between)
        between.read_steps()
        between.move("begin")
        between.move("plan_return", said={"plan": "Two mornings."}, return_from_on=date(2026, 12, 7))
        between.post()
        assert between.home().due_on == between.setting().due_on == date(2026, 12, 7)

    def test_a_correction_moves_nothing(self, between: Between) -> None:
        accepted(between)
        before = between.home(), between.setting()
        with inside(between.one):
            by = between.people["lead"]
            actions.write(handover=between.home_inside(), said={"fitness": "An hour."}, by=by, at=LATER)
            actions.submit(handover=between.home_inside(), by=by, at=AT + timedelta(days=2))
        between.post(at=AT + timedelta(days=2))
        for was, now in zip(before, (between.home(), between.setting()), strict=True):
            assert (now.state, now.since_on, now.due_on) == (was.state, was.since_on, was.due_on)


class TestSubmit:
    def test_refuses_a_pack_without_the_smallest_safe_set(self, between: Between) -> None:
        handover = between.prepare()
        with inside(between.one), pytest.raises(GapsLeft) as refusal:
            actions.submit(handover=handover, by=between.people["lead"], at=AT)
        assert [item.name for item in refusal.value.missing] == list(SAID)
        with inside(between.one):
            assert not Message.objects.exists() and between.home_inside().state == "draft"

    def test_freezes_what_is_sent(self, between: Between) -> None:
        handover = between.sent()
        with inside(between.one):
            sent = between.home_inside().newest_pack()
            Pupil.objects.update(name="Another name")
            assert sent.content["child"]["name"] == CHILD
            assert handover.packs.count() == 1

    def test_sends_a_correction_that_asks_to_be_read_anew(self, between: Between) -> None:
        accepted(between)
        between.read_steps()
        with inside(between.one):
            pupil = Pupil.objects.get()
            says = PlanVersion.objects.of_child(pupil).first().says
            versions.write_emergency(
                pupil=pupil,
                says=replace(says, steps=("Ring the ward.",)),
                based_on=1,
                by=between.people["lead"],
                at=LATER,
            )
            made = actions.submit(handover=between.home_inside(), by=between.people["lead"], at=LATER)
        assert made.number == 2
        between.post(at=LATER)
        assert between.setting().state == "accepted"
        between.open(at=LATER)
        with pytest.raises(StepsNotRead):
            between.move("begin", at=LATER)
        between.read_steps(at=LATER)
        between.move("begin", at=LATER)
        with inside(between.two):
            assert PlanVersion.objects.of_child(Pupil.objects.get()).first().says.steps == ("Ring the ward.",)

    def test_takes_back_a_pack_that_a_newer_one_replaces(self, between: Between) -> None:
        between.sent()
        between.post()
        with inside(between.one):
            actions.write(
                handover=between.home_inside(), said={"fitness": "One hour."}, by=between.people["lead"], at=AT
            )
            actions.submit(handover=between.home_inside(), by=between.people["lead"], at=AT)
        between.post(at=LATER)
        assert between.bodies() == 1
        assert between.open(at=LATER).content["about"]["fitness"] == "One hour."


class TestRefusals:
    def test_a_child_is_in_one_handover_at_a_time(self, between: Between) -> None:
        between.prepare()
        with pytest.raises(NotNow, match="already being handed over"):
            between.prepare()

    def test_a_decline_says_why_and_who_acts_next(self, between: Between) -> None:
        between.sent()
        between.post()
        between.open()
        for name, wrong in (("reason", ""), ("alternative", " "), ("next", ""), ("next", "somebody")):
            with pytest.raises(ReasonMissing) as refusal:
                between.move("decline", said={name: wrong})
            assert refusal.value.field == name
        between.move("decline")
        between.post()
        assert between.home().state == "declined"
        with inside(between.one):
            assert between.home_inside().steps.last().words == [
                ("Why", "No bed."),
                ("What could be done instead", "Tuition at home."),
                ("Who acts next", "The home authority"),
            ]

    def test_what_an_earlier_release_said_of_a_decline_is_still_read(self, between: Between) -> None:
        between.sent()
        between.post()
        between.open()
        between.move("decline")
        with inside(between.two):
            message = Message.objects.filter(way="out", kind="move").last()
            message.content = {"move": "decline", "said": {"reason": "No bed.", "next": "We ring you."}, "dates": {}}
            message.save()
        between.post()
        with inside(between.one):
            assert between.home_inside().state == "declined"
            assert between.home_inside().steps.last().words == [("Why", "No bed."), ("Who acts next", "We ring you.")]

    @pytest.mark.parametrize(
        ("name", "wrong", "words"),
        [
            ("starts_on", None, "Enter the first day"),
            ("hours", "", "Enter how many hours a week"),
            ("hours", "many", "Enter a number of hours"),
            ("hours", "61", "Enter a number of hours"),
            ("hours", "NaN", "Enter a number of hours"),
            ("why_hours", "", "Enter why there are no hours"),
            ("base", "", "Enter where the child will be taught"),
            ("roll", "", "Select whose roll the child is on"),
            ("roll", "both", "Select whose roll the child is on"),
            ("roll", "sole", "takes no child off a school’s roll"),
        ],
    )
    def test_an_acceptance_names_what_was_agreed(self, between: Between, name: str, wrong: Any, words: str) -> None:
        between.sent()
        between.post()
        between.open()
        given = {"starts_on": wrong} if name == "starts_on" else {"said": {name: wrong}}
        if name == "why_hours":
            given = {"said": {"hours": "0"}}
        with pytest.raises(ReasonMissing, match=words) as refusal:
            between.move("accept", **given)
        assert refusal.value.field == name
        assert between.setting().state == "acknowledged"

    def test_an_acceptance_is_the_same_on_both_sides(self, between: Between) -> None:
        between.sent()
        between.post()
        between.open()
        between.move("accept", said={"hours": "0", "why_hours": "Too ill this week.", "roll": "dual"})
        between.post()
        assert {(each.roll, each.starts_on) for each in (between.home(), between.setting())} == {
            ("dual", date(2026, 11, 30))
        }
        with inside(between.one):
            words = dict(between.home_inside().steps.last().words)
        assert words == {
            "First day": "30 November 2026",
            "Hours a week": "0",
            "Why no hours": "Too ill this week.",
            "Where": "The ward",
            "On the roll": "On both rolls, the home school’s first",
        }

    @pytest.mark.parametrize("name", ["attended", "hours", "evidence_on", "decision"])
    def test_a_review_names_who_took_part_and_what_was_decided(self, between: Between, name: str) -> None:
        accepted(between)
        between.read_steps()
        between.move("begin")
        with pytest.raises(ReasonMissing) as refusal:
            between.move("review", said={name: ""})
        assert refusal.value.field == name
        between.move("review")
        between.post()
        with inside(between.one):
            assert ("Newest evidence", "20 November 2026") in between.home_inside().steps.last().words

    def test_a_phased_return_has_an_end(self, between: Between) -> None:
        accepted(between)
        between.read_steps()
        between.move("begin")
        between.move("plan_return")
        between.post()
        with pytest.raises(ReasonMissing, match="must have one"):
            between.move_home("begin_return")
        with pytest.raises(ReasonMissing, match="how many hours"):
            between.move_home("begin_return", said={"hours": ""}, return_until_on=date(2026, 12, 18))

    def test_the_other_sides_move_is_not_ones_own(self, between: Between) -> None:
        between.sent()
        with pytest.raises(NotNow, match="Only the receiving setting"):
            between.move_home("accept")

    def test_it_is_opened_once(self, between: Between) -> None:
        between.sent()
        between.post()
        between.open()
        with pytest.raises(NotNow, match="no pack here that waits"):
            between.open()

    def test_it_is_not_opened_after_it_was_withdrawn(self, between: Between) -> None:
        between.sent()
        between.post()
        between.move_home("withdraw", said={"reason": "Gone home."})
        with inside(between.one):
            post.deposit_owed(at=LATER)
        with pytest.raises(Refused, match="taken this back"):
            between.open(at=LATER)
        between.post(at=LATER)
        assert between.setting().state == "withdrawn"
        assert between.bodies() == 0

    def test_nobody_hears_of_one_that_was_withdrawn_before_its_card_was_seen(self, between: Between) -> None:
        between.sent()
        between.move_home("withdraw", said={"reason": "Gone home."})
        between.post(rounds=2)
        with inside(between.two):
            assert not Handover.objects.exists()
        assert (between.bodies(), between.differences()) == (0, [])

    def test_it_runs_out_on_both_sides(self, between: Between) -> None:
        between.sent()
        between.post()
        over = AT + post.LASTS
        for authority in (between.one, between.two):
            with inside(authority):
                assert post.let_run_out(at=over - timedelta(minutes=1)) == 0
                assert post.let_run_out(at=over) == 1
        assert (between.home().state, between.setting().state, between.bodies()) == ("expired", "expired", 0)

    def test_what_cannot_be_sent_waits_and_says_why(self, between: Between) -> None:
        with inside(between.two):
            exchange.block(between.one.schema_name)
        between.sent()
        between.post()
        with inside(between.one):
            message = Message.objects.get()
            assert (message.done_at, message.trouble[:10]) == (None, "Borchester")
        with inside(between.two):
            exchange.unblock(between.one.schema_name)
        between.post()
        assert between.setting().state == State.SUBMITTED

    def test_a_setting_that_nobody_confirmed_cannot_open(self, between: Between) -> None:
        between.sent()
        with inside(between.two):
            Setting.objects.all().delete()
        between.post()
        with pytest.raises(Refused, match="confirm this setting first"):
            between.open()

    def test_a_setting_that_is_confirmed_later_has_what_came_before(self, between: Between) -> None:
        between.sent()
        with inside(between.two):
            ward = Setting.objects.get()
            school, who = ward.school, between.people["hospital"]
            ward.delete()
        between.post()
        assert between.setting().setting is None
        with inside(between.two):
            assert not Handover.objects.visible_to(who).exists()
            places.confirm_setting(school=school, name="", kind="hospital", ring="", telephone="", by=who, at=LATER)
            came = Handover.objects.visible_to(who).get()
            assert (came.is_hospital, came.due_on) == (True, date(2026, 11, 24)), "its day began when the pack came"
            assert Notice.objects.filter(subject_id=came.id, recipient=who.email).exists()
        assert between.open(at=LATER).content["child"]["name"] == CHILD

    def test_a_pack_for_a_setting_that_has_converted_reaches_what_it_became(self, between: Between) -> None:
        between.sent()
        with inside(between.two):
            ward, who = Setting.objects.select_related("school").get(), between.people["hospital"]
            old: Any = ward.school
            School.objects.filter(id=old.id).update(closed_on=TODAY)
            new = SchoolFactory(urn="900799", name="Felpersham Hospital Academy", converted_from=old)
        between.post()
        assert between.setting().setting is None, "it came between the closing and what is carried over"
        with inside(between.two):
            carry_conversions(at=LATER)
            assert Handover.objects.get().setting == Setting.objects.get(school=new)
            assert Handover.objects.visible_to(User.objects.get(id=who.id).as_at(TODAY)).exists()
        between.open(at=LATER)

    def test_a_pack_under_the_old_number_of_a_setting_is_known(self, between: Between) -> None:
        between.sent()
        with inside(between.two):
            old: Any = Setting.objects.select_related("school").get().school
            School.objects.filter(id=old.id).update(closed_on=TODAY)
            new = SchoolFactory(urn="900799", name="Felpersham Hospital Academy", converted_from=old)
            carry_conversions(at=AT)
        between.post()
        found = between.setting().setting
        assert found and found.school_id == new.id

    def test_a_lost_key_is_said_in_words(self, between: Between) -> None:
        between.sent()
        between.post()
        with inside(between.two):
            ExchangeKey.objects.all().delete()
        with pytest.raises(exchange.CannotOpen, match="key for this is gone"):
            between.open()


class TestWhatSomebodyElseSends:
    """Each is taken out of the way without words of its own reaching anybody, and what came with it goes on."""

    def forge(
        self, between: Between, *, kind: str, about: Any, content: Any, sender: str = "three", to: str = "002"
    ) -> None:
        with inside(getattr(between, sender)):
            exchange.deposit(
                recipient=exchange.member(to),
                reference=uuid4(),
                kind=kind,
                about=about,
                card=exchange.Card(setting="x" * 300, urn="9007001"),
                content=json.dumps(content).encode(),
                at=AT,
                expires_at=AT + post.LASTS,
            )

    def test_as_a_third_authority_changes_nothing(self, between: Between) -> None:
        handover = between.sent()
        between.post()
        for kind, content in (("move", {"move": "withdraw"}), ("pack", {"move": "correct", "pack": {}})):
            self.forge(between, kind=kind, about=handover.reference, content=content)
        between.post(at=LATER)
        assert (between.setting().state, between.setting().other_name) == ("submitted", "Barsetshire")
        assert between.open(at=LATER).content["child"]["name"] == CHILD

    @pytest.mark.parametrize(
        "content",
        [
            {"move": "unheard of"},
            {"move": "accept"},
            {"move": "withdraw", "said": "words"},
            {"move": "withdraw", "dates": {"starts_on": f"{CHILD} soon"}},
            [CHILD],
            None,
        ],
        ids=range(6),
    )
    def test_as_no_move_is_kept_with_words(self, between: Between, content: Any) -> None:
        handover = between.sent()
        between.post()
        self.forge(between, kind="move", about=handover.reference, content=content, sender="one")
        between.post(at=LATER)
        with inside(between.two):
            trouble = Message.objects.get(kind="move", way="in").trouble
        assert "Ring" in trouble or "ring" in trouble
        assert CHILD not in trouble
        assert between.setting().state == "submitted"

    @pytest.mark.parametrize("name", ["expire", "come_back", "go_on_alone"])
    def test_as_what_only_ones_own_clock_does_changes_nothing(self, between: Between, name: str) -> None:
        handover = between.sent()
        between.post()
        self.forge(between, kind="move", about=handover.reference, content={"move": name}, sender="two", to="001")
        between.post(at=LATER)
        with inside(between.one):
            assert Message.objects.get(kind="move", way="in").trouble == post.UNREADABLE
        assert between.home().state == "submitted"

    def test_as_no_pack_is_refused_in_words(self, between: Between) -> None:
        self.forge(between, kind="pack", about=uuid4(), content={"pack": {"form": 1, "child": {}}}, sender="one")
        with inside(between.two):
            post.collect(at=AT)
            places_here = Setting.objects.get()
            Handover.objects.update(setting=places_here)
        with pytest.raises(exchange.CannotOpen, match="could not be read"):
            between.open()
        with inside(between.two):
            assert not Pupil.objects.exists()

    def test_about_nothing_does_not_stop_the_rest(self, between: Between) -> None:
        self.forge(between, kind="pack", about=None, content={})
        between.sent()
        between.post()
        assert between.setting().state == "submitted"


class TestUpdates:
    def test_travel_and_leave_what_is_due_as_it_was(self, between: Between) -> None:
        accepted(between)
        between.read_steps()
        between.move("begin")
        between.post()
        assert {each.update_on for each in (between.home(), between.setting())} == {date(2026, 11, 30)}
        review = between.home().due_on
        friday = AT + timedelta(days=4)
        between.move("update", at=friday, said={"note": "Fractions went well.", "taught": "7.5"})
        between.post(at=friday)
        for each in (between.home(), between.setting()):
            assert (each.state, each.update_on, each.due_on) == ("active", date(2026, 12, 4), review)
        with inside(between.one):
            assert between.home_inside().steps.last().words == [
                ("How the child gets on", "Fractions went well."),
                ("Hours taught since the last update", "7.5"),
            ]
        assert between.differences() == []

    @pytest.mark.parametrize(("name", "wrong"), [("note", ""), ("taught", ""), ("taught", "some"), ("taught", "-1")])
    def test_say_how_it_goes_and_for_how_long(self, between: Between, name: str, wrong: str) -> None:
        accepted(between)
        between.read_steps()
        between.move("begin")
        with pytest.raises(ReasonMissing) as refusal:
            between.move("update", said={"note": "Well.", "taught": "5", name: wrong})
        assert refusal.value.field == name

    def test_of_a_return_are_reviews_of_the_home_school(self, between: Between) -> None:
        accepted(between)
        between.read_steps()
        for name in ("begin", "plan_return"):
            between.move(name)
        between.post()
        assert between.home().update_on is None
        between.move_home("begin_return", return_until_on=date(2026, 12, 18))
        between.post()
        assert {each.update_on for each in (between.home(), between.setting())} == {date(2026, 12, 7)}
        with pytest.raises(ReasonMissing, match="what was decided"):
            between.move_home("review_return", said={"hours": "12"})
        tomorrow = AT + timedelta(days=1)
        between.move_home("review_return", at=tomorrow, said={"hours": "12", "decision": "One more morning."})
        between.post(at=tomorrow)
        for each in (between.home(), between.setting()):
            assert (each.update_on, each.due_on) == (date(2026, 12, 8), date(2026, 12, 18))
        between.move_home("confirm_return")
        between.post()
        assert {each.update_on for each in (between.home(), between.setting())} == {None}


class TestWhatIsPlannedAnew:
    """Days slip and children fall ill again: the plan changes on both sides."""

    def back_in_steps(self, between: Between) -> None:
        accepted(between)
        between.read_steps()
        between.move("begin")
        between.move("plan_return", return_from_on=date(2026, 11, 30))
        between.post()

    def both(self, between: Between) -> list[Handover]:
        between.post()
        assert between.differences() == []
        return [between.home(), between.setting()]

    @pytest.mark.parametrize(("day", "due_on"), [(date(2026, 12, 9), date(2026, 12, 9)), (None, date(2027, 1, 4))])
    def test_is_the_first_day_back(self, between: Between, day: date | None, due_on: date) -> None:
        self.back_in_steps(between)
        between.move("plan_return", said={"plan": "A week later."}, **({"return_from_on": day} if day else {}))
        for each in self.both(between):
            assert (each.state, each.return_from_on, each.due_on) == ("return_planned", day, due_on)

    def test_is_the_first_day_there(self, between: Between) -> None:
        accepted(between)
        between.move("accept", starts_on=date(2026, 12, 2), said={"hours": "5"})
        for each in self.both(between):
            assert (each.state, each.starts_on, each.due_on) == ("accepted", date(2026, 12, 2), date(2026, 12, 2))

    def test_is_the_place_that_is_given_up_with_what_a_decline_says(self, between: Between) -> None:
        accepted(between)
        with pytest.raises(ReasonMissing):
            between.move("decline", said={"alternative": ""})
        between.move("decline")
        assert {each.state for each in self.both(between)} == {"declined"}
        with inside(between.one):
            assert due.lapsed(on=AT.date()).exists()

    def test_is_the_end_of_a_phased_return(self, between: Between) -> None:
        self.back_in_steps(between)
        between.move_home("begin_return", return_until_on=date(2026, 12, 18))
        said = {"hours": "12", "decision": "Slower."}
        between.move_home("review_return", said=said, return_until_on=date(2027, 1, 15))
        for each in self.both(between):
            assert (each.return_until_on, each.due_on) == (date(2027, 1, 15), date(2027, 1, 15))

    @pytest.mark.parametrize("begun", [False, True])
    def test_is_a_return_of_a_child_who_falls_ill_again(self, between: Between, begun: bool) -> None:
        self.back_in_steps(between)
        if begun:
            between.move_home("begin_return", return_until_on=date(2026, 12, 18))
            between.post()
        with pytest.raises(ReasonMissing, match="Say why"):
            between.move("teach_again")
        between.move("teach_again", said={"reason": "A relapse."})
        for each in self.both(between):
            assert (each.state, each.update_on, each.due_on) == ("active", date(2026, 11, 30), date(2027, 1, 4))
            assert (each.return_from_on, each.return_until_on) == (None, None)

    def test_a_return_that_began_before_the_home_school_heard_so_has_not_begun(self, between: Between) -> None:
        self.back_in_steps(between)
        between.move_home("begin_return", return_until_on=date(2026, 12, 18))
        between.move("teach_again", said={"reason": "A relapse."})
        between.move("plan_return", return_from_on=date(2026, 12, 9))
        between.post()
        for each in self.both(between):
            assert (each.state, each.due_on) == ("return_planned", date(2026, 12, 9))
            assert not each.return_until_on
        between.move_home("begin_return", return_until_on=date(2026, 12, 18))
        assert {each.state for each in self.both(between)} == {"phased_return"}

    def test_is_too_late_once_the_child_goes_back_in_steps(self, between: Between) -> None:
        self.back_in_steps(between)
        between.move_home("begin_return", return_until_on=date(2026, 12, 18))
        between.move("plan_return", return_from_on=date(2026, 12, 9))
        for each in self.both(between):
            assert (each.state, each.due_on) == ("phased_return", date(2026, 12, 18))


class TestTheSection19Clock:
    @pytest.mark.parametrize("how", ["declined", "withdrawn", "expired"])
    def test_runs_on_when_a_handover_ends_without_teaching(self, between: Between, how: str) -> None:
        with inside(between.one):
            child, lead = Pupil.objects.get(), between.people["lead"]
            first = date(2026, 11, 2)
            case = make_return(pupil=child, first_on=first, is_likely=True, says={}, by=lead, at=AT).case
            assert standing_of(case, on=AT.date()).is_running
        between.sent()
        between.post()
        later = AT + timedelta(days=29)
        if how == "declined":
            between.open()
            between.move("decline")
        elif how == "withdrawn":
            between.move_home("withdraw", said={"reason": "The parents wish it."})
        else:
            with inside(between.one):
                post.let_run_out(at=later)
        between.post(at=later)
        assert between.home().state == how
        with inside(between.one):
            now = standing_of(case, on=later.date())
            assert now.is_running and now.needs_somebody and now.stopped_on is None


class TestABlock:
    """Stops what is new, and nothing that both sides have begun: answers and corrections are duties."""

    def block(self, between: Between, blocker: str) -> None:
        by = between.one if blocker == "two" else between.two
        with inside(getattr(between, blocker)):
            post.block(by.schema_name, by=CLOCK, at=AT)

    def test_stops_no_answer_of_the_setting(self, between: Between) -> None:
        between.sent()
        between.post()
        self.block(between, "one")
        between.open()
        between.move("accept")
        between.post()
        assert (between.home().state, between.differences()) == ("accepted", [])

    def test_stops_no_correction_and_no_end_of_what_was_opened(self, between: Between) -> None:
        between.sent()
        between.post()
        between.open()
        self.block(between, "two")
        with inside(between.one):
            actions.submit(handover=between.home_inside(), by=between.people["lead"], at=AT)
        between.post()
        assert between.open().number == 2
        between.move_home("withdraw", said={"reason": "Home."})
        between.post()
        assert (between.setting().state, between.differences()) == ("withdrawn", [])

    def test_stops_a_correction_of_what_nobody_has_opened(self, between: Between) -> None:
        between.sent()
        between.post()
        self.block(between, "two")
        with inside(between.one):
            actions.submit(handover=between.home_inside(), by=between.people["lead"], at=AT)
        between.post()
        with inside(between.one):
            assert "takes nothing new" in Message.objects.filter(way="out", done_at=None).get().trouble

    def test_a_pack_that_is_held_up_is_told_and_goes_on_by_hand(self, between: Between) -> None:
        self.block(between, "two")
        between.sent()
        between.post()
        with inside(between.one):
            home, by = between.home_inside(), between.people["lead"]
            assert "takes nothing new" in home.why_held_up
            assert [each.id for each in due.held_up(on=AT.date())] == [home.id]
            assert due.to_answer(home.pupil.school_id, on=AT.date()) == [AT.date()]
            reminders.owe_handover_reminders(on=AT.date(), at=AT)
            assert {each.recipient for each in Notice.objects.filter(subject_kind="handover_held_up")} == {by.email}
            assert not guests.may_have_one(home)
            with pytest.raises(ReasonMissing):
                ceased.go_on_by_hand(handover=home, told=" ", by=by, at=AT)
            ceased.go_on_by_hand(handover=home, told="Ina Moss, who said yes", by=by, at=AT)
            home = between.home_inside()
            assert (home.state, home.alone_since, guests.may_have_one(home)) == ("submitted", AT.date(), True)
            assert ("Who was told", "Ina Moss, who said yes") in home.steps.last().words
            assert "acknowledge" in [move.name for move in by_hand.may_be_told(home)]
            with pytest.raises(NotNow, match="held up"):
                ceased.go_on_by_hand(handover=home, told="Ina", by=by, at=AT)
            assert not due.held_up(on=AT.date()).exists()
        between.post()
        assert (between.bodies(), between.differences()) == (0, [])

    def test_an_end_that_is_held_up_is_told_and_recorded(self, between: Between) -> None:
        accepted(between)
        with inside(between.one):
            exchange.leave(at=AT)
        between.move("decline")
        between.post()
        with inside(between.two):
            setting, by = between.setting_inside(), between.people["hospital"]
            assert "has left it" in setting.why_held_up
            assert due.to_answer(setting.setting.school_id, on=AT.date()) == [AT.date()]
            ceased.go_on_by_hand(handover=setting, told="Hana Hughes", by=by, at=AT)
            assert between.setting_inside().state == "declined" and not due.held_up(on=AT.date()).exists()
            assert ("Who was told", "Hana Hughes") in setting.steps.last().words

    def test_is_held_by_the_database_too(self, between: Between, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(exchange, "_key_to_seal_with", lambda recipient, **_: recipient.public_key)
        self.block(between, "two")
        between.sent()
        with inside(between.one), pytest.raises(ProgrammingError, match="row-level security"):
            post.deposit_owed(at=AT)


class TestAKeyThatIsGone:
    def gone(self, between: Between) -> dict[str, Any]:
        """The home side's key is taken out of its table, while an answer is on its way."""
        between.sent()
        between.post()
        between.open()
        with inside(between.one):
            key = ExchangeKey.objects.get()
            kept = {name: getattr(key, name) for name in ("id", "private_key", "made_at", "made_by_name")}
            ExchangeKey.objects.all().delete()
        between.post()
        return kept

    def test_holds_up_what_came_until_it_is_back(self, between: Between) -> None:
        kept = self.gone(between)
        between.move("accept")
        between.post(rounds=2)
        assert between.home().state == "submitted"
        with inside(between.one):
            assert [each.trouble for each in Message.objects.filter(way="in")] == [KEY_GONE, ""]
            ExchangeKey.objects.create(**kept)
            assert post.collect(at=LATER) == 0
            assert between.home_inside().state == "accepted"
            assert [each.move for each in between.home_inside().steps.all()][-2:] == ["acknowledge", "accept"]
            assert not Message.objects.filter(way="in").exclude(trouble="", done_at=LATER).exists()
        assert (between.bodies(), between.differences()) == (0, [])

    def test_and_what_was_sealed_to_a_newer_key_overtakes_nothing(self, between: Between) -> None:
        kept = self.gone(between)
        with inside(between.one):
            post.join_exchange(by=CLOCK, at=LATER)
        between.move("accept", at=LATER)
        between.post(at=LATER)
        assert between.home().state == "submitted"
        with inside(between.one):
            ExchangeKey.objects.create(**kept)
        between.post(at=LATER)
        assert between.home().state == "accepted"

    def test_is_tried_again_no_longer_than_the_envelope_lasts(self, between: Between) -> None:
        kept = self.gone(between)
        over = AT + post.ANSWERS_LAST
        with inside(between.one):
            post.collect(at=over)
            assert "not opened in time" in Message.objects.get(way="in").trouble
            ExchangeKey.objects.create(**kept)
            post.collect(at=over)
            assert between.home_inside().state == "submitted"
