"""The authority's pages of handovers: numbers for all, names for the named officer, and none from elsewhere."""

import csv
import io
from datetime import date, timedelta
from uuid import uuid4

import pytest
from factories import AT, PupilFactory, person

from handrail.absences.actions import make_return
from handrail.absences.models import SicknessReturn
from handrail.accounts.roles import Role
from handrail.core.audit import CLOCK
from handrail.core.models import AuditEntry, ReadEntry
from handrail.core.reference import reference
from handrail.handovers import due, places, post
from handrail.handovers.models import FollowUp, Handover, Message
from handrail.handovers.moves import MOVES
from handrail.handovers.watch import Stage, Trouble, Way, watched
from tenants.context import inside

pytestmark = pytest.mark.django_db
BOARD, LIST = "/handover-board/", "/handover-board/list/"
CHILD, STRANGER = "Poppy Canarywright", "Wren Elsewhere"
MONDAY = date(2026, 11, 23)


@pytest.fixture(autouse=True)
def clock(monkeypatch, at):
    monkeypatch.setattr("handrail.accounts.middleware.timezone.now", lambda: at)


@pytest.fixture
def nora(one, cast):
    with inside(one):
        return person("nora@barsetshire.example", Role.NAMED_OFFICER, name="Nora Named")


def made(one, cast, state, *, days=0, due=None, side="home", other="la_00000000", name=CHILD, **more):
    """A handover that came where it is so many days ago, and of which a move was due so many days ago."""
    with inside(one):
        return Handover.objects.create(
            reference=uuid4(), side=side, state=state, pupil=PupilFactory(school=cast.oak, name=name),
            since_on=MONDAY - timedelta(days=days), due_on=None if due is None else MONDAY - timedelta(days=due),
            started_at=AT, setting_name="Ward School", other_role=other, other_name="Borchester", **more,
        )  # fmt: skip


def headings(one, on=MONDAY):
    with inside(one):
        return [each.headings for each in watched(on=on)]


