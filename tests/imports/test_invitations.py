"""Inviting people of many schools at once: from a list and at the offices, from the template to the taking back."""

import csv
import io
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from factories import SchoolFactory, person
from imports.test_pages import words

from handrail.accounts import roles
from handrail.accounts.actions import end_membership
from handrail.accounts.models import Membership, Session, User
from handrail.accounts.roles import Permission, Role
from handrail.core.models import AuditEntry
from handrail.imports.models import FileImport
from handrail.notices.actions import accept, claim
from handrail.notices.models import Notice
from handrail.people.actions import change_role
from handrail.schools.models import School
from tenants.context import inside
from workflows.notices import STILL_DUE
from workflows.register import delete_files_of

pytestmark = pytest.mark.django_db

State = FileImport.State
PAGE = "/imports/invitations/"
HEADER = "URN,School,Name,E-mail,Role"
GOOD = f"""{HEADER}
900001,Oak School,Nell New,Nell@Oak.example,School administrator
900001,Oak School,Hana Head,head@oak.example,Governor
900002,Elm School,Cal Colleague,colleague@oak.example,
900002,Elm School,,office@elm.example,lead
"""


@pytest.fixture
def invited(bring, decide):
    file = decide(bring("people", GOOD))
    assert file.state == State.COMMITTED, file.refusal
    return file


@pytest.fixture
def gather(cast, browse, one):
    """`gather()` presses the button that uses the schools' office addresses."""

    def run():
        answer = browse(cast.officer).post(PAGE, {"offices": "1"})
        with inside(one):
            return FileImport.objects.get(id=answer["Location"].split("/")[2])

    return run


def standing(authority):
    """Who has which role where, and what is owed to whom."""
    with inside(authority):
        members = Membership.objects.filter(to_on=None).exclude(school=None)
        return (
            sorted(members.values_list("school__urn", "user__email", "role", "invited_as")),
            sorted(Notice.objects.values_list("recipient", "wording", "state")),
        )


class TestTemplate:
    def test_lists_open_schools_with_their_lead_or_their_office(self, one, cast, browse):
        with inside(one):
            School.objects.filter(urn="900002").update(lead_name="", lead_email="", office_email="office@elm.example")
            SchoolFactory(urn="900004", name="Shut School", closed_on="2026-01-01")
            School.objects.filter(urn="900001").update(lead_name="Hana Head")
        answer = browse(cast.officer).get("/imports/invitations.csv")
        text = b"".join(answer.streaming_content).decode("utf-8-sig")
        assert list(csv.reader(io.StringIO(text))) == [
            HEADER.split(","),
            ["900002", "Elm School", "School office", "office@elm.example", "School lead"],
            ["900001", "Oak School", "Hana Head", "head@oak.example", "School lead"],
        ]


