"""A school's spare kits, their monthly checks, and who is trained."""

from datetime import date, timedelta

import pytest
from django.db import ProgrammingError, connection, transaction
from django.test.utils import CaptureQueriesContext
from factories import person

from handrail.accounts.roles import Role
from handrail.care import actions
from handrail.care.models import KitCheck, Medicine, SpareKit, StaffTraining
from handrail.core.models import AuditEntry, ReadEntry
from handrail.core.status import Status
from tenants.context import inside
from tenants.database import execute

pytestmark = pytest.mark.django_db


@pytest.fixture
def kit(one, cast, at, on):
    with inside(one):
        return actions.add_kit(
            school=cast.oak,
            kind="inhaler",
            place="Dining hall",
            expires_on=on.replace(year=2027),
            batch="B1",
            holder="Ann Able",
            by=cast.head,
            at=at,
        )


@pytest.fixture
def train(one, cast, at, on):
    def record(**changes):
        said = {"person": "Ann Able", "procedure": "adrenaline", "trainer": "Nora Nurse", "trained_on": on}
        with inside(one):
            return actions.record_training(school=cast.oak, by=cast.head, at=at, **said | changes)

    return record


@pytest.fixture
def office(one, cast):
    with inside(one):
        return person("sally@oak.example", Role.SCHOOL_ADMINISTRATOR, school=cast.oak)


def check_status(one, on):
    with inside(one):
        return SpareKit.objects.with_last_check().get().check_status_on(on)


class TestTheMonthlyCheck:
    def test_is_due_a_month_after_the_last(self, one, cast, at, on, kit):
        day = timedelta(days=1)
        for later, status in (
            (0 * day, Status.IN_DATE),
            (22 * day, Status.IN_DATE),
            (23 * day, Status.DUE_SOON),
            (30 * day, Status.DUE_SOON),
            (31 * day, Status.OVERDUE),
        ):
            assert check_status(one, on + later) == status, later
        with inside(one):
            actions.check_kit(kit=kit, is_complete=True, by=cast.head, at=at + 31 * day)
        assert check_status(one, on + 31 * day) == Status.IN_DATE

    def test_is_recorded_once_however_often_it_is_tapped(self, one, cast, at, kit):
        with inside(one):
            assert actions.check_kit(kit=kit, is_complete=True, by=cast.head, at=at)[1]
            assert not actions.check_kit(kit=kit, is_complete=True, by=cast.head, at=at)[1]
            assert actions.check_kit(kit=kit, is_complete=False, missing="Spacer", by=cast.head, at=at)[1]
            assert KitCheck.objects.count() == 2

    def test_says_what_is_missing(self, one, cast, at, kit):
        with inside(one), pytest.raises(actions.Unsaid):
            actions.check_kit(kit=kit, is_complete=False, missing=" ", by=cast.head, at=at)

    def test_is_refused_of_a_kit_out_of_use(self, one, cast, at, kit):
        with inside(one):
            actions.withdraw_kit(kit=kit, by=cast.head, at=at)
            with pytest.raises(actions.HasGone):
                actions.check_kit(kit=kit, is_complete=True, by=cast.head, at=at)

    def test_is_never_changed_afterwards(self, one, cast, at, kit):
        with inside(one):
            actions.check_kit(kit=kit, is_complete=True, by=cast.head, at=at)
            with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
                execute("UPDATE care_kitcheck SET recorded_by_name = 'x'")


