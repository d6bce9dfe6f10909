"""Who must know a plan is asked to read it, sees that they were asked, and is asked again when it changes."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from factories import PupilFactory, emergency, person

from handrail.accounts.models import Membership
from handrail.accounts.roles import Role
from handrail.core.models import AuditEntry, ReadEntry
from handrail.plans import actions, reading, reading_reminders, versions
from handrail.plans.models import HealthcarePlan, Stage
from handrail.plans.readers import Reader, ReadReceipt
from handrail.schools.models import Pupil, School
from tenants.context import inside

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock(monkeypatch, at):
    """Pages are asked for at the moment of the tests."""
    monkeypatch.setattr("handrail.accounts.middleware.timezone.now", lambda: at)


@pytest.fixture
def office(cast, one):
    """Sees what to do in an emergency, and no whole plan."""
    with inside(one):
        return person("office@oak.example", Role.SCHOOL_ADMINISTRATOR, school=cast.oak, name="Sally Stokes")


@pytest.fixture
def poppy(cast, one, at):
    """A child with an active plan."""
    with inside(one):
        child = PupilFactory(school=cast.oak, name="Poppy Canarywright")
        version, _ = versions.write_emergency(pupil=child, says=emergency(), based_on=0, by=cast.head, at=at)
        HealthcarePlan.objects.filter(id=version.plan_id).update(stage=Stage.ACTIVE, due_on=at.date())
    return child


@pytest.fixture
def asked(cast, one, at, poppy, office):
    """The office manager and a midday assistant must know the plan."""
    with inside(one):
        plan = poppy.plan
        reading.choose_readers(plan=plan, people=[office], names=["Mo Midday"], by=cast.head, at=at)
    return plan


def counted(one, plan, on):
    with inside(one):
        found = reading.with_readers(HealthcarePlan.objects.all(), on=on).get(id=plan.id)
        return found.have_read, found.asked


def change(cast, plan, at, condition):
    child = plan.pupil
    versions.write_emergency(pupil=child, says=emergency(condition), based_on=1, by=cast.head, at=at)


class TestReading:
    def test_is_confirmed_once_by_whoever_is_asked(self, one, asked, office, at, on):
        assert counted(one, asked, on) == (0, 2)
        with inside(one):
            assert reading.confirm_read(plan=asked, number=1, by=office, at=at)
            assert not reading.confirm_read(plan=asked, number=1, by=office, at=at)
            assert AuditEntry.objects.filter(verb="confirmed reading a plan").count() == 1
        assert counted(one, asked, on) == (1, 2)

    def test_is_asked_for_again_when_the_plan_changes(self, cast, one, asked, office, at, on):
        with inside(one):
            reading.confirm_read(plan=asked, number=1, by=office, at=at)
            assert not reading.to_be_read_by(office, HealthcarePlan.objects.all(), on=on).exists()
            change(cast, asked, at, "Worse epilepsy")
            assert reading.to_be_read_by(office, HealthcarePlan.objects.all(), on=on).get() == asked
            with pytest.raises(reading.HasChanged):
                reading.confirm_read(plan=asked, number=1, by=office, at=at)
        assert counted(one, asked, on) == (0, 2)
        with inside(one):
            assert [each.reader.person for each in ReadReceipt.objects.all()] == [office], "the first stays recorded"

    def test_is_refused_from_whoever_is_not_asked(self, cast, one, asked, at):
        with inside(one), pytest.raises(reading.NotAsked):
            reading.confirm_read(plan=asked, number=1, by=cast.colleague, at=at)

    def test_is_not_asked_for_before_the_plan_is_active(self, one, asked, office, at, on):
        with inside(one):
            HealthcarePlan.objects.update(stage=Stage.DRAFT)
            assert not reading.to_be_read_by(office, HealthcarePlan.objects.all(), on=on).exists()
            with pytest.raises(reading.NotAsked):
                reading.confirm_read(plan=asked, number=1, by=office, at=at)

    def test_is_asked_for_before_the_child_joins(self, one, asked, office, at, on):
        with inside(one):
            Pupil.objects.update(joined_on=on + timedelta(days=7))
            assert reading.to_be_read_by(office, HealthcarePlan.objects.all(), on=on).exists()
            assert reading_reminders.owe_reading_reminders(on=on, at=at).owed == 1
            assert reading.confirm_read(plan=asked, number=1, by=office, at=at)

    def test_is_recorded_for_somebody_without_an_account_and_for_nobody_else(self, cast, one, asked, at, on):
        with inside(one):
            mo, sally = Reader.objects.get(person=None), Reader.objects.get(name="")
            assert reading.record_told(plan=asked, reader=mo, by=cast.head, at=at)
            with pytest.raises(reading.NotAsked):
                reading.record_told(plan=asked, reader=sally, by=cast.head, at=at)
            [(first, none), (second, receipt)] = reading.readers_of(asked, asked.versions.get(), on=on)
            assert (first, none, second, receipt.recorded_by_name) == (sally, None, mo, "Hana Head")


class TestChoosing:
    def test_ends_and_begins_again_and_keeps_what_was_read(self, cast, one, asked, office, at, on):
        with inside(one):
            reading.confirm_read(plan=asked, number=1, by=office, at=at)
            reading.choose_readers(plan=asked, people=[], names=["Mo Midday"], by=cast.head, at=at)
            assert not Reader.objects.asked(on=on).filter(person=office).exists()
            reading.choose_readers(plan=asked, people=[office], names=[], by=cast.head, at=at)
            assert Reader.objects.asked(on=on).get().person == office
            assert Reader.objects.count() == 2
        assert counted(one, asked, on) == (1, 1)

    def test_the_same_people_again_changes_nothing(self, cast, one, asked, office, at):
        with inside(one):
            before = AuditEntry.objects.count()
            reading.choose_readers(plan=asked, people=[office], names=["Mo Midday"], by=cast.head, at=at)
            assert AuditEntry.objects.count() == before

    def test_refuses_somebody_of_another_school(self, cast, one, asked, at):
        with inside(one), pytest.raises(reading.NotAtSchool):
            reading.choose_readers(plan=asked, people=[cast.neighbour], names=[], by=cast.head, at=at)

    def test_whoever_has_lost_their_role_is_not_asked_any_more(self, cast, one, asked, office, at, on):
        with inside(one):
            Membership.objects.filter(user=office).update(to_on=on)
            assert not reading.to_be_read_by(office, HealthcarePlan.objects.all(), on=on).exists()
        assert counted(one, asked, on) == (0, 1)


class TestTheEnd:
    """Nobody need know the plans of a school that has closed, nor one that was passed on or rests otherwise."""

    @pytest.mark.parametrize("what", ["school closed", Stage.TRANSFERRED, Stage.CLOSED, Stage.SUSPENDED])
    def test_comes_for_everybody_who_was_asked(self, cast, one, asked, office, browse, at, on, what):
        with inside(one):
            if what == "school closed":
                School.objects.filter(id=cast.oak.id).update(closed_on=on)
            else:
                actions.rest(plan=asked, stage=what, reason="Moved.", by=cast.head, at=at)
            assert not reading.to_be_read_by(office, HealthcarePlan.objects.all(), on=on).exists()
            assert reading.asked_of(office, asked.versions.get(), on=on) is None
            with pytest.raises(reading.NotAsked):
                reading.confirm_read(plan=asked, number=1, by=office, at=at)
            with pytest.raises(reading.NotAsked):
                reading.record_told(plan=asked, reader=Reader.objects.get(person=None), by=cast.head, at=at)
            assert reading_reminders.owe_reading_reminders(on=on, at=at).owed == 0
        assert "for you to read" not in browse(office).get("/").text


class TestPages:
    def test_from_asking_to_having_read(self, cast, one, poppy, office, browse):
        lead, at_the_office = browse(cast.head), browse(office)
        plan = f"/children/{poppy.id}/plan/"
        assert "Nobody is asked yet" in lead.get(plan).text
        page = lead.post(f"{plan}readers/choose/", {"people": [office.id], "names": "Mo Midday\n"}, follow=True)
        assert "Sally Stokes" in page.text
        assert "Mo Midday" in page.text
        assert "0 of 2 have read version 1" in lead.get(plan).text
        assert "1 plan for you to read" in at_the_office.get("/").text
        assert "Poppy Canarywright" in at_the_office.get("/plans-to-read/").text
        emergency_page = f"/children/{poppy.id}/emergency/"
        assert "You must know this plan" in at_the_office.get(emergency_page).text
        page = at_the_office.post(f"{emergency_page}read/", {"number": "1"}, follow=True)
        assert "You confirmed on 23 November 2026 at 9:05am" in page.text
        assert "for you to read" not in at_the_office.get("/").text
        with inside(one):
            mo = Reader.objects.get(person=None)
        page = lead.post(f"{plan}readers/{mo.id}/told/", follow=True)
        assert "Recorded that Mo Midday has read the plan" in page.text
        assert "2 of 2 who must" in lead.get("/schools/900001/plans/").text

    def test_keep_a_version_that_has_just_been_changed_from_being_confirmed(self, cast, one, asked, office, browse, at):
        with inside(one):
            change(cast, asked, at, "Worse epilepsy")
        for said in ({"number": "1"}, {"number": "x"}, {}):
            page = browse(office).post(f"/children/{asked.pupil_id}/emergency/read/", said, follow=True)
            assert "Read it again before you confirm" in page.text
        assert "Worse epilepsy" in page.text

    def test_keep_what_was_typed(self, cast, poppy, browse):
        page = browse(cast.head).post(f"/children/{poppy.id}/plan/readers/choose/", {"names": "x" * 151})
        assert "Each name must be 150 characters or fewer" in page.text
        assert "x" * 151 in page.text

    def test_are_recorded_as_reads(self, one, asked, office, browse):
        browse(office).get("/plans-to-read/")
        with inside(one):
            [read] = ReadEntry.objects.filter(by=office.id)
            assert (read.child_ids, read.verb) == ([asked.pupil_id], "list")

    def test_are_for_people_of_the_school(self, cast, asked, office, browse):
        chooses = f"/children/{asked.pupil_id}/plan/readers/choose/"
        assert browse(office).get(chooses).status_code == 403
        assert browse(cast.neighbour).get(chooses).status_code == 404
        assert browse(cast.officer).get("/plans-to-read/").status_code == 403

    def test_ask_as_often_however_many_plans(self, cast, one, asked, browse, at, django_assert_num_queries):
        lead = browse(cast.head)
        lead.get("/schools/900001/plans/")
        with CaptureQueriesContext(connection) as few:
            lead.get("/schools/900001/plans/")
        with inside(one):
            for _ in range(5):
                child = PupilFactory(school=cast.oak)
                HealthcarePlan.objects.create(pupil=child, stage=Stage.ACTIVE, due_on=at.date() + timedelta(days=9))
        with django_assert_num_queries(len(few)):
            lead.get("/schools/900001/plans/")
