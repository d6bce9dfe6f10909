"""A child who arrived unannounced: the notice, within one authority and across two, and everything it refuses."""

from datetime import date, timedelta
from typing import Any

import pytest
from databases import as_superuser
from factories import PupilFactory, SchoolFactory
from handovers.between import AT, CHILD, SAID, Between

from handrail.core.audit import CLOCK
from handrail.handovers import actions, admissions, homes, places, post, reminders
from handrail.handovers.actions import NotNow, ReasonMissing
from handrail.handovers.homes import Home, NotFound
from handrail.handovers.models import Handover, Setting
from handrail.notices.actions import NoLongerDue
from handrail.notices.models import Notice
from handrail.schools.models import Pupil, School
from tenants import exchange
from tenants.context import inside

LATER = AT + timedelta(hours=2)
BORN = date(2016, 5, 1)
GIVEN = {"name": CHILD, "born_on": BORN, "admitted_on": date(2026, 11, 22), "is_urgent": True}
ANSWER = {"is_same": False, "home_authority": "001", "roll": "guest", "ring": "Hana", "telephone": "01632 960002"}


def home_of(between: Between, *, urn: str = "", code: str = "001") -> Home:
    with inside(between.one):
        role = exchange.member(code).role
        school = School.objects.get() if not urn else None
    name = school.name if school else "Some School"
    return Home(code, "Barsetshire", role, urn or (school.urn if school else ""), name)


def admitted(between: Between, home: Home | None = None, **more: Any) -> Handover:
    home = home or home_of(between)
    with inside(between.two):
        return admissions.admit(
            setting=Setting.objects.select_related("school").get(),
            home=home,
            by=between.people["hospital"],
            at=AT,
            **GIVEN | more,
        )


def answered(between: Between, *, pupil_id: Any = None, **more: Any) -> Handover:
    with inside(between.one):
        pupil = Pupil.objects.get(id=pupil_id or between.pupil_id)
        handover = Handover.objects.get(side="home")
        return admissions.say_who(handover=handover, pupil=pupil, by=between.people["lead"], at=AT, **ANSWER | more)


