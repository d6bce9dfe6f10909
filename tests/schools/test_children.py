"""The children of a school: adding, correcting and finding them, and what of it is recorded."""

from datetime import date, timedelta

import pytest
from factories import PupilFactory, person

from handrail.accounts.roles import Role
from handrail.core.models import AuditEntry, ReadEntry
from handrail.schools import actions
from handrail.schools.models import Pupil
from tenants.context import inside

pytestmark = pytest.mark.django_db

CHILDREN = "/schools/900001/children/"
ADD = f"{CHILDREN}add/"
GIVEN = {
    "name": "Poppy Canarywright",
    "known_as": "Pop",
    "born_on_day": "27",
    "born_on_month": "3",
    "born_on_year": "2016",
    "year_group": "Year 5",
    "class_name": "Kestrels",
    "upn": "b801 200005001",
    "joined_on_day": "1",
    "joined_on_month": "9",
    "joined_on_year": "2026",
}
FACTS = {"name": "Ann Ash", "born_on": date(2016, 5, 1), "joined_on": date(2026, 9, 1)}


@pytest.fixture(autouse=True)
def clock(monkeypatch, at):
    """Pages are asked for at the moment of the tests."""
    monkeypatch.setattr("handrail.accounts.middleware.timezone.now", lambda: at)


@pytest.fixture
def poppy(one, cast):
    with inside(one):
        return PupilFactory(school=cast.oak, name="Poppy Canarywright", upn="B801200005001")


class TestAddPupil:
    def test_writes_names_of_fields_and_no_value(self, one, cast, at):
        with inside(one):
            pupil = actions.add_pupil(school=cast.oak, by=cast.head, at=at, **FACTS, upn="B801200005001")
            entry = AuditEntry.objects.get(subject_id=pupil.id)
            assert (entry.verb, entry.fields) == ("added a child", ["born_on", "joined_on", "name", "upn"])
            assert "Ash" not in str(vars(entry))

    def test_refuses_a_number_that_another_child_has(self, one, cast, at, poppy):
        with inside(one):
            with pytest.raises(actions.UpnTaken):
                actions.add_pupil(school=cast.oak, by=cast.head, at=at, **FACTS, upn=poppy.upn)
            assert Pupil.objects.filter(name="Ann Ash").count() == 0

    def test_takes_a_number_of_a_child_who_left_or_is_elsewhere(self, one, cast, at, poppy):
        with inside(one):
            actions.add_pupil(school=cast.elm, by=cast.neighbour, at=at, **FACTS, upn=poppy.upn)
            actions.pupil_left(pupil=poppy, left_on=at.date(), by=cast.head, at=at)
            actions.add_pupil(school=cast.oak, by=cast.head, at=at, **FACTS, upn=poppy.upn)


class TestChangePupil:
    def test_says_what_changed(self, one, cast, at, poppy):
        with inside(one):
            changed = actions.change_pupil(pupil=poppy, by=cast.head, at=at, name=poppy.name, class_name="Owls")
            assert changed == ["class_name"]
            assert AuditEntry.objects.get(subject_id=poppy.id).fields == ["class_name"]
            assert actions.change_pupil(pupil=poppy, by=cast.head, at=at, class_name="Owls") == []
            assert AuditEntry.objects.filter(subject_id=poppy.id).count() == 1

    def test_refuses_a_day_of_joining_after_that_of_leaving(self, one, cast, at, poppy):
        with inside(one):
            actions.pupil_left(pupil=poppy, left_on=date(2026, 10, 1), by=cast.head, at=at)
            with pytest.raises(actions.LeavesBeforeJoining):
                actions.change_pupil(pupil=poppy, by=cast.head, at=at, joined_on=date(2026, 10, 2))


class TestPupilLeft:
    def test_takes_the_child_off_the_roll_from_that_day(self, one, cast, at, on, poppy):
        with inside(one):
            actions.pupil_left(pupil=poppy, left_on=on, by=cast.head, at=at)
            assert not Pupil.objects.on_roll(on=on).filter(id=poppy.id).exists()
            assert not poppy.is_on_roll(on)

    def test_refuses_a_day_before_joining(self, one, cast, at, poppy):
        with inside(one), pytest.raises(actions.LeavesBeforeJoining):
            actions.pupil_left(pupil=poppy, left_on=date(2026, 8, 31), by=cast.head, at=at)


