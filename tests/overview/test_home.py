"""The first page: of an officer, of a school, of somebody without a role."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from factories import SchoolFactory, person

from handrail.accounts.models import Membership
from handrail.accounts.roles import Role
from handrail.core.models import AuthoritySettings
from handrail.policies.models import Kind
from tenants.context import inside

pytestmark = pytest.mark.django_db

NUMBER = re.compile(
    r'<a class="[^"]*" href="(/(?:chase|schools)/\?[^"]+)">(?:<span class="app-tile__number">)?([\d,]+)<'
)
NEVER_SIGNED_IN = "/schools/?only=never-signed-in"


def numbers(html: str) -> dict[str, int]:
    """Every linked number of the page: the list it links to, and what it says."""
    return {unescape(href): int(shown.replace(",", "")) for href, shown in NUMBER.findall(html)}


class TestOfficersOverview:
    def test_counts_policies_and_schools(self, one, cast, browse, policy):
        with inside(one):
            policy(cast.oak, due_in=-1)
            policy(cast.oak, Kind.ALLERGY_SAFETY, due_in=30)
            policy(cast.oak, Kind.CANNOT_ATTEND)
            policy(cast.elm, due_in=31)
        html = browse(cast.officer).get("/").content.decode()
        found = numbers(html)
        assert found["/chase/?urgency=overdue"] == 1
        assert found["/chase/?urgency=due-soon"] == 1
        assert found["/chase/?urgency=not-recorded"] == 1
        assert found[NEVER_SIGNED_IN] == 2
        assert "Data as at 23 November 2026 at 9:05am" in html

    def test_every_number_is_the_length_of_its_list(self, one, cast, browse, many, rows):
        with inside(one):
            many(40)
        officer = browse(cast.officer)
        found = numbers(officer.get("/").content.decode())
        # Four numbers, five ages of three kinds and altogether, 13 weeks; "not recorded" is a number and an age.
        assert len(found) == 4 + 5 * 4 + 13 - 1
        assert sum(found.values()) > 100
        for href, shown in found.items():
            said = re.search(r"[ >]([\d,]+) (?:policies|policy|schools?)</p>", officer.get(href).content.decode())
            assert (int(said[1]) if said else 0) == shown, href
            assert len(rows(officer.get(href.replace("/?", ".csv?")))) == shown, href

    def test_due_soon_is_what_the_authority_says(self, one, cast, browse, policy):
        with inside(one):
            policy(cast.oak, due_in=20)
            AuthoritySettings.objects.create(due_soon_days=14)
        html = browse(cast.officer).get("/").content.decode()
        assert numbers(html)["/chase/?urgency=due-soon"] == 0
        assert "due in the next 14 days" in html

    def test_lists_the_ten_most_urgent(self, one, cast, browse, policy):
        with inside(one):
            for late in range(12):
                policy(SchoolFactory(name=f"School {late:02}"), due_in=-1 - late)
        html = browse(cast.officer).get("/").content.decode()
        assert re.findall(r">(School \d\d)</a>", html) == [f"School {late:02}" for late in range(11, 1, -1)]
        assert "Chase all 12" in html

    def test_leaves_out_closed_schools_and_what_is_not_needed(self, one, cast, browse, policy, on):
        with inside(one):
            policy(SchoolFactory(closed_on=on), due_in=-5)
            policy(SchoolFactory(body="independent_school"), due_in=-5)
            policy(cast.oak, due_in=-5, not_needed_reason="Taught elsewhere")
        found = numbers(browse(cast.officer).get("/").content.decode())
        assert sum(found.values()) == found[NEVER_SIGNED_IN] == 2

    def test_a_school_has_signed_in_when_a_current_member_has(self, one, cast, browse, at, on):
        with inside(one):
            for somebody in (cast.head, cast.neighbour):
                somebody.last_login = at
                somebody.save()
            Membership.objects.filter(user=cast.neighbour).update(to_on=on)
        officer = browse(cast.officer)
        assert numbers(officer.get("/").content.decode())[NEVER_SIGNED_IN] == 1
        listed = officer.get(NEVER_SIGNED_IN).content.decode()
        assert "Elm School" in listed
        assert "Oak School" not in listed

    def test_asks_the_database_as_often_for_many_schools_as_for_few(self, one, cast, browse, many):
        officer = browse(cast.officer)
        officer.get("/")  # the first request of a session notes that it is used
        asked = []
        for count in (2, 60):
            with inside(one):
                many(count)
            with CaptureQueriesContext(connection) as captured:
                assert officer.get("/").status_code == 200
            asked.append(len(captured))
        assert asked[0] == asked[1] <= 13

    def test_its_tables_are_files_too(self, one, cast, browse, policy, rows):
        with inside(one):
            policy(cast.oak, due_in=-1)
            policy(cast.elm, Kind.ALLERGY_SAFETY, due_in=8)
        officer = browse(cast.officer)
        assert rows(officer.get("/overview/ageing.csv"))[0] == {
            "Overdue by": "1 to 7 days",
            "Medical conditions": "1",
            "Allergy safety": "0",
            "Cannot attend": "0",
            "All policies": "1",
        }
        weeks = rows(officer.get("/overview/weeks.csv"))
        assert [week["Reviews due"] for week in weeks] == ["0", "1"] + ["0"] * 11
        assert weeks[0]["Week beginning"] == "2026-11-23"

    def test_refuses_its_files_to_schools(self, cast, browse):
        assert browse(cast.head).get("/overview/ageing.csv").status_code == 403
        assert browse().get("/overview/weeks.csv").status_code == 302


class TestThingsToDo:
    def test_puts_what_is_overdue_first_then_not_recorded_then_due_soon(self, one, cast, browse, policy):
        with inside(one):
            policy(cast.oak, Kind.CANNOT_ATTEND, due_in=-12)
            policy(cast.oak, Kind.ALLERGY_SAFETY, due_in=3)
            policy(cast.oak, Kind.MEDICAL_CONDITIONS)
            policy(cast.elm, due_in=-99)
        html = browse(cast.head).get("/").content.decode()
        places = [html.index(text) for text in ("12 days ago", "No review has been recorded", "in 3 days")]
        assert places == sorted(places)
        assert "99 days" not in html
        reviews = re.findall(r'href="(/schools/900001/policies/[^"]+/review/)"', html)
        assert len(reviews) == 3
        assert browse(cast.head).get(reviews[0]).status_code == 200

    def test_says_when_there_is_nothing_to_do(self, one, cast, browse, policy):
        with inside(one):
            policy(cast.oak, due_in=99)
        html = browse(cast.head).get("/").content.decode()
        assert "There is nothing to do" in html
        assert "In date" in html

    def test_lets_somebody_with_two_schools_choose(self, one, cast, browse, policy):
        with inside(one):
            policy(cast.elm, due_in=-1)
            both = person("head@oak.example", Role.SCHOOL_LEAD, school=cast.elm)
        client = browse(both)
        first = client.get("/").content.decode()
        assert "Elm School (1)" in first
        assert "1 day ago" in first
        assert "There is nothing to do" in client.get("/?school=900001").content.decode()

    def test_hides_a_school_of_somebody_else(self, cast, browse):
        assert browse(cast.head).get("/?school=900002").status_code == 404
        assert browse(cast.head).get("/?school=900003").status_code == 404

    def test_shows_no_officers_pages(self, cast, browse):
        html = browse(cast.head).get("/").content.decode()
        assert "Chase list" not in html
        assert 'href="/schools/900001/"' in html


class TestNavigation:
    def places(self, html: str) -> list[str]:
        found = re.search(r'<ul class="govuk-service-navigation__list"[^>]*>(.*?)</ul>', html, re.DOTALL)
        return re.findall(r'href="([^"]+)"', found[1]) if found else []

    def test_goes_where_each_may(self, cast, browse):
        officers = ["/", "/schools/", "/chase/", "/returns/", "/plan-reviews/", "/incidents/", "/data/"]
        officers += ["/handover-board/", "/hospital-schools/", "/people/", "/imports/", "/authority/policy/"]
        assert self.places(browse(cast.officer).get("/").content.decode()) == officers
        assert self.places(browse(cast.admin).get("/").content.decode()) == [*officers, "/records/", "/settings/"]
        at_school = ["/", "/schools/900001/children/", "/schools/900001/", "/help/"]
        assert self.places(browse(cast.head).get("/").content.decode()) == at_school

    @pytest.mark.parametrize("path", ["/", "/schools/", "/chase/", "/schools/900001/people/"])
    def test_marks_where_one_is(self, cast, browse, path):
        html = browse(cast.officer).get(path).content.decode()
        [marked] = re.findall(r'href="([^"]+)" aria-current="(?:page|true)">\s*<strong', html)
        assert path.startswith(marked)
        assert (marked == "/") == (path == "/")


class TestNoRole:
    def test_says_who_can_help(self, one, cast, browse, on):
        with inside(one):
            Membership.objects.filter(user=cast.head).update(to_on=on)
        response = browse(cast.head).get("/")
        assert response.status_code == 200
        assert "You have no role at the moment" in response.content.decode()
        assert "Adele Admin" in response.content.decode()

    def test_a_role_that_begins_tomorrow_is_none_today(self, one, cast, browse, on):
        with inside(one):
            Membership.objects.filter(user=cast.officer).update(from_on=on + timedelta(days=1))
        assert "You have no role" in browse(cast.officer).get("/").content.decode()

    def test_sends_somebody_who_is_not_signed_in_to_sign_in(self, one, browse):
        assert browse().get("/").status_code == 302
