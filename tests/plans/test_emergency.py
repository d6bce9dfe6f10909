"""A child's emergency plan: what it says, its versions, and two people writing at once."""

import threading
from dataclasses import replace
from datetime import date

import pytest
from django.db import connection
from factories import PupilFactory, emergency, person

from handrail.accounts.roles import Role
from handrail.core.models import AuditEntry, ReadEntry
from handrail.plans.emergency import Emergency, Medicine
from handrail.plans.forms import EmergencyForm, typed
from handrail.plans.models import HealthcarePlan, PlanVersion
from handrail.plans.versions import ChangedMeanwhile, write_emergency
from tenants.context import inside
from tenants.database import execute

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock(monkeypatch, at):
    """Pages are asked for at the moment of the tests."""
    monkeypatch.setattr("handrail.accounts.middleware.timezone.now", lambda: at)


@pytest.fixture
def poppy(one, cast):
    with inside(one):
        return PupilFactory(school=cast.oak, name="Poppy Canarywright")


@pytest.fixture
def written(one, cast, at, poppy):
    with inside(one):
        return write_emergency(pupil=poppy, says=emergency(), based_on=0, by=cast.head, at=at)[0]


def data(says, number):
    """What a browser would send of these words."""
    found = {}
    for name, value in typed(says, number).items():
        if isinstance(value, date):
            found |= {f"{name}_{box}": str(getattr(value, box)) for box in ("day", "month", "year")}
        elif value is not None:
            found[name] = value
    return found


class TestWhatItSays:
    def test_comes_back_as_it_was_written(self):
        says = emergency()
        assert Emergency.from_json(says.to_json()) == says

    def test_names_the_parts_that_changed(self):
        says = emergency()
        assert replace(says, condition="Asthma", never=()).changed_from(says) == ["condition", "never"]
        assert says.changed_from(says) == []

    @pytest.mark.parametrize(("day", "out"), [(date(2027, 3, 31), False), (date(2027, 4, 1), True)])
    def test_knows_the_last_day_of_a_medicine(self, day, out):
        assert Medicine("A", "", "", date(2027, 3, 31)).is_out_of_date(day) == out
        assert not Medicine("A", "", "", None).is_out_of_date(day)


class TestForm:
    def form(self, **changes):
        return EmergencyForm(data(emergency(), 0) | changes)

    def test_gives_what_was_typed(self):
        form = self.form()
        assert form.is_valid(), form.errors
        assert form.says == emergency()

    def test_takes_numbers_and_bullets_away(self):
        form = self.form(steps="1. Stay.\n 2) Call for help.\n\n- Wait.\n5 ml is enough.")
        assert form.is_valid()
        assert form.says.steps == ("Stay.", "Call for help.", "Wait.", "5 ml is enough.")

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"steps": ""}, "Enter what to do now"),
            ({"steps": "\n".join("12345678")}, "What to do now must be 7 lines or fewer. You wrote 8"),
            ({"steps": "ok\n" + "x" * 121}, "Line 2 of “What to do now” must be 120 characters or fewer"),
            ({"condition": ""}, "Enter the condition"),
            ({"call_999": ""}, "Enter when to call 999"),
            ({"medicine_2_dose": "1 puff"}, "Enter the name of the medicine"),
            ({"contact_1_name": ""}, "Enter the name of the person"),
            ({"medicine_1_expires_on_month": "13"}, "Expiry date must be a real date"),
        ],
    )
    def test_says_what_is_wrong(self, changes, words):
        form = self.form(**changes)
        assert not form.is_valid()
        assert words in str(form.errors)

    def test_takes_seven_steps_of_120_characters(self):
        form = self.form(steps="\n".join(["x" * 120] * 7))
        assert form.is_valid()


class TestWriteEmergency:
    def test_makes_versions_and_records_names_of_parts_only(self, one, cast, at, poppy, written):
        with inside(one):
            says = replace(emergency(), condition="Asthma")
            second, is_new = write_emergency(pupil=poppy, says=says, based_on=1, by=cast.colleague, at=at)
            assert (second.number, second.changed, is_new) == (2, ["condition"], True)
            first = PlanVersion.objects.get(id=written.id)
            assert first.says == emergency()
            entries = AuditEntry.objects.filter(subject_kind="plan").order_by("written_at", "verb")
            assert [each.fields for each in entries if each.verb == "changed an emergency plan"] == [["condition"]]
            assert "Asthma" not in str([vars(each) for each in entries])

    def test_makes_no_version_of_the_same_words(self, one, cast, at, poppy, written):
        with inside(one):
            again, is_new = write_emergency(pupil=poppy, says=emergency(), based_on=0, by=cast.head, at=at)
            assert (again, is_new, PlanVersion.objects.count()) == (written, False, 1)

    def test_refuses_to_write_over_what_it_was_not_based_on(self, one, cast, at, poppy, written):
        with inside(one):
            with pytest.raises(ChangedMeanwhile) as refusal:
                write_emergency(pupil=poppy, says=emergency("Asthma"), based_on=0, by=cast.colleague, at=at)
            assert refusal.value.newest == written
            assert PlanVersion.objects.count() == 1

    def test_keeps_the_words_sealed(self, one, written):
        with inside(one):
            [(kept,)] = execute("SELECT emergency FROM plans_planversion")
            assert b"Epilepsy" not in bytes(kept)


