"""What each role finds at the start page and further in: nothing that it may not see, and no way to a refusal."""

import re
from datetime import date

import pytest
from factories import AT, PupilFactory, emergency, person

from handrail.accounts.actions import add_person, end_membership
from handrail.accounts.models import Membership
from handrail.accounts.roles import PERMISSIONS, Permission, Role
from handrail.core.audit import CLOCK
from handrail.core.models import ReadEntry
from handrail.plans.actions import notify
from handrail.plans.versions import write_emergency
from handrail.policies.models import Kind
from handrail.schools.models import Pupil, School
from tenants.context import inside

pytestmark = pytest.mark.django_db

START = ("/", "/schools/900001/", "/schools/900001/policies/", "/schools/900001/people/", "/schools/900001/activity/")


@pytest.fixture
def holder(one, cast, policy):
    """`holder(role)`: somebody with this role alone, where there is something of every kind to see."""

    def make(role):
        with inside(one):
            policy(None, Kind.SECTION_19)
            policy(cast.oak, Kind.MEDICAL_CONDITIONS, due_in=-3)
            policy(cast.oak, Kind.ALLERGY_SAFETY, due_in=200)
            pupil = None
            if role.is_about_one_child:
                born = date(2016, 5, 1)
                pupil = Pupil.objects.create(school=cast.oak, name="A Child", born_on=born, joined_on=AT.date())
            return person(f"{role}@x.example", role, school=None if role.is_at_authority else cast.oak, pupil=pupil)

    return make


def ways(page):
    """Where a page leads, and what its forms send to."""
    found = re.findall(r'<a [^>]*href="(/[^"#]*)', page) + re.findall(r'<form[^>]*action="(/[^"]*)', page)
    return {each.replace("&amp;", "&") for each in found if not each.startswith(("/static/", "/sign-out/"))}


@pytest.mark.parametrize("role", Role)
class TestEveryRole:
    def test_is_led_nowhere_that_refuses(self, role, holder, browse, settings):
        client = browse(holder(role))
        pages = {path: client.get(path, follow=path == "/") for path in START}
        assert pages["/"].status_code == 200
        asked = {way for page in pages.values() if page.status_code == 200 for way in ways(page.text)}
        refused = [way for way in sorted(asked) if client.get(way).status_code in (403, 404)]
        assert refused == []

    def test_sees_policies_only_where_it_may(self, role, holder, browse):
        client = browse(holder(role))
        shown = any(
            "olicies overdue" in page or "llergy safety policy" in page
            for page in (
                re.sub(r"<header.*?</header>", "", client.get(path, follow=path == "/").text, flags=re.DOTALL)
                for path in START[:2]
            )
        )
        assert shown == (Permission.SEE_POLICIES in PERMISSIONS[role])


class TestTheStartPage:
    @pytest.mark.parametrize(
        ("role", "first"),
        [
            (Role.ANALYST, "Download the schools (CSV)"),
            (Role.NAMED_OFFICER, "Open an emergency plan"),
            (Role.DATA_PROTECTION_LEAD, "See all activity"),
            (Role.GOVERNOR, "1 policy needs a review. Lee Lead leads on this."),
            (Role.SETTING_TEACHER, "See all children"),
            (Role.HEALTH_PROFESSIONAL, "See the emergency plan"),
        ],
    )
    def test_leads_to_what_the_role_is_there_for(self, role, first, holder, browse, one, cast):
        with inside(one):
            School.objects.filter(id=cast.oak.id).update(lead_name="Lee Lead")
        page = browse(holder(role)).get("/", follow=True).text
        assert first in re.sub(r"<span.*?</span>", "", page)


