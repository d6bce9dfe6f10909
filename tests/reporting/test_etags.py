"""Tags that say that nothing changed: never when something did that a list reads."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from functools import reduce
from operator import and_

import pytest
from databases import let_others_end
from django.apps import apps
from django.db import connections
from django.db.models import Q
from django.test.utils import CaptureQueriesContext
from factories import SchoolFactory, recorded_policy

from handrail.guidance.published import framework
from handrail.overview.month_ends import take_month_ends
from handrail.reporting import reading
from handrail.reporting.filters import Filter
from handrail.reporting.tables import TABLES, AsAt
from handrail.returns.actions import Wanted, change_dates, open_cycle, save_answers, submit
from handrail.returns.rules import CRITERIA
from tenants.context import inside
from tenants.database import execute

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "side"])


class TestAnETag:
    def test_says_that_nothing_changed(self, one, cast, read):
        let_others_end()
        answer = read("/api/v1/schools")
        tag = answer["ETag"]
        assert tag.startswith('W/"')
        with CaptureQueriesContext(connections["default"]) as asked:
            again = read("/api/v1/schools", head_If_None_Match=tag)
        assert not [each["sql"] for each in asked if "schools_school" in each["sql"]]
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", tag)
        with inside(one):
            SchoolFactory(urn="900077")
        assert read("/api/v1/schools", head_If_None_Match=tag).status_code == 200

    def test_of_schools_knows_which_code_the_register_has_for_the_authority(self, cast, read, in_register):
        let_others_end()
        before = read("/api/v1/schools")
        assert {row["new_la_code"] for row in json.loads(before.content)["data"]} == {None}
        in_register("001", "E06000002", "E06000001", "E06000001", "")
        in_register("002", "E06000003", "E06000003", "E06000003")
        after = read("/api/v1/schools", head_If_None_Match=before["ETag"])
        assert {row["new_la_code"] for row in json.loads(after.content)["data"]} == {"E06000001"}
        assert read("/api/v1/schools", head_If_None_Match=after["ETag"]).status_code == 304

    def test_is_another_where_a_column_was_added(self, cast, read, monkeypatch):
        let_others_end()
        tag = read("/api/v1/schools")["ETag"]
        monkeypatch.setattr("handrail.reporting.reading.headings", lambda table: ["id"])
        assert read("/api/v1/schools")["ETag"] != tag

    def test_of_answers_knows_when_returns_are_due(self, cast, one, on, at, read):
        about = {"school": cast.oak, "by": cast.head, "at": at}
        with inside(one):
            cycle = open_cycle(
                school_year=2026, framework_ids=[CRITERIA], due_on=on, closes_on=on + timedelta(days=90),
                by=cast.officer, at=at,
            )  # fmt: skip
            answers = {each.id: Wanted("yes") for each in framework(CRITERIA).requirements}
            save_answers(answers=answers, cycle=cycle, **about)
            submit(cycle=cycle, **about)
        let_others_end()
        late = on + timedelta(days=30)
        before = read("/api/v1/answers", due_from=str(late))
        assert json.loads(before.content)["data"] == []
        assert read("/api/v1/answers", due_from=str(late), head_If_None_Match=before["ETag"]).status_code == 304
        with inside(one):
            change_dates(cycle=cycle, due_on=late, closes_on=on + timedelta(days=90), by=cast.officer, at=at)
        after = read("/api/v1/answers", due_from=str(late), head_If_None_Match=before["ETag"])
        assert len(json.loads(after.content)["data"]) == 9

    @pytest.mark.parametrize("name", ["metrics", "policy-months"])
    def test_of_months_stands_until_another_has_ended(self, cast, one, on, at, read, name):
        with inside(one):
            recorded_policy(cast.oak, next_review_on=on)
            take_month_ends(on=on - timedelta(days=31), at=at)
        let_others_end()
        path = f"/api/v1/{name}"
        before = read(path)
        assert json.loads(before.content)["data"]
        with CaptureQueriesContext(connections["default"]) as asked:
            assert read(path, head_If_None_Match=before["ETag"]).status_code == 304
        assert not [each["sql"] for each in asked if "policies_" in each["sql"]]
        with inside(one):
            take_month_ends(on=on, at=at)
        after = read(path, head_If_None_Match=before["ETag"])
        assert len(json.loads(after.content)["data"]) > len(json.loads(before.content)["data"])

    def test_knows_of_every_table_that_is_read(self, cast, one, on):
        """What a list reads, in its columns or for a filter, is noted, or what may change of it is in the tag."""
        tables = {each._meta.db_table for each in apps.get_models()}
        with inside(one):
            noted = {name: argument.decode().rstrip("\0") for name, argument in execute(NOTED)}
            for table in TABLES.values():
                if not table.rests_on:
                    continue
                assert set(table.rests_on) <= set(noted.values()), table.name
                with CaptureQueriesContext(connections["default"]) as asked:
                    as_at = AsAt(one, on)
                    if table.rows:
                        conditions = [each.condition(value_for(each)) for each in table.filters.values()]
                        everything = reduce(and_, conditions, Q())
                        reading.page(
                            table, replace(reading.EVERYTHING, condition=everything, limit=1), as_at,
                            about=(), as_json=True,
                        )  # fmt: skip
                    else:
                        reading.count(table, as_at)
                sql = " ".join(each["sql"] for each in asked)
                read = {each for each in tables if re.search(rf"\b{each}\b", sql)}
                unknown = read - IN_THE_TAG.keys() - {each for each in read if noted.get(each) in table.rests_on}
                assert unknown == set(), table.name


NOTED = """
SELECT DISTINCT relname, tgargs FROM pg_trigger
JOIN pg_class ON pg_class.oid = tgrelid JOIN pg_proc ON pg_proc.oid = tgfoid
WHERE proname = 'reporting_note_change' AND relnamespace = current_schema()::regnamespace
"""
"""The tables that triggers note, and as what."""

IN_THE_TAG = {
    "reporting_change": "what is noted itself",
    "core_authoritysettings": "what counts as due soon, which is in the tag",
    "tenants_establishment": "the authority’s code in the register, which is in the tag",
    "returns_return": "can only be added to, each together with its answers",
    "policies_monthend": "can only be added to, each together with what stood then",
}
"""Tables of which lists are made without resting on them, and why."""


def value_for(each: Filter) -> str:
    """Something that may be asked by it."""
    kind = each.schema["type"]
    if kind == "boolean":
        return "true"
    if kind == "array":
        return next(iter(each.schema["items"].get("enum", ["900001"])))
    return "2026-11-23" if each.schema["format"] == "date" else "2026-11-23T09:05:00Z"
