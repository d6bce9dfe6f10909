"""Tables in open formats: all of them, exactly, with a schema that their rows obey."""

import csv
import io
import json

import pytest
from django.apps import apps
from django.conf import settings
from factories import recorded_policy

from handrail.records import tables
from handrail.records.models import AuthorityExport
from handrail.schools.models import School
from tenants.context import inside

pytestmark = pytest.mark.django_db

TYPES = {"string": str, "boolean": bool, "integer": int, "array": list, "null": type(None)}


def written(model):
    as_csv, as_json = io.BytesIO(), io.BytesIO()
    count = tables.write(model, as_csv=as_csv, as_json=as_json)
    sheet = list(csv.DictReader(io.StringIO(as_csv.getvalue().decode("utf-8-sig"))))
    lines = [json.loads(line) for line in as_json.getvalue().splitlines()]
    assert count == len(sheet) == len(lines)
    return sheet, lines


class TestWhatAnExportHolds:
    def test_every_table_of_an_authority_or_a_reason(self):
        ours = {config.label for config in apps.get_app_configs() if config.name in settings.TENANT_APPS}
        models = [model for model in apps.get_models() if model._meta.app_label in ours]
        held = set(tables.exported())
        assert [model for model in models if (model in held) == bool(tables.reason_to_leave_out(model))] == []

    def test_no_reason_for_a_table_or_field_that_is_not_there(self):
        names = {model._meta.label_lower for model in apps.get_models()} | {app.label for app in apps.get_app_configs()}
        fields = {
            f"{model._meta.label_lower}.{f.name}" for model in apps.get_models() for f in model._meta.get_fields()
        }
        assert set(tables.LEFT_OUT) <= names
        assert set(tables.LEFT_OUT_FIELDS) <= fields

    def test_nothing_that_opens_the_door(self, cast, one):
        with inside(one):
            for model in tables.exported():
                assert not [field for field in tables.columns(model) if field.name in ("password", "session_data")]


class TestATable:
    def test_has_the_same_rows_in_both_files(self, cast, one, on):
        with inside(one):
            policy = recorded_policy(cast.oak, next_review_on=on)
            sheet, lines = written(type(policy))
        assert [row["id"] for row in sheet] == [line["id"] for line in lines]
        [line] = [line for line in lines if line["id"] == str(policy.id)]
        assert (line["school_id"], line["next_review_on"]) == (str(cast.oak.id), "2026-11-23")

    def test_cannot_harm_whoever_opens_it_and_is_exact_for_programs(self, cast, one):
        with inside(one):
            School.objects.filter(id=cast.oak.id).update(name='=HYPERLINK("x")')
            sheet, lines = written(School)
        assert '\'=HYPERLINK("x")' in {row["name"] for row in sheet}
        assert '=HYPERLINK("x")' in {line["name"] for line in lines}

    def test_obeys_its_schema(self, cast, one, on):
        with inside(one):
            recorded_policy(cast.oak, next_review_on=on)
            for model in tables.exported():
                schema = tables.schema(model)
                for line in written(model)[1]:
                    assert set(line) == set(schema["required"]) == set(schema["properties"])
                    for name, value in line.items():
                        allowed = schema["properties"][name].get("type")
                        if allowed:
                            kinds = tuple(TYPES[each] for each in ([allowed] if isinstance(allowed, str) else allowed))
                            assert isinstance(value, kinds), (model, name, value)

    def test_has_only_the_authoritys_own_rows(self, cast, one, two):
        with inside(two):
            _, lines = written(School)
        assert {line["urn"] for line in lines} == {cast.far.urn}

    def test_of_exports_is_left_out(self):
        assert AuthorityExport not in tables.exported()
