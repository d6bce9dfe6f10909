"""A guest page for a home school whose authority does not use Handrail: the notice, its pack, and the return pack."""

import re
from datetime import date, timedelta
from email import message_from_bytes, policy
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from factories import AT
from handovers.between import SAID, telling
from handovers.test_guests import sent_off

from handrail.core.audit import CLOCK
from handrail.core.models import ReadEntry
from handrail.handovers import actions, admissions, guests, places, returning
from handrail.handovers.actions import NotNow
from handrail.handovers.homes import Home
from handrail.handovers.models import Handover, Setting
from handrail.notices.actions import NoLongerDue
from handrail.notices.letters import letter
from handrail.notices.models import Notice
from handrail.schools.models import Contact
from tenants.context import inside

pytestmark = pytest.mark.django_db
CHILD, EMAIL = "Wren Canarywright", "sam.stone@school.example"
HOME = Home("999", "Nowhereshire", "", "800001", "Some School")
SENT = {
    "ring": "Sam Stone", "telephone": "01632 960009", "lives_in": "001", "roll": "guest", "year_group": "Year 5",
    "contact_name": "Pat Parent", "contact_relation": "mother", "contact_phone": "01632 960010",
    "condition": "Canary epilepsy", "steps": "Lay Wren down.\nTime it.", "call_999": "It lasts five minutes.",
    **SAID,
}  # fmt: skip


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages are asked for at the moment of the tests."""
    cache.clear()
    monkeypatch.setattr("handrail.accounts.middleware.timezone.now", lambda: AT)


@pytest.fixture
def admitted(two: Any, cast: Any) -> Handover:
    """A child has arrived at a hospital school of authority two, from an authority without Handrail."""
    with inside(two):
        setting = places.confirm_setting(
            school=cast.far, name="", kind=Setting.Kind.HOSPITAL, ring="Ina Moss", telephone="1", by=CLOCK, at=AT
        )
        day = {"born_on": date(2016, 5, 1), "admitted_on": AT.date()}
        return admissions.admit(setting=setting, name=CHILD, home=HOME, is_urgent=True, by=cast.hospital, at=AT, **day)


@pytest.fixture
def page(two: Any, cast: Any, admitted: Handover) -> Any:
    with inside(two):
        return guests.send(handover=admitted, name="Sam Stone", email=EMAIL, by=cast.hospital, at=AT)


@pytest.fixture
def opened(two: Any, browse: Any, page: Any) -> Any:
    """A browser without an account, in which the page was opened with the code and the date."""
    return let_in(two, browse(authority=two), page)


def let_in(two: Any, client: Any, page: Any) -> Any:
    with inside(two):
        address = guests.still_due(Notice.objects.get(subject_id=page.id, cycle__startswith="2026"), at=AT)["path"]
    first = client.get(address).text
    assert CHILD not in first and "Borchester" in first and "Far Hospital" not in first
    who = sent_off(client.post(address)).url
    assert CHILD not in client.get(who).text and mail.outbox[-1].to == [EMAIL]
    code = re.search(r"^\d{6}$", mail.outbox[-1].body, re.MULTILINE)[0]
    typed = {"code": code, "born_on_day": "1", "born_on_month": "5", "born_on_year": "2016"}
    client.at = client.post(who, typed).url
    return client


def handover_of(two: Any) -> Handover:
    with inside(two):
        return Handover.objects.select_related("pupil").get()


class TestSending:
    def test_asks_for_the_pack_and_its_mail_names_neither_child_nor_hospital(self, two: Any, page: Any) -> None:
        assert handover_of(two).state == "pack_asked"
        with inside(two):
            notice = Notice.objects.get(subject_id=page.id)
            made = letter(notice, guests.still_due(notice, at=AT), authority=two, at=AT)
        read = message_from_bytes(made.raw, policy=policy.default)
        text = f"{read['subject']} {read.get_content()}"
        assert "Borchester" in text and "Wren" not in text and "Far Hospital" not in text

    def test_is_on_the_page_of_the_handover(self, two: Any, cast: Any, admitted: Handover, browse: Any) -> None:
        client, address = browse(cast.hospital, authority=two), f"/handovers/{admitted.id}/guest/"
        given = {"name": "Sam Stone", "email": EMAIL}
        assert "Ring them first" in client.post(address, given).text
        done = client.post(address, {**given, "is_checked": "on"}, follow=True).text
        assert "Nowhereshire does not use Handrail" in done and "It has not been opened yet" in done

    def test_is_refused_where_the_authority_uses_handrail(self, two: Any, cast: Any, admitted: Handover) -> None:
        with inside(two):
            Handover.objects.update(other_role="la_00000000")
            with pytest.raises(NotNow):
                guests.send(handover=admitted, name="Sam", email=EMAIL, by=cast.hospital, at=AT)


class TestTheGuest:
    def test_reads_the_notice_and_each_look_is_recorded(self, two: Any, page: Any, opened: Any) -> None:
        text = opened.get(opened.at).text
        assert CHILD in text and "Far Hospital School" in text and "23 November 2026" in text
        child = handover_of(two).pupil_id
        with inside(two):
            [look] = ReadEntry.objects.filter(why="link", why_id=page.id)
            assert (look.by_name, look.child_ids) == ("Sam Stone", [child])

    def test_sends_the_pack_and_the_hospital_school_is_told(
        self, two: Any, cast: Any, page: Any, opened: Any, browse: Any
    ) -> None:
        done = opened.post(opened.at, SENT, follow=True).text
        assert "You sent what they need on 23 November 2026" in done
        handover = handover_of(two)
        assert (handover.state, handover.home_authority, handover.ring) == ("acknowledged", "001", "Sam Stone")
        with inside(two):
            made = handover.newest_pack()
            assert (made.made_by_name, made.content["contacts"][0]["name"]) == ("Sam Stone", "Pat Parent")
            assert made.content["plan"]["emergency"]["steps"] == ["Lay Wren down.", "Time it."]
            assert (handover.pupil.year_group, handover.pupil.lives_in) == ("Year 5", "001")
            told = Notice.objects.get(subject_id=page.id, cycle="answered")
            assert told.recipient == cast.hospital.email
            assert guests.still_due(told, at=AT)["path"] == f"/handovers/{handover.id}/"
        case = browse(cast.hospital, authority=two)
        shown = case.get(f"/handovers/{handover.id}/").text
        assert "Sam Stone sent a pack" in shown and "I have read the emergency steps" in shown
        assert "The pack that was opened: number 1 of" in shown and f">{made.sha256[:12]}<" in shown
        case.post(f"/handovers/{handover.id}/steps-read/")
        with inside(two), pytest.raises(NoLongerDue):
            guests.still_due(told, at=AT)

    def test_sends_a_second_pack_that_corrects_the_parent_and_adds_another(self, two: Any, opened: Any) -> None:
        parent = {"contact_name": "PAT PARENT", "contact_relation": "", "contact_phone": "01632 960011"}
        misspelt = {"contact_name": "Pat Parent-Poole", "contact_relation": "mother", "contact_phone": "01632960011"}
        father = {"contact_name": "Lou Parent", "contact_relation": "father", "contact_phone": "01632 960011"}
        for contact, known in (
            ({}, [("Pat Parent", "mother", "01632 960010")]),
            ({}, [("Pat Parent", "mother", "01632 960010")]),
            (parent, [("PAT PARENT", "mother", "01632 960011")]),
            (misspelt, [("Pat Parent-Poole", "mother", "01632960011")]),
            (father, [("Lou Parent", "father", "01632 960011"), ("Pat Parent-Poole", "mother", "01632960011")]),
        ):
            opened.post(opened.at, SENT | contact)
            with inside(two):
                pupil = Handover.objects.get().pupil
                assert [(c.name, c.relation, c.phone) for c in Contact.objects.of_child(pupil)] == known
                assert all(c.has_parental_responsibility for c in Contact.objects.of_child(pupil))
        with inside(two):
            handover = Handover.objects.get()
            assert (handover.packs.count(), len(handover.newest_pack().content["contacts"])) == (5, 2)

    def test_hears_what_is_missing_and_nothing_is_written(self, two: Any, opened: Any) -> None:
        text = opened.post(opened.at, SENT | {"medicine": "", "contact_name": "", "condition": "", "steps": "",
                                              "call_999": ""}).text  # fmt: skip
        for label in ("Medicine and devices", "A parent or carer", "What to do in an emergency"):
            assert f"Answer “{label}" in text
        assert "Two hours a day, with rests." in text
        handover = handover_of(two)
        assert (handover.state, handover.ring, handover.pupil.year_group) == ("pack_asked", "", "")
        assert "Enter when to call 999" in opened.post(opened.at, SENT | {"call_999": ""}).text

    @pytest.mark.parametrize("how", ["button", "script", "closed"])
    def test_loses_nothing_that_was_typed(
        self, two: Any, browse: Any, page: Any, opened: Any, how: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        typed, more = {"condition": "Half a word", "ring": "Sam"}, {}
        if how == "closed":
            monkeypatch.setattr("handrail.accounts.middleware.timezone.now", lambda: AT + timedelta(minutes=16))
        if how == "script":
            more = {"HTTP_X_HANDRAIL_KEEP": "yes"}
        opened.post(opened.at, typed | ({"keep": "yes"} if how == "button" else {}), **more)
        assert handover_of(two).state == "pack_asked"
        monkeypatch.setattr("handrail.accounts.middleware.timezone.now", lambda: AT)
        assert 'value="Half a word"' in opened.get(opened.at).text

    def test_has_no_moves_but_its_own(self, two: Any, opened: Any) -> None:
        for name in ("accept", "end", "open_back", "confirm_return"):
            opened.post(opened.at, {"tell": name})
        opened.post(opened.at, {"read": "yes"})
        with inside(two):
            assert [each.move for each in Handover.objects.get().steps.all()] == ["admit", "ask_for_pack"]

    def test_gets_the_return_pack_and_says_that_the_child_is_back(self, two: Any, cast: Any, opened: Any) -> None:
        opened.post(opened.at, SENT)
        with inside(two):
            handover, who = Handover.objects.get(), {"by": cast.hospital, "at": AT}
            actions.read_steps(handover=handover, **who)
            for name in ("accept", "begin", "plan_return"):
                actions.make_move(handover=handover, name=name, **who, **telling(name, {}))
            back = {"report": "Went well.", "work": "Fractions.", "timetable": "Slowly.", "hours": "3"}
            returning.write(handover=handover, said=back, **who)
            returning.send(handover=handover, **who)
        page = opened.get(opened.at).text
        assert "Went well." in page and "Lay Wren down." in page
        assert "Recorded." in opened.post(opened.at, {"tell": "open_back"}, follow=True).text
        closed = opened.post(opened.at, {"tell": "confirm_return"}, follow=True).text
        assert "has stopped working" in closed and CHILD not in closed
        with inside(two):
            ended = Handover.objects.get()
            assert ended.state == "returned"
            assert [each.by_name for each in ended.steps.all()][-2:] == ["Sam Stone", "Sam Stone"]