class TestSomebodyAskedAboutAChild:
    def test_finds_the_child_at_once_and_each_school_sees_that_they_looked(self, one, cast, holder, browse):
        nurse = holder(Role.HEALTH_PROFESSIONAL)
        with inside(one):
            other = PupilFactory(school=cast.elm, name="Another Child")
            add_person(
                email=nurse.email,
                name="",
                role=Role.HEALTH_PROFESSIONAL,
                school_id=cast.elm.id,
                pupil_id=other.id,
                by=CLOCK,
                at=AT,
            )
            PupilFactory(school=cast.elm, name="Somebody Else")
        page = browse(nurse).get("/", follow=True).text
        with inside(one):
            asked_about = nurse.as_at(AT.date()).pupil_ids
        assert len(asked_about) == 2
        assert all(f'href="/children/{child_id}/emergency/"' in page for child_id in asked_about)
        assert "Another Child" in page
        assert "Somebody Else" not in page
        with inside(one):
            reads = ReadEntry.objects.filter(by=nurse.id)
            assert {each.school_id: len(each.child_ids) for each in reads} == {cast.oak.id: 1, cast.elm.id: 1}

    def test_is_nobody_at_a_school(self, cast, browse):
        client = browse(cast.head)
        assert "Children you were asked about" not in client.get("/").text
        assert "No school has asked you" in client.get("/children/").text

    def test_is_told_no_more_of_the_other_children_of_the_school(self, one, cast, browse, at, on):
        """Sally works at the school's office too, where she sees no plan."""
        with inside(one):
            asked_about, other = PupilFactory(school=cast.oak), PupilFactory(school=cast.oak)
            person("sally@oak.example", Role.HEALTH_PROFESSIONAL, school=cast.oak, pupil=asked_about)
            sally = person("sally@oak.example", Role.SCHOOL_ADMINISTRATOR, school=cast.oak)
            notify(pupil=other, notified_on=on, told_by="parent", by=cast.head, at=at)
            for child in (asked_about, other):
                write_emergency(pupil=child, says=emergency(), based_on=0, by=cast.head, at=at)
            seen = [sally.may(Permission.SEE_PLANS, school_id=cast.oak.id, pupil_id=each) for each in (None, other.id)]
            assert seen == [False, False]
            assert sally.may(Permission.SEE_PLANS, school_id=cast.oak.id, pupil_id=asked_about.id)
        words = "Was told that a child may need a plan"
        for place in ("/schools/900001/", "/schools/900001/activity/"):
            assert words in browse(cast.head).get(place).text
            assert words not in browse(sally).get(place).text
        for child, leads_on in ((asked_about, True), (other, False)):
            page = browse(sally).get(f"/children/{child.id}/emergency/").text
            assert (f'href="/children/{child.id}/plan/"' in page) is leads_on


class TestTwoSchools:
    @pytest.fixture
    def both(self, one, cast):
        with inside(one):
            return person("head@oak.example", Role.SCHOOL_ADMINISTRATOR, school=cast.elm)

    def test_are_switched_and_remembered(self, both, browse):
        client = browse(both)
        assert "Elm School</span> Things to do" in client.get("/").text  # the first by name
        client.get("/?school=900001")
        for path in ("/", "/account/"):
            page = client.get(path).text
            assert re.search(r"Oak School<span[^>]*>:</span> \(switch school\)", page)
            assert 'href="/schools/900001/"' in page

    def test_one_that_is_no_longer_theirs_is_forgotten(self, one, cast, both, browse, at):
        client = browse(both)
        client.get("/?school=900001")
        with inside(one):
            oak = Membership.objects.get(user=both, school=cast.oak)
            end_membership(membership=oak, by=cast.colleague, at=at)
        page = client.get("/").text
        assert "Elm School</span> Things to do" in page
        assert "Oak School" not in page
        assert "switch school" not in page

    @pytest.mark.parametrize("urn", ["900003", "999999", "x"])
    def test_one_that_is_not_theirs_is_not_found(self, cast, browse, urn):
        client = browse(cast.head)
        assert client.get(f"/?school={urn}").status_code == 404
        assert "Oak School" in client.get("/").text
