"""A school's contacts on a page."""

import pytest

from handrail.core.models import AuditEntry
from handrail.schools.models import School
from tenants.context import inside

pytestmark = pytest.mark.django_db

CONTACTS = "/schools/900001/contacts/"
GIVEN = {
    "office_email": "office@oak.example",
    "lead_name": "Nell New",
    "lead_email": "nell@oak.example",
    "head_name": "",
    "head_email": "",
}


@pytest.fixture(autouse=True)
def clock(monkeypatch, at):
    """Pages are asked for at the moment of the tests."""
    monkeypatch.setattr("handrail.accounts.middleware.timezone.now", lambda: at)


class TestContacts:
    def test_shows_what_is_held(self, cast, browse):
        page = browse(cast.head).get(CONTACTS).content.decode()
        assert 'value="head@oak.example"' in page
        assert "Oak School" in page

    @pytest.mark.parametrize("who", ["head", "officer"])
    def test_saves(self, one, cast, browse, who):
        answer = browse(getattr(cast, who)).post(CONTACTS, GIVEN)
        assert answer["Location"] == "/schools/900001/people/"
        with inside(one):
            assert School.objects.filter(urn="900001", **GIVEN).exists()
            entry = AuditEntry.objects.get(verb="changed a school's contacts")
            assert (entry.by, entry.school_id) == (getattr(cast, who).id, cast.oak.id)

    def test_says_what_is_wrong_and_saves_nothing(self, one, cast, browse):
        page = browse(cast.head).post(CONTACTS, {**GIVEN, "lead_email": "nell"}).content.decode()
        assert "Enter an e-mail address in the correct format" in page
        assert 'value="Nell New"' in page
        with inside(one):
            assert School.objects.get(urn="900001").lead_email == "head@oak.example"

    def test_is_hidden_from_other_schools_and_authorities(self, two, cast, browse):
        for client in (browse(cast.neighbour), browse(cast.stranger, authority=two)):
            assert client.get(CONTACTS).status_code == 404
            assert client.post(CONTACTS, GIVEN).status_code == 404
