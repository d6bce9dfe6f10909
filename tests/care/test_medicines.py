"""What the school holds for a child: taken in, changed, given back, and seen by those alone who may."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from factories import PupilFactory, person

from handrail.accounts.roles import Role
from handrail.care import actions
from handrail.care.models import Medicine, StaffTraining
from handrail.core.models import AuditEntry, ReadEntry
from tenants.context import inside
from tenants.database import execute

pytestmark = pytest.mark.django_db


@pytest.fixture
def syrup(one, cast, at, poppy, facts):
    with inside(one):
        return actions.add_medicine(pupil=poppy, by=cast.head, at=at, **facts)


def typed(facts, **changes):
    """What a browser would send of these facts."""
    found = {}
    for name, value in {**facts, **changes}.items():
        if hasattr(value, "year"):
            found |= {f"{name}_{box}": str(getattr(value, box)) for box in ("day", "month", "year")}
        elif value is not None:
            found[name] = value
    return found


class TestAMedicine:
    def test_is_sealed_in_the_database_and_named_nowhere_else(self, one, cast, at, syrup):
        with inside(one):
            actions.change_medicine(medicine=syrup, by=cast.head, at=at, name="Loratadine")
            [(name, dose, place, given_by)] = execute("SELECT name, dose, place, given_by FROM care_medicine")
            everything = b"".join(bytes(each) for each in (name, dose, place, given_by))
            for word in (b"Cetirizine", b"Loratadine", b"skin", b"office", b"Ann"):
                assert word not in everything
            entries = AuditEntry.objects.filter(subject_id=syrup.id).order_by("written_at")
            assert [(each.verb, each.fields) for each in entries][1:] == [("changed a medicine", ["name"])]
            assert "Loratadine" not in str([vars(each) for each in entries])

    @pytest.mark.parametrize(("changes", "withdrawn"), [({}, True), ({"consent_by": "Sam", "dose": "10 ml"}, False)])
    def test_remembers_the_day_on_which_an_agreement_was_taken_back(
        self, one, cast, at, on, syrup, facts, changes, withdrawn
    ):
        with inside(one):
            wanted = changes or {"consent_by": None, "consent_on": None}
            actions.change_medicine(medicine=syrup, by=cast.head, at=at, **wanted)
            syrup.refresh_from_db()
            assert syrup.consent_withdrawn_on == (on if withdrawn else None)
            actions.change_medicine(medicine=syrup, by=cast.head, at=at, consent_by="Pat", consent_on=on)
            syrup.refresh_from_db()
            assert syrup.consent_withdrawn_on is None

    def test_is_refused_from_the_future(self, one, cast, at, on, poppy, facts):
        with inside(one):
            for name in ("received_on", "consent_on"):
                with pytest.raises(actions.DayInFuture) as refusal:
                    actions.add_medicine(pupil=poppy, by=cast.head, at=at, **facts | {name: on + timedelta(days=1)})
                assert refusal.value.field == name

    def test_goes_once_and_then_nothing_of_it_changes(self, one, cast, at, on, syrup):
        with inside(one):
            with pytest.raises(actions.DayInFuture):
                actions.return_medicine(
                    medicine=syrup, gone="returned", returned_on=on + timedelta(days=1), by=cast.head, at=at
                )
            with pytest.raises(actions.Refused):
                actions.return_medicine(
                    medicine=syrup, gone="returned", returned_on=on - timedelta(days=1), by=cast.head, at=at
                )
            actions.return_medicine(medicine=syrup, gone="disposed", returned_on=on, by=cast.head, at=at)
            for act in (
                lambda: actions.return_medicine(medicine=syrup, gone="returned", returned_on=on, by=cast.head, at=at),
                lambda: actions.change_medicine(medicine=syrup, by=cast.head, at=at, place="Hall"),
            ):
                with pytest.raises(actions.HasGone):
                    act()
            assert not Medicine.objects.in_use().exists()

    def test_cannot_go_nowhere(self, one, on, syrup):
        with inside(one), pytest.raises(IntegrityError), transaction.atomic():
            Medicine.objects.filter(id=syrup.id).update(returned_on=on)


class TestTheList:
    def test_shows_what_is_wrong_and_records_the_read(self, one, cast, at, on, poppy, facts, browse):
        with inside(one):
            late = {"name": "Adrenaline pen", "is_emergency": True, "is_locked": True}
            actions.add_medicine(
                pupil=poppy, by=cast.head, at=at, **facts | late | {"expires_on": on - timedelta(days=1)}
            )
        text = browse(cast.head).get(f"/children/{poppy.id}/medicines/").content.decode()
        for words in ("Adrenaline pen", "must not be locked away", "out of date", "Overdue"):
            assert words in text
        with inside(one):
            read = ReadEntry.objects.get()
            assert (read.child_ids, read.group, read.by) == ([poppy.id], "plan", cast.head.id)

    def test_is_shown_with_see_plans_and_changed_with_edit_plans(self, one, cast, poppy, syrup, browse):
        with inside(one):
            teacher = person("terry@oak.example", Role.SETTING_TEACHER, school=cast.oak)
            office = person("sally@oak.example", Role.SCHOOL_ADMINISTRATOR, school=cast.oak)
            nurse = person("hollis@nurse.example", Role.HEALTH_PROFESSIONAL, school=cast.oak, pupil=poppy)
        address = f"/children/{poppy.id}/medicines/"
        for who, status in ((teacher, 200), (nurse, 200), (office, 403), (cast.officer, 403), (cast.neighbour, 404)):
            assert browse(who).get(address).status_code == status, who
        shown = browse(teacher).get(address).content.decode()
        assert "Cetirizine" in shown
        assert "Add a medicine" not in shown
        assert browse(teacher).get(f"{address}add/").status_code == 403

    def test_asks_for_the_second_step(self, one, cast, poppy, syrup, browse):
        client = browse()
        with inside(one):
            client.force_login(cast.head)
        answer = client.get(f"/children/{poppy.id}/medicines/")
        assert b"Cetirizine" not in answer.content
        assert answer.status_code == 302


class TestWhatParentsMustNotBeToldOf:
    """A young person who is able to decides alone."""

    @pytest.fixture
    def pill(self, one, cast, at, on, poppy, facts):
        private = {"name": "Levonorgestrel", "is_hidden_from_parents": True, "consent_by": "Poppy"}
        with inside(one):
            return actions.add_medicine(
                pupil=poppy, by=cast.head, at=at, **facts | private | {"expires_on": on - timedelta(days=1)}
            )

    def test_says_so_and_sends_nobody_to_the_parents(self, cast, poppy, pill, browse):
        client, address = browse(cast.head), f"/children/{poppy.id}/medicines/"
        text = client.get(address).content.decode()
        assert "Parents must not be told of this" in text
        assert "Ask the young person for a new one" in text
        assert "Young person’s agreement" in text
        assert "Ask the parent" not in text
        assert "give it back to the young person" in client.get(f"{address}{pill.id}/return/").content.decode()

    def test_is_asked_for_and_kept(self, one, cast, on, poppy, facts, browse):
        client, address = browse(cast.head), f"/children/{poppy.id}/medicines/add/"
        assert client.post(address, typed(facts, is_hidden_from_parents="on", consent_by="Poppy")).status_code == 302
        with inside(one):
            made = Medicine.objects.get()
            assert (made.is_hidden_from_parents, made.consent_by, made.to_put_right(on)) == (True, "Poppy", [])

    def test_still_needs_the_young_persons_agreement(self, one, cast, poppy, facts, browse):
        alone = {name: value for name, value in facts.items() if not name.startswith("consent")}
        client = browse(cast.head)
        client.post(f"/children/{poppy.id}/medicines/add/", typed(alone, is_hidden_from_parents="on"))
        text = client.get(f"/children/{poppy.id}/medicines/").content.decode()
        assert "There is no record of the young person’s written agreement." in text


class TestThePages:
    def test_add_change_and_return(self, one, cast, on, poppy, facts, browse):
        client, address = browse(cast.head), f"/children/{poppy.id}/medicines/"
        data = typed(facts, log_url="log.example/poppy")
        assert client.post(f"{address}add/", data).status_code == 302
        with inside(one):
            made = Medicine.objects.get()
            assert (made.name, made.consent_by, made.log_url) == (
                "Cetirizine syrup",
                "Pat Parent",
                "https://log.example/poppy",
            )
            [[sealed]] = execute("SELECT log_url FROM care_medicine")
            assert b"poppy" not in bytes(sealed)
        assert 'href="https://log.example/poppy"' in client.get(address).content.decode()
        assert client.post(f"{address}{made.id}/", typed(facts, place="Hall")).status_code == 302
        gone = {"gone": "returned", **typed({"returned_on": on})}
        assert client.post(f"{address}{made.id}/return/", gone).status_code == 302
        with inside(one):
            made.refresh_from_db()
            assert (made.place, made.gone, made.returned_on) == ("Hall", "returned", on)
        assert "returned to the parent or carer on 23 November 2026" in client.get(address).content.decode()

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"name": ""}, "Enter the name of the medicine or device"),
            ({"consent_by": ""}, "Enter who agreed"),
            ({"log_url": "javascript:alert(1)"}, "Enter a web address in the correct format"),
            ({"received_on_year": "2027"}, "Date it came must be today or in the past"),
        ],
    )
    def test_say_what_is_wrong_and_keep_what_was_typed(self, cast, poppy, facts, browse, changes, words):
        answer = browse(cast.head).post(f"/children/{poppy.id}/medicines/add/", typed(facts) | changes)
        text = answer.content.decode()
        assert words in text
        assert "5 ml when the skin itches" in text

    def test_find_no_medicine_of_another_child(self, one, cast, at, poppy, syrup, browse):
        with inside(one):
            other = PupilFactory(school=cast.oak)
        assert browse(cast.head).get(f"/children/{other.id}/medicines/{syrup.id}/").status_code == 404

    def test_record_training_for_the_child_and_end_it(self, one, cast, on, poppy, browse):
        client, address = browse(cast.head), f"/children/{poppy.id}/medicines/"
        data = {"person": "Ann Able", "procedure": "seizure", "trainer": "Nora Nurse", "confirmed_by": "Nora Nurse"}
        assert client.post(f"{address}training/add/", data | typed({"trained_on": on})).status_code == 302
        assert "Ann Able" in client.get(address).content.decode()
        with inside(one):
            made = StaffTraining.objects.get()
            assert (made.pupil_id, made.is_confirmed) == (poppy.id, True)
        assert client.post(f"{address}training/{made.id}/end/").status_code == 302
        with inside(one):
            assert not StaffTraining.objects.current().exists()

    def test_lead_from_a_message_to_the_item(self, cast, poppy, syrup, browse):
        answer = browse(cast.head).get(f"/items/{syrup.id}/")
        assert answer["Location"] == f"/children/{poppy.id}/medicines/"
        assert browse(cast.neighbour).get(f"/items/{syrup.id}/").status_code == 404
