"""A one-case guest page for a setting whose authority does not use Handrail: who gets in, and what it leaves behind."""

import re
from datetime import date, timedelta
from email import message_from_bytes, policy
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.db import connection
from factories import AT, ContactFactory, PupilFactory, emergency
from handovers.between import AGREED, REFUSED, SAID, telling

from handrail.accounts.guests import TRIES, NoCodeNow, Tried
from handrail.core.models import AuditEntry, ReadEntry
from handrail.handovers import actions, by_hand, guests
from handrail.handovers.actions import Destination, NotNow, ReasonMissing, Refused, StepsNotRead, WrongDay
from handrail.handovers.guest_models import GuestPage
from handrail.handovers.models import Handover, Message
from handrail.notices.actions import NoLongerDue
from handrail.notices.letters import letter
from handrail.notices.models import Notice
from handrail.plans import versions
from tenants.context import inside

pytestmark = pytest.mark.django_db
CHILD = "Wren Canarywright"
EMAIL = "ina.moss@hospital.example"
MINUTE = timedelta(minutes=1)
FIRST_DAY = {"starts_on_day": "30", "starts_on_month": "11", "starts_on_year": "2026"}


@pytest.fixture
def sent(one: Any, cast: Any) -> Handover:
    """A child of Oak School goes to a hospital school in an authority without Handrail; the pack is ready."""
    with inside(one):
        pupil = PupilFactory(school=cast.oak, name=CHILD)
        ContactFactory(pupil=pupil)
        versions.write_emergency(pupil=pupil, says=emergency("Epilepsy"), based_on=0, by=cast.head, at=AT)
        made = actions.prepare(
            pupil=pupil,
            to=Destination("", "Nowhereshire", "999", "Nowhere Hospital School", "800777", True),
            home_authority="001",
            roll="guest",
            starts_on=None,
            is_urgent=True,
            ring="Hana Head",
            telephone="01632 960001",
            by=cast.head,
            at=AT,
        )
        actions.write(handover=made, said=SAID, by=cast.head, at=AT)
        actions.submit(handover=made, by=cast.head, at=AT)
        found: Handover = Handover.objects.get()
        return found


@pytest.fixture
def page(one: Any, cast: Any, sent: Handover) -> GuestPage:
    with inside(one):
        return guests.send(handover=sent, name="Ina Moss", email=EMAIL, by=cast.head, at=AT)


def sent_off(answer: Any) -> Any:
    """The transaction of a request commits, as that of a request of its own would: its mail leaves."""
    left, connection.run_on_commit = connection.run_on_commit, []
    for _, callback, _ in left:
        callback()
    return answer


def code_for(page: GuestPage, *, at: Any = AT) -> str:
    return guests.make_code(page=page, at=at)


def get_in(page: GuestPage, code: str, *, born_on: date = date(2016, 5, 1), at: Any = AT) -> Tried:
    return guests.try_to_get_in(page=page, code=code, born_on=born_on, at=at)


class TestSend:
    def test_writes_to_one_person_and_names_no_child(self, one: Any, page: GuestPage) -> None:
        with inside(one):
            notice = Notice.objects.get(subject_id=page.id)
            facts = guests.still_due(notice, at=AT)
            made = message_from_bytes(letter(notice, facts, authority=one, at=AT).raw, policy=policy.default)
            text = f"{made['subject']} {made.get_content()}"
            assert notice.recipient == EMAIL
            assert guests.page_at(re.search(r"/guest/([^/]+)/open/", facts["path"])[1]) == page
        assert "Oak School" in text and "Wren" not in text and "ospital" not in text
        assert page.ends_at == AT + timedelta(days=7)

    def test_ends_the_one_before(self, one: Any, cast: Any, sent: Handover, page: GuestPage) -> None:
        with inside(one):
            guests.send(handover=sent, name="Ola", email="ola@x.example", by=cast.head, at=AT + MINUTE)
            page.refresh_from_db()
            assert not page.stands(AT + MINUTE)
            with pytest.raises(NoLongerDue):
                guests.still_due(Notice.objects.get(subject_id=page.id), at=AT + MINUTE)

    def test_owes_nothing_to_the_exchange(self, one: Any, sent: Handover) -> None:
        with inside(one):
            assert (sent.state, sent.packs.count(), Message.objects.count()) == ("submitted", 1, 0)

    def test_is_refused_where_the_authority_uses_handrail(self, one: Any, cast: Any, sent: Handover) -> None:
        with inside(one):
            Handover.objects.update(other_role="la_00000000")
            with pytest.raises(NotNow):
                guests.send(handover=sent, name="Ina", email=EMAIL, by=cast.head, at=AT)


