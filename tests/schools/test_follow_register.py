"""An authority's schools follow the register of schools."""

from datetime import date, timedelta

import pytest
from django.db import connection
from factories import A_SCHOOL, SchoolFactory

from handrail.core.models import AuditEntry
from handrail.schools.actions import Followed, apply_rows, follow_register, preview_rows, take_back_rows
from handrail.schools.duty import Body
from handrail.schools.models import School
from tenants.context import inside

pytestmark = pytest.mark.django_db


@pytest.fixture
def register(one, register_row):
    """`register(urn, ...)` writes or changes a row of the register."""
    return register_row


class TestFollowRegister:
    def test_adds_open_schools_of_its_own_authority(self, one, two, register, on, at):
        register("900001")
        register("900002", status_code=3, status_name="Open, but proposed to close")
        register("900003", la_code="002")
        register("900004", status_code=2)
        register("900005", status_code=4)
        register("900006", group_code=1)
        register("900007", group_code=3, type_code=11)
        with inside(one):
            assert follow_register(on=on, at=at) == Followed(new=3)
            assert list(School.objects.order_by("urn").values_list("urn", "is_proposed_to_close", "body")) == [
                ("900001", False, Body.MAINTAINED_SCHOOL),
                ("900002", True, Body.MAINTAINED_SCHOOL),
                ("900007", False, Body.INDEPENDENT),
            ]
            assert School.objects.first().joined_on == on
        with inside(two):
            assert follow_register(on=on, at=at) == Followed(new=1)

    def test_changes_nothing_the_second_time(self, one, register, on, at):
        register("900001")
        with inside(one):
            follow_register(on=on, at=at)
            entries = AuditEntry.objects.count()
            assert follow_register(on=on + timedelta(days=1), at=at) == Followed()
            assert AuditEntry.objects.count() == entries

    def test_keeps_the_schools_own_contacts(self, one, register, on, at):
        register("900001")
        with inside(one):
            follow_register(on=on, at=at)
            School.objects.update(lead_email="lead@overcombe.example")
        register("900001", name="Overcombe Academy")
        with inside(one):
            assert follow_register(on=on, at=at) == Followed(changed=1)
            assert School.objects.get().name == "Overcombe Academy"
            assert School.objects.get().lead_email == "lead@overcombe.example"

    def test_closes_and_reopens(self, one, register, on, at):
        register("900001")
        with inside(one):
            follow_register(on=on, at=at)
        register("900001", status_code=2)
        with inside(one):
            assert follow_register(on=on, at=at) == Followed(closed=1)
            assert School.objects.get().closed_on == on
            assert follow_register(on=on + timedelta(days=9), at=at) == Followed()
        register("900001")
        with inside(one):
            assert follow_register(on=on, at=at) == Followed(changed=1)
            assert School.objects.get().is_open

    def test_closes_a_school_that_moved_to_another_authority(self, one, two, register, on, at):
        register("900001")
        with inside(one):
            follow_register(on=on, at=at)
        register("900001", la_code="002")
        with inside(one):
            assert follow_register(on=on, at=at) == Followed(moved_away=1)
            assert School.objects.get().closed_on == on
            assert follow_register(on=on, at=at) == Followed()
        with inside(two):
            assert follow_register(on=on, at=at) == Followed(new=1)

    def test_leaves_alone_a_school_that_the_register_lacks(self, one, on, at):
        with inside(one):
            SchoolFactory(urn="900099")
            assert follow_register(on=on, at=at) == Followed()
            assert School.objects.get().is_open

    def test_reports_a_conversion_once(self, one, register, owner_sql, on, at):
        register("900001")
        with inside(one):
            follow_register(on=on, at=at)
        register("900001", status_code=2, closed_on=date(2026, 8, 31))
        register("900002", type_code=34, group_code=10)
        owner_sql(
            "INSERT INTO public.tenants_establishmentlink (urn, link_urn, link_type) VALUES (%s, %s, 'Successor')",
            "900001",
            "900002",
        )
        with inside(one):
            followed = follow_register(on=on, at=at)
            old, new = School.objects.get(urn="900001"), School.objects.get(urn="900002")
            assert followed == Followed(new=1, closed=1, conversions=[(old.id, new.id)])
            assert new.converted_from == old
            assert follow_register(on=on, at=at) == Followed()

    def test_takes_a_split_for_no_conversion(self, one, register, owner_sql, on, at):
        for urn in ("900001", "900002", "900003"):
            register(urn, status_code=2 if urn == "900001" else 1)
        with inside(one):
            SchoolFactory(urn="900001", closed_on=on)
        for urn in ("900002", "900003"):
            owner_sql(
                "INSERT INTO public.tenants_establishmentlink (urn, link_urn, link_type) VALUES (%s, %s, 'Successor')",
                "900001",
                urn,
            )
        with inside(one):
            assert follow_register(on=on, at=at).conversions == []

    def test_the_app_login_cannot_write_the_register(self, one, register):
        register("900001")
        with pytest.raises(Exception, match="permission denied"), inside(one):
            connection.cursor().execute("UPDATE public.tenants_establishment SET name = 'x'")


class TestApplyRows:
    def test_previews_then_applies_an_officers_rows(self, one, cast, on, at):
        with inside(one):
            School.objects.filter(urn="900002").update(name="Elm School", type_code=1)
            rows = [
                {"urn": "900001", **A_SCHOOL, "name": "Oak Academy"},
                {"urn": "900002", **A_SCHOOL, "status_code": 2},
                {"urn": "900077", **A_SCHOOL, "name": "New School"},
            ]
            rows = [{name: value for name, value in row.items() if name != "last_seen_on"} for row in rows]
            seen = preview_rows(rows, on=on, as_of=on)
            assert [(each.urn, each.is_new, each.closes) for each in seen] == [
                ("900077", True, False),
                ("900001", False, False),
                ("900002", False, True),
            ]
            assert apply_rows(rows, on=on, as_of=on, by=cast.officer, at=at) == Followed(new=1, changed=1, closed=1)
            assert preview_rows(rows, on=on, as_of=on) == []
            left = take_back_rows([each.was for each in seen if not each.is_new], ["900077"], by=cast.officer, at=at)
            assert left == 0
            assert list(School.objects.values_list("urn", "name", "closed_on")) == [
                ("900002", "Elm School", None),
                ("900001", "Oak School", None),
            ]

    def test_never_goes_back_behind_a_newer_register(self, one, cast, on, at):
        rows = [{"urn": "900001", **A_SCHOOL, "name": "Older name"}]
        with inside(one):
            School.objects.update(register_as_of=on)
            assert preview_rows(rows, on=on, as_of=on - timedelta(days=1)) == []
            assert apply_rows(rows, on=on, as_of=on - timedelta(days=1), by=cast.officer, at=at) == Followed()

    def test_ignores_rows_of_other_authorities(self, one, cast, on, at):
        rows = [{"urn": "900088", **A_SCHOOL, "la_code": "002"}]
        with inside(one):
            assert apply_rows(rows, on=on, as_of=on, by=cast.officer, at=at) == Followed()
            assert not School.objects.filter(urn="900088").exists()
