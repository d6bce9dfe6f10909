"""What is held about one child: shown, given as a file, held, and erased with nothing left but ids."""

import json
from datetime import date
from itertools import pairwise

import pytest
from django.db import connection

from handrail.care.actions import add_medicine
from handrail.core.models import AuditEntry, ReadEntry
from handrail.plans.models import BreakGlass, HealthcarePlan, PlanVersion
from handrail.plans.versions import write_section
from handrail.records import actions
from handrail.records.child import as_json, for_parents, held_about, in_words
from handrail.records.models import LegalHold
from handrail.schools.models import Pupil
from tenants.context import inside

pytestmark = pytest.mark.django_db

CANARY = "Canary Ashdown"


@pytest.fixture
def child(cast, one, at):
    """A child with a plan of two versions."""
    with inside(one):
        pupil = Pupil.objects.create(
            school=cast.oak, name=CANARY, born_on=date(2016, 5, 1), joined_on=date(2020, 9, 1), upn="A001000000001"
        )
        plan = HealthcarePlan.objects.create(pupil=pupil)
        for number in (1, 2):
            PlanVersion.objects.create(
                plan=plan,
                number=number,
                made_at=at,
                made_by_name="Hana Head",
                emergency={"condition": f"canary {number}"},
            )
    return pupil


@pytest.fixture
def another(cast, one, at):
    """A child of the same school."""
    with inside(one):
        pupil = Pupil.objects.create(
            school=cast.oak, name="Other Child", born_on=date(2016, 5, 1), joined_on=date(2020, 9, 1)
        )
        HealthcarePlan.objects.create(pupil=pupil)
    return pupil


def rows_left_about(pupil):
    """Tables of the authority in which the child's id still stands."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT table_name, column_name FROM information_schema.columns
               WHERE table_schema = current_schema() AND data_type = 'uuid'"""
        )
        columns = cursor.fetchall()
        found = set()
        for table, column in columns:
            cursor.execute(f'SELECT 1 FROM "{table}" WHERE "{column}" = %s', [str(pupil.id)])
            if cursor.fetchone():
                found.add(table)
    return found


class TestWhatIsHeld:
    def test_follows_every_table_to_the_child_and_to_no_other(self, child, another, one):
        with inside(one):
            held = as_json(child)
            assert [row["name"] for row in held["schools_pupil"]] == [CANARY]
            assert len(held["plans_healthcareplan"]) == 1
            assert [row["emergency"]["condition"] for row in held["plans_planversion"]] in (
                ["canary 1", "canary 2"],
                ["canary 2", "canary 1"],
            )

    def test_finds_what_the_child_leads_back_to_by_no_name(self, child, another, cast, one, at):
        with inside(one):
            for pupil, reason in ((child, "canary reason"), (another, "of another")):
                opener = {"opened_by": cast.officer.id, "opened_by_name": "Olu", "opened_at": at}
                BreakGlass.objects.create(pupil=pupil, reason=reason, ends_at=at + BreakGlass.LASTS, **opener)
            assert [row["reason"] for row in as_json(child)["plans_breakglass"]] == ["canary reason"]

    def test_gives_each_table_once_and_after_what_it_hangs_on(self, child, one):
        with inside(one):
            order = [rows.model for rows in held_about(Pupil.objects.filter(id=child.id))]
        assert len(order) == len(set(order))
        assert order[0] is Pupil
        assert all(
            order.index(first) < order.index(second) for first, second in pairwise([Pupil, HealthcarePlan, PlanVersion])
        )


class TestWhatParentsMustNotBeTold:
    """A medicine prescribed without their knowledge, and what the plan says of it."""

    SECRET, OPEN_TO_ALL = "Levonorgestrel", "Both pens go with her."

    @pytest.fixture
    def secret(self, cast, child, one, at, on):
        """The child's third version says it, the fourth says something else too, and the school holds it."""
        who = {"by": cast.head, "at": at}
        with inside(one):
            for number, section, answers in (
                (2, "confidential", {"unknown": f"{self.SECRET} from the clinic."}),
                (3, "trips", {"trips": self.OPEN_TO_ALL}),
            ):
                write_section(pupil=child, section=section, answers=answers, based_on=number, **who)
            for name, is_hidden in ((self.SECRET, True), ("Salbutamol", False)):
                facts = {"name": name, "dose": "1", "place": "Office", "given_by": "Ann", "received_on": on}
                add_medicine(pupil=child, kind="medicine", is_hidden_from_parents=is_hidden, **facts, **who)
        return child

    def test_is_marked_wherever_it_stands(self, secret, one):
        with inside(one):
            facts = [fact for _, rows in in_words(secret) for row in rows for fact in row]
        assert {fact.is_hidden for fact in facts if self.SECRET in str(fact.value)} == {True}
        assert {fact.is_hidden for fact in facts if "Salbutamol" in str(fact.value)} == {False}
        assert {fact.is_hidden for fact in facts if self.OPEN_TO_ALL in str(fact.value)} == {False}

    def test_is_left_out_for_them_with_every_trace(self, secret, one):
        with inside(one):
            words, rows = str(for_parents(in_words(secret))), as_json(secret, to_parents=True)
        for told in (words, json.dumps(rows, default=str)):
            assert self.SECRET not in told
            assert "confidential" not in told.lower()
            assert "Salbutamol" in told
            assert self.OPEN_TO_ALL in told
        assert sorted(row["number"] for row in rows["plans_planversion"]) == [1, 2, 4]

    def test_is_warned_of_on_the_page_and_can_be_left_out(self, cast, secret, browse):
        client, place = browse(cast.head), f"/records/children/{secret.id}/"
        page = client.get(place).text
        assert "Do not hand it to them" in page
        assert page.count("Not for parents</strong>") >= 2
        assert self.SECRET in page
        theirs = client.get(f"{place}?for=parents").text
        assert "This is without what parents must not be told" in theirs
        assert self.SECRET not in theirs
        assert "Not for parents</strong>" not in theirs

    def test_is_given_as_a_file_only_to_whoever_says_who_gets_it(self, cast, secret, one, browse):
        client, place = browse(cast.head), f"/records/children/{secret.id}/file/"
        asked = client.get(place)
        assert "Who will get the file?" in asked.text
        assert self.SECRET not in asked.text
        assert "Select who will get the file" in client.post(place, {}).text
        with inside(one):
            assert not AuditEntry.objects.filter(verb="took out what is hidden from parents").exists()
            assert not ReadEntry.objects.filter(verb="export").exists()
        theirs = client.post(place, {"who": "parents"})
        assert self.SECRET not in theirs.text
        assert json.loads(theirs.content)["schools_pupil"][0]["name"] == CANARY
        assert self.SECRET in client.post(place, {"who": "all"}).text
        with inside(one):
            entry = AuditEntry.objects.get(verb="took out what is hidden from parents")
            assert (entry.by, entry.subject_id) == (cast.head.id, secret.id)
            assert ReadEntry.objects.filter(verb="export").count() == 2

    @pytest.mark.parametrize("who", ["neighbour", "officer", "admin"])
    def test_is_nobody_elses(self, cast, secret, browse, who):
        answer = browse(getattr(cast, who)).post(f"/records/children/{secret.id}/file/", {"who": "all"})
        assert answer.status_code in (403, 404)


