"""What programs read: with which key, in which shape, page by page, as CSV; and every refusal in problem details."""

import base64
import csv
import io
import json
from datetime import date, timedelta

import pytest
from django.test import Client
from django.utils import timezone
from factories import NoticeFactory, PolicyFactory, SchoolFactory, recorded_policy

from handrail.accounts.middleware import day_of
from handrail.core.models import AuthoritySettings
from handrail.overview.month_ends import take_month_ends
from handrail.policies.models import MonthEnd, PolicyReview
from handrail.reporting.actions import revoke_key
from handrail.reporting.api import CALLS_A_MINUTE
from handrail.reporting.columns import fields
from handrail.reporting.models import ApiKey, Scope
from handrail.reporting.tables import TABLES
from handrail.schools.models import School
from tenants.context import inside

pytestmark = pytest.mark.django_db

ADDRESSES = [
    *(f"/api/v1/{name}" for name in TABLES),
    *(f"/api/v1/{name}.{form}" for name in TABLES for form in ("csv", "xlsx")),
    *(f"/api/v1/{name}/changes" for name, table in TABLES.items() if name in table.rests_on),
]


def refused(answer, status):
    """What a refusal says, which it must in problem details."""
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    said = json.loads(answer.content)
    assert said["status"] == status
    assert said["instance"] == f"urn:uuid:{answer['X-Request-ID']}"
    assert said["title"]
    assert said["detail"].endswith(".")
    return said


def lines(answer):
    body = b"".join(answer.streaming_content)
    assert body.startswith(b"\xef\xbb\xbf")
    assert body.endswith(b"\r\n")
    return list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline="")))


@pytest.fixture
def filled(cast, one):
    """Policies in every state, a review, and a school whose name a spreadsheet would run."""
    today = day_of(timezone.now())
    with inside(one):
        oak, late = (
            School.objects.get(urn="900001"),
            SchoolFactory(urn="900009", name='=HYPERLINK("http://x")\r\n"a", b'),
        )
        policy = recorded_policy(oak, next_review_on=today + timedelta(days=200))
        recorded_policy(oak, next_review_on=today + timedelta(days=3), kind="allergy_safety")
        recorded_policy(late, next_review_on=today - timedelta(days=3))
        PolicyFactory(school=late, kind="allergy_safety")
        PolicyFactory(school=None, kind="section_19")
        PolicyReview.objects.create(
            policy=policy,
            reviewed_on=today,
            outcome="no_change",
            changed="Words about somebody",
            recorded_at=timezone.now(),
            recorded_by_name="Hana Head",
        )
        NoticeFactory(school_id=oak.id)
        take_month_ends(on=today, at=timezone.now())
        figures = {
            "notices": [["sent", 3]],
            "handovers": [["taught", "all", 9], ["taught", "over_15", None]],
            "sickness_returns": [["Primary", None], ["All schools", 8]],
            "first_lesson_days": None,
        }
        MonthEnd.objects.create(ended_on=date(2020, 1, 31), taken_at=timezone.now(), figures=figures)


