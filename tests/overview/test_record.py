"""Who looked at a child, all that happened, and the extract of it."""

import csv
import io
from datetime import timedelta

import pytest
from factories import PupilFactory, person

from handrail.accounts.roles import Role
from handrail.core.audit import CLOCK, record_read
from handrail.core.models import AuditEntry, ReadEntry
from handrail.core.reference import CHARACTERS, reference
from handrail.schools import actions
from tenants.context import inside

pytestmark = pytest.mark.django_db
RANGE = {
    "first_day": "22", "first_month": "11", "first_year": "2026",
    "last_day": "23", "last_month": "11", "last_year": "2026",
}  # fmt: skip


@pytest.fixture(autouse=True)
def clock(monkeypatch, at):
    """Pages are asked for at the moment of the tests."""
    monkeypatch.setattr("handrail.accounts.middleware.timezone.now", lambda: at)


@pytest.fixture
def poppy(one, cast, at):
    with inside(one):
        child = PupilFactory(school=cast.oak, name="Poppy Canarywright")
        actions.change_pupil(pupil=child, by=cast.head, at=at, class_name="Owls")
        return child


@pytest.fixture
def dana(one):
    with inside(one):
        return person("dana@barsetshire.example", Role.DATA_PROTECTION_LEAD, name="Dana Dataprotect")


class TestReference:
    def test_is_short_stable_and_without_what_is_mistaken(self, poppy):
        assert reference(poppy.id) == reference(poppy.id)
        assert len(reference(poppy.id)) == 6
        assert not set("01IOS") & set(CHARACTERS)


class TestWhoLooked:
    def test_says_who_when_what_and_in_which_role(self, one, cast, browse, poppy):
        browse(cast.colleague).get(f"/children/{poppy.id}/")
        page = browse(cast.head).get(f"/children/{poppy.id}/reads/").content.decode()
        assert "23 November 2026" in page
        assert "Cal Colleague, school lead" in page
        assert "Name, date of birth, class and contacts (page)" in page

    def test_is_itself_recorded(self, one, cast, browse, poppy):
        browse(cast.head).get(f"/children/{poppy.id}/reads/")
        with inside(one):
            assert ReadEntry.objects.get().group == "reads"

    def test_of_another_child_or_school_is_not_in_it(self, one, cast, browse, at, poppy):
        with inside(one):
            other = PupilFactory(school=cast.oak)
            record_read([other.id], by=cast.colleague, at=at, group="identity", school_id=cast.oak.id)
            record_read([poppy.id], by=cast.neighbour, at=at, group="identity", school_id=cast.elm.id)
        page = browse(cast.head).get(f"/children/{poppy.id}/reads/").content.decode()
        assert "Nobody has looked yet." in page

    def test_is_for_the_schools_lead_alone(self, one, cast, browse, poppy, dana):
        with inside(one):
            office = person("office@oak.example", Role.SCHOOL_ADMINISTRATOR, school=cast.oak)
        place = f"/children/{poppy.id}/reads/"
        assert browse(cast.neighbour).get(place).status_code == 404
        for nosy in (office, cast.admin, cast.officer, dana):
            assert browse(nosy).get(place).status_code == 403


class TestEverything:
    def test_names_people_and_no_child(self, cast, browse, poppy, dana):
        browse(cast.head).get(f"/children/{poppy.id}/")
        page = browse(dana).get("/activity/").content.decode()
        assert "Changed a child’s details" in page
        assert "Was shown 1 child. Name, date of birth, class and contacts (page)" in page
        assert reference(poppy.id) in page
        assert "Hana Head, school lead" in page
        assert "Poppy" not in page

    def test_asks_as_much_of_the_database_for_one_as_for_many(
        self, one, cast, browse, at, poppy, dana, django_assert_max_num_queries
    ):
        client = browse(dana)
        with inside(one):
            for _ in range(60):
                record_read([poppy.id], by=cast.head, at=at, group="identity")
        with django_assert_max_num_queries(12):
            client.get("/activity/")

    def test_is_the_data_protection_leads_alone(self, cast, browse, poppy):
        for nosy in (cast.admin, cast.officer, cast.head):
            for place in ("/activity/", "/activity/extract/"):
                assert browse(nosy).get(place).status_code == 403
                assert browse(nosy).post(place, RANGE).status_code == 403


class TestExtract:
    def rows(self, answer):
        text = b"".join(answer.streaming_content).decode("utf-8-sig")
        return list(csv.DictReader(io.StringIO(text)))

    def test_holds_every_change_and_read_of_the_days_and_no_name_of_a_child(self, one, cast, browse, at, poppy, dana):
        with inside(one):
            record_read([poppy.id], by=cast.head, at=at, group="emergency", school_id=cast.oak.id)
            record_read([poppy.id], by=cast.head, at=at - timedelta(days=2), group="identity")
        answer = browse(dana).post("/activity/extract/", RANGE)
        assert answer["Content-Disposition"] == 'attachment; filename="record-2026-11-22-to-2026-11-23.csv"'
        rows = self.rows(answer)
        reads = [row for row in rows if row["Record"] == "read"]
        assert [(row["Who"], row["Role"], row["About (ids)"], row["Fields"], row["School (URN)"]) for row in reads] == [
            ("Hana Head", "school_lead", str(poppy.id), "emergency", "900001")
        ]
        assert any(row["What"] == "changed a child’s details" and row["Fields"] == "class_name" for row in rows)
        assert any(row["What"] == "took an extract of the record" for row in rows)
        assert "Poppy" not in str(rows)

    def test_is_recorded_before_it_leaves(self, one, browse, dana, poppy):
        browse(dana).post("/activity/extract/", RANGE)
        with inside(one):
            entry = AuditEntry.objects.get(verb="took an extract of the record")
            assert (entry.by, entry.fields) == (dana.id, ["2026-11-22", "2026-11-23"])

    def test_is_not_made_when_that_cannot_be_recorded(self, browse, dana, poppy, monkeypatch):
        def refuse(*_args, **_kwargs):
            raise RuntimeError("the record is broken")

        monkeypatch.setattr("handrail.core.audit.record", refuse)
        client = browse(dana)
        client.raise_request_exception = False
        answer = client.post("/activity/extract/", RANGE)
        assert (answer.status_code, answer.streaming) == (500, False)

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"last_day": "21"}, "Last day must be the same as or after the first day"),
            ({"first_month": ""}, "First day must include a month"),
            ({"last_year": "2027"}, "Last day must be today or in the past"),
        ],
    )
    def test_says_what_is_wrong(self, browse, dana, changes, words):
        assert words in browse(dana).post("/activity/extract/", RANGE | changes).content.decode()


def test_the_clock_is_called_by_its_name(one, cast, browse, at, dana):
    with inside(one):
        record_read([], by=CLOCK, at=at, group="emergency")
    assert "Handrail, handrail" not in browse(dana).get("/activity/").content.decode()