class TestAdmit:
    def test_asks_the_home_school_which_sends_the_pack(self, between: Between) -> None:
        admitted(between)
        assert (between.setting().state, between.setting().due_on) == ("pack_asked", date(2026, 11, 25))
        between.post()
        with inside(between.one):
            home = Handover.objects.select_related("school").get()
            assert (home.state, home.pupil, home.school) == ("pack_asked", None, between.home_school())
            assert [each.name for each in admissions.candidates(home, on=AT.date())] == [CHILD]
            assert list(Handover.objects.visible_to(between.people["lead"])) == [home]
        answered(between)
        with inside(between.one):
            handover = Handover.objects.get()
            actions.write(handover=handover, said=SAID, by=between.people["lead"], at=AT)
            sent = actions.submit(handover=handover, by=between.people["lead"], at=AT)
        between.post()
        opened = between.open(at=LATER)
        between.post(at=LATER)
        assert opened.sha256 == sent.sha256
        assert (between.home().state, between.setting().state) == ("acknowledged", "acknowledged")
        assert (between.setting().ring, between.setting().starts_on) == ("Hana", date(2026, 11, 22))
        with inside(between.two):
            assert Pupil.objects.get().upn == "B801200005001"  # the child who arrived, and no second one
        assert (between.bodies(), between.differences()) == (0, [])

    def test_says_nothing_of_the_child_on_the_way(self, between: Between) -> None:
        admitted(between)
        with inside(between.two):
            post.deposit_owed(at=AT)
            [card] = exchange.ledger()
        assert CHILD not in repr(card) and "Overcombe" not in repr(card)
        between.post()
        assert not [row for row in between.what_three_knows() if "Wren" in row or "Canary" in row]
        with as_superuser(between.database) as admin:
            rows = admin.execute(f"SELECT h::text FROM {between.one.schema_name}.handovers_handover h").fetchall()
        assert rows and CHILD not in repr(rows)

    def test_is_told_to_the_school_at_once(self, between: Between) -> None:
        admitted(between)
        between.post()
        with inside(between.one):
            [told] = Notice.objects.filter(subject_kind="handover_notice")
            assert (told.recipient, told.urgency) == (between.people["lead"].email, "now")
            assert reminders.still_due(told, at=LATER)["path"] == f"/handovers/{told.subject_id}/"
        answered(between)
        with inside(between.one), pytest.raises(NoLongerDue):
            reminders.still_due(told, at=LATER)

    def test_within_one_authority_is_the_same(self, between: Between) -> None:
        home = home_of(between)
        with inside(between.one):
            lead = between.people["lead"]
            school = SchoolFactory(type_code=7, type_name="Community special school")
            setting = places.confirm_setting(
                school=school, name="", kind="hospital", ring="Ina", telephone="1", by=CLOCK, at=AT
            )
            admissions.admit(setting=setting, home=home, by=lead, at=AT, **GIVEN)
        between.post()
        answered(between)
        with inside(between.one):
            actions.write(handover=between.home_inside(), said=SAID, by=lead, at=AT)
            actions.submit(handover=between.home_inside(), by=lead, at=AT)
        between.post()
        with inside(between.one):
            theirs = Handover.objects.get(side="setting")
            assert theirs.state == "submitted"
            post.open_pack(handover=theirs, by=lead, at=AT)
        between.post()
        assert (between.home().state, between.differences()) == ("acknowledged", [])

    def test_refuses_a_child_who_is_here_already(self, between: Between) -> None:
        admitted(between)
        with pytest.raises(NotNow, match="is here already"):
            admitted(between, name=CHILD.upper())
        with inside(between.two):
            assert (Handover.objects.count(), Pupil.objects.count()) == (1, 1)

    def test_waits_for_somebody_to_ring_where_nobody_uses_handrail(self, between: Between) -> None:
        made = admitted(between, Home("999", "Nowhereshire", "", "800001", "Some School"))
        between.post()
        assert (made.state, made.due_on) == ("admitted", AT.date())
        with inside(between.two):
            assert list(exchange.ledger()) == []
        between.move("take_back", said={"reason": "Gone home."})
        assert between.setting().state == "withdrawn"

    def test_is_taken_back_on_both_sides(self, between: Between) -> None:
        admitted(between)
        between.post()
        with pytest.raises(ReasonMissing):
            between.move("take_back")
        between.move("take_back", said={"reason": "The wrong child."}, at=LATER)
        between.post(at=LATER)
        assert (between.home().state, between.setting().state) == ("withdrawn", "withdrawn")

    def test_that_is_taken_back_before_it_arrived_is_heard_by_nobody(self, between: Between) -> None:
        admitted(between)
        with inside(between.two):
            post.deposit_owed(at=AT)
        between.move("take_back", said={"reason": "The wrong child."}, at=LATER)
        between.post(at=LATER, rounds=2)
        with inside(between.one):
            assert not Handover.objects.exists()
        assert (between.bodies(), between.differences()) == (0, [])

    def test_that_crosses_the_pack_ends_on_both_sides_with_nothing_left(self, between: Between) -> None:
        admitted(between)
        between.post()
        answered(between)
        with inside(between.one):
            actions.write(handover=between.home_inside(), said=SAID, by=between.people["lead"], at=AT)
            actions.submit(handover=between.home_inside(), by=between.people["lead"], at=AT)
        between.move("take_back", said={"reason": "Gone home."})
        between.post(at=LATER, rounds=2)
        assert (between.home().state, between.setting().state) == ("withdrawn", "withdrawn")
        assert (between.bodies(), between.differences()) == (0, [])


class TestTheAnswer:
    def test_that_the_child_is_not_ours_goes_back(self, between: Between) -> None:
        admitted(between)
        between.post()
        between.move_home("withdraw", said={"reason": "No such child at our school."})
        between.post(at=LATER)
        assert between.setting().state == "withdrawn"
        with inside(between.two):
            assert between.setting_inside().steps.last().said == {"reason": "No such child at our school."}

    def test_asks_again_where_the_dates_of_birth_differ(self, between: Between) -> None:
        admitted(between, born_on=date(2016, 5, 2))
        between.post()
        with pytest.raises(admissions.NotTheSame):
            answered(between)
        assert answered(between, is_same=True).pupil_id == between.pupil_id

    def test_refuses_a_child_who_is_in_another_handover(self, between: Between) -> None:
        between.prepare()
        admitted(between)
        between.post()
        with inside(between.one):
            notice, pupil = Handover.objects.get(pupil=None), Pupil.objects.get()
            with pytest.raises(NotNow, match="already being handed over to Felpersham Hospital School"):
                admissions.say_who(handover=notice, pupil=pupil, by=between.people["lead"], at=AT, **ANSWER)
            assert Handover.objects.get(id=notice.id).pupil is None

    def test_is_given_once(self, between: Between) -> None:
        admitted(between)
        between.post()
        answered(between)
        with pytest.raises(NotNow, match="answered this already"):
            answered(between)

    def test_refuses_a_child_of_another_school(self, between: Between) -> None:
        admitted(between)
        between.post()
        with inside(between.one):
            other = PupilFactory(name="Other Child")
        with pytest.raises(NotNow, match="not at the school"):
            answered(between, pupil_id=other.id)