class TestAKey:
    @pytest.mark.parametrize("path", ADDRESSES)
    def test_opens_every_address_that_it_has_the_right_to(self, filled, key_of, read, path):
        name = path.removeprefix("/api/v1/").partition(".")[0].removesuffix("/changes")
        right = TABLES[name].scope
        other = next(each for each in Scope if each != right)
        assert read(path, key=key_of(right)[1]).status_code == 200
        assert right.label in refused(read(path, key=key_of(other)[1]), 403)["detail"]
        answer = read(path, key="")
        refused(answer, 401)
        assert "Bearer" in answer["WWW-Authenticate"]
        assert "Basic" in answer["WWW-Authenticate"]

    def test_may_be_the_user_name_of_basic(self, cast, one, key_of):
        _, secret = key_of()
        for text in (f"{secret}:", f"{secret}:ignored"):
            header = {"Authorization": f"Basic {base64.b64encode(text.encode()).decode()}"}
            assert Client(HTTP_HOST=one.host).get("/api/v1/schools", headers=header).status_code == 200

    @pytest.mark.parametrize("header", ["", "Basic ???", "Basic //79", "Digest x", "Bearer", "Bearer \x00", "Basic"])
    def test_that_cannot_be_read_is_refused(self, cast, one, header):
        client = Client(HTTP_HOST=one.host)
        refused(client.get("/api/v1/schools", headers={"Authorization": header}), 401)

    def test_of_another_authority_is_not_known(self, cast, one, two, key_of, read):
        _, secret = key_of(authority=two, by=cast.stranger)
        assert read("/api/v1/schools", key=secret, authority=two).status_code == 200
        assert "not known" in refused(read("/api/v1/schools", key=secret), 401)["detail"]

    def test_of_another_authority_opens_nothing_though_its_row_were_copied(self, cast, one, two, key_of, read):
        key, secret = key_of(authority=two, by=cast.stranger)
        with inside(one):
            ApiKey.objects.create(
                name="Copy", scopes=key.scopes, digest=key.digest, expires_on=key.expires_on, made_at=key.made_at
            )
        refused(read("/api/v1/schools", key=secret), 401)

    def test_that_was_revoked_or_has_expired_says_so(self, cast, one, key_of, read):
        key, secret = key_of()
        assert read("/api/v1/schools", key=secret).status_code == 200
        with inside(one):
            assert ApiKey.objects.get().last_used_at
            revoke_key(key=key, by=cast.admin, at=timezone.now())
        assert "revoked" in refused(read("/api/v1/schools", key=secret), 401)["detail"]
        assert "expired" in refused(read("/api/v1/schools", key=key_of(days=-1)[1]), 401)["detail"]

    def test_may_call_so_often_a_minute(self, cast, key_of, read, monkeypatch):
        monkeypatch.setattr("handrail.reporting.api.CALLS_A_MINUTE", 2)
        _, secret = key_of()
        answers = [read("/api/v1/schools", key=secret, limit="0") for _ in range(3)]
        assert [answer.status_code for answer in answers] in ([400, 400, 429], [400, 400, 400])  # a minute may turn
        if answers[-1].status_code == 429:
            refused(answers[-1], 429)
            assert 1 <= int(answers[-1]["Retry-After"]) <= 60
        assert read("/api/v1/schools", key=key_of()[1]).status_code == 200
        assert CALLS_A_MINUTE == 300


