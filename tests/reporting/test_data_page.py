"""The data page: which tables there are, how many rows, and what each column means."""

import json
from datetime import date, timedelta

import pytest
from django.core.cache import cache
from factories import NoticeFactory, PupilFactory, recorded_policy

from handrail.overview.plan_counts import plan_counts, plan_counts_by_school
from handrail.plans.models import HealthcarePlan
from handrail.reporting.tables import TABLES, AsAt
from tenants.context import inside

pytestmark = pytest.mark.django_db


class TestTheDataPage:
    def test_shows_every_table_with_its_rows(self, cast, browse):
        page = browse(cast.officer).get("/data/").content.decode()
        for table in TABLES.values():
            assert f'href="/data/{table.name}/"' in page
            assert (f'href="/data/{table.name}.csv"' in page) == (not table.child)
        assert "Your authority’s administrator or data protection lead makes keys." in page
        assert "Make or revoke a key" in browse(cast.admin).get("/data/").content.decode()

    def test_counts_rows_once_an_hour_and_a_table_whenever_it_is_opened(self, cast, one, browse, monkeypatch):
        counted = []
        monkeypatch.setattr("handrail.reporting.reading.count", lambda table, as_at: counted.append(table.name) or 7)
        client = browse(cast.officer)
        with inside(one):
            cache.delete("rows-of-tables")
        for _ in range(2):
            assert ">7</td>" in client.get("/data/").content.decode()
        assert sorted(counted) == sorted(name for name, table in TABLES.items() if not table.child)
        client.get("/data/schools/")
        client.get("/data/schools/")
        assert counted[-2:] == ["schools", "schools"]

    @pytest.mark.parametrize("name", [name for name, table in TABLES.items() if not table.child])
    def test_says_what_each_column_means_and_downloads(self, cast, browse, name):
        client = browse(cast.officer)
        page = client.get(f"/data/{name}/").content.decode()
        file = b"".join(client.get(f"/data/{name}.csv").streaming_content).decode("utf-8-sig")
        for column in file.splitlines()[0].split(","):
            assert f"<code>{column}</code>" in page
        for program in ("Power BI and Excel", "R", "Python"):
            assert f'data-copied="for {program}"' in page

    @pytest.mark.parametrize("path", ["/data/", "/data/schools/", "/data/schools.csv", "/data/reference/"])
    def test_is_for_people_at_the_authority(self, cast, browse, path):
        assert browse(cast.head).get(path).status_code == 403

    def test_knows_no_other_table(self, cast, browse):
        for path in ("/data/children/", "/data/children.csv"):
            assert browse(cast.officer).get(path).status_code == 404


class TestCountsOfPlans:
    """They are the numbers of the pages and no others: nothing that is asked chooses what is counted."""

    def test_have_nothing_to_be_asked(self):
        counted = [table for table in TABLES.values() if table.name.startswith("plan-counts")]
        assert len(counted) == 4
        assert [table.name for table in counted if table.filters] == []

    def test_are_those_of_the_pages(self, cast, one, on):
        with inside(one):
            for school, plans in ((cast.oak, 8), (cast.elm, 3)):
                for pupil in PupilFactory.create_batch(plans, school=school):
                    HealthcarePlan.objects.create(pupil=pupil, stage="active", due_on=on + timedelta(days=200))
            as_at = AsAt(one, on)
            shown = plan_counts(on=on)
            rows = {name: TABLES[name].counted(as_at) for name in TABLES if TABLES[name].counted}
            by_school = plan_counts_by_school(on=on)
        lines = [(line.label, *line.counts) for line in (*shown.phases, shown.total)]
        assert [tuple(row.values())[1:] for row in rows["plan-counts-by-phase"]] == lines
        assert [tuple(row.values())[4:] for row in rows["plan-counts-by-school"]] == [
            tuple(line.counts) for line in by_school
        ]
        assert [row["reviews_due"] for row in rows["plan-counts-by-month"]] == [count for _, count in shown.months]
        assert None in [row["in_date"] for row in rows["plan-counts-by-school"]]
        assert "Invented Child" not in repr(rows)


class TestCountsOfMessages:
    def test_are_of_policies_alone(self, cast, one):
        with inside(one):
            NoticeFactory()
            NoticeFactory(state="suppressed", suppressed_reason="not_due")
            NoticeFactory(subject_kind="plan")
            NoticeFactory(step_on=date(2026, 10, 1), state="delivered")
            found = TABLES["notice-counts"].counted(AsAt(one, date(2026, 11, 23)))
        assert found == [
            {"month": "2026-10-01", "outcome": "delivered", "messages": 1},
            {"month": "2026-11-01", "outcome": "not_needed", "messages": 1},
            {"month": "2026-11-01", "outcome": "waiting", "messages": 1},
        ]


class TestMessages:
    def test_are_told_one_by_one_and_not_to_whom(self, cast, one, read):
        with inside(one):
            policy = recorded_policy(cast.oak, next_review_on=date(2026, 12, 1))
            about = {"school_id": cast.oak.id, "recipient": "lena.lead@oak.example"}
            NoticeFactory(subject_id=policy.id, state="suppressed", suppressed_reason="not_due", **about)
            NoticeFactory(subject_kind="yearly_return", wording="return_due", **about)
            for kind in ("plan", "absence", "handover"):
                NoticeFactory(subject_kind=kind, **about)
            NoticeFactory(subject_kind="policy")
        answer = read("/api/v1/notices")
        assert b"lena" not in answer.content
        rows = json.loads(answer.content)["data"]
        assert sorted((row["urn"], row["about"], row["policy_id"], row["state"], row["reason"]) for row in rows) == [
            ("900001", "policy", str(policy.id), "suppressed", "not_due"),
            ("900001", "yearly_return", None, "owed", ""),
        ]
        [row] = json.loads(read("/api/v1/notices", about="policy", urn="900001").content)["data"]
        assert (row["recipient_role"], row["due_on"], row["ended_at"]) == ("lead", "2026-11-23", None)
        assert read("/api/v1/notices/changes").status_code == 404