class TestWhatIsWatched:
    @pytest.mark.parametrize(
        ("state", "stage"),
        [
            *(("submitted", Stage.WAITING), ("acknowledged", Stage.WAITING), ("more_asked", Stage.WAITING)),
            *(("accepted", Stage.ACCEPTED), ("active", Stage.TAUGHT), ("phased_return", Stage.TAUGHT)),
            *(("declined", Stage.LAPSED), ("expired", Stage.LAPSED), ("passed_on", Stage.LAPSED)),
        ],
    )
    def test_is_in_one_stage(self, one, cast, state, stage):
        made(one, cast, state)
        assert headings(one) == [[stage, Way.OUT]]

    @pytest.mark.parametrize("state", ["draft", "withdrawn", "returned", "ended"])
    def test_is_nothing_that_waits_for_nobody(self, one, cast, state):
        made(one, cast, state)
        assert headings(one) == []

    @pytest.mark.parametrize("state", ["declined", "passed_on"])
    def test_is_no_lapse_that_somebody_answered_for(self, one, cast, state):
        handover = made(one, cast, state)
        with inside(one):
            FollowUp.objects.create(handover=handover, says="Tuition.", at=AT, by_name="Nora")
        assert headings(one) == []

    @pytest.mark.parametrize(("due", "stuck"), [(6, False), (7, True)])
    def test_is_stuck_five_school_days_late(self, one, cast, due, stuck):
        made(one, cast, "accepted", due=due)
        assert (Trouble.STUCK in headings(one)[0]) is stuck

    @pytest.mark.parametrize("state", ["submitted", "more_asked", "accepted", "return_planned"])
    @pytest.mark.parametrize(("days", "stuck"), [(27, False), (28, True)])
    def test_is_stuck_after_four_weeks_without_a_move(self, one, cast, state, days, stuck):
        made(one, cast, state, days=days)
        assert (Trouble.STUCK in headings(one)[0]) is stuck

    @pytest.mark.parametrize(("late", "stuck"), [(6, False), (7, True)])
    def test_is_stuck_when_an_update_is_five_school_days_late(self, one, cast, late, stuck):
        made(one, cast, "active", days=40, update_on=MONDAY - timedelta(days=late))
        assert (Trouble.STUCK in headings(one)[0]) is stuck

    def test_has_a_review_that_is_due(self, one, cast):
        made(one, cast, "active", review_on=MONDAY)
        made(one, cast, "active", review_on=MONDAY + timedelta(days=1))
        assert [Trouble.REVIEW in each for each in headings(one)].count(True) == 1

    def test_is_not_reached_while_something_cannot_be_sent(self, one, two, cast, browse, nora):
        handover = made(one, cast, "submitted", other=two.schema_name)
        words = "Borchester takes nothing new. Ring them."
        with inside(one):
            more = {"way": "out", "kind": "move", "number": 1, "owed_at": AT, "reference": uuid4()}
            Message.objects.create(handover=handover, trouble=words, **more)
        assert Trouble.HELD_UP in headings(one)[0]
        assert words in browse(nora).get(f"/handover-board/{handover.id}/").text
        case = f"/handovers/{handover.id}/"
        assert words in browse(cast.head).get(case).text
        page = browse(cast.head).post(f"{case}by-hand/", {"told": "Ina Moss, rung"}, follow=True).text
        assert "Send a guest page" not in page  # there is no pack to read in this test
        assert "Ina Moss, rung" in page and words in page
        assert "is told by hand" in page and "holds nothing" not in page
        assert Trouble.HELD_UP not in headings(one)[0]

    @pytest.mark.parametrize(("state", "side"), [("declined", "setting"), ("ended", "home"), ("returned", "home")])
    def test_is_not_reached_when_it_is_over_too_and_the_child_has_left(self, one, cast, browse, nora, state, side):
        handover = made(one, cast, state, side=side)
        with inside(one):
            handover.pupil.left_on = MONDAY - timedelta(days=1)
            handover.pupil.save(update_fields=["left_on"])
            assert watched(on=MONDAY) == [] and due.to_answer(cast.oak.id, on=MONDAY) == []
            more = {"way": "out", "kind": "move", "number": 1, "owed_at": AT, "reference": uuid4()}
            message = Message.objects.create(handover=handover, trouble="They have left. Ring them.", **more)
        assert headings(one) == [[Trouble.HELD_UP]]
        board = browse(nora).get(BOARD).text
        for count, words in ((1, "Not reached"), (0, "Not taken up")):
            assert f'number">{count}</span> <span class="app-tile__label">{words}' in board
        assert "Say what is next" not in browse(nora).get(f"{LIST}?show=held_up").text
        with inside(one):
            if side == "home":
                assert due.to_answer(cast.oak.id, on=MONDAY) == [AT.date()]
            message.done_at = AT
            message.save(update_fields=["done_at"])
        assert headings(one) == []

    def test_is_seen_once_within_the_authority(self, one, cast):
        for side in ("home", "setting"):
            made(one, cast, "active", side=side, other=one.schema_name)
        made(one, cast, "active", side="setting")
        assert sorted(way for _, way in headings(one)) == [Way.IN, Way.WITHIN]


class TestTheNumbers:
    def test_are_kept_back_when_small(self, one, cast, browse):
        for state, count in (("submitted", 7), ("active", 3)):
            for _ in range(count):
                made(one, cast, state, other=one.schema_name)
        page = browse(cast.officer).get(BOARD).text
        assert "Hidden" in page
        assert ">3<" not in page and ">7<" not in page
        assert "/handover-board/list/" not in page

    def test_are_whole_for_the_named_officer_and_lead_to_the_list(self, one, cast, browse, nora):
        made(one, cast, "declined")
        made(one, cast, "submitted", side="setting")
        page = browse(nora).get(BOARD).text
        assert "Hidden" not in page
        assert 'href="/handover-board/list/?show=lapsed"' in page
        assert 'href="/handover-board/list/?show=in"' in page
        assert CHILD not in page

    def test_are_not_for_schools(self, cast, browse):
        assert browse(cast.head).get(BOARD).status_code == 403