class TestGettingIn:
    def test_takes_the_code_and_the_date_of_birth_and_is_the_acknowledgement(
        self, one: Any, sent: Handover, page: GuestPage
    ) -> None:
        with inside(one):
            assert get_in(page, code_for(page)) == Tried.IN
            handover = Handover.objects.get()
            assert (handover.state, handover.steps.last().by_name) == ("acknowledged", "Ina Moss")
            again = AT + 2 * MINUTE
            assert get_in(page, code_for(page, at=again), at=again) == Tried.IN
            assert AuditEntry.objects.filter(verb="opened a handover through a guest page").count() == 2

    def test_a_code_opens_once_and_for_ten_minutes(self, one: Any, page: GuestPage) -> None:
        with inside(one):
            code = code_for(page)
            assert get_in(page, code, at=AT + 10 * MINUTE) == Tried.NO_CODE
            assert get_in(page, code) == Tried.IN
            assert get_in(page, code) == Tried.NO_CODE
            with pytest.raises(NoCodeNow):
                code_for(page, at=AT + MINUTE / 2)

    def test_stops_after_five_wrong_tries_of_either(self, one: Any, sent: Handover, page: GuestPage) -> None:
        with inside(one):
            at, code = AT, code_for(page)
            for number in range(TRIES):
                at += MINUTE
                wrong = {"born_on": date(2016, 5, 2)} if number % 2 else {"code": "000000" if code != "000000" else "1"}
                found = get_in(page, **{"code": code, **wrong}, at=at)
            assert found == Tried.STOPPED
            assert get_in(page, code, at=at + 60 * MINUTE) == Tried.STOPPED
            assert Handover.objects.get().state == "submitted"

    @pytest.mark.parametrize("how", ["withdrawn", "run out", "over"])
    def test_ends_with_the_page_its_time_and_the_handover(
        self, one: Any, cast: Any, sent: Handover, page: GuestPage, how: str
    ) -> None:
        at = AT + MINUTE
        with inside(one):
            code = code_for(page)
            if how == "withdrawn":
                guests.withdraw(page=page, by=cast.head, at=at)
            elif how == "over":
                actions.make_move(handover=sent, name="withdraw", said={"reason": "Home."}, by=cast.head, at=at)
            else:
                at = AT + GuestPage.LASTS
            assert get_in(page, code, at=at) == Tried.STOPPED
            with pytest.raises(NotNow):
                code_for(page, at=at + MINUTE)


class TestTheAnswer:
    def test_moves_the_handover_on(self, one: Any, sent: Handover, page: GuestPage) -> None:
        with inside(one):
            get_in(page, code_for(page))
            guests.answer(page=page, name="accept", said=AGREED, starts_on=date(2026, 11, 30), at=AT + MINUTE)
            handover = Handover.objects.get()
            assert (handover.state, handover.starts_on, handover.due_on) == (
                "accepted",
                date(2026, 11, 30),
                date(2026, 11, 30),
            )
            guests.read_steps(page=page, at=AT + MINUTE)
            guests.read_steps(page=page, at=AT + MINUTE)
            assert [each.by_name for each in handover.newest_pack().read_by.all()] == ["Ina Moss"]

    def test_no_says_why_and_who_acts_next_and_ends_the_page(self, one: Any, sent: Handover, page: GuestPage) -> None:
        with inside(one):
            get_in(page, code_for(page))
            with pytest.raises(ReasonMissing):
                guests.answer(page=page, name="decline", said={"reason": "No bed."}, starts_on=None, at=AT)
            guests.answer(page=page, name="decline", said=REFUSED, starts_on=None, at=AT)
            assert Handover.objects.get().state == "declined"
            page.refresh_from_db()
            assert not page.stands(AT + MINUTE)

    @pytest.mark.parametrize("name", ["begin", "withdraw", "end", "acknowledge", "x"])
    def test_is_no_other_move(self, one: Any, sent: Handover, page: GuestPage, name: str) -> None:
        with inside(one):
            get_in(page, code_for(page))
            with pytest.raises(Refused):
                guests.answer(page=page, name=name, said={"reason": "x"}, starts_on=None, at=AT)


