"""The starter spreadsheet, from the template to the undoing."""

import csv
import io
from collections import Counter
from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from factories import AT, PolicyFactory, SchoolFactory

from handrail.accounts.models import Membership, User
from handrail.core.audit import CLOCK
from handrail.core.models import AuditEntry
from handrail.imports.models import FileImport
from handrail.policies.actions import open_policies, record_review
from handrail.policies.models import SCHOOL_KINDS, Kind, Policy, PolicyReview, PolicyVersion
from handrail.schools.models import School
from tenants.context import inside

pytestmark = pytest.mark.django_db

State = FileImport.State
HEADER = "URN,Office e-mail,Lead's name,Lead's e-mail,Policy,Last reviewed on,Published at"
GOOD = f"""{HEADER}
900001,office@oak.example,Lou Lead,lou@oak.example,Medical conditions policy,01/09/2026,https://oak.example/medical
900001,office@oak.example,Al Allergy,al@oak.example,allergy safety,2 March 2026,www.oak.example/allergy
900002,,,,Children with health needs who cannot attend school policy,,
"""


@pytest.fixture
def no_contacts(one, cast):
    """Oak School has no lead of its own yet."""
    with inside(one):
        School.objects.filter(urn="900001").update(lead_name="", lead_email="", office_email="old@oak.example")


@pytest.fixture
def imported(no_contacts, bring, decide):
    file = decide(bring("starter", GOOD))
    assert file.state == State.COMMITTED, file.refusal
    return file


def everything(authority):
    """All that a starter spreadsheet may touch."""
    with inside(authority):
        return [
            sorted(map(str, School.objects.values_list())),
            sorted(map(str, Policy.objects.values_list())),
            sorted(map(str, PolicyReview.objects.values_list())),
            sorted(map(str, PolicyVersion.objects.values_list())),
            sorted(map(str, Membership.objects.values_list())),
            sorted(User.objects.values_list("email", flat=True)),
        ]


class TestCheck:
    def test_counts_and_shows_before_anything_is_written(self, one, two, no_contacts, bring):
        file = bring("starter", GOOD)
        assert (file.state, file.problems, file.needs_confirmation) == (State.CHECKED, [], "")
        assert file.counts == {
            "good": 3,
            "skipped": 0,
            "schools": 1,
            "unchanged": 1,
            "contacts": 1,
            "leads": 1,
            "reviews": 2,
            "addresses": 2,
            "people": 2,
        }
        assert [(each["urn"], each["what"]) for each in file.changes] == [
            ("900001", "Contacts"),
            ("900001", "Medical conditions policy"),
            ("900001", "Allergy safety policy"),
            ("900001", "Can sign in"),
            ("900001", "Can sign in"),
        ]
        assert file.changes[0]["details"][0] == {
            "column": "Office e-mail",
            "was": "old@oak.example",
            "becomes": "office@oak.example",
        }
        with inside(one):
            assert not PolicyReview.objects.exists()
            assert School.objects.get(urn="900001").office_email == "old@oak.example"

    def test_says_in_words_what_is_wrong_with_a_row(self, cast, bring):
        file = bring(
            "starter",
            f"""{HEADER}
900003,,,,,,
90000x,,,,,,
900001,not an address,,,Medical,,
900001,,,,Fire drill,01/09/2026,
900001,,,,Allergy,31/02/2026,
900002,,,,Allergy,01/01/2199,
900002,,,,Medical,01/09/1926,ftp://elm.example
900002,,,,,01/09/2026,
900002,,Lou,lou@elm.example,Medical,,
900002,,Someone Else,lou@elm.example,Medical,,
""",
        )
        kinds = (
            "Medical conditions policy, Allergy safety policy or "
            "Children with health needs who cannot attend school policy"
        )
        kept, skipped = "the rest of the row is kept", "the row was skipped"
        assert [(each["line"], each["column"], each["advice"].partition(":")[0]) for each in file.problems] == [
            (2, "URN", f"There is no open school with this URN in Barsetshire; {skipped}"),
            (3, "URN", f"This must be exactly 6 digits; {skipped}"),
            (4, "Office e-mail", f"This must be an e-mail address, like name@example.com; {kept}"),
            (5, "Policy", f"This must be blank or {kinds}; {skipped}"),
            (6, "Last reviewed on", f"This must be a real date, like 23/11/2026; {kept}"),
            (7, "Last reviewed on", f"This must be today or in the past; {kept}"),
            (8, "Last reviewed on", f"This must be 2000 or later; {kept}"),
            (8, "Published at", f"This must be a web address, like www.school.example/policy; {kept}"),
            (9, "Last reviewed on", f"The row must say of which policy this is; {kept}"),
            (11, "Lead's name", f"Line 10 says something else about the same school; {kept}"),
        ]
        assert (file.counts["good"], file.counts["skipped"]) == (7, 3)

    def test_takes_headings_and_dates_as_people_write_them(self, cast, bring):
        file = bring(
            "starter",
            "\ufeffurn,OFFICE EMAIL,Lead’s name,Leads email,policy,last reviewed on,Published at,Notes\r\n"
            "900001,o@oak.example,Zoë,z@oak.example,Allergy policy,2026-03-02,,ask again\r\n"
            "900002,,,,Medical conditions,2-Mar-26,,\r\n"
            "900002,,,,cannot attend,02/03/2026 00:00,,\r\n",
        )
        assert file.problems == []
        dates = [
            detail["becomes"]
            for each in file.changes
            for detail in each["details"]
            if detail["column"] == "Last reviewed on"
        ]
        assert dates == ["2 March 2026"] * 3

    def test_refuses_a_file_without_its_columns(self, bring):
        file = bring("starter", "Name,Date\nOak,2026\n")
        assert file.state == State.REFUSED
        assert file.refusal.startswith("This file has no URN column.")