class TestCheck:
    def test_says_who_is_invited_and_shows_the_message(self, one, cast, browse, bring):
        before = standing(one)
        file = bring("people", GOOD)
        assert (file.state, file.problems) == (State.CHECKED, [])
        assert file.counts == {
            "good": 4,
            "skipped": 0,
            "schools": 2,
            "people": 2,
            "memberships": 1,
            "unchanged": 1,
        }
        assert [(each["urn"], each["what"]) for each in file.changes] == [
            ("900001", "New person"),
            ("900002", "New role"),
            ("900002", "New person"),
        ]
        page = words(browse(cast.officer).get(f"/imports/{file.id}/"))
        assert "Check who you invite" in page
        assert "Invite 3 people" in page
        assert "Olu Officer invites you to Handrail for Oak School" in page
        assert "Your role: School administrator" in page
        assert "sign in with this e-mail address: nell@oak.example" in page
        assert standing(one) == before

    def test_says_in_words_what_is_wrong_with_a_row(self, one, two, cast, browse, bring):
        file = bring(
            "people",
            f"""{HEADER}
900003,Far Hospital School,Sam,sam@far.example,
90000x,,Sam,sam@oak.example,
900001,,Sam,,
900001,,Sam,sam@oak,
900001,,Sam,s\u0430m@oak.example,
900001,,Sam,sam@xn--ak-gma.example,
900001,,Sam,sam@oak.example,Headteacher
900001,,Ann,ann@oak.example,Governor
900001,,Ann Again,ANN@oak.example,School lead
""",
        )
        skipped = "the row was skipped"
        look_alike = (
            f"This address uses letters that look like others. Type it again with plain letters, a to z; {skipped}"
        )
        assert [(each["line"], each["column"], each["advice"].partition(":")[0]) for each in file.problems] == [
            (2, "URN", f"There is no open school with this URN in Barsetshire; {skipped}"),
            (3, "URN", f"This must be exactly 6 digits; {skipped}"),
            (4, "E-mail", f"This must not be blank; {skipped}"),
            (5, "E-mail", f"Enter an e-mail address in the right form, like name@example.com; {skipped}"),
            (6, "E-mail", look_alike),
            (7, "E-mail", look_alike),
            (8, "Role", f"This must be blank or School lead, School administrator or Governor; {skipped}"),
            (10, "E-mail", "Line 9 has the same address for this school, so this row was skipped. One is enough."),
        ]
        assert (file.counts["good"], file.counts["skipped"]) == (1, 8)
        assert "Invite 1 person and skip 8 rows" in words(browse(cast.officer).get(f"/imports/{file.id}/"))

    def test_refuses_a_file_without_the_columns(self, bring):
        file = bring("people", "URN,Name\n900001,Nell\n")
        assert file.state == State.REFUSED
        assert file.refusal.startswith("This file has no E-mail column.")

    def test_makes_nobody_at_the_authority_a_lead_who_sees_children(self, one, cast, bring):
        rows = GOOD.split("\n", 1)[1]
        file = bring("people", f"{HEADER}\n900001,Oak School,Olu,{cast.officer.email.upper()},\n{rows}")
        assert (file.counts["unchanged"], file.counts["memberships"]) == (2, 1)
        assert "Olu" not in str(file.changes)

    def test_does_not_tell_whether_a_clinician_of_one_child_is_known(self, one, cast, bring):
        from factories import PupilFactory

        with inside(one):
            person(
                "nurse@trust.example", Role.HEALTH_PROFESSIONAL, school=cast.elm, pupil=PupilFactory(school=cast.elm)
            )
        file = bring("people", f"{HEADER}\n900002,,Nurse,nurse@trust.example,Governor\n")
        assert [each["what"] for each in file.changes] == ["New person"]

    def test_offers_only_to_put_away_what_invites_nobody(self, cast, browse, bring):
        file = bring("people", f"{HEADER}\n900001,,Hana,head@oak.example,\n")
        page = words(browse(cast.officer).get(f"/imports/{file.id}/"))
        assert "There is nobody to invite" in page
        assert "Put this list away" in page
        assert "What the message says" not in page
        answer = browse(cast.officer).post(f"/imports/{file.id}/cancel/", follow=True)
        assert "Nobody was invited" in words(answer)


