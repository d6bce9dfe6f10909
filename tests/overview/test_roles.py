"""What each role finds at the start page and further in: nothing that it may not see, and no way to a refusal."""

import re
from datetime import date

import pytest
from factories import AT, person

from handrail.accounts.actions import end_membership
from handrail.accounts.models import Membership
from handrail.accounts.roles import PERMISSIONS, Permission, Role
from handrail.policies.models import Kind
from handrail.schools.models import Pupil
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
        pages = {path: client.get(path) for path in START}
        assert pages["/"].status_code == 200
        asked = {way for page in pages.values() if page.status_code == 200 for way in ways(page.text)}
        refused = [way for way in sorted(asked) if client.get(way).status_code in (403, 404)]
        assert refused == []

    def test_sees_policies_only_where_it_may(self, role, holder, browse):
        client = browse(holder(role))
        shown = any(
            "olicies overdue" in page or "llergy safety policy" in page
            for page in (
                re.sub(r"<header.*?</header>", "", client.get(path).text, flags=re.DOTALL) for path in START[:2]
            )
        )
        assert shown == (Permission.SEE_POLICIES in PERMISSIONS[role])


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
