"""Writing many rows at once."""

from datetime import date

import pytest
from factories import PolicyFactory, SchoolFactory

from handrail.core.models import AuthoritySettings
from handrail.policies.models import Policy
from handrail.schools.models import School
from tenants.context import inside
from tenants.database.router import STAMP
from tenants.errors import WrongAuthority

pytestmark = pytest.mark.django_db


class TestSaveChanged:
    def test_writes_of_each_row_the_columns_named_beside_it(self, one):
        with inside(one):
            first, second, third = (SchoolFactory(name=f"School {n}", town="Oakham", pupils=5) for n in range(3))
            for school in (first, second, third):
                school.name, school.town, school.pupils = "'; DROP TABLE x", "Elm\u00e9", None
                school.is_proposed_to_close, school.closed_on = True, date(2026, 12, 31)
            changed = [
                (first, ["name", "pupils", "closed_on"]),
                (second, ["town", "is_proposed_to_close"]),
                (third, []),
            ]
            assert School.objects.save_changed(changed) == 2
            facts = ("name", "town", "pupils", "is_proposed_to_close", "closed_on")
            assert list(School.objects.filter(name__in=["School 1", "School 2", first.name]).values_list(*facts)) == [
                ("'; DROP TABLE x", "Oakham", None, False, date(2026, 12, 31)),
                ("School 1", "Elm\u00e9", 5, True, None),
                ("School 2", "Oakham", 5, False, None),
            ]

    def test_writes_foreign_keys_and_lists(self, one, cast):
        with inside(one):
            policy, settings = PolicyFactory(school=cast.oak), AuthoritySettings.objects.create()
            policy.school, settings.reminder_days_before = cast.elm, [7, 0]
            Policy.objects.save_changed([(policy, ["school"])])
            AuthoritySettings.objects.save_changed([(settings, ["reminder_days_before"])])
            assert Policy.objects.get(id=policy.id).school == cast.elm
            assert AuthoritySettings.load().reminder_days_before == [7, 0]

    def test_refuses_what_is_another_authoritys(self, two, cast):
        with inside(two), pytest.raises(WrongAuthority):
            School.objects.save_changed([(cast.oak, ["name"])])


class TestBulkCreate:
    def test_notes_in_which_authority_the_rows_were_made(self, one, two):
        with inside(one):
            [school] = School.objects.bulk_create([SchoolFactory.build()])
            assert getattr(school._state, STAMP) == one.schema_name
        with inside(two), pytest.raises(WrongAuthority):
            school.save()