@pytest.mark.django_db(transaction=True)
class TestTwoAtOnce:
    def test_the_second_is_told(self, one, cast, at, poppy):
        """Both begin with an empty plan and save at the same moment."""
        results, together = [], threading.Barrier(2, timeout=30)

        def save(condition):
            together.wait()
            try:
                with inside(one):
                    write_emergency(pupil=poppy, says=emergency(condition), based_on=0, by=cast.head, at=at)
                results.append("saved")
            except ChangedMeanwhile as meanwhile:
                results.append(meanwhile.newest.number)
            connection.close()

        threads = [threading.Thread(target=save, args=(each,)) for each in ("Asthma", "Epilepsy")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(results, key=str) == [1, "saved"]
        with inside(one):
            assert (HealthcarePlan.objects.count(), PlanVersion.objects.count()) == (1, 1)


class TestEmergencyPage:
    def test_says_everything_and_is_recorded(self, one, cast, browse, poppy, written):
        page = browse(cast.head).get(f"/children/{poppy.id}/emergency/").content.decode()
        says = emergency()
        for part in ("condition", "signs", "steps", "call_999", "never"):
            assert all(line in page for line in says.lines(part)), part
        for words in ("Midazolam", "5 mg in the cheek", "School office", "31 March 2027", "Pat Parent", "01632 960001"):
            assert words in page
        assert "Printed 23 November 2026 at 9:05am by Hana Head: check for a newer version." in page
        assert "Out of date" not in page
        assert "Poppy" not in page.split("<title>")[1].split("<")[0]
        with inside(one):
            read = ReadEntry.objects.get()
            assert (read.child_ids, read.group, read.by) == ([poppy.id], "emergency", cast.head.id)

    def test_warns_of_a_medicine_out_of_date(self, one, cast, browse, at, poppy):
        with inside(one):
            old = (Medicine("Salbutamol", "2 puffs", "Class", date(2026, 11, 22)),)
            write_emergency(pupil=poppy, says=emergency(medicines=old), based_on=0, by=cast.head, at=at)
        assert "Out of date" in browse(cast.head).get(f"/children/{poppy.id}/emergency/").content.decode()

    def test_without_a_plan_says_what_to_do(self, cast, browse, poppy):
        page = browse(cast.head).get(f"/children/{poppy.id}/emergency/").content.decode()
        assert "There is no emergency plan for this child" in page
        assert "In an emergency call 999." in page
        assert "Write an emergency plan" in page

    def test_asks_for_no_second_factor_and_the_others_do(self):
        from handrail.plans import views

        assert not views.EmergencyView.needs_step_up
        assert views.ChangeEmergencyView.needs_step_up
        assert views.VersionsView.needs_step_up
        assert views.VersionView.needs_step_up

    def test_is_not_there_for_other_schools_officers_and_governors(self, one, two, cast, browse, poppy, written):
        with inside(one):
            governor = person("gov@oak.example", Role.GOVERNOR, school=cast.oak)
            office = person("office@oak.example", Role.SCHOOL_ADMINISTRATOR, school=cast.oak)
        place = f"/children/{poppy.id}/emergency/"
        assert browse(office).get(place).status_code == 200
        for page in ("change/", "versions/", "versions/1/"):
            assert browse(office).get(place + page).status_code == 403
        for page in ("", "change/", "versions/", "versions/1/"):
            assert browse(cast.neighbour).get(place + page).status_code == 404
            assert browse(cast.hospital, authority=two).get(place + page).status_code == 404
            for nosy in (cast.admin, cast.officer, governor):
                assert browse(nosy).get(place + page).status_code == 403


class TestChanging:
    def test_saves_and_leads_back(self, one, cast, browse, poppy, written):
        client = browse(cast.head)
        place = f"/children/{poppy.id}/emergency/change/"
        assert "Stay with the child and time the seizure." in client.get(place).content.decode()
        answer = client.post(place, data(replace(emergency(), steps=("Wait.",)), 1))
        assert answer["Location"] == f"/children/{poppy.id}/emergency/"
        page = client.get(answer["Location"]).content.decode()
        assert "Saved the emergency plan." in page
        assert "Version 2" in page
        versions = client.get(f"/children/{poppy.id}/emergency/versions/").content.decode()
        assert "What to do now" in versions
        old = client.get(f"/children/{poppy.id}/emergency/versions/1/").content.decode()
        assert "This is not the plan in force." in old
        assert "time the seizure" in old

    def test_shows_both_texts_to_whoever_was_overtaken(self, one, cast, browse, poppy, written):
        hana, cal = browse(cast.head), browse(cast.colleague)
        place = f"/children/{poppy.id}/emergency/change/"
        hana.post(place, data(replace(emergency(), steps=("Hana’s step.",)), 1))
        page = cal.post(place, data(replace(emergency(), condition="Cal’s words"), 1)).content.decode()
        assert "Hana Head saved a newer version while you were writing" in page
        for words in ("Hana’s step.", "Cal’s words", "time the seizure", 'name="based_on" value="2"'):
            assert words in page, words
        assert cal.post(place, data(replace(emergency(), condition="Cal’s words"), 2)).status_code == 302
        with inside(one):
            newest, hanas, first = PlanVersion.objects.of_child(poppy)
            assert newest.says.condition == "Cal’s words"
            assert hanas.says.steps == ("Hana’s step.",)
            assert first.says == emergency()

    def test_keeps_what_was_typed_when_something_is_wrong(self, one, cast, browse, poppy, written):
        page = (
            browse(cast.head)
            .post(
                f"/children/{poppy.id}/emergency/change/",
                data(replace(emergency(), never=("Leave.",)), 1) | {"steps": ""},
            )
            .content.decode()
        )
        assert "Enter what to do now" in page
        assert "Leave." in page
