"""Plans and their reviews one by one: under made-up numbers, and each read with a record of who was in it."""

import csv
import io
import json
from datetime import timedelta

import pytest
from django.core.signing import b64_decode
from django.utils import timezone
from factories import PupilFactory, person
from openpyxl import load_workbook

from handrail.accounts.roles import Role
from handrail.core.calendar import day_of
from handrail.core.models import ReadEntry
from handrail.plans.models import HealthcarePlan, PlanReview
from handrail.reporting.columns import fields
from handrail.reporting.models import PseudonymKey, Scope
from handrail.reporting.pseudonyms import pseudonym
from handrail.reporting.tables import TABLES
from tenants.context import inside
from workflows.commands.rotate_keys import rotate

pytestmark = pytest.mark.django_db
TODAY = day_of(timezone.now())
PATHS = ["/api/v1/plans", "/api/v1/plan-reviews"]


@pytest.fixture
def children(cast, one):
    """Three at two schools, with an active plan and a review each; two whose plans are not told."""
    with inside(one):
        found = [
            PupilFactory(school=school, name=f"Canary {number}", upn=f"B80120000500{number}")
            for number, school in enumerate((cast.oak, cast.oak, cast.elm))
        ]
        for child in found:
            plan = HealthcarePlan.objects.create(pupil=child, stage="active", due_on=TODAY + timedelta(days=90))
            PlanReview.objects.create(
                plan=plan, reviewed_on=TODAY, outcome="no_change", recorded_at=timezone.now(), recorded_by_name="Hana"
            )
        HealthcarePlan.objects.create(pupil=PupilFactory(school=cast.oak), stage="draft", due_on=TODAY)
        left = PupilFactory(school=cast.oak, left_on=TODAY)
        HealthcarePlan.objects.create(pupil=left, stage="active", due_on=TODAY)
    return found


def rows(answer):
    assert answer.status_code == 200, answer.content
    return json.loads(answer.content)["data"]


def noted(one):
    """The children of each read that was recorded, the oldest first."""
    with inside(one):
        return [
            (each.by_name, each.role, each.verb, each.group, set(each.child_ids))
            for each in ReadEntry.objects.order_by("written_at")
        ]


class TestARow:
    def test_has_a_made_up_number_a_school_and_dates(self, children, read):
        assert list(fields(TABLES["plans"].row)) == ["pseudonym", "urn", "notified_on", "last_reviewed_on", "due_on"]
        assert list(fields(TABLES["plan-reviews"].row)) == [
            *("pseudonym", "plan_pseudonym", "urn", "reviewed_on", "next_due_on")
        ]
        plans, reviews = (rows(read(path)) for path in PATHS)
        assert sorted(row["urn"] for row in plans) == ["900001", "900001", "900002"]
        assert {row["plan_pseudonym"] for row in reviews} == {row["pseudonym"] for row in plans}
        assert {row["reviewed_on"] for row in reviews} == {str(TODAY)}

    def test_says_nothing_that_leads_to_a_child(self, children, one, read):
        with inside(one):
            ids = [
                str(value)
                for model in (HealthcarePlan, PlanReview)
                for row in model.objects.values_list("id", flat=True)
                for value in (row, row.hex)
            ]
            told = [child.upn for child in children] + [child.name for child in children]
            told += [str(child.id) for child in children] + [str(child.born_on) for child in children]
        for path in PATHS:
            body = read(path, limit=1).content + b"".join(read(f"{path}.csv", all="true").streaming_content)
            assert [each for each in ids + told if each.encode() in body] == []

    def test_is_found_by_an_id_that_its_page_and_cursor_do_not_tell(self, children, one, read):
        """So that a page far down the list is found by an index, like the first."""
        with inside(one):
            ids = sorted(HealthcarePlan.objects.filter(stage="active", pupil__in=children).values_list("id", flat=True))
            [first] = HealthcarePlan.objects.filter(id=ids[0]).values_list(pseudonym("id"))
        pages = [json.loads(read(PATHS[0], limit=1).content) for _ in "ab"]
        assert pages[0]["data"] == pages[1]["data"] == [{**pages[0]["data"][0], "pseudonym": str(*first)}]
        cursors = [page["page"]["next_cursor"] for page in pages]
        assert cursors[0] != cursors[1]
        for cursor in cursors:
            [place] = json.loads(b64_decode(cursor.partition(":")[0].encode()))
            assert all(each.bytes not in b64_decode(place.encode()) and str(each) not in place for each in ids)
            assert json.loads(read(PATHS[0], limit=2, cursor=cursor).content)["page"]["has_more"] is False

    def test_is_not_found_by_a_cursor_of_another_secret(self, children, one, read):
        cursor = json.loads(read(PATHS[0], limit=1).content)["page"]["next_cursor"]
        with inside(one):
            secret = PseudonymKey.objects.get()
            secret.secret = "00" * 32
            secret.save()
        assert read(PATHS[0], limit=1, cursor=cursor).status_code == 400

    def test_is_the_same_to_every_key_and_of_this_authority_alone(self, children, one, two, read, key_of):
        first, second = (rows(read(PATHS[0], key=key_of(Scope.PUPIL)[1])) for _ in "ab")
        assert first == second
        with inside(one):
            plan = HealthcarePlan.objects.annotate(here=pseudonym("id")).filter(stage="active", pupil=children[0]).get()
        with inside(two):
            there = pseudonym("id")
        with inside(one):
            elsewhere = HealthcarePlan.objects.annotate(there=there).get(id=plan.id).there
        assert len({plan.id, plan.here, elsewhere}) == 3
        assert str(plan.here) in [row["pseudonym"] for row in first]

    def test_is_the_same_whatever_keys_become_of_the_installation(self, children, one, read, settings):
        before = rows(read(PATHS[0]))
        with inside(one):
            was = PseudonymKey.objects.values_list("secret", flat=True).get()
        rotate(one)
        settings.SECRET_KEY = "another"
        with inside(one):
            assert bytes(PseudonymKey.objects.values_list("secret", flat=True).get()) != bytes(was)
        assert rows(read(PATHS[0])) == before

    def test_cannot_be_made_without_the_key_to_health_records(self, children, read, settings):
        settings.VAULT_KEYS = []
        answer = read(PATHS[0])
        assert (answer.status_code, answer["Content-Type"]) == (503, "application/problem+json")
        assert answer["Retry-After"]

    def test_is_found_by_filters(self, children, read):
        assert len(rows(read(PATHS[0], urn="900001"))) == 2
        assert rows(read(PATHS[0], due_before=str(TODAY))) == []
        assert rows(read(PATHS[1], reviewed_before=str(TODAY))) == []