class TestInviting:
    def test_gives_the_roles_and_owes_a_message_for_each(self, one, cast, invited, browse):
        roles_held, owed = standing(one)
        assert roles_held == [
            ("900001", "colleague@oak.example", "school_lead", ""),
            ("900001", "head@oak.example", "school_lead", ""),
            ("900001", "nell@oak.example", "school_administrator", "Nell New"),
            ("900002", "colleague@oak.example", "school_lead", "Cal Colleague"),
            ("900002", "neighbour@elm.example", "school_lead", ""),
            ("900002", "office@elm.example", "school_lead", "office"),
        ]
        assert [each for each in owed if each[1] == "invitation"] == [
            (email, "invitation", "owed")
            for email in ("colleague@oak.example", "nell@oak.example", "office@elm.example")
        ]
        told_of_one = ["colleague@oak.example", "head@900001.example", "head@oak.example"]
        told_of_two = ["head@900002.example", "neighbour@elm.example"] * 2
        assert [each[0] for each in owed if each[1] == "role_given"] == sorted(told_of_one + told_of_two)
        with inside(one):
            assert set(Notice.objects.values_list("sent_by", flat=True)) == {cast.officer.id}
            entries = AuditEntry.objects.filter(verb="invited a person", by=cast.officer.id)
            assert sorted(str(each.school_id) for each in entries) == sorted(
                map(str, (cast.oak.id, cast.elm.id, cast.elm.id))
            )
            assert not AuditEntry.objects.filter(fields__contains=["nell@oak.example"]).exists()
        page = words(browse(cast.officer).get(f"/imports/{invited.id}/"))
        assert "The invitations are on their way" in page

    def test_does_nothing_with_the_same_file_again(self, one, invited, bring):
        before = standing(one)
        file = bring("people", GOOD)
        assert (file.counts["schools"], file.counts["unchanged"]) == (0, 4)
        assert not file.does_something
        assert standing(one) == before

    def test_shows_the_list_anew_when_somebody_was_invited_in_the_meantime(self, one, cast, bring, decide, at):
        file = bring("people", GOOD)
        with inside(one):
            person("nell@oak.example", Role.GOVERNOR, school=cast.oak)
        file = decide(file)
        assert (file.state, file.counts["unchanged"]) == (State.CHECKED, 2)
        assert not standing(one)[1]

    def test_asks_as_often_for_many_as_for_two(self, one, cast, bring, work, browse):
        def statements(file):
            browse(cast.officer).post(f"/imports/{file.id}/")
            with CaptureQueriesContext(connection) as asked:
                work()
            return len(asked)

        def people(count, start):
            rows = (f"90000{1 + n % 2},,P{n},p{n}@oak.example,Governor" for n in range(start, start + count))
            return bring("people", "\n".join([HEADER, *rows]))

        few = statements(people(2, 0))
        assert statements(people(2000, 10)) == few
        with inside(one):
            assert Notice.objects.count() == 2002


class TestTakingBack:
    def test_ends_what_nobody_has_taken_up(self, one, cast, invited, decide, at):
        with inside(one):
            notice = Notice.objects.get(recipient="nell@oak.example")
        file = decide(invited, "undo/")
        assert (file.state, file.left, file.before) == (State.UNDONE, [], {})
        assert standing(one)[0] == [
            ("900001", "colleague@oak.example", "school_lead", ""),
            ("900001", "head@oak.example", "school_lead", ""),
            ("900002", "neighbour@elm.example", "school_lead", ""),
        ]
        with inside(one):
            with pytest.raises(Exception, match=str(Notice.Reason.NOT_DUE)):
                STILL_DUE[notice.subject_kind](notice, at=at)
            assert AuditEntry.objects.filter(verb="ended a role", by=cast.officer.id).count() == 3

    def test_says_what_it_cannot_take_back(self, one, cast, browse, invited, decide, at):
        with inside(one):
            while claimed := claim(urgency=Notice.Urgency.NOW, at=at, lease=timedelta(minutes=5)):
                accept(claimed.notice, provider="test", provider_id="1", at=at)
            User.objects.filter(email="office@elm.example").update(last_login=at + timedelta(minutes=1), name="Ona")
        file = decide(invited, "undo/")
        assert file.left == [
            "2 messages had left and cannot be called back. Their links say that the invitation has ended.",
            "Ona (office@elm.example) has signed in since, and still can at Elm School.",
        ]
        assert "What could not be taken back" in words(browse(cast.officer).get(f"/imports/{file.id}/"))
        assert ("900002", "office@elm.example", "school_lead", "office") in standing(one)[0]

    def test_leaves_a_role_that_somebody_has_changed_since(self, one, cast, invited, decide, at):
        with inside(one):
            given = Membership.objects.select_related("user").get(user__email="nell@oak.example")
            change_role(membership=given, role=Role.GOVERNOR, by=cast.head, at=at)
        decide(invited, "undo/")
        assert ("900001", "nell@oak.example", "governor", "Nell New") in standing(one)[0]

    def test_leaves_no_school_without_a_lead_that_had_one(self, one, cast, invited, decide, at):
        with inside(one):
            led = Membership.objects.select_related("user").get(user=cast.neighbour)
            end_membership(membership=led, by=cast.admin, at=at)
        file = decide(invited, "undo/")
        [said] = file.left
        assert re.fullmatch(
            r".+ \((office@elm|colleague@oak)\.example\) is still invited: Elm School .+ no lead\.", said
        )
        assert [who for who in standing(one)[0] if who[0] == "900002" and who[2] == "school_lead"] == [
            ("900002", said.partition("(")[2].partition(")")[0], "school_lead", said.partition(" (")[0])
        ]

    def test_signs_out_whoever_has_no_role_left(self, one, cast, invited, decide, at):
        with inside(one):
            nell, colleague = (User.objects.get(email=f"{who}@oak.example") for who in ("nell", "colleague"))
            for user in (nell, colleague):
                Session.objects.create(user=user, expire_date=at.replace(year=2100), began_at=at, last_used_at=at)
        decide(invited, "undo/")
        with inside(one):
            assert [session.user_id for session in Session.objects.filter(user__in=[nell, colleague])] == [colleague.id]

    def test_is_for_24_hours(self, one, invited, at):
        with inside(one):
            assert invited.before
        delete_files_of(authority=str(one.id), at=at + timedelta(hours=24))
        with inside(one):
            assert FileImport.objects.get(id=invited.id).before == {}


