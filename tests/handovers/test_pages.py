"""Pages of a hospital school: a child arrives unannounced, and today’s pupils; who sees them, and what is recorded."""

import re
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from factories import AT, TODAY, PupilFactory, emergency, person

from handrail.accounts.roles import Role
from handrail.core.audit import CLOCK
from handrail.core.jinja import long_date as date_words
from handrail.core.models import ReadEntry
from handrail.handovers import actions, admissions, pack, post
from handrail.handovers.homes import Home
from handrail.handovers.models import Handover, Message, Setting
from handrail.plans import versions
from handrail.schools.models import Pupil
from tenants import exchange
from tenants.context import inside

pytestmark = pytest.mark.django_db
ADMIT, TODAYS = "/schools/900001/admit/", "/schools/900001/today/"
CHILD = "Wren Canarywright"
TYPED = {
    "name": CHILD, "born_on_day": "1", "born_on_month": "5", "born_on_year": "2016",
    "admitted_on_day": str(TODAY.day), "admitted_on_month": str(TODAY.month), "admitted_on_year": str(TODAY.year),
    "home": "", "authority": "001",
}  # fmt: skip


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages are asked for at the moment of the tests."""
    monkeypatch.setattr("handrail.accounts.middleware.timezone.now", lambda: AT)


@pytest.fixture
def setting(one: Any, cast: Any) -> Setting:
    """Oak School is confirmed as a hospital school, and the authority is in the exchange."""
    with inside(one):
        post.join_exchange(by=CLOCK, at=AT)
        made: Setting = Setting.objects.create(
            school=cast.oak, name="Oak School", kind="hospital", ring="Ina", telephone="1", confirmed_at=AT
        )
        return made


@pytest.fixture
def teacher(one: Any, cast: Any) -> Any:
    with inside(one):
        return person("terry@oak.example", Role.SETTING_TEACHER, school=cast.oak, name="Terry Teacher")


def arrived(one: Any, setting: Setting, by: Any, **more: Any) -> Handover:
    with inside(one):
        home = Home("001", "Barsetshire", exchange.member("001").role, **more)
        return admissions.admit(
            setting=setting,
            name=CHILD,
            born_on=date(2016, 5, 1),
            admitted_on=TODAY,
            home=home,
            is_urgent=True,
            by=by,
            at=AT,
        )


def carried(one: Any) -> None:
    for work in (post.deposit_owed, post.collect):
        with inside(one):
            work(at=AT)


class TestAdmit:
    def test_asks_for_the_pack_in_one_page(self, one: Any, setting: Setting, teacher: Any, browse: Any) -> None:
        client = browse(teacher)
        assert "A child has arrived" in client.get("/schools/900001/handovers/").text
        answer = client.post(ADMIT, TYPED, follow=True).text
        assert "Barsetshire is asked for the pack" in answer and CHILD in answer
        with inside(one):
            assert (Handover.objects.get().state, Pupil.objects.get().name) == ("pack_asked", CHILD)

    @pytest.mark.parametrize(
        ("wrong", "says"),
        [
            ({"name": ""}, "Enter the child’s full name"),
            ({"born_on_year": "2099"}, "Date of birth must be today or in the past"),
            ({"authority": ""}, "Enter the child’s school, or select the authority"),
            ({"home": "123456"}, "No school in the national register has the URN 123456"),
            ({"home": "12345"}, "A URN has six digits"),
            ({"home": "no such school"}, "No open school is called that"),
            ({"authority": "998"}, "Select the authority from the list"),
        ],
    )
    def test_says_what_to_do_and_keeps_what_was_typed(
        self, one: Any, setting: Setting, cast: Any, browse: Any, wrong: dict[str, str], says: str
    ) -> None:
        answer = browse(cast.head).post(ADMIT, TYPED | wrong)
        assert answer.status_code == 200
        assert says in answer.text
        assert (CHILD in answer.text) == ("name" not in wrong)
        with inside(one):
            assert not Handover.objects.exists() and not Pupil.objects.exists()

    def test_refuses_a_child_who_is_here(self, one: Any, setting: Setting, cast: Any, browse: Any) -> None:
        arrived(one, setting, cast.head)
        assert "is here already" in browse(cast.head).post(ADMIT, TYPED).text

    def test_is_for_settings_alone(self, cast: Any, browse: Any) -> None:
        assert browse(cast.head).get(ADMIT).status_code == 404
        assert browse(cast.head).get(TODAYS).status_code == 404

    def test_is_for_its_own_people_alone(self, setting: Setting, cast: Any, browse: Any) -> None:
        assert browse(cast.neighbour).post(ADMIT, TYPED).status_code == 404
        assert browse(cast.officer).post(ADMIT, TYPED).status_code == 403


class TestTheList:
    def test_says_what_each_asks_for_also_of_one_that_ended_before_twenty_others(
        self, one: Any, cast: Any, browse: Any
    ) -> None:
        with inside(one):
            for number, days in enumerate([2, *[1] * 20]):
                Handover.objects.create(
                    reference=uuid4(), side="home", state="ended", since_on=TODAY - timedelta(days=days),
                    pupil=PupilFactory(school=cast.oak, name=f"Child {number}"), other_role="la_00000000",
                    other_name="Borchester", setting_name="Ward School", started_at=AT, first_session_on=TODAY,
                )  # fmt: skip
            first = Handover.objects.get(pupil__name="Child 0")
        page = "/schools/900001/handovers/"
        assert "Child 0<" not in browse(cast.head).get(page).text
        with inside(one):
            given = {"handover": first, "number": 1, "owed_at": AT, "reference": uuid4()}
            Message.objects.create(way="in", kind="back", **given)
            Message.objects.create(way="out", kind="move", trouble="They have left. Ring them.", **given)
        shown = browse(cast.head).get(page).text
        assert f"Child 0</a>: ended, {date_words(first.since_on)}" in shown and "Child 1<" in shown
        assert ("Open return pack" in shown, "Not arrived" in shown) == (True, True)


class TestTheOtherSide:
    def test_is_waited_for_while_it_takes_nothing_up(
        self, one: Any, two: Any, setting: Setting, cast: Any, browse: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with inside(two):
            post.join_exchange(by=CLOCK, at=AT)
        with inside(one):
            home = Home("002", "Borchester", exchange.member("002").role, "900009", "Far School")
            made = admissions.admit(
                setting=setting, name=CHILD, born_on=date(2016, 5, 1), admitted_on=TODAY, home=home, is_urgent=True,
                by=cast.head, at=AT,
            )  # fmt: skip
            post.deposit_owed(at=AT)
        address, says = f"/handovers/{made.id}/", "Borchester has not taken up what you sent on"
        assert says not in browse(cast.head).get(address).text
        monkeypatch.setattr("handrail.accounts.middleware.timezone.now", lambda: AT + timedelta(hours=2))
        assert says in browse(cast.head).get(address).text
        with inside(two):
            post.collect(at=AT)
        assert says not in browse(cast.head).get(address).text


class TestWho:
    @pytest.fixture
    def asked(self, one: Any, cast: Any, setting: Setting) -> Handover:
        """Elm School is asked for the pack of a child who is at Oak School."""
        arrived(one, setting, cast.head, urn="900002", school="Elm School")
        carried(one)
        with inside(one):
            PupilFactory(school=cast.elm, name="Other Child", born_on=date(2015, 1, 1))
            found: Handover = Handover.objects.get(side="home")
            return found

    ANSWER = {"home_authority": "001", "roll": "guest", "ring": "Nia", "telephone": "01632 960001"}

    def test_finds_the_child_and_goes_on_to_the_pack(self, one: Any, cast: Any, asked: Handover, browse: Any) -> None:
        with inside(one):
            child = PupilFactory(school=cast.elm, name=CHILD, born_on=date(2016, 5, 1))
        client = browse(cast.neighbour)
        assert "A child was admitted" in client.get("/schools/900002/handovers/").text
        page = client.get(f"/handovers/{asked.id}/child/").text
        assert CHILD in page and "Other Child" not in page
        answer = client.post(f"/handovers/{asked.id}/child/", {**self.ANSWER, "child": str(child.id)}, follow=True)
        assert answer.redirect_chain[-1][0] == f"/handovers/{asked.id}/pack/"
        for words in ("Can follow within five days. About health.", "Read by the lead of the setting only."):
            assert words in answer.text
        assert client.get(f"/handovers/{asked.id}/child/").status_code == 404

    def test_asks_about_another_date_of_birth(self, one: Any, cast: Any, asked: Handover, browse: Any) -> None:
        with inside(one):
            child = PupilFactory(school=cast.elm, name=CHILD, born_on=date(2016, 5, 2))
        said = {**self.ANSWER, "child": str(child.id)}
        answer = browse(cast.neighbour).post(f"/handovers/{asked.id}/child/", said)
        assert "The dates of birth differ" in answer.text and 'value="Nia"' in answer.text

    def test_offers_to_add_the_child_or_to_answer_no(self, cast: Any, asked: Handover, browse: Any) -> None:
        client = browse(cast.neighbour)
        page = client.get(f"/handovers/{asked.id}/child/").text
        assert "No child at Elm School was born that day" in page
        assert f"/handovers/{asked.id}/moves/withdraw/" in page
        answer = client.post(f"/handovers/{asked.id}/moves/withdraw/", {"reason": "Not ours."}, follow=True)
        assert "Withdrawn" in answer.text

    def test_has_no_pack_before_it_is_known_who_it_is(self, cast: Any, asked: Handover, browse: Any) -> None:
        assert browse(cast.neighbour).get(f"/handovers/{asked.id}/pack/").status_code == 404


class TestThePack:
    @pytest.mark.parametrize("must_speak", ["yes", "no"])
    def test_says_how_the_safeguarding_file_goes_where_there_is_one(self, must_speak: str) -> None:
        missing = [item.name for item in pack.gaps({"about": {"safeguarding": must_speak}}, 1)]
        assert ("safeguarding_file" in missing) == (must_speak == "yes")

    def test_shows_it_to_the_lead_of_the_setting_alone(self) -> None:
        [item] = [item for item in pack.ITEMS if item.name == "safeguarding_file"]
        assert pack.may_see(item, is_lead=True) and not pack.may_see(item, is_lead=False)


class TestTheAuthority:
    @pytest.fixture
    def nora(self, one: Any) -> Any:
        with inside(one):
            return person("nora@barsetshire.example", Role.NAMED_OFFICER, name="Nora Named")

    def test_leads_a_child_without_a_school_to_one(
        self, one: Any, cast: Any, setting: Setting, nora: Any, browse: Any
    ) -> None:
        arrived(one, setting, cast.head)
        carried(one)
        client = browse(nora)
        assert CHILD in client.get("/admissions/").text
        with inside(one):
            found = Handover.objects.get(side="home")
            assert ReadEntry.objects.filter(by=nora.id).exists()
        page = f"/admissions/{found.id}/"
        assert "There is no open school with this URN" in client.post(page, {"urn": "900099"}).text
        assert "Oak School" in client.get(page).text
        assert "Elm School sees the notice now" in client.post(page, {"urn": "900002"}, follow=True).text
        assert client.get(page).status_code == 404
        assert "A child was admitted" in browse(cast.neighbour).get("/schools/900002/handovers/").text

    def test_answers_that_the_child_is_not_its_own(
        self, one: Any, cast: Any, setting: Setting, nora: Any, browse: Any
    ) -> None:
        arrived(one, setting, cast.head)
        carried(one)
        with inside(one):
            found = Handover.objects.get(side="home")
        client = browse(nora)
        assert "Say why" in client.post(f"/admissions/{found.id}/", {"not_ours": "yes"}).text
        client.post(f"/admissions/{found.id}/", {"not_ours": "yes", "reason": "They live in Borchester."})
        carried(one)
        with inside(one):
            assert {each.state for each in Handover.objects.all()} == {"withdrawn"}

    def test_is_not_the_policy_officers(self, cast: Any, browse: Any) -> None:
        assert browse(cast.officer).get("/admissions/").status_code == 403


class TestTwoAtOnce:
    def test_of_two_who_accept_the_second_is_told_of_the_first(
        self, one: Any, setting: Setting, cast: Any, browse: Any
    ) -> None:
        with inside(one):
            second = person("ida@oak.example", Role.SCHOOL_LEAD, school=cast.oak, name="Ida Imrie")
        handover = arrived(one, setting, cast.head)
        with inside(one):
            Handover.objects.filter(id=handover.id).update(state="acknowledged")
        page = f"/handovers/{handover.id}/moves/accept/"
        clients = [browse(each) for each in (cast.head, second)]
        seen = [re.findall(r'name="seen" value="(\d+)"', client.get(page).text)[0] for client in clients]
        said = {"hours": "10", "base": "The ward", "roll": "guest"}
        first_day = {"starts_on_day": "30", "starts_on_month": "11", "starts_on_year": "2026"}
        [first, again] = [
            client.post(page, {**said, **first_day, "seen": number, "base": f"Ward {place}"}, follow=True)
            for place, (client, number) in enumerate(zip(clients, seen, strict=True))
        ]
        assert "Recorded" in first.text
        assert "accepted a handover meanwhile" in again.text and "Ward 1" in again.text
        with inside(one):
            assert [each.said["base"] for each in handover.steps.filter(move="accept")] == ["Ward 0"]
        now = re.findall(r'name="seen" value="(\d+)"', again.text)[0]
        assert "Recorded" in clients[1].post(page, {**said, **first_day, "seen": now}, follow=True).text


class TestToday:
    def test_shows_who_is_here_with_the_steps_and_no_number(
        self, one: Any, cast: Any, setting: Setting, teacher: Any, browse: Any
    ) -> None:
        handover = arrived(one, setting, cast.head)
        client = browse(teacher)
        assert "No pack has come" in client.get(TODAYS).text
        with inside(one):
            pupil = Pupil.objects.get()
            Pupil.objects.update(upn="B801200005001")
            versions.write_emergency(pupil=pupil, says=emergency("Asthma"), based_on=0, by=CLOCK, at=AT)
            pack = handover.packs.create(number=1, content={}, sha256="", made_at=AT, made_by_name="Elm")
        page = client.get(TODAYS).text
        assert CHILD in page and "Asthma" in page and "Stay with the child" in page and "Not read by you" in page
        assert "5 mg in the cheek, School office, expires 31 March 2027" in page
        assert "B801200005001" not in page
        with inside(one):
            look = ReadEntry.objects.filter(by=teacher.id, group="emergency").first()
            assert look.child_ids == [pupil.id]
        read = client.post(f"/handovers/{handover.id}/steps-read/", {"from": "today"}, follow=True)
        assert "You have read the steps" in read.text and "Steps read by" in read.text
        with inside(one):
            assert pack.read_by.get().by_name == "Terry Teacher"

    @pytest.mark.parametrize("is_first", [True, False])
    def test_says_that_a_pack_has_come_that_nobody_has_opened(
        self, one: Any, cast: Any, setting: Setting, teacher: Any, browse: Any, is_first: bool
    ) -> None:
        handover = arrived(one, setting, cast.head)
        says = "A pack has come: ask your lead." if is_first else "A newer pack has come: ask your lead."
        with inside(one):
            if not is_first:
                handover.packs.create(number=1, content={}, sha256="", made_at=AT, made_by_name="Elm")
            came = handover.messages.create(way="in", kind="pack", reference=uuid4(), number=1, owed_at=AT)
        page = browse(teacher).get(TODAYS).text
        assert says in page and "You have read the steps" not in page
        with inside(one):
            came.done_at = AT
            came.save()
        assert "ask your lead" not in browse(teacher).get(TODAYS).text

    def test_asks_for_a_reading_anew_when_the_setting_changes_the_steps(
        self, one: Any, cast: Any, setting: Setting, teacher: Any, browse: Any
    ) -> None:
        handover, client = arrived(one, setting, cast.head), browse(teacher)
        with inside(one):
            pupil = Pupil.objects.get()
            first, _ = versions.write_emergency(pupil=pupil, says=emergency("Asthma"), based_on=0, by=CLOCK, at=AT)
            handover.packs.create(number=1, content={}, sha256="", made_at=AT, made_by_name="Elm", version=first)
        case = f"/handovers/{handover.id}/"
        client.post(f"{case}steps-read/", {"from": "today"})
        assert "You have read the steps" in client.get(TODAYS).text
        assert "Read by Terry Teacher" in client.get(case).text
        with inside(one):
            says = emergency("Asthma", never=("Leave alone.",))
            versions.write_emergency(pupil=pupil, says=says, based_on=1, by=CLOCK, at=AT)
        assert "Not read by you" in client.get(TODAYS).text
        assert "No session starts before" in client.get(case).text
        answer = client.post(f"{case}steps-read/", {"from": "today"}, follow=True)
        assert "You have read the steps" in answer.text

    def test_keeps_those_who_are_coming_apart(
        self, one: Any, cast: Any, setting: Setting, teacher: Any, browse: Any
    ) -> None:
        handover = arrived(one, setting, cast.head)
        with inside(one):
            Handover.objects.filter(id=handover.id).update(starts_on=date(2199, 1, 1))
        page = browse(teacher).get(TODAYS).text
        assert "Nobody is taught here today" in page and "Coming" in page and CHILD in page

    def test_leaves_out_who_has_gone(self, one: Any, cast: Any, setting: Setting, teacher: Any, browse: Any) -> None:
        handover = arrived(one, setting, cast.head)
        with inside(one):
            actions.make_move(handover=handover, name="take_back", said={"reason": "Gone."}, by=cast.head, at=AT)
        assert CHILD not in browse(teacher).get(TODAYS).text

    def test_asks_the_database_no_more_for_more_children(
        self, one: Any, cast: Any, setting: Setting, teacher: Any, browse: Any, django_assert_max_num_queries: Any
    ) -> None:
        for number in range(8):
            with inside(one):
                home = Home("001", "Barsetshire", exchange.member("001").role)
                admissions.admit(
                    setting=setting,
                    name=f"Child {number}",
                    born_on=date(2016, 5, 1),
                    admitted_on=TODAY,
                    home=home,
                    is_urgent=False,
                    by=cast.head,
                    at=AT,
                )
        client = browse(teacher)
        with django_assert_max_num_queries(25):
            assert "Child 7" in client.get(TODAYS).text
