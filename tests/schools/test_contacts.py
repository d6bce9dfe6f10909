"""Whom to ask about a child: adding, correcting, ordering and removing them, and what of it is recorded."""

import pytest
from factories import ContactFactory, PupilFactory, person

from handrail.accounts.roles import Role
from handrail.core.models import AuditEntry, ReadEntry
from handrail.records.actions import erase_child
from handrail.records.child import as_json
from handrail.schools import actions
from handrail.schools.models import Contact
from handrail.schools.phone import NotAPhoneNumber, dialled, plain_phone
from tenants.context import inside

pytestmark = pytest.mark.django_db

GIVEN = {
    "name": "Grace Canarymother",
    "relation": "Mother",
    "phone": "01632  960103",
    "email": "Grace@Home.example",
    "has_parental_responsibility": "on",
    "place": "1",
}


@pytest.fixture(autouse=True)
def clock(monkeypatch, at):
    """Pages are asked for at the moment of the tests."""
    monkeypatch.setattr("handrail.accounts.middleware.timezone.now", lambda: at)


@pytest.fixture
def poppy(one, cast):
    with inside(one):
        return PupilFactory(school=cast.oak, name="Poppy Canarywright")


@pytest.fixture
def ann_and_bo(one, poppy):
    with inside(one):
        return [ContactFactory(pupil=poppy, name=name, priority=n) for n, name in ((1, "Ann"), (2, "Bo"))]


def names(pupil):
    """The contacts' names in order, each with its number."""
    return [(each.priority, each.name) for each in Contact.objects.of_child(pupil)]


class TestTheOrder:
    def test_of_a_new_one_is_where_it_was_put(self, one, cast, at, poppy, ann_and_bo):
        with inside(one):
            actions.add_contact(pupil=poppy, place=2, by=cast.head, at=at, name="Cy")
            assert names(poppy) == [(1, "Ann"), (2, "Cy"), (3, "Bo")]

    def test_changes_when_one_is_tried_sooner(self, one, cast, at, poppy, ann_and_bo):
        with inside(one):
            assert actions.change_contact(contact=ann_and_bo[1], place=1, by=cast.head, at=at) == ["priority"]
            assert names(poppy) == [(1, "Bo"), (2, "Ann")]

    def test_has_no_gap_after_one_is_removed(self, one, cast, at, poppy, ann_and_bo):
        with inside(one):
            actions.remove_contact(contact=ann_and_bo[0], by=cast.head, at=at)
            assert names(poppy) == [(1, "Bo")]


class TestTheRecord:
    def test_names_the_child_and_fields_and_no_value(self, one, cast, at, poppy):
        with inside(one):
            contact = actions.add_contact(pupil=poppy, place=1, by=cast.head, at=at, name="Grace", phone="01632 960103")
            actions.change_contact(contact=contact, place=1, by=cast.head, at=at, name="Grace", relation="Aunt")
            assert actions.change_contact(contact=contact, place=1, by=cast.head, at=at, relation="Aunt") == []
            actions.remove_contact(contact=contact, by=cast.head, at=at)
            entries = AuditEntry.objects.filter(subject_id=poppy.id).order_by("written_at", "verb")
            assert {(each.verb, *each.fields) for each in entries} == {
                ("added a child’s contact", "name", "phone"),
                ("changed a child’s contact", "relation"),
                ("removed a child’s contact",),
            }
            assert "Grace" not in str([vars(each) for each in entries])

    def test_is_shown_held_and_erased_with_the_child(self, one, cast, at, poppy, ann_and_bo):
        with inside(one):
            assert {row["name"] for row in as_json(poppy)["schools_contact"]} == {"Ann", "Bo"}
            erase_child(pupil=poppy, by=cast.head, at=at)
            assert not Contact.objects.exists()


class TestParentalResponsibility:
    def test_is_of_those_who_have_it(self, one, poppy, ann_and_bo):
        with inside(one):
            Contact.objects.filter(name="Ann").update(has_parental_responsibility=False)
            ContactFactory(pupil=PupilFactory(school=poppy.school), name="Of another child")
            [found] = Contact.objects.of_child(poppy).with_parental_responsibility()
            assert found.name == "Bo"


