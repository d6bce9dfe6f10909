"""What goes on at the school that follows one that closed: children, people, reminders, and the button for it."""

from datetime import date
from uuid import uuid4

import pytest
from factories import PupilFactory, SchoolFactory, person

from handrail.accounts.models import Membership
from handrail.accounts.roles import Role
from handrail.authority.succession import carry_conversions, carry_on
from handrail.care.models import SpareKit
from handrail.core.audit import CLOCK
from handrail.core.models import AuditEntry
from handrail.handovers import places
from handrail.handovers.models import Handover, Setting
from handrail.notices.models import Notice
from handrail.plans.models import HealthcarePlan, Stage
from handrail.plans.reminders import owe_review_reminders
from handrail.schools.models import Pupil, School
from tenants.context import inside

pytestmark = pytest.mark.django_db

CLOSED = date(2026, 8, 31)


@pytest.fixture(autouse=True)
def clock(monkeypatch, at):
    """Pages are asked for at the moment of the tests."""
    monkeypatch.setattr("handrail.accounts.middleware.timezone.now", lambda: at)


@pytest.fixture
def old(one, cast):
    """A closed school with a lead, a child whose plan is due today, and a spare kit."""
    with inside(one):
        school = SchoolFactory(urn="900011", name="Overcombe Primary School", closed_on=CLOSED)
        person("lead@overcombe.example", Role.SCHOOL_LEAD, school=school)
        child = PupilFactory(school=school, name="Poppy Canarywright", upn="A001200005001")
        HealthcarePlan.objects.create(pupil=child, stage=Stage.ACTIVE, due_on=date(2026, 11, 23))
        SpareKit.objects.create(
            school=school, kind="inhaler", place="Office", expires_on=date(2027, 1, 1), placed_on=date(2026, 1, 1)
        )
        return school


@pytest.fixture
def new(one, cast):
    with inside(one):
        return SchoolFactory(urn="900012", name="Overcombe Academy", lead_name="", lead_email="")


@pytest.fixture
def linked(owner_sql, register_row, old, new):
    """The register says that the academy followed the school."""
    owner_sql(
        "INSERT INTO public.tenants_establishmentlink (urn, link_urn, link_type) VALUES (%s, %s, 'Successor - merged')",
        old.urn,
        new.urn,
    )
    register_row(old.urn, name=old.name, status_code=2)
    register_row(new.urn, name=new.name)


def roles(school):
    return list(
        Membership.objects.filter(school=school, to_on=None).order_by("user__email").values_list("user__email", "role")
    )


class TestASettingThatMerged:
    def test_has_what_comes_under_its_old_number_too(self, one, old, new, linked, at):
        with inside(one):
            Setting.objects.create(school=old, name=old.name, kind="medical_ap", confirmed_at=at)
            waits = Handover.objects.create(
                reference=uuid4(), side="setting", state="submitted", since_on=at.date(), started_at=at,
                setting_name=old.name, setting_urn=old.urn, other_role="la_00000000", other_name="Borchester",
            )  # fmt: skip
            carry_on(old=old, new=new, by=CLOCK, at=at)
            waits.refresh_from_db()
            assert waits.setting == places.setting_of(old.urn) == Setting.objects.get(school=new)

    def test_is_nobodys_guess_where_two_followed(self, one, old, new, linked, at, owner_sql, register_row):
        with inside(one):
            Setting.objects.create(school=new, name=new.name, kind="medical_ap", confirmed_at=at)
            assert places.setting_of(old.urn) == Setting.objects.get(school=new)
        register_row("900013", name="Overcombe Second Academy")
        owner_sql(
            "INSERT INTO public.tenants_establishmentlink (urn, link_urn, link_type) VALUES (%s, %s, 'Successor')",
            *(old.urn, "900013"),
        )
        with inside(one):
            assert places.setting_of(old.urn) is None