class TestTheList:
    def test_names_the_authoritys_own_children_and_nobody_elses(self, one, cast, browse, nora):
        own = made(one, cast, "submitted", due=3)
        other = made(one, cast, "submitted", side="setting", name=STRANGER)
        page = browse(nora).get(LIST).text
        assert CHILD in page and "1 day late" in page
        assert STRANGER not in page and reference(other.reference) in page
        with inside(one):
            [entry] = ReadEntry.objects.filter(verb="list")
            assert (entry.child_ids, entry.school_id) == ([own.pupil_id], cast.oak.id)

    @pytest.mark.parametrize(("show", "there"), [("nonsense", True), ("lapsed", True), ("waiting", False)])
    def test_is_of_what_was_chosen(self, one, cast, browse, nora, show, there):
        made(one, cast, "declined")
        assert (CHILD in browse(nora).get(LIST, {"show": show}).text) is there

    def test_is_a_file_too(self, one, cast, browse, nora):
        made(one, cast, "submitted", due=3)
        made(one, cast, "submitted", side="setting", name=STRANGER)
        answer = browse(nora).get("/handover-board/list.csv")
        rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))
        assert [(row["Child"], row["Days late"]) for row in rows] == [(CHILD, "1"), ("", "0")]
        with inside(one):
            assert ReadEntry.objects.filter(verb="export").exists()

    @pytest.mark.parametrize("side", ["home", "setting"])
    def test_says_what_finance_has_to_know_on_each_of_its_pages(self, one, cast, browse, nora, side):
        about = {"looked_after": "yes"}
        hosts = {"home": ("001", "002"), "setting": ("002", "")}[side]
        more = {"side": side, "home_authority": hosts[0], "host_authority": hosts[1]}
        told = made(one, cast, "submitted", about=about if side == "home" else None, **more)
        made(one, cast, "submitted", about={"looked_after": "yes"}, home_authority="001", host_authority="001")
        if side == "setting":
            with inside(one):
                for number, says in ((1, {}), (2, about)):
                    told.packs.create(number=number, content={"about": says}, sha256="0" * 64, made_at=AT)
        client, words = browse(nora), "A looked-after child"
        assert client.get(LIST).text.count(f"For finance: {words}") == 1
        assert f"{words}, of two authorities. Handrail works out no charge." in client.get(f"{BOARD}{told.id}/").text
        rows = csv.DictReader(
            io.StringIO(b"".join(client.get(f"{LIST[:-1]}.csv").streaming_content).decode("utf-8-sig"))
        )
        assert sorted(row["For finance"] for row in rows) == ["", words]

    @pytest.mark.parametrize("path", [LIST, "/handover-board/list.csv"])
    def test_is_for_the_named_officer_alone(self, cast, browse, path):
        for who in (cast.officer, cast.admin, cast.head):
            assert browse(who).get(path).status_code == 403