class TestErasing:
    def test_leaves_nothing_but_the_ids_of_what_was_done_and_seen(self, cast, child, another, one, at):
        with inside(one):
            actions.erase_child(pupil=child, by=cast.head, at=at)
            assert rows_left_about(child) == {"core_auditentry"}
            [entry] = AuditEntry.objects.filter(subject_id=child.id)
            assert (entry.verb, entry.fields) == ("erased a child", [])
            assert Pupil.objects.get().id == another.id
            assert HealthcarePlan.objects.count() == 1

    def test_is_refused_under_legal_hold_until_it_is_lifted(self, cast, child, one, at):
        with inside(one):
            actions.place_hold(pupil=child, reason="A claim", by=cast.head, at=at)
            with pytest.raises(actions.UnderHold, match="before the hold is lifted"):
                actions.erase_child(pupil=child, by=cast.head, at=at)
            assert PlanVersion.objects.count() == 2
            actions.lift_hold(pupil=child, by=cast.head, at=at)
            actions.erase_child(pupil=child, by=cast.head, at=at)
            assert not Pupil.objects.exists()

    def test_one_hold_at_a_time(self, cast, child, one, at):
        with inside(one):
            actions.place_hold(pupil=child, reason="A claim", by=cast.head, at=at)
            with pytest.raises(actions.UnderWay):
                actions.place_hold(pupil=child, reason="Another", by=cast.head, at=at)
            assert LegalHold.objects.count() == 1


class TestThePages:
    def test_show_all_of_it_and_record_that(self, cast, child, one, browse):
        page = browse(cast.head).get(f"/records/children/{child.id}/").content.decode()
        assert CANARY in page and "canary 2" in page
        assert "1 May 2016" in page and "Condition: canary 2" in page
        assert "2016-05-01" not in page and "[&#39;" not in page and str(cast.head.id) not in page
        with inside(one):
            [read] = ReadEntry.objects.filter(group="rights")
        assert (read.child_ids, read.verb, read.by) == ([child.id], "page", cast.head.id)

    def test_warn_of_nothing_where_there_is_nothing_to_hide(self, cast, child, browse):
        assert "Not for parents" not in browse(cast.head).get(f"/records/children/{child.id}/").text

    def test_give_all_of_it_as_a_file_and_record_that(self, cast, child, one, browse):
        answer = browse(cast.head).get(f"/records/children/{child.id}/file/")
        assert CANARY not in answer["Content-Disposition"]
        assert json.loads(answer.content)["schools_pupil"][0]["name"] == CANARY
        with inside(one):
            assert ReadEntry.objects.get(group="rights").verb == "export"

    def test_erase_only_when_the_name_is_typed(self, cast, child, one, browse):
        client, place = browse(cast.head), f"/records/children/{child.id}/erase/"
        refused = client.post(place, {"name": "Canary Ashdowne"}).content.decode()
        assert "This is not the name of the child" in refused
        gone = client.post(place, {"name": f" {CANARY.lower()} "}, follow=True)
        assert "Erased everything that was held" in gone.content.decode()
        with inside(one):
            assert not Pupil.objects.exists()

    def test_hold_and_lift(self, cast, child, one, browse):
        client, place = browse(cast.head), f"/records/children/{child.id}/"
        assert "Enter why nothing may be deleted" in client.post(f"{place}hold/", {"reason": ""}).content.decode()
        held = client.post(f"{place}hold/", {"reason": "A claim"}, follow=True).content.decode()
        assert "Under legal hold since" in held and "Erase everything" not in held.replace("Everything held", "")
        assert "under legal hold" in client.post(f"{place}erase/", {"name": CANARY}, follow=True).content.decode()
        assert "Under legal hold" not in client.post(f"{place}hold/lift/", follow=True).content.decode()

    @pytest.mark.parametrize("who", ["neighbour", "officer", "admin"])
    def test_are_nobody_elses(self, cast, child, browse, who):
        assert browse(getattr(cast, who)).get(f"/records/children/{child.id}/").status_code in (403, 404)