class TestAList:
    def test_has_rows_a_page_and_a_moment(self, filled, read):
        answer = read("/api/v1/policies", status="overdue")
        told = json.loads(answer.content)
        [row] = told["data"]
        assert (row["urn"], row["status"], row["status_label"]) == ("900009", "overdue", "Overdue")
        assert list(row) == list(fields(TABLES["policies"].row))
        assert told["page"] == {"limit": 200, "next_cursor": None, "has_more": False}
        assert told["meta"]["as_at"].endswith("Z")
        assert answer["Cache-Control"].startswith("private")

    @pytest.mark.parametrize("name", TABLES)
    def test_is_the_same_in_pages_at_once_and_as_csv(self, filled, read, name):
        whole = json.loads(read(f"/api/v1/{name}").content)["data"]
        found, cursor = [], {}
        for _ in range(len(whole) + 1):
            told = json.loads(read(f"/api/v1/{name}", limit=1, **cursor).content)
            found += told["data"]
            if not told["page"]["has_more"]:
                break
            cursor = {"cursor": told["page"]["next_cursor"]}
        assert found == whole
        as_page, as_whole = lines(read(f"/api/v1/{name}.csv")), lines(read(f"/api/v1/{name}.csv", all="true"))
        assert as_page == as_whole
        assert as_page == lines(read(f"/api/v1/{name}", head_Accept="text/csv"))
        assert as_page[0] == list(fields(TABLES[name].row))
        assert len(as_page) == len(whole) + 1

    @pytest.mark.parametrize(
        ("asked", "urns"),
        [
            ({"status": "overdue,due_soon"}, ["900001", "900009"]),
            ({"phase": "secondary"}, []),
            ({"phase": "primary", "kind": "medical_conditions"}, ["900001", "900009"]),
            ({"urn": "900009", "kind": "allergy_safety"}, ["900009"]),
            ({"kind": "section_19"}, [None]),
            ({"due_before": "1990-01-01"}, []),
            ({"school_open": "true"}, ["900001", "900001", "900009", "900009"]),
            ({"school_open": "false"}, []),
        ],
    )
    def test_chooses_rows(self, filled, read, asked, urns):
        rows = json.loads(read("/api/v1/policies", **asked).content)["data"]
        assert sorted((row["urn"] for row in rows), key=str) == urns

    def test_goes_by_what_the_authority_calls_due_soon(self, filled, one, read):
        def due_soon():
            answer = read("/api/v1/policies", status="due_soon")
            return [row["urn"] for row in json.loads(answer.content)["data"]], answer["ETag"]

        before, tag = due_soon()
        with inside(one):
            AuthoritySettings(due_soon_days=2).save()
        after, other = due_soon()
        assert (before, after) == (["900001"], [])
        assert tag != other

    def test_tells_a_spreadsheet_nothing_to_run(self, filled, read):
        for asked in ({}, {"all": "true"}):
            cells = [cell for line in lines(read("/api/v1/schools.csv", **asked)) for cell in line]
            assert any(cell.startswith("'=HYPERLINK") for cell in cells)
            assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]

    def test_names_nobody(self, filled, read):
        """A workbook is packed, and holds what the list does: see test_excel.py."""
        for path in (each for each in ADDRESSES if not each.endswith(".xlsx")):
            answer = read(path)
            body = b"".join(answer.streaming_content) if answer.streaming else answer.content
            for word in (b"Hana", b"Lee Lead", b"Harriet", b"@", b"about somebody"):
                assert word not in body, path

    def test_is_given_in_pages_of_csv_with_a_link_to_the_next(self, filled, read):
        answer = read("/api/v1/schools.csv", limit=1)
        assert len(lines(answer)) == 2
        path = answer["Link"].split(">")[0][1:]
        assert lines(read(path))[1][1] == "900002"

    def test_is_asked_by_head_too(self, filled, read):
        assert read("/api/v1/schools", method="head").status_code == 200


class TestACursor:
    @pytest.fixture
    def cursor(self, filled, read):
        return json.loads(read("/api/v1/policies", limit=1, kind="medical_conditions").content)["page"]["next_cursor"]

    @pytest.mark.parametrize("path", ["policies", "policies.csv", "policies/changes", "plans"])
    def test_that_is_empty_is_refused(self, cast, read, path):
        [wrong] = refused(read(f"/api/v1/{path}", cursor=""), 400)["errors"]
        assert (wrong["code"], wrong["pointer"]) == ("invalid_cursor", "/cursor")
        assert read(f"/api/v1/{path}").status_code == 200

    def test_goes_on_where_it_was_given(self, cursor, read):
        assert read("/api/v1/policies", cursor=cursor, kind="medical_conditions").status_code == 200

    def test_is_none_elsewhere(self, cast, two, cursor, read, key_of):
        edited = cursor[:-1] + ("A" if cursor[-1] != "A" else "B")
        for path, asked in (
            ("/api/v1/policies", {"cursor": edited, "kind": "medical_conditions"}),
            ("/api/v1/policies", {"cursor": "\x00", "kind": "medical_conditions"}),
            ("/api/v1/policies", {"cursor": cursor}),
            ("/api/v1/policies", {"cursor": cursor, "kind": "allergy_safety"}),
            ("/api/v1/schools", {"cursor": cursor}),
            ("/api/v1/policies/changes", {"cursor": cursor}),
            ("/api/v1/policies", {"cursor": cursor, "kind": "medical_conditions", "key": key_of(Scope.SCHOOL)[1]}),
            (
                "/api/v1/policies",
                {
                    "cursor": cursor,
                    "kind": "medical_conditions",
                    "key": key_of(authority=two, by=cast.stranger)[1],
                    "authority": two,
                },
            ),
        ):
            [wrong] = refused(read(path, **asked), 400)["errors"]
            assert (wrong["code"], wrong["pointer"]) == ("invalid_cursor", "/cursor")