class TestANoticeThatFindsNoSchool:
    @pytest.mark.parametrize("urn", ["800099", ""], ids=["of no school here", "of the authority alone"])
    def test_is_the_authoritys_to_answer(self, between: Between, urn: str) -> None:
        admitted(between, Home("001", "Barsetshire", home_of(between).role, urn, ""))
        between.post()
        with inside(between.one):
            waiting = Handover.objects.of_no_school().get()
            assert not Handover.objects.visible_to(between.people["lead"]).exists()
            admissions.pass_to_school(handover=waiting, school=between.home_school(), by=CLOCK, at=AT)
            assert Handover.objects.visible_to(between.people["lead"]).get() == waiting
            with pytest.raises(NotNow):
                admissions.pass_to_school(handover=waiting, school=between.home_school(), by=CLOCK, at=AT)

    @pytest.mark.parametrize("content", [{"form": 2}, {"form": 1, "child": {"name": CHILD}}, [CHILD], None])
    def test_or_cannot_be_read_says_so(self, between: Between, content: Any) -> None:
        with inside(between.one), pytest.raises(exchange.CannotOpen) as refusal:
            admissions.hear(Handover(side="home"), content, at=AT)
        assert CHILD not in str(refusal.value)


class TestWhereAChildComesFrom:
    @pytest.fixture
    def register(self, between: Between) -> Between:
        rows = (
            ("800001", "Open Primary School", 1),
            ("800002", "Closed Primary School", 2),
            ("800003", "Closed for Good", 2),
            ("800004", "Academy in Between", 2),
            ("800005", "Academy at the End", 1),
        )
        with as_superuser(between.database) as admin:
            admin.execute("TRUNCATE public.tenants_establishment, public.tenants_establishmentlink")
            for urn, name, status in rows:
                admin.execute(
                    """INSERT INTO public.tenants_establishment (urn, la_code, la_name, establishment_number, name,
                           type_code, type_name, group_code, group_name, status_code, status_name, phase_name,
                           trust_code, trust_name, street, locality, town, county, postcode, website, closed_on)
                       VALUES (%s, '001', 'Barsetshire', '', %s, 1, 'Community school', 4, 'Maintained', %s, '', '',
                           '', '', '', '', 'Town', '', '', '', CASE WHEN %s = 2 THEN date '2025-08-31' END)""",
                    (urn, name, status, status),
                )
            for old, new in (("800002", "800004"), ("800004", "800005"), ("800005", "800002")):
                admin.execute(
                    """INSERT INTO public.tenants_establishmentlink (urn, link_urn, link_type)
                       VALUES (%s, %s, 'Successor')""",
                    (old, new),
                )
        return between

    def found(self, between: Between, words: str) -> list[str]:
        with inside(between.two):
            return [each.urn for each in homes.schools_called(words)]

    def test_is_found_by_urn_or_by_words_of_its_name(self, register: Between) -> None:
        assert self.found(register, "800001") == self.found(register, "primary open") == ["800001"]

    def test_is_the_school_that_followed_one_that_closed(self, register: Between) -> None:
        assert self.found(register, "800002") == ["800005"]

    def test_a_setting_that_has_closed_gives_way_to_what_followed_it(self, register: Between) -> None:
        with as_superuser(register.database) as admin:
            admin.execute("UPDATE public.tenants_establishment SET type_code = 7")
        with inside(register.two):
            assert [each.urn for each in places.places_called("800002")] == ["800005"]
            assert places.places_called("800003") == []
            closed = [places.closed_place(urn) for urn in ("800001", "800002", "800003", "hospital")]
            assert [each and each.name for each in closed] == [None, "Closed Primary School", "Closed for Good", None]
            assert places.place_of("800002") is None  # nobody chose the other one

    @pytest.mark.parametrize(
        ("words", "says"),
        [
            ("80000", "six digits"),
            ("123456", "No school in the national register has the URN 123456"),
            ("800003", "Closed for Good has closed, on 31 August 2025"),
            ("nothing like it", "No open school is called that"),
        ],
    )
    def test_is_refused_in_words(self, register: Between, words: str, says: str) -> None:
        with pytest.raises(NotFound, match=says):
            self.found(register, words)

    def test_knows_whether_its_authority_is_in_the_exchange(self, register: Between) -> None:
        with inside(register.two):
            [home] = homes.schools_called("800001")
            assert home.role == exchange.member("001").role
        with as_superuser(register.database) as admin:
            admin.execute("UPDATE public.tenants_establishment SET la_code = '777', la_name = 'Farshire'")
        with inside(register.two):
            [home] = homes.schools_called("800001")
            assert (home.role, home.code) == ("", "777")
            assert homes.authority("777").authority == "Farshire"
            with pytest.raises(NotFound):
                homes.authority("778")
