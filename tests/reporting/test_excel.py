"""Every table as a workbook: the same rows, as Excel has them, with notes and a dictionary; and nothing that runs."""

import io
import json
from datetime import date, datetime, timedelta

import pytest
from django.utils import timezone
from factories import SchoolFactory, recorded_policy
from openpyxl import load_workbook

from handrail.core.calendar import day_of
from handrail.policies.models import PolicyReview
from handrail.reporting.columns import fields
from handrail.reporting.openapi import dictionary
from handrail.reporting.tables import TABLES
from tenants.context import inside

pytestmark = pytest.mark.django_db
FORMULA = '=HYPERLINK("http://x")\n"a", b'


@pytest.fixture
def filled(cast, one):
    """A policy with a review, at a school whose name a spreadsheet would run."""
    now = timezone.now()
    with inside(one):
        policy = recorded_policy(
            SchoolFactory(urn="900009", name=FORMULA, trust_name="007"), next_review_on=day_of(now) + timedelta(9)
        )
        PolicyReview.objects.create(policy=policy, reviewed_on=day_of(now), outcome="no_change", recorded_at=now)


def opened(answer):
    assert answer.status_code == 200
    return load_workbook(io.BytesIO(b"".join(answer.streaming_content)))


def as_json(cell):
    """A cell as JSON has it."""
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == datetime.min.time() else f"{cell:%Y-%m-%dT%H:%M:%SZ}"
    return cell


@pytest.mark.parametrize("name", TABLES)
def test_a_workbook_has_what_the_list_has(filled, read, name):
    book = opened(read(f"/api/v1/{name}.xlsx"))
    assert book.sheetnames == ["data", "notes", "dictionary"]
    headings, *rows = book["data"].iter_rows(values_only=True)
    assert list(headings) == list(fields(TABLES[name].row))
    asked = json.loads(read(f"/api/v1/{name}", limit=1000).content)["data"]
    assert [[as_json(cell) for cell in row] for row in rows] == [
        [None if value == "" else value for value in row.values()] for row in asked
    ]
    assert [row[0] for row in book["dictionary"].iter_rows(min_row=2, values_only=True)] == list(headings)
    assert [row[1] for row in book["dictionary"].iter_rows(min_row=2, values_only=True)] == [
        each["meaning"] for each in dictionary(TABLES[name])
    ]
    notes = {row[0]: row[1] for row in book["notes"].iter_rows(values_only=True)}
    assert (notes["Rows"], notes["Authority"]) == (len(rows), "Barsetshire (001)")


def test_it_is_asked_for_by_accept_and_by_filters(filled, read):
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    answer = read("/api/v1/schools", head_Accept=kind, urn="900009")
    assert (answer["Content-Type"], "schools.xlsx" in answer["Content-Disposition"]) == (kind, True)
    book = opened(answer)
    assert book["data"].max_row == 2
    assert "urn=900009" in [row[1] for row in book["notes"].iter_rows(values_only=True)]
    assert read("/api/v1/schools.xlsx", head_If_None_Match=read("/api/v1/schools.xlsx")["ETag"]).status_code in (
        200,
        304,
    )


def test_a_text_is_run_by_nothing_and_a_day_is_a_day(filled, read):
    sheet = opened(read("/api/v1/schools.xlsx", urn="900009"))["data"]
    row = dict(zip([cell.value for cell in sheet[1]], sheet[2], strict=True))
    assert (row["school_name"].value, row["school_name"].data_type) == (FORMULA, "s")
    assert (row["urn"].value, row["trust_name"].value) == ("900009", "007")
    assert (row["joined_on"].value.date(), row["joined_on"].is_date) == (date(2026, 9, 1), True)


def test_a_day_before_those_that_excel_knows_is_a_text(one, cast, read):
    with inside(one):
        SchoolFactory(urn="900010", opened_on=date(1899, 12, 31))
        SchoolFactory(urn="900011", opened_on=date(1900, 1, 1))
    sheet = opened(read("/api/v1/schools.xlsx", urn="900010,900011"))["data"]
    place = [cell.value for cell in sheet[1]].index("opened_on")
    assert [sheet[row][place].value for row in (2, 3)] == ["1899-12-31", datetime(1900, 1, 1)]


def test_rows_for_which_a_sheet_has_no_room_go_on_the_next(cast, one, read, monkeypatch):
    monkeypatch.setattr("handrail.reporting.excel.MOST_ROWS", 7)
    with inside(one):
        SchoolFactory.create_batch(10)
    book = opened(read("/api/v1/schools.xlsx"))
    assert book.sheetnames[:3] == ["data", "data 2", "notes"]
    found = [row[1] for name in ("data", "data 2") for row in book[name].iter_rows(min_row=2, values_only=True)]
    assert found == [row["urn"] for row in json.loads(read("/api/v1/schools").content)["data"]]
    assert [row[1] for row in book["notes"].iter_rows(values_only=True) if row[0] == "Rows"] == [12]


@pytest.mark.parametrize("asked", [{"limit": 5}, {"cursor": "x"}, {"all": "true"}])
def test_it_has_no_pages(cast, read, asked):
    answer = read("/api/v1/schools.xlsx", **asked)
    assert answer.status_code == 400
    assert json.loads(answer.content)["errors"][0]["code"] == "unknown_parameter"


def test_somebody_who_has_signed_in_downloads_it(filled, cast, browse):
    assert opened(browse(cast.officer).get("/data/policies.xlsx"))["data"].max_row > 1
    assert browse(cast.head).get("/data/policies.xlsx").status_code == 403
    assert browse(cast.officer).get("/data/children.xlsx").status_code == 404