class TestAConversion:
    def test_takes_children_people_and_what_they_keep_along(self, one, old, new, at):
        with inside(one):
            School.objects.filter(id=new.id).update(converted_from=old)
            assert carry_conversions(at=at) == 1
            child = Pupil.objects.get(upn="A001200005001")
            assert child.school_id == new.id
            assert SpareKit.objects.get().school_id == new.id
            assert roles(new) == [("lead@overcombe.example", Role.SCHOOL_LEAD)]
            assert roles(old) == []
            assert School.objects.get(id=new.id).lead_email == old.lead_email
            said = AuditEntry.objects.get(verb="carried a child over from a school that closed")
            assert (said.subject_id, said.school_id, said.by_name) == (child.id, new.id, "Handrail")

    def test_lets_the_reminders_go_on(self, one, old, new, on, at):
        with inside(one):
            School.objects.filter(id=new.id).update(converted_from=old)
            owe_review_reminders(on=on, at=at)
            assert not Notice.objects.filter(subject_kind="plan").exists()
            carry_conversions(at=at)
            owe_review_reminders(on=on, at=at)
            assert Notice.objects.filter(subject_kind="plan", recipient="lead@overcombe.example").exists()

    def test_changes_nothing_the_second_time(self, one, old, new, at):
        with inside(one):
            School.objects.filter(id=new.id).update(converted_from=old)
            carry_conversions(at=at)
            entries = AuditEntry.objects.count()
            assert carry_conversions(at=at) == 0
            assert AuditEntry.objects.count() == entries

    @pytest.mark.parametrize(
        "listed",
        [
            {"upn": "A001200005001", "name": "Another Spelling"},
            {"name": "poppy canarywright", "born_on": date(2016, 5, 1)},
        ],
    )
    def test_leaves_a_child_whom_the_new_school_has_listed(self, one, old, new, at, listed):
        with inside(one):
            PupilFactory(school=new, **listed)
            assert carry_on(old=old, new=new, by=CLOCK, at=at) == 0
            assert School.objects.closed_with_children().get() == old

    def test_gives_nobody_a_role_twice(self, one, old, new, at):
        with inside(one):
            lead = Membership.objects.get(school=old).user
            Membership.objects.create(user=lead, role=Role.SCHOOL_LEAD, school=new, from_on=at.date())
            carry_on(old=old, new=new, by=CLOCK, at=at)
            assert roles(new) == [("lead@overcombe.example", Role.SCHOOL_LEAD)]


class TestThePage:
    def test_moves_the_children_to_the_one_that_followed(self, one, cast, browse, old, new, linked):
        officer = browse(cast.officer)
        assert "Overcombe Primary School has closed" in officer.get("/").content.decode()
        page = officer.get("/schools/900011/closed/").content.decode()
        assert "Overcombe Academy" in page
        assert "Poppy" not in page
        assert officer.post("/schools/900011/closed/").status_code == 302
        with inside(one):
            assert Pupil.objects.get(upn="A001200005001").school_id == new.id
        assert "has closed" not in officer.get("/").content.decode()

    def test_says_what_to_do_where_no_school_followed(self, one, cast, browse, old):
        officer = browse(cast.officer)
        assert "marks the child as left" in officer.get("/schools/900011/closed/").content.decode()
        officer.post("/schools/900011/closed/")
        with inside(one):
            assert Pupil.objects.get(upn="A001200005001").school_id == old.id

    def test_says_who_stayed(self, one, cast, browse, old, new, linked):
        with inside(one):
            PupilFactory(school=new, upn="A001200005001")
        page = browse(cast.officer).post("/schools/900011/closed/", follow=True).content.decode()
        assert "some of the children on its own list" in page

    def test_moves_nobody_from_an_open_school(self, one, cast, browse, old, new, linked):
        with inside(one):
            School.objects.filter(id=old.id).update(closed_on=None)
        officer = browse(cast.officer)
        officer.post("/schools/900011/closed/")
        assert "This school is open" in officer.get("/schools/900011/closed/").content.decode()
        with inside(one):
            assert Pupil.objects.get(upn="A001200005001").school_id == old.id