class TestTheKitsPage:
    def test_takes_one_tap(self, one, cast, at, kit, office, browse):
        client = browse(office)
        assert "Record this month’s check" in client.get("/schools/900001/kits/").content.decode()
        answer = client.post(f"/schools/900001/kits/{kit.id}/check/", {"is_complete": "yes"}, follow=True)
        assert "Recorded this month’s check" in answer.content.decode()
        with inside(one):
            check = KitCheck.objects.get()
            assert (check.is_complete, check.recorded_by, check.checked_on) == (True, office.id, at.date())

    def test_asks_what_is_missing(self, one, kit, office, browse):
        client, address = browse(office), f"/schools/900001/kits/{kit.id}/check/"
        assert "Enter what is missing or out of date" in client.post(address, {"is_complete": "no"}).content.decode()
        client.post(address, {"is_complete": "no", "missing": "Spacer"})
        assert "Missing: Spacer" in client.get(f"/schools/900001/kits/{kit.id}/").content.decode()

    def test_is_seen_by_more_than_may_change_it(self, one, cast, kit, browse):
        with inside(one):
            governor = person("gus@oak.example", Role.GOVERNOR, school=cast.oak)
        for who in (governor, cast.officer):
            text = browse(who).get("/schools/900001/kits/").content.decode()
            assert "Dining hall" in text
            assert "Record this month" not in text
            assert browse(who).post(f"/schools/900001/kits/{kit.id}/check/", {"is_complete": "yes"}).status_code == 403
        assert browse(cast.neighbour).get("/schools/900001/kits/").status_code == 404
        assert browse(cast.neighbour).get(f"/schools/900002/kits/{kit.id}/").status_code == 404

    def test_adds_changes_and_withdraws(self, one, cast, on, office, browse):
        client = browse(office)
        date = {"expires_on_day": "1", "expires_on_month": "3", "expires_on_year": "2027"}
        client.post("/schools/900001/kits/add/", {"kind": "adrenaline", "place": "Hall", **date})
        with inside(one):
            kit = SpareKit.objects.get()
        client.post(f"/schools/900001/kits/{kit.id}/change/", {"kind": "adrenaline", "place": "Gym", **date})
        client.post(f"/schools/900001/kits/{kit.id}/withdraw/")
        with inside(one):
            kit.refresh_from_db()
            assert (kit.place, kit.withdrawn_on) == ("Gym", on)

    def test_asks_no_more_for_more_kits(self, one, cast, at, on, kit, browse):
        client, counts = browse(cast.head), []
        client.get("/schools/900001/kits/")
        for more in range(2):
            with inside(one):
                for place in range(more * 5):
                    actions.add_kit(
                        school=cast.oak, kind="inhaler", place=str(place), expires_on=on, by=cast.head, at=at
                    )
            with CaptureQueriesContext(connection) as queries:
                client.get("/schools/900001/kits/")
            counts.append(len(queries))
        assert counts[0] == counts[1]


class TestTraining:
    def test_counts_for_a_year_once_somebody_has_found_it_sound(self, one, on, train):
        train(confirmed_by="Nora Nurse")
        train(person="Bo Bell")
        with inside(one):
            for days, people in ((0, ["Ann Able"]), (364, ["Ann Able"]), (365, []), (-1, [])):
                found = StaffTraining.objects.that_count(on=on + timedelta(days=days))
                assert [each.person for each in found] == people

    def test_takes_the_place_of_an_earlier_one(self, one, on, train, poppy):
        first = train(trained_on=on - timedelta(days=300))
        other = train(procedure="seizure")
        for_a_child = train(pupil=poppy)
        second = train(person="ann able")
        with inside(one):
            current = set(StaffTraining.objects.current().values_list("id", flat=True))
            assert current == {other.id, for_a_child.id, second.id}
            first.refresh_from_db()
            assert first.ended_on == on

    def test_is_sealed_though_it_is_a_code(self, one, cast, train, poppy, browse):
        train(pupil=poppy, procedure="tracheostomy")
        with inside(one):
            [[sealed]] = execute("SELECT procedure FROM care_stafftraining")
            assert b"trach" not in bytes(sealed)
        assert "Tracheostomy, suction and oxygen" in browse(cast.head).get(f"/children/{poppy.id}/medicines/").text

    def test_is_refused_from_the_future_and_backwards(self, on, train):
        with pytest.raises(actions.DayInFuture):
            train(trained_on=on + timedelta(days=1))
        with pytest.raises(actions.Refused) as refusal:
            train(expires_on=on - timedelta(days=1))
        assert refusal.value.field == "expires_on"