class TestImport:
    def test_writes_what_the_rows_say(self, one, cast, imported):
        with inside(one):
            oak = School.objects.get(urn="900001")
            assert (oak.office_email, oak.lead_name, oak.lead_email) == (
                "office@oak.example",
                "Lou Lead",
                "lou@oak.example",
            )
            medical = oak.policies.get(kind=Kind.MEDICAL_CONDITIONS)
            assert (medical.lead_email, medical.last_reviewed_on, medical.next_review_on, medical.published_url) == (
                "",  # the school's lead leads
                date(2026, 9, 1),
                date(2027, 9, 1),
                "https://oak.example/medical",
            )
            allergy = oak.policies.get(kind=Kind.ALLERGY_SAFETY)
            assert (allergy.lead_name, allergy.lead_email) == ("Al Allergy", "al@oak.example")
            assert allergy.published_url == "https://www.oak.example/allergy"
            assert oak.policies.get(kind=Kind.CANNOT_ATTEND).last_reviewed_on is None
            assert {str(user) for user in User.objects.filter(memberships__school=oak)} >= {"Lou Lead", "Al Allergy"}
            assert PolicyReview.objects.count() == 2

    def test_lets_a_lead_see_their_own_school_and_no_other(self, one, imported, browse):
        with inside(one):
            lou = User.objects.get(email="lou@oak.example")
            lou.as_at(date(2026, 12, 1))
            assert list(School.objects.visible_to(lou).values_list("urn", flat=True)) == ["900001"]
        assert browse(lou).get("/imports/").status_code == 403

    def test_changes_nothing_the_second_time(self, one, imported, bring):
        before = everything(one)
        file = bring("starter", GOOD)
        assert (file.changes, file.does_something) == ([], False)
        assert everything(one) == before

    def test_keeps_a_lead_whom_the_school_has_named(self, one, cast, bring, decide):
        decide(bring("starter", GOOD))
        with inside(one):
            assert School.objects.get(urn="900001").lead_email == "head@oak.example"

    def test_leaves_a_later_review_that_is_recorded_already(self, one, cast, bring, decide, at):
        with inside(one):
            policy = PolicyFactory(school=cast.oak)
            record_review(policy=policy, by=CLOCK, at=at, reviewed_on=date(2026, 10, 1), outcome="no_change")
        file = bring("starter", GOOD)
        assert [(each["line"], each["skipped"]) for each in file.problems] == [(2, False)]
        assert file.problems[0]["advice"] == (
            "A later review, on 1 October 2026, is recorded already and stays. There is nothing to do."
        )
        decide(file)
        with inside(one):
            assert Policy.objects.get(id=policy.id).last_reviewed_on == date(2026, 10, 1)

    def test_leaves_other_authorities_alone(self, two, imported):
        with inside(two):
            assert not Policy.objects.exists()


