"""The schools list, its file, and a school's record."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from factories import SchoolFactory

from handrail.core import audit
from handrail.notices.models import Notice
from handrail.policies.models import Kind, PolicyReview
from handrail.schools.models import School
from tenants.context import inside

pytestmark = pytest.mark.django_db


def names(html: str) -> list[str]:
    return re.findall(r'href="/schools/\d{6}/">([^<]+)</a>', html)


class TestSchoolsList:
    def test_shows_each_schools_statuses_and_next_review(self, one, cast, browse, policy):
        with inside(one):
            policy(cast.oak, due_in=-3)
            policy(cast.oak, Kind.ALLERGY_SAFETY, due_in=20)
            policy(cast.oak, Kind.CANNOT_ATTEND)
        html = browse(cast.officer).get("/schools/?q=900001").content.decode()
        assert re.findall(r"app-status\">([^<]+)<", html) == ["Overdue", "Due soon", "Not recorded"]
        assert "20 Nov 2026" in html

    @pytest.mark.parametrize(
        ("asked", "found"),
        [
            ("", ["Elm School", "Oak School", "Pine School"]),
            ("q=oak", ["Oak School"]),
            ("q=90000", ["Elm School", "Oak School"]),
            ("q=weatherbury", ["Pine School"]),
            ("phase=Secondary", ["Pine School"]),
            ("body=academy", ["Pine School"]),
            ("trust=Wessex+Trust", ["Pine School"]),
            ("medical_conditions=overdue", ["Oak School"]),
            ("medical_conditions=in_date", ["Elm School"]),
            ("allergy_safety=not_recorded", ["Oak School"]),
            ("medical_conditions=overdue&phase=Secondary", []),
            ("only=nobody-to-remind", ["Pine School"]),
            ("sort=next-review", ["Oak School", "Elm School", "Pine School"]),
        ],
    )
    def test_finds_filters_and_sorts(self, one, cast, browse, policy, rows, asked, found):
        with inside(one):
            policy(cast.oak, due_in=-3)
            policy(cast.oak, Kind.ALLERGY_SAFETY)
            policy(cast.elm, due_in=100)
            pine = SchoolFactory(
                name="Pine School",
                town="Weatherbury",
                phase_name="Secondary",
                body="academy",
                trust_name="Wessex Trust",
                lead_email="",
                head_email="",
                office_email="",
            )
            policy(pine)
        officer = browse(cast.officer)
        assert names(officer.get(f"/schools/?{asked}").content.decode()) == found
        assert [row["School"] for row in rows(officer.get(f"/schools.csv?{asked}"))] == found

    @pytest.mark.parametrize("asked", ["phase=Banana", "medical_conditions=late", "only=me", "sort=up", "trust=x"])
    def test_says_so_when_it_does_not_know_a_filter(self, cast, browse, asked):
        officer = browse(cast.officer)
        html = officer.get(f"/schools/?{asked}").content.decode()
        assert "There is a problem" in html
        assert "is not one of the choices" in html
        assert names(html) == []
        assert officer.get(f"/schools.csv?{asked}").status_code == 302

    def test_each_filter_in_use_can_be_taken_away(self, cast, browse):
        html = browse(cast.officer).get("/schools/?q=oak&phase=Primary&page=1").content.decode()
        assert 'href="?q=oak"' in html
        assert 'href="?phase=Primary"' in html

    def test_pages_by_fifty_with_as_many_questions_for_each(self, one, cast, browse, many):
        with inside(one):
            many(60)
            count = School.objects.open().count()
        officer = browse(cast.officer)
        officer.get("/schools/")  # the first request of a session notes that it is used
        asked = []
        for page, length in ((1, 50), (2, count - 50)):
            with CaptureQueriesContext(connection) as captured:
                assert len(names(officer.get(f"/schools/?page={page}").content.decode())) == length
            asked.append(len(captured))
        assert asked[0] == asked[1] <= 9

    def test_leaves_out_closed_schools(self, one, cast, browse, on):
        with inside(one):
            SchoolFactory(name="Gone School", closed_on=on)
        assert "Gone School" not in browse(cast.officer).get("/schools/").content.decode()

    def test_its_file_cannot_harm_who_opens_it(self, one, cast, browse, rows):
        with inside(one):
            School.objects.filter(urn="900001").update(name='=LINK("http://x.example","Oak")', trust_name="@SUM(1)")
        response = browse(cast.officer).get("/schools.csv?q=900001")
        assert response["Content-Disposition"] == 'attachment; filename="schools-2026-11-23.csv"'
        [oak] = rows(response)
        assert oak["School"].startswith("'=LINK")
        assert oak["Trust"] == "'@SUM(1)"

    def test_refuses_schools_and_shows_strangers_their_own(self, cast, browse, two):
        assert browse(cast.head).get("/schools/").status_code == 403
        assert browse(cast.head).get("/schools.csv").status_code == 403
        html = browse(cast.stranger, authority=two).get("/schools/").content.decode()
        assert names(html) == ["Far Hospital School"]


RECORD, PEOPLE, ACTIVITY = "/schools/900001/", "/schools/900001/people/", "/schools/900001/activity/"


class TestSchoolRecord:
    @pytest.mark.parametrize("path", [RECORD, PEOPLE, ACTIVITY])
    def test_opens_for_its_people_and_officers(self, cast, browse, path):
        for somebody in (cast.head, cast.officer, cast.admin):
            html = browse(somebody).get(path).content.decode()
            assert "Oak School" in html
            assert "URN 900001" in html

    @pytest.mark.parametrize("path", [RECORD, PEOPLE, ACTIVITY])
    def test_is_not_there_for_anybody_else(self, cast, browse, two, path):
        assert browse(cast.neighbour).get(path).status_code == 404
        assert browse(cast.stranger, authority=two).get(path).status_code == 404
        assert browse().get(path).status_code == 302

    def test_shows_the_policies(self, one, cast, browse, policy):
        with inside(one):
            policy(cast.oak, Kind.CANNOT_ATTEND, due_in=-3)
            policy(cast.oak, Kind.MEDICAL_CONDITIONS, due_in=300)
        html = browse(cast.head).get(RECORD).content.decode()
        assert html.index("Medical conditions policy") < html.index("who cannot attend school policy")
        assert re.findall(r"app-status\">([^<]+)<", html) == ["In date", "Overdue"]

    def test_says_who_can_see_it(self, one, cast, browse, at):
        with inside(one):
            cast.colleague.last_login = at
            cast.colleague.save()
        html = browse(cast.head).get(PEOPLE).content.decode()
        for name in ("Hana Head", "Cal Colleague", "Olu Officer", "Adele Admin", "School lead", "Policy officer"):
            assert name in html
        assert "Nia Neighbour" not in html
        assert "23 Nov 2026" in html
        assert "Lee Lead, head@oak.example" in html

    def test_leaves_out_people_who_left(self, one, cast, browse, on):
        with inside(one):
            cast.colleague.memberships.update(to_on=on)
        assert "Cal Colleague" not in browse(cast.head).get(PEOPLE).content.decode()


class TestActivity:
    def test_tells_changes_reviews_and_messages_newest_first(self, one, cast, browse, policy, at, on):
        def note(verb, hours, by=cast.head, **more):
            audit.record(verb, by=by, at=at - timedelta(hours=hours), **more)

        with inside(one):
            medical = policy(cast.oak, due_in=200)
            subject = {"subject_kind": "policy", "subject_id": medical.id, "school_id": cast.oak.id}
            note("changed a school's contacts", 2, subject_kind="school", school_id=cast.oak.id)
            note("recorded a review", 1, **subject)
            note("decided a policy is not needed", 3, **subject)
            note("changed a school's contacts", 0, by=cast.neighbour, subject_kind="school", school_id=cast.elm.id)
            note("looked at a child", 0, subject_kind="pupil", school_id=cast.oak.id)
            PolicyReview.objects.create(
                policy=medical,
                reviewed_on=on,
                outcome="no_change",
                recorded_at=at - timedelta(hours=1),
                recorded_by_name="Hana Head",
            )
            Notice.objects.create(
                **subject,
                cycle="x",
                step="before-30",
                step_on=at.date(),
                recipient="lead@oak.example",
                recipient_role="lead",
                wording="policy_due",
                owed_at=at - timedelta(days=1),
                not_before=at - timedelta(days=1),
                ended_at=at - timedelta(minutes=5),
                state=Notice.State.ACCEPTED,
            )
        html = browse(cast.head).get(ACTIVITY).content.decode()
        told = [
            "reminder to the named lead",
            "lead@oak.example: sent",
            "Medical conditions policy: reviewed, no change",
            "Changed the contacts",
            "Decided that a policy is not needed",
            "Gave a person a role",
        ]
        places = [html.index(text) for text in told]
        assert places == sorted(places)
        assert "Recorded a review" not in html
        assert "ooked at a child" not in html
        assert html.count("Changed the contacts") == 1

    def test_names_whom_and_what_it_was_about(self, one, cast, browse):
        html = browse(cast.head).get(ACTIVITY).content.decode()
        assert re.search(r"Gave a person a role</p><p[^>]*>Cal Colleague", html)

    def test_asks_as_often_for_many_entries_as_for_few(self, one, cast, browse, at):
        head = browse(cast.head)
        asked = []
        for count in (1, 80):
            with inside(one):
                for _ in range(count):
                    audit.record(
                        "uploaded a document", by=cast.head, at=at, subject_kind="school", school_id=cast.oak.id
                    )
            with CaptureQueriesContext(connection) as captured:
                html = head.get(ACTIVITY).content.decode()
            asked.append(len(captured))
        assert asked[1] <= asked[0] <= 11
        assert "Showing 1 to 50 of" in html