class TestTheTrainingPages:
    def test_name_no_child_but_behind_the_second_step(self, one, cast, train, poppy, office, browse):
        train(pupil=poppy)
        text = browse(office).get("/schools/900001/training/").content.decode()
        assert "Ann Able" in text
        assert "For one child" in text
        assert "Poppy" not in text
        assert browse(office).get("/schools/900001/training/children/").status_code == 403
        assert "Poppy" in browse(cast.head).get("/schools/900001/training/children/").content.decode()
        with inside(one):
            read = ReadEntry.objects.get()
            assert (read.child_ids, read.group, read.verb) == ([poppy.id], "plan", "list")
        client = browse()
        with inside(one):
            client.force_login(cast.head)
        assert client.get("/schools/900001/training/children/").status_code == 302

    def test_are_the_schools_own(self, cast, train, browse):
        train()
        assert browse(cast.officer).get("/schools/900001/training/").status_code == 403
        assert browse(cast.neighbour).get("/schools/900001/training/").status_code == 404

    def test_record_and_end(self, one, office, browse):
        client = browse(office)
        day = {"trained_on_day": "1", "trained_on_month": "10", "trained_on_year": "2026"}
        said = {"person": "Bo Bell", "procedure": "other", "trainer": "Nora Nurse", **day}
        answer = client.post("/schools/900001/training/add/", said)
        assert "Enter what the training was in" in answer.content.decode()
        client.post("/schools/900001/training/add/", said | {"procedure_note": "Splints"})
        with inside(one):
            made = StaffTraining.objects.get()
            assert (made.procedure_note, made.is_confirmed) == ("Splints", False)
        assert "Splints" in client.get("/schools/900001/training/").content.decode()
        client.post(f"/schools/900001/training/{made.id}/end/")
        with inside(one):
            assert not StaffTraining.objects.current().exists()

    def test_correct_what_was_written_down_wrong(self, one, cast, train, poppy, office, browse):
        mine, for_poppy = train(), train(pupil=poppy, confirmed_by="Nora Nurse")
        client, lead = browse(office), browse(cast.head)
        address = f"/schools/900001/training/{mine.id}/"
        assert 'value="Ann Able"' in client.get(address).text
        said = {"person": "Anne Able", "procedure": "other", "trainer": "Nora Nurse", "is_cover": "on"}
        day = {"trained_on_day": "1", "trained_on_month": "10", "trained_on_year": "2026"}
        answer = client.post(address, said | day)
        assert "Enter what the training was in" in answer.text
        client.post(address, said | day | {"procedure": "inhaler", "confirmed_by": "Nora"})
        lead.post(f"/children/{poppy.id}/medicines/training/{for_poppy.id}/", said | day | {"procedure": "inhaler"})
        with inside(one):
            found = {each.id: each for each in StaffTraining.objects.all()}
            assert (found[mine.id].person, found[mine.id].is_cover, found[mine.id].is_confirmed) == (
                "Anne Able",
                True,
                True,
            )
            assert found[mine.id].expires_on == date(2027, 9, 30)
            assert found[for_poppy.id].is_confirmed is False, "nobody is said to have confirmed it"
            entry = AuditEntry.objects.filter(verb="corrected a training", subject_id=mine.id).get()
            assert "person" in entry.fields

    def test_correct_no_other_schools_and_none_that_has_ended(self, one, cast, train, poppy, browse, at):
        mine, for_poppy = train(), train(pupil=poppy)
        neighbour, lead = browse(cast.neighbour), browse(cast.head)
        for path in (
            f"/schools/900001/training/{mine.id}/",
            f"/schools/900002/training/{mine.id}/",
            f"/children/{poppy.id}/medicines/training/{for_poppy.id}/",
        ):
            assert neighbour.get(path).status_code == 404
        assert lead.get(f"/schools/900001/training/{for_poppy.id}/").status_code == 404, "it is the child’s"
        with inside(one):
            actions.end_training(training=mine, by=cast.head, at=at)
            with pytest.raises(actions.HasGone):
                facts = {name: getattr(mine, name) for name in actions.OF_TRAINING}
                actions.correct_training(training=mine, by=cast.head, at=at, **facts)


class TestTheSchoolsMedicines:
    def test_are_listed_by_what_runs_out_first(self, one, cast, poppy, office, browse, on):
        held = {"kind": "medicine", "dose": "1", "place": "Office", "given_by": "Ann", "received_on": on}
        with inside(one):
            for name, days in (("Later", 90), ("Sooner", -1), ("Never", None)):
                until = None if days is None else on + timedelta(days=days)
                Medicine.objects.create(pupil=poppy, name=name, expires_on=until, **held)
            Medicine.objects.create(pupil=poppy, name="Gone", returned_on=on, gone="returned", **held)
        text = browse(cast.head).get("/schools/900001/medicines/").text
        assert text.index("Sooner") < text.index("Later") < text.index("Never")
        assert "Gone" not in text
        assert "Overdue" not in text.partition("Sooner")[0]
        with inside(one):
            assert ReadEntry.objects.get().child_ids == [poppy.id]
        assert browse(office).get("/schools/900001/medicines/").status_code == 403
        assert browse(cast.neighbour).get("/schools/900001/medicines/").status_code == 404