class TestAddingOnAPage:
    def test_adds_and_leads_to_the_child(self, one, cast, browse):
        client = browse(cast.head)
        assert "Add this child" in client.get(ADD).content.decode()
        answer = client.post(ADD, GIVEN)
        with inside(one):
            pupil = Pupil.objects.get()
            assert (pupil.name, pupil.upn, pupil.born_on) == ("Poppy Canarywright", "B801200005001", date(2016, 3, 27))
        assert answer["Location"] == f"/children/{pupil.id}/"
        assert "Added the child." in client.get(answer["Location"]).content.decode()

    @pytest.mark.parametrize(
        ("field", "typed", "words"),
        [
            ("name", "", "Enter the child’s full name"),
            ("born_on_year", "2027", "Date of birth must be today or in the past"),
            ("upn", "A801200005001", "UPN is not right: its first letter does not fit its numbers"),
            ("upn", "12", "UPN must be 13 characters, like A123456789012"),
        ],
    )
    def test_says_what_is_wrong_and_keeps_what_was_typed(self, one, cast, browse, field, typed, words):
        page = browse(cast.head).post(ADD, {**GIVEN, field: typed}).content.decode()
        assert words in page
        assert 'value="Kestrels"' in page
        with inside(one):
            assert not Pupil.objects.exists()

    def test_warns_of_an_unknown_authority_and_adds_all_the_same(self, one, cast, browse):
        client = browse(cast.head)
        answer = client.post(ADD, {**GIVEN, "upn": "F006200005001"})
        assert "No local authority has had the code 006" in client.get(answer["Location"]).content.decode()

    def test_refuses_a_number_twice(self, cast, browse, poppy):
        page = browse(cast.head).post(ADD, GIVEN).content.decode()
        assert "Another child at this school has this UPN" in page


class TestFinding:
    @pytest.mark.parametrize("letters", ["po", "PO", "can", "mi"])
    def test_takes_two_letters_of_any_of_the_names(self, one, cast, browse, poppy, letters):
        with inside(one):
            Pupil.objects.filter(id=poppy.id).update(known_as="Mimi")
            PupilFactory(school=cast.oak, name="Ann Ash")
        page = browse(cast.head).post(CHILDREN, {"letters": letters}).content.decode()
        assert "Poppy Canarywright" in page
        assert "Ann Ash" not in page

    @pytest.mark.parametrize(
        ("letters", "words"), [("p", "at least the first two"), ("", "Enter the first two"), ("zz", "No child matches")]
    )
    def test_says_what_to_do_and_records_that_nobody_was_shown(self, one, cast, browse, poppy, letters, words):
        page = browse(cast.head).post(CHILDREN, {"letters": letters}).content.decode()
        assert words in page
        assert "Poppy" not in page
        with inside(one):
            assert ReadEntry.objects.get().child_ids == []

    def test_finds_nobody_of_another_school_and_nobody_who_left(self, one, cast, browse, at, poppy):
        with inside(one):
            PupilFactory(school=cast.elm, name="Poppy Elsewhere")
            actions.pupil_left(pupil=poppy, left_on=at.date(), by=cast.head, at=at)
        page = browse(cast.head).post(CHILDREN, {"letters": "pop"}).content.decode()
        assert "No child matches" in page

    def test_finds_somebody_who_is_still_to_join(self, one, cast, browse, on, poppy):
        """Their plan is to be ready before they do."""
        with inside(one):
            Pupil.objects.filter(id=poppy.id).update(joined_on=on + timedelta(days=40))
        client = browse(cast.head)
        for page in (client.get(CHILDREN), client.post(CHILDREN, {"letters": "po"})):
            assert "Poppy Canarywright" in page.text
            assert "Joins on 2 January 2027" in page.text

    def test_is_recorded_with_the_children_who_were_shown(self, one, cast, browse, at, poppy):
        with inside(one):
            other = PupilFactory(school=cast.oak, name="Ann Ash")
        browse(cast.head).get(CHILDREN)
        with inside(one):
            read = ReadEntry.objects.get()
            assert set(read.child_ids) == {poppy.id, other.id}
            assert (read.by, read.role, read.school_id, read.at) == (cast.head.id, "school_lead", cast.oak.id, at)
            assert (read.group, read.verb, read.why) == ("identity", "list", "role")

    def test_puts_no_name_into_an_address(self, cast, browse, poppy):
        assert 'method="post"' in browse(cast.head).get(CHILDREN).content.decode()

    def test_asks_as_much_of_the_database_for_one_as_for_many(
        self, one, cast, browse, poppy, django_assert_max_num_queries
    ):
        client = browse(cast.head)
        with inside(one):
            PupilFactory.create_batch(60, school=cast.oak)
        with django_assert_max_num_queries(14):
            client.get(CHILDREN)