class TestWhatTheyTellOnTheTelephone:
    def test_is_noted_by_the_home_side(self, one: Any, cast: Any, sent: Handover) -> None:
        with inside(one):
            for name, more in (
                ("acknowledge", {}),
                ("accept", telling("accept", {})),
                ("begin", {"said": {"steps_read": "Ina Moss, on 30 November."}}),
                ("plan_return", {"said": {"plan": "Slowly."}}),
            ):
                by_hand.note_theirs(handover=sent, name=name, by=cast.head, at=AT, **more)
            actions.make_move(handover=sent, name="confirm_return", by=cast.head, at=AT)
            assert Handover.objects.get().state == "returned"
            assert sent.steps.get(move="accept").by_name == "Hana Head"

    def test_of_a_first_session_is_noted_with_who_there_read_the_emergency_steps(
        self, one: Any, cast: Any, sent: Handover
    ) -> None:
        who = {"handover": sent, "by": cast.head, "at": AT}
        with inside(one):
            for name in ("acknowledge", "accept"):
                by_hand.note_theirs(name=name, **who, **telling(name, {}))
            for said in ({}, {"steps_read": "  "}):
                with pytest.raises(StepsNotRead, match="who has read the emergency steps"):
                    by_hand.note_theirs(name="begin", said=said, **who)
            assert Handover.objects.get().state == "accepted"
            by_hand.note_theirs(name="begin", said={"steps_read": "Ina Moss, on 23 November."}, **who)
            assert sent.steps.get(move="begin").said == {
                "steps_read": "Ina Moss, on 23 November.",
                "first_session_on": "2026-11-23",
            }

    def test_of_a_first_session_keeps_its_day(self, one: Any, cast: Any, sent: Handover) -> None:
        later = AT + timedelta(days=3)
        who = {"handover": sent, "by": cast.head, "at": later}
        with inside(one):
            for name in ("acknowledge", "accept"):
                by_hand.note_theirs(name=name, **who, **telling(name, {}))
            who["said"] = {"steps_read": "Ina Moss, on Monday."}
            for day in (AT.date() - timedelta(days=1), later.date() + timedelta(days=1)):
                with pytest.raises(WrongDay):
                    by_hand.note_theirs(name="begin", first_session_on=day, **who)
            by_hand.note_theirs(name="begin", first_session_on=AT.date(), **who)
            assert Handover.objects.get().first_session_on == AT.date()

    def test_of_a_first_session_needs_no_more_where_a_guest_has_read_the_newest_pack(
        self, one: Any, cast: Any, sent: Handover, page: GuestPage
    ) -> None:
        who = {"handover": sent, "by": cast.head, "at": AT}
        with inside(one):
            get_in(page, code_for(page))
            guests.read_steps(page=page, at=AT)
            by_hand.note_theirs(name="accept", **who, **telling("accept", {}))
            assert not by_hand.asks_who_read(sent, "begin")
            actions.submit(handover=sent, by=cast.head, at=AT)
            assert by_hand.asks_who_read(sent, "begin")
            guests.read_steps(page=page, at=AT)
            assert by_hand.note_theirs(name="begin", **who).state == "active"

    def test_is_not_noted_where_the_setting_moves_itself(self, one: Any, cast: Any, sent: Handover) -> None:
        with inside(one):
            Handover.objects.update(other_role="la_00000000")
            with pytest.raises(NotNow, match="makes this move itself"):
                by_hand.note_theirs(handover=sent, name="acknowledge", by=cast.head, at=AT)