class TestWhatIsNotUnderstood:
    @pytest.mark.parametrize(
        ("asked", "pointer"),
        [
            *(({"limit": limit}, "/limit") for limit in ("0", "-1", str(10**9), "abc", "", "1.5", "٣", "\x00")),
            ({"status": "late"}, "/status"),
            ({"status": ""}, "/status"),
            ({"status": "overdue,"}, "/status"),
            ({"status": "overdue\x00"}, "/status"),
            ({"urn": "1" * 8192}, "/urn"),
            ({"urn": ",".join(["900001"] * 1200)}, "/urn"),
            ({"urn": "' OR 1=1 --"}, "/urn"),
            ({"due_before": "23/11/2026"}, "/due_before"),
            ({"due_before": "2026-02-30"}, "/due_before"),
            ({"due_before": "0000-00-00"}, "/due_before"),
            ({"school_open": "1"}, "/school_open"),
            ({"colour": "blue"}, "/colour"),
            ({"all": "true"}, "/all"),
            ({"format": "csv"}, "/format"),
            ({"status": ["overdue", "in_date"]}, "/status"),
            ({"x" * 8192: "1"}, f"/{'x' * 40}"),
        ],
    )
    def test_is_named(self, cast, read, asked, pointer):
        [wrong] = refused(read("/api/v1/policies", **asked), 400)["errors"]
        assert wrong["pointer"] == pointer

    def test_is_named_all_at_once(self, cast, read):
        errors = refused(read("/api/v1/policies", status="late", limit="0", colour="blue"), 400)["errors"]
        assert {each["pointer"] for each in errors} == {"/status", "/limit", "/colour"}

    def test_is_refused_where_everything_is_asked_for_in_pages(self, cast, read):
        refused(read("/api/v1/policies.csv", all="true", limit="5"), 400)
        refused(read("/api/v1/policies.csv", all="yes"), 400)

    @pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options"])
    def test_another_method_is_refused(self, cast, read, method):
        answer = read("/api/v1/policies", method=method)
        refused(answer, 405)
        assert answer["Allow"] == "GET, HEAD"

    def test_another_form_is_refused(self, cast, read):
        for path, accepted, gives in (
            ("/api/v1/policies", "application/xml", "text/csv"),
            ("/api/v1/policies/changes", "text/csv", "application/json."),
        ):
            assert gives in refused(read(path, head_Accept=accepted), 406)["detail"]
        assert read("/api/v1/policies", head_Content_Type="application/x-thing").status_code == 200

    @pytest.mark.parametrize("path", ["/api/", "/api/v1/", "/api/v1/children", "/api/v1/policies/", "/api/v2/%00"])
    def test_another_address_is_not_found(self, cast, read, path):
        refused(read(path), 404)

    def test_a_fault_of_ours_is_told_without_what_it_was(self, filled, read, key_of, monkeypatch, caplog):
        def broken(*_, **__):
            raise RuntimeError("canary")

        monkeypatch.setattr("handrail.reporting.reading.page", broken)
        _, secret = key_of()
        assert "canary" not in repr(refused(read("/api/v1/policies", key=secret), 500))
        assert caplog.records
        assert secret not in caplog.text + repr([vars(each).get("args") for each in caplog.records])


class TestAnETag:
    def test_is_another_one_for_anything_else(self, filled, read, key_of):
        asked = (
            {},
            {"status": "overdue"},
            {"limit": "7"},
            {"head_Accept": "text/csv"},
            {"key": key_of(Scope.SCHOOL)[1]},
        )
        tags = {read("/api/v1/policies", **each)["ETag"] for each in asked}
        assert len(tags) == len(asked)