class TestARead:
    def test_is_recorded_with_the_children_in_it_and_no_others(self, children, one, read, key_of):
        key = key_of(Scope.PUPIL)[1]
        with inside(one):
            whose = {str(plan.made): plan.pupil_id for plan in HealthcarePlan.objects.annotate(made=pseudonym("id"))}
        first = json.loads(read(PATHS[0], key=key, limit=2).content)
        second = rows(read(PATHS[0], key=key, limit=2, cursor=first["page"]["next_cursor"]))
        assert [len(first["data"]), len(second)] == [2, 1]
        assert noted(one) == [
            ("Power BI, with a key of Adele Admin", "key", "api", "plan", {whose[row["pseudonym"]] for row in page})
            for page in (first["data"], second)
        ]

    @pytest.mark.parametrize("path", PATHS)
    def test_of_the_whole_is_recorded_once(self, children, one, read, path):
        everybody = {child.id for child in children}
        lines = list(csv.reader(io.StringIO(b"".join(read(f"{path}.csv", all="true").streaming_content).decode())))
        assert {len(line) for line in lines} == {len(fields(TABLES[path.rpartition("/")[2]].row))}
        sheet = load_workbook(io.BytesIO(b"".join(read(f"{path}.xlsx").streaming_content)))["data"]
        assert (len(lines), sheet.max_row) == (4, 4)
        assert [line[-1] for line in noted(one)] == [everybody, everybody]

    def test_that_is_refused_is_none(self, children, one, read, key_of):
        others = [scope for scope in Scope if scope != Scope.PUPIL]
        for path in PATHS:
            assert read(path, key=key_of(*others)[1]).status_code == 403
            assert read(path, limit=0).status_code == 400
            assert read(f"{path}/changes").status_code == 404
        assert noted(one) == []


class TestThePages:
    def test_of_data_say_that_it_takes_a_key_and_count_nobody(self, children, one, cast, browse):
        client = browse(cast.officer)
        page = client.get("/data/").content.decode()
        for name in ("plans", "plan-reviews"):
            assert f'href="/data/{name}/"' in page
            assert f'href="/data/{name}.csv"' not in page
            assert "Only a program with a key reads this table" in client.get(f"/data/{name}/").content.decode()
            for form in ("csv", "xlsx"):
                assert client.get(f"/data/{name}.{form}").status_code == 404
        assert noted(one) == []

    @pytest.mark.parametrize("scope", ["pupil", "write_plans", "write_returns"])
    def test_of_keys_let_the_data_protection_lead_alone_give_it(self, cast, one, browse, scope):
        day = timezone.now() + timedelta(days=60)
        boxes = {"expires_on_day": day.day, "expires_on_month": day.month, "expires_on_year": day.year}
        typed = {"name": "Nightly", "scopes": [scope], **boxes}
        assert "<title>Error: " in browse(cast.admin).post("/settings/keys/make/", typed).content.decode()
        with inside(one):
            lead = person("dan@barsetshire.example", Role.DATA_PROTECTION_LEAD)
        assert "Copy the key" in browse(lead).post("/settings/keys/make/", typed).content.decode()
