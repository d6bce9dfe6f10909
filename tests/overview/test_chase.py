"""The chase list and its file."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from factories import SchoolFactory

from handrail.notices.models import Notice
from handrail.policies.models import Kind, Policy
from tenants.context import inside

pytestmark = pytest.mark.django_db


def names(html: str) -> list[str]:
    return re.findall(r'href="/schools/\d{6}/">([^<]+)</a>', html)


@pytest.fixture
def some(one, cast, policy):
    with inside(one):
        policy(cast.oak, due_in=-40)
        policy(cast.oak, Kind.ALLERGY_SAFETY)
        policy(cast.elm, due_in=-2)
        policy(cast.elm, Kind.ALLERGY_SAFETY, due_in=5)
        policy(SchoolFactory(name="Pine School", phase_name="Secondary"), Kind.CANNOT_ATTEND, due_in=-41)


class TestChaseList:
    @pytest.mark.parametrize(
        ("asked", "found"),
        [
            ("", ["Pine School", "Oak School", "Elm School", "Oak School"]),
            ("urgency=overdue", ["Pine School", "Oak School", "Elm School"]),
            ("urgency=overdue-1-7", ["Elm School"]),
            ("urgency=not-recorded", ["Oak School"]),
            ("urgency=due-soon", ["Elm School"]),
            ("kind=allergy_safety", ["Oak School"]),
            ("phase=Secondary", ["Pine School"]),
            ("phase=Primary&kind=medical_conditions", ["Oak School", "Elm School"]),
            ("week=2026-11-23", ["Elm School"]),
            ("week=2026-11-16", ["Elm School"]),
            ("week=2026-11-23&urgency=overdue", []),
        ],
    )
    def test_lists_the_most_urgent_first_and_filters(self, cast, browse, some, rows, asked, found):
        officer = browse(cast.officer)
        assert names(officer.get(f"/chase/?{asked}").content.decode()) == found
        assert [row["School"] for row in rows(officer.get(f"/chase.csv?{asked}"))] == found

    @pytest.mark.parametrize(
        ("asked", "said"),
        [
            ("urgency=soon", "Status: “soon” is not one of the choices"),
            ("kind=section_19", "is not one of the choices"),
            ("phase=Banana", "Phase: “Banana” is not one of the choices"),
            ("week=2026-11-24", "must begin on a Monday"),
            ("week=x", "is not a date"),
        ],
    )
    def test_says_so_when_it_does_not_know_a_filter(self, cast, browse, some, asked, said):
        officer = browse(cast.officer)
        html = officer.get(f"/chase/?{asked}").content.decode()
        assert said in html
        assert names(html) == []
        assert officer.get(f"/chase.csv?{asked}").status_code == 302

    def test_says_when_somebody_was_last_reminded(self, one, cast, browse, policy, rows, at):
        with inside(one):
            late = policy(cast.oak, due_in=-40)
            for number, (state, days) in enumerate((("accepted", 9), ("delivered", 3), ("dead", 1))):
                Notice.objects.create(
                    subject_kind="policy",
                    subject_id=late.id,
                    cycle="x",
                    step=f"overdue-{number}",
                    step_on=at.date(),
                    recipient="lead@oak.example",
                    recipient_role="lead",
                    wording="policy_overdue",
                    owed_at=at - timedelta(days=days),
                    not_before=at,
                    ended_at=at - timedelta(days=days),
                    state=state,
                )
        officer = browse(cast.officer)
        assert "20 Nov 2026" in officer.get("/chase/").content.decode()
        assert rows(officer.get("/chase.csv"))[0]["Last reminded"].startswith("2026-11-20")

    def test_its_file_says_how_late_and_whom_to_ask(self, one, cast, browse, policy, rows):
        with inside(one):
            policy(cast.oak, due_in=-40, lead_name="Ann Lead", lead_email="ann@oak.example")
            policy(cast.elm)
        oak, elm = rows(browse(cast.officer).get("/chase.csv"))
        assert oak["Days overdue"] == "40"
        assert (oak["Named lead"], oak["Lead's e-mail"]) == ("Ann Lead", "ann@oak.example")
        assert (elm["Days overdue"], elm["Named lead"], elm["Status"]) == ("", "Lee Lead", "Not recorded")

    def test_asks_the_database_as_often_for_many_as_for_few(self, one, cast, browse, many):
        officer = browse(cast.officer)
        officer.get("/chase/")  # the first request of a session notes that it is used
        asked = []
        for count in (4, 60):
            with inside(one):
                many(count)
            with CaptureQueriesContext(connection) as captured:
                assert officer.get("/chase/").status_code == 200
            asked.append(len(captured))
        assert asked[0] == asked[1] <= 8

    def test_leaves_out_the_authoritys_own_policy(self, one, cast, browse):
        with inside(one):
            Policy.objects.create(kind=Kind.SECTION_19)
        assert "Nothing to chase" in browse(cast.officer).get("/chase/").content.decode()

    def test_refuses_schools(self, cast, browse, two, some):
        for path in ("/chase/", "/chase.csv"):
            assert browse(cast.head).get(path).status_code == 403
            assert browse().get(path).status_code == 302
        assert names(browse(cast.stranger, authority=two).get("/chase/").content.decode()) == []