class TestUndo:
    def test_puts_everything_back(self, one, no_contacts, bring, decide):
        file = bring("starter", GOOD)
        before = everything(one)
        file = decide(file)
        assert everything(one) != before
        file = decide(file, "undo/")
        assert (file.state, file.left) == (State.UNDONE, [])
        assert everything(one) == before

    def test_gives_an_earlier_review_its_version_back(self, one, cast, bring, decide, at):
        with inside(one):
            policy = PolicyFactory(school=cast.oak)
            record_review(policy=policy, by=CLOCK, at=at, reviewed_on=date(2025, 9, 1), outcome="updated")
        file = bring("starter", GOOD)
        before = everything(one)
        assert decide(decide(file), "undo/").left == []
        assert everything(one) == before

    def test_leaves_what_has_changed_since_and_says_so(self, one, cast, imported, browse, decide):
        with inside(one):
            School.objects.filter(urn="900001").update(office_email="newer@oak.example")
            medical = Policy.objects.get(school=cast.oak, kind=Kind.MEDICAL_CONDITIONS)
            record_review(
                policy=medical,
                by=CLOCK,
                at=imported.committed_at.replace(year=2030),
                reviewed_on=date(2029, 1, 1),
                outcome="no_change",
            )
            lou = User.objects.get(email="lou@oak.example")
        browse(lou)  # signs in
        file = decide(imported, "undo/")
        assert file.left == [
            "Oak School (900001): lou@oak.example has signed in since, and still can.",
            "Oak School (900001): medical conditions policy: something was recorded about the policy since, "
            "so its review was left as it is.",
            "Oak School (900001): office e-mail has changed since, so it was left as it is.",
        ]
        with inside(one):
            assert Policy.objects.get(id=medical.id).last_reviewed_on == date(2029, 1, 1)
            assert Policy.objects.get(school=cast.oak, kind=Kind.ALLERGY_SAFETY).last_reviewed_on is None
            assert not User.objects.filter(email="al@oak.example").exists()


class TestManyRows:
    @pytest.fixture
    def asked(self, one, cast, bring, decide):
        """`asked(12)` imports a spreadsheet about so many new schools and has it undone; gives the questions asked."""

        def run(schools):
            with inside(one):
                urns = [SchoolFactory(lead_name="", lead_email="").urn for _ in range(schools)]
                open_policies(on=AT.date(), at=AT)
            rows = [
                f"{urn},new@{urn}.example,Lou Lead,lou@{urn}.example,{kind.label},01/09/2026,https://{urn}.example/{kind}"
                for urn in urns
                for kind in SCHOOL_KINDS
            ]
            before = everything(one)
            with CaptureQueriesContext(connection) as queries:
                file = bring("starter", "\n".join([HEADER, *rows]))
                assert file.counts["people"] == file.counts["contacts"] == schools
                file = decide(file)
                assert everything(one) != before
                file = decide(file, "undo/")
                assert (file.state, file.left) == (State.UNDONE, [])
            assert everything(one) == before
            return len(queries)

        return run

    def test_ask_as_often_as_few(self, asked):
        asked(1)  # what is asked once in a process
        assert asked(12) == asked(2)

    def test_leave_an_entry_for_each_thing_that_was_changed(self, one, asked):
        asked(12)
        with inside(one):
            entries = AuditEntry.objects.exclude(subject_id=None).exclude(school_id=None)
            verbs = Counter(entries.values_list("verb", flat=True))
        assert verbs == {
            "changed a school's contacts": 24,
            "recorded a review": 36,
            "added a person": 12 + 3,  # three are of the cast
            "took back a starting point": 36,
            "changed where a policy is published": 36,
            "took back a person": 12,
        }


class TestTemplate:
    def test_has_three_rows_for_each_school_and_can_be_brought_back(self, one, cast, browse, bring):
        answer = browse(cast.officer).get("/imports/starter.csv")
        content = b"".join(answer.streaming_content)
        rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
        assert [(row["URN"], row["School"], row["Policy"]) for row in rows[:3]] == [
            ("900002", "Elm School", "Medical conditions policy"),
            ("900002", "Elm School", "Allergy safety policy"),
            ("900002", "Elm School", "Children with health needs who cannot attend school policy"),
        ]
        assert len(rows) == 6
        file = bring("starter", content)
        assert (file.state, file.problems, file.counts["good"]) == (State.CHECKED, [], 6)
        assert file.changes == []

    def test_is_for_the_authority_alone(self, cast, browse):
        assert browse(cast.head).get("/imports/starter.csv").status_code == 403