class TestTheChildsPage:
    def test_shows_who_they_are(self, cast, browse, poppy):
        page = browse(cast.head).get(f"/children/{poppy.id}/").content.decode()
        assert "B801200005001" in page
        assert "1 May 2016" in page
        assert "Poppy" not in page.split("<title>")[1].split("<")[0]

    def test_is_corrected(self, one, cast, browse, poppy):
        client = browse(cast.head)
        assert 'value="Poppy Canarywright"' in client.get(f"/children/{poppy.id}/change/").content.decode()
        answer = client.post(f"/children/{poppy.id}/change/", {**GIVEN, "class_name": "Owls"})
        assert answer["Location"] == f"/children/{poppy.id}/"
        with inside(one):
            assert Pupil.objects.get(id=poppy.id).class_name == "Owls"

    def test_says_that_they_left(self, one, cast, browse, poppy):
        client = browse(cast.head)
        day = {"left_on_day": "20", "left_on_month": "11", "left_on_year": "2026"}
        assert (
            "must be on or after"
            in client.post(f"/children/{poppy.id}/left/", {**day, "left_on_year": "2025"}).content.decode()
        )
        answer = client.post(f"/children/{poppy.id}/left/", day)
        assert "Left on 20 November 2026" in client.get(answer["Location"]).content.decode()

    def test_is_not_there_for_other_schools_and_officers(self, one, two, cast, browse, poppy):
        with inside(one):
            governor = person("gov@oak.example", Role.GOVERNOR, school=cast.oak)
        for page in ("", "change/", "left/"):
            place = f"/children/{poppy.id}/{page}"
            assert browse(cast.neighbour).get(place).status_code == 404
            assert browse(cast.neighbour).post(place, GIVEN).status_code in (404, 405)
            assert browse(cast.hospital, authority=two).get(place).status_code == 404
            for nosy in (cast.admin, cast.officer, governor):
                assert browse(nosy).get(place).status_code == 403


class TestActivity:
    def test_of_a_school_tells_the_authority_nothing_about_children(self, one, cast, browse, at):
        with inside(one):
            actions.add_pupil(school=cast.oak, by=cast.head, at=at, **FACTS)
        for place in ("/schools/900001/activity/", "/schools/900001/"):
            assert "dded a child" not in browse(cast.officer).get(place).content.decode()
            page = browse(cast.head).get(place).content.decode()
            assert "Added a child" in page
            assert FACTS["name"] not in page


class TestSomebodyWithTwoRoles:
    """A lead at Oak School who works in the office of Elm School."""

    def test_acts_at_each_school_under_the_role_there(self, one, cast, browse, at):
        with inside(one):
            person(cast.head.email, Role.SCHOOL_ADMINISTRATOR, school=cast.elm)
            person(cast.head.email, Role.GOVERNOR, school=cast.oak)
        client = browse(cast.head)
        for urn in ("900001", "900002"):
            client.post(f"/schools/{urn}/children/add/", {**GIVEN, "upn": ""})
            client.get(f"/schools/{urn}/children/")
        with inside(one):
            roles = {cast.oak.id: "school_lead", cast.elm.id: "school_administrator"}
            entries = AuditEntry.objects.filter(verb="added a child")
            assert {each.school_id: each.role for each in entries} == roles
            assert {each.school_id: each.role for each in ReadEntry.objects.all()} == roles
