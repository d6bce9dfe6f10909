"""Provision without a URN, and children without a school: the authority's own, and found by its own people only."""

from typing import Any

import pytest
from factories import AT, ContactFactory, PupilFactory, emergency, person
from handovers.between import SAID

from handrail.accounts.roles import Role
from handrail.core.audit import CLOCK
from handrail.handovers import actions, places, post
from handrail.handovers.models import Handover, Setting
from handrail.handovers.places import NoSetting, Place
from handrail.plans import versions
from handrail.schools import own_schools
from handrail.schools.models import Pupil, School
from tenants import exchange
from tenants.context import inside
from workflows.handovers import let_run_out_one

pytestmark = pytest.mark.django_db


def confirmed(name: str = "Home Tuition Service", kind: str = "tuition") -> Setting:
    return places.confirm_setting(school=None, name=name, kind=kind, ring="Tess", telephone="1", by=CLOCK, at=AT)


class TestProvisionWithoutAUrn:
    def test_becomes_a_school_of_the_authoritys_own(self, one: Any) -> None:
        with inside(one):
            first, second = confirmed(), confirmed("Bedside Tuition")
            assert (first.school.urn, second.school.urn) == ("000001", "000002")
            assert not first.school.has_urn and not first.school.is_bound
            assert confirmed(kind="medical_ap").id == first.id
            assert School.objects.filter(urn__startswith="000").count() == 2

    def test_is_found_where_a_child_is_handed_over_and_nowhere_else(self, one: Any, two: Any) -> None:
        with inside(one):
            confirmed()
            [found] = places.places_called("tuition home")
            assert (found.name, found.authority_code) == ("Home Tuition Service", "001")
            assert places.place_of("000001") == found
        with inside(two):
            assert places.places_called("tuition home") == []

    def test_receives_a_child(self, one: Any, cast: Any) -> None:
        with inside(one):
            post.join_exchange(by=CLOCK, at=AT)
            setting = confirmed()
            tess = person("tess@tuition.example", Role.SETTING_LEAD, school=setting.school)
            pupil = PupilFactory(school=cast.oak, upn="B801200005001")
            ContactFactory(pupil=pupil)
            versions.write_emergency(pupil=pupil, says=emergency(), based_on=0, by=cast.head, at=AT)
            place: Any = places.place_of("000001")
            handover = actions.prepare(
                pupil=pupil,
                to=place.as_destination(),
                home_authority="001",
                roll="guest",
                starts_on=None,
                is_urgent=False,
                ring="Hana",
                telephone="1",
                by=cast.head,
                at=AT,
            )
            actions.write(handover=handover, said=SAID, by=cast.head, at=AT)
            actions.submit(handover=handover, by=cast.head, at=AT)
            post.deposit_owed(at=AT)
            post.collect(at=AT)
            [arrived] = Handover.objects.visible_to(tess)
            post.open_pack(handover=arrived, by=tess, at=AT)
            assert Pupil.objects.get(school=setting.school).upn == "B801200005001"

    def test_is_not_added_a_thousand_times(self, one: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(own_schools, "AT_MOST", 1)
        with inside(one):
            confirmed()
            with pytest.raises(NoSetting, match="as many"):
                confirmed("Another")

    def test_is_confirmed_on_the_page(self, one: Any, cast: Any, browse: Any) -> None:
        client = browse(cast.officer)
        answer = client.post("/hospital-schools/", {"name": "Home Tuition", "kind": "tuition"}, follow=True).text
        assert "Home Tuition can now receive children" in answer and "No URN" in answer
        assert "No URN" in client.get("/schools/000001/").text


class TestAHospitalSchoolOfAnotherAuthority:
    @staticmethod
    def is_hospital(one: Any, cast: Any) -> bool:
        """As a school of the first authority finds it."""
        with inside(one):
            member = next(each for each in exchange.members() if each.code == "002")
            found = Place(cast.far.urn, cast.far.name, "Felpersham", "Special school", member.name, member.code, member)
            return found.as_destination().is_hospital

    @pytest.mark.parametrize(("kind", "is_hospital"), [("hospital", True), ("medical_ap", False)])
    def test_is_known_when_its_own_officer_has_confirmed_it(
        self, one: Any, two: Any, cast: Any, kind: str, is_hospital: bool
    ) -> None:
        assert not self.is_hospital(one, cast), "its name says so, which proves nothing"
        with inside(two):
            for each in ("hospital", kind):
                places.confirm_setting(school=cast.far, name="", kind=each, ring="Ina", telephone="1", by=CLOCK, at=AT)
        assert self.is_hospital(one, cast) == is_hospital

    def test_that_was_confirmed_before_becomes_known_within_the_hour(self, one: Any, two: Any, cast: Any) -> None:
        with inside(two):
            places.confirm_setting(school=cast.far, name="", kind="hospital", ring="", telephone="", by=CLOCK, at=AT)
            exchange.publish_hospitals([])
        let_run_out_one(authority=two.id, at=AT)
        assert self.is_hospital(one, cast)


class TestChildrenWithoutASchool:
    def test_are_on_a_list_of_the_authority_whose_people_hand_them_over(self, one: Any, cast: Any, browse: Any) -> None:
        officer = browse(cast.officer)
        assert "Open the list" in officer.get("/hospital-schools/").text
        assert "Now add the people" in officer.post("/hospital-schools/", {"list": "yes"}, follow=True).text
        officer.post("/hospital-schools/", {"list": "yes"})
        with inside(one):
            school = School.objects.get(urn=own_schools.NO_SCHOOL)
            nora = person("nora@barsetshire.example", Role.SCHOOL_LEAD, school=school)
            child = PupilFactory(school=school, name="Robin Canary")
            confirmed()
        page = browse(nora).get(f"/children/{child.id}/hand-over/?urn=000001")
        assert "Home Tuition Service" in page.text
        assert "on no school’s before" in page.text and "Stays on the home" not in page.text
        assert browse(cast.head).get(f"/children/{child.id}/hand-over/").status_code == 404

    def test_of_a_school_are_never_offered_to_leave_its_roll(self, one: Any, cast: Any, browse: Any) -> None:
        with inside(one):
            child = PupilFactory(school=cast.oak)
            confirmed()
        page = browse(cast.head).get(f"/children/{child.id}/hand-over/?urn=000001").text
        assert "Stays on the home" in page and "on no school’s before" not in page