class TestACase:
    def test_is_answered_for_where_nobody_took_the_child(self, one, cast, browse, nora):
        handover = made(one, cast, "declined")
        with inside(one):
            step = {"by_name": "Borchester", "at": AT, "side": MOVES["decline"].by, "state": "declined"}
            handover.steps.create(number=1, move="decline", said={"reason": "No bed.", "next": "Ring us."}, **step)
        client, path = browse(nora), f"/handover-board/{handover.id}/"
        page = client.get(path).text
        assert "No bed." in page and "does not stop the section 19 clock" in page
        assert "Enter what happens next" in client.post(path, {"says": ""}).text
        answer = client.post(path, {"says": "The tuition service begins on Monday."}, follow=True).text
        assert "The tuition service begins on Monday." in answer and "Nora Named" in answer
        assert "<textarea" not in answer
        assert "Nora Named has said what happens next already" in client.post(path, {"says": "Twice."}).text
        with inside(one):
            assert FollowUp.objects.get().says == "The tuition service begins on Monday."
            assert AuditEntry.objects.get(verb="said what follows a handover").school_id == cast.oak.id

    def test_of_a_child_from_elsewhere_says_no_name_and_no_words(self, one, cast, browse, nora):
        handover = made(one, cast, "declined", side="setting", name=STRANGER)
        with inside(one):
            step = {"by_name": "Ina Moss", "at": AT, "side": MOVES["decline"].by, "state": "declined"}
            handover.steps.create(number=1, move="decline", said={"reason": "A rare illness."}, **step)
        page = browse(nora).get(f"/handover-board/{handover.id}/").text
        assert "A child from Borchester" in page and "Ina Moss declined a handover" in page
        assert STRANGER not in page and "rare illness" not in page and "<textarea" not in page
        with inside(one):
            assert [each.child_ids for each in ReadEntry.objects.all()] == [[]]

    def test_is_for_the_named_officer_alone(self, one, cast, browse):
        handover = made(one, cast, "declined")
        for who in (cast.officer, cast.head):
            assert browse(who).get(f"/handover-board/{handover.id}/").status_code == 403


class TestBeginning:
    GIVEN = {"home_authority": "001", "roll": "guest", "ring": "Hana", "telephone": "01632 960001"}

    @pytest.fixture
    def case(self, one, cast):
        with inside(one):
            post.join_exchange(by=CLOCK, at=AT)
            places.confirm_setting(
                school=None, name="Home Tuition Service", kind="tuition", ring="Tess", telephone="1", by=CLOCK, at=AT
            )
            return make_return(
                pupil=PupilFactory(school=cast.oak, name=CHILD), first_on=date(2026, 11, 16), is_likely=True, says={},
                lives_in="001", by=cast.head, at=AT,
            ).case  # fmt: skip

    def test_is_the_named_officers_too_and_the_school_is_asked_for_the_pack(self, one, cast, browse, nora, case):
        client, begin = browse(nora), f"/handover-board/begin/{case.id}/"
        assert begin in client.get(f"/cases/{case.id}/").text
        assert "Home Tuition Service" in client.get(f"{begin}?q=tuition").text
        page = client.get(f"{begin}?urn=000001").text
        assert "Whom can they ring at Oak School?" in page and CHILD in page
        assert "Enter whom they can ring" in client.post(f"{begin}?urn=000001", self.GIVEN | {"ring": ""}).text
        done = client.post(f"{begin}?urn=000001", self.GIVEN, follow=True)
        assert done.redirect_chain[-1][0] == f"/cases/{case.id}/"
        assert "Oak School is asked to write the pack and send it." in done.text
        with inside(one):
            [waiting] = due.own(on=MONDAY)
            assert (waiting.state, waiting.pupil, waiting.due) == ("draft", case.pupil, MONDAY)
            assert waiting.steps.get().by_name == "Nora Named"
        school = browse(cast.head)
        assert CHILD in school.get("/schools/900001/handovers/").text
        assert "Write and send the pack" in school.get(f"/handovers/{waiting.id}/").text
        assert "already being handed over" in client.post(f"{begin}?urn=000001", self.GIVEN).text

    def test_is_of_a_child_with_a_case_and_for_nobody_else(self, one, cast, browse, nora, case):
        begin = f"/handover-board/begin/{case.id}/"
        for who in (cast.officer, cast.admin, cast.head):
            assert browse(who).get(begin).status_code == 403
        with inside(one):
            SicknessReturn.objects.update(withdrawn_at=AT)
        assert browse(nora).get(begin).status_code == 404
        assert browse(nora).post(f"{begin}?urn=000001", self.GIVEN).status_code == 404