class TestThePages:
    def test_add_change_and_remove_one(self, one, cast, browse, poppy):
        client = browse(cast.head)
        place = f"/children/{poppy.id}/"
        assert "Nobody yet." in client.get(place).content.decode()
        assert client.post(f"{place}contacts/add/", GIVEN)["Location"] == place
        page = client.get(place).content.decode()
        for words in ("Grace Canarymother", 'href="tel:01632960103"', "grace@home.example", "Added the contact."):
            assert words in page
        with inside(one):
            contact = Contact.objects.get()
            assert (contact.phone, contact.has_parental_responsibility) == ("01632 960103", True)
        of_contact = f"{place}contacts/{contact.id}/"
        assert 'value="Grace Canarymother"' in client.get(of_contact).content.decode()
        client.post(of_contact, {**GIVEN, "relation": "Aunt", "has_parental_responsibility": ""})
        with inside(one):
            contact = Contact.objects.get()
            assert (contact.relation, contact.has_parental_responsibility) == ("Aunt", False)
        assert "(aunt) will no longer stand" in client.get(f"{of_contact}remove/").content.decode()
        client.post(f"{of_contact}remove/")
        with inside(one):
            assert not Contact.objects.exists()

    @pytest.mark.parametrize(
        ("field", "typed", "words"),
        [
            ("name", "", "Enter the contact’s full name"),
            ("phone", "ask mum", "Enter a phone number, like"),
            ("email", "grace@hоme.example", "This address uses letters that look like others"),
            ("email", "grace", "Enter an e-mail address in the right form"),
            ("place", "7", "Select when to try them from the list"),
        ],
    )
    def test_say_what_is_wrong_and_keep_what_was_typed(self, one, cast, browse, poppy, field, typed, words):
        page = browse(cast.head).post(f"/children/{poppy.id}/contacts/add/", {**GIVEN, field: typed}).content.decode()
        assert words in page
        assert 'value="Mother"' in page
        with inside(one):
            assert not Contact.objects.exists()

    def test_record_that_the_child_was_shown(self, one, cast, browse, poppy, ann_and_bo):
        client = browse(cast.head)
        for page in ("", "contacts/add/", f"contacts/{ann_and_bo[0].id}/", f"contacts/{ann_and_bo[0].id}/remove/"):
            client.get(f"/children/{poppy.id}/{page}")
        with inside(one):
            shown = [(read.child_ids, read.group) for read in ReadEntry.objects.all()]
            assert shown == [([poppy.id], "identity")] * 4

    def test_are_not_there_for_other_schools_and_officers(self, one, two, cast, browse, poppy, ann_and_bo):
        with inside(one):
            governor = person("gov@oak.example", Role.GOVERNOR, school=cast.oak)
        for page in ("add/", f"{ann_and_bo[0].id}/", f"{ann_and_bo[0].id}/remove/"):
            place = f"/children/{poppy.id}/contacts/{page}"
            for ask in (
                lambda client, place=place: client.get(place),
                lambda client, place=place: client.post(place, GIVEN),
            ):
                assert ask(browse(cast.neighbour)).status_code == 404
                assert ask(browse(cast.hospital, authority=two)).status_code == 404
                for nosy in (cast.admin, cast.officer, governor):
                    assert ask(browse(nosy)).status_code == 403
        with inside(one):
            assert names(poppy) == [(1, "Ann"), (2, "Bo")]

    def test_reach_no_contact_of_another_child(self, one, cast, browse, poppy, ann_and_bo):
        with inside(one):
            other = PupilFactory(school=cast.oak)
        assert browse(cast.head).get(f"/children/{other.id}/contacts/{ann_and_bo[0].id}/").status_code == 404


@pytest.mark.parametrize(
    ("typed", "kept", "rung"),
    [
        (" 01632  960 001 ", "01632 960 001", "01632960001"),
        ("+44 (0)808 157-0192", "+44 (0)808 157-0192", "+448081570192"),
        ("\uff10\uff11632960001", "01632960001", "01632960001"),
        ("01632 960001 ext 12", "01632 960001 ext 12", "01632960001"),
    ],
)
def test_a_phone_number_is_kept_as_it_was_grouped(typed, kept, rung):
    assert plain_phone(typed) == kept
    assert dialled(kept) == rung


@pytest.mark.parametrize("typed", ["999", "mum", "01632 960001; 01632 960002", "0" * 31, "=1+1234567", "٠١٢٣٤٥٦٧"])
def test_what_nobody_could_ring_is_refused(typed):
    with pytest.raises(NotAPhoneNumber):
        plain_phone(typed)