class TestOffices:
    @pytest.fixture(autouse=True)
    def silent(self, one, cast, at):
        """Oak School's head has signed in, nobody of Elm, Fir and Yew has."""
        with inside(one):
            User.objects.filter(email="head@oak.example").update(last_login=at)
            School.objects.filter(urn="900002").update(office_email="Office@elm.example")
            SchoolFactory(urn="900005", name="Fir School", office_email="")
            SchoolFactory(urn="900006", name="Yew School", office_email="\u043effice@yew.example")

    def test_are_listed_where_nobody_has_signed_in(self, one, cast, browse, gather):
        assert "Nobody has signed in for 3 schools yet" in words(browse(cast.officer).get(PAGE))
        file = gather()
        assert (file.state, file.kind, file.document_id) == (State.CHECKED, "people", None)
        assert [(row["urn"], row["email"], row["role"], row["name"]) for row in file.rows] == [
            ("900002", "office@elm.example", "school_lead", "School office")
        ]
        assert [(each["urn"], each["column"], each["advice"].partition(".")[0]) for each in file.problems] == [
            ("900005", "Office e-mail", "The school has no office address"),
            ("900006", "Office e-mail", "This address uses letters that look like others"),
        ]
        page = words(browse(cast.officer).get(f"/imports/{file.id}/"))
        assert "Invite 1 person and skip 2 rows" in page
        assert "The school’s contacts 900005 Office e-mail blank" in page

    def test_are_invited_and_taken_back_like_a_list(self, one, gather, decide, at):
        file = decide(gather())
        assert file.state == State.COMMITTED
        assert ("900002", "office@elm.example", "school_lead", "School office") in standing(one)[0]
        assert gather().counts["unchanged"] == 1
        assert decide(file, "undo/").state == State.UNDONE
        assert ("900002", "office@elm.example", "school_lead", "School office") not in standing(one)[0]

    def test_forget_after_a_day_what_taking_back_needed(self, one, gather, decide, at):
        file = decide(gather())
        delete_files_of(authority=str(one.id), at=at + timedelta(hours=24))
        with inside(one):
            assert FileImport.objects.get(id=file.id).before == {}


class TestWhoMay:
    @pytest.mark.parametrize("path", [PAGE, "/imports/invitations.csv"])
    def test_people_at_schools_may_not(self, cast, browse, path):
        for who in (cast.head, cast.neighbour):
            assert browse(who).get(path).status_code == 403
        assert browse(cast.admin).get(path).status_code == 200

    def test_nothing_is_sent_for_somebody_who_may_not_any_more(self, one, cast, browse, bring, work, monkeypatch):
        file = bring("people", GOOD)
        browse(cast.officer).post(f"/imports/{file.id}/")
        held = roles.PERMISSIONS[Role.POLICY_OFFICER]
        monkeypatch.setitem(roles.PERMISSIONS, Role.POLICY_OFFICER, held - {Permission.INVITE_SCHOOLS})
        before = standing(one)
        work()
        with inside(one):
            assert FileImport.objects.get(id=file.id).state == State.REFUSED
        assert standing(one) == before
        assert browse(cast.officer).post(PAGE, {"offices": "1"}).status_code == 403