class TestPages:
    @pytest.fixture(autouse=True)
    def clock(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Pages are asked for at the moment of the tests."""
        cache.clear()
        monkeypatch.setattr("handrail.accounts.middleware.timezone.now", lambda: AT)

    @pytest.fixture
    def address(self, one: Any, page: GuestPage) -> str:
        with inside(one):
            return guests.still_due(Notice.objects.get(subject_id=page.id), at=AT)["path"]

    @pytest.fixture
    def opened(self, browse: Any, address: str) -> Any:
        """A browser without an account, in which the page was opened with the code and the date."""
        client = browse()
        assert CHILD not in client.get(address).text
        who = sent_off(client.post(address)).url
        assert CHILD not in client.get(who).text and mail.outbox[-1].to == [EMAIL]
        code = re.search(r"^\d{6}$", mail.outbox[-1].body, re.MULTILINE)[0]
        typed = {"code": code, "born_on_day": "1", "born_on_month": "5", "born_on_year": "2016"}
        client.at = client.post(who, typed).url
        return client

    def test_show_the_pack_and_record_each_look(
        self, one: Any, cast: Any, sent: Handover, page: GuestPage, opened: Any, browse: Any
    ) -> None:
        text = opened.get(opened.at).text
        assert CHILD in text and "Epilepsy" in text and "Two hours a day" in text and "Hana Head" in text
        opened.get(opened.at)
        with inside(one):
            looks = ReadEntry.objects.filter(why="link", why_id=page.id)
            assert [(each.by, each.by_name, each.child_ids) for each in looks] == [
                (page.id, "Ina Moss", [sent.pupil_id])
            ] * 2
        case = browse(cast.head).get(f"/handovers/{sent.id}/").text
        assert "does not use Handrail" in case and "Read on a guest page by Ina Moss" in case
        with inside(one):
            digest = sent.newest_pack().sha256
        assert "The pack that was sent: number 1 of" in case and "with version 1 of the plan" in case
        assert f">{digest[:12]}<" in case

    def test_take_the_answer(self, one: Any, opened: Any) -> None:
        page = opened.post(opened.at, {"answer": "decline", "reason": "No bed."}).text
        assert "Say what could be done instead" in page and "Select who acts next" in page
        done = opened.post(opened.at, {"read": "yes"}, follow=True)
        assert "You have said that you have read" in done.text
        page = opened.post(opened.at, {"answer": "accept"}).text
        for words in ("Enter the first day", "Enter how many hours a week", "Enter where the child will be taught"):
            assert words in page
        done = opened.post(opened.at, {"answer": "accept", **AGREED, **FIRST_DAY}, follow=True)
        assert "The school has your answer: accepted" in done.text

    def test_open_nothing_in_another_browser(self, opened: Any, browse: Any) -> None:
        answer = browse().get(opened.at, follow=True)
        assert CHILD not in answer.text and "This page is closed" in answer.text

    def test_are_stopped_by_the_school_at_once(
        self, one: Any, cast: Any, sent: Handover, opened: Any, browse: Any
    ) -> None:
        browse(cast.head).post(f"/handovers/{sent.id}/guest/", {"withdraw": "yes"})
        answer = opened.get(opened.at, follow=True)
        assert CHILD not in answer.text and "has stopped working" in answer.text

    def test_are_sent_after_the_setting_was_rung(self, one: Any, cast: Any, sent: Handover, browse: Any) -> None:
        client, path = browse(cast.head), f"/handovers/{sent.id}/guest/"
        given = {"name": "Ina Moss", "email": EMAIL}
        assert "Ring them first" in client.post(path, given).text
        assert "Sent. You see here" in client.post(path, {**given, "is_checked": "on"}, follow=True).text
        assert browse(cast.neighbour).post(path, given).status_code == 404
        done = client.post(f"/handovers/{sent.id}/moves/acknowledge/", follow=True)
        assert "Recorded." in done.text and "The other side is told" not in done.text

    def test_ask_who_there_read_the_emergency_steps_before_the_first_session(
        self, one: Any, cast: Any, sent: Handover, browse: Any
    ) -> None:
        client, path = browse(cast.head), f"/handovers/{sent.id}/moves"
        for name in ("acknowledge", "accept"):
            client.post(f"{path}/{name}/", {**AGREED, **FIRST_DAY})
        refused = client.post(f"{path}/begin/").text
        assert "Enter who there has read the emergency steps" in refused and "Enter the day they had" in refused
        assert 'value="2026"' in client.get(f"{path}/begin/").text, (
            "the first session is today, if nothing else is said"
        )
        day = {"reader_on_day": "23", "reader_on_month": "11", "reader_on_year": "2026"}
        done = client.post(f"{path}/begin/", {"reader": "Ina Moss", **day}, follow=True).text
        assert "Ina Moss has read the emergency steps and knows where the medicine is: 23 November 2026." in done
        with inside(one):
            assert Handover.objects.get().state == "active"

    def test_lead_nowhere_with_another_address(self, browse: Any) -> None:
        assert browse().get("/guest/nothing/open/").status_code == 404
