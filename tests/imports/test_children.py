"""A school's list of children: read, compared, imported, undone and forgotten; and whom it can never reach."""

import csv
import io
from datetime import date, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from factories import ContactFactory, PupilFactory, emergency, person
from openpyxl import Workbook

from handrail.accounts.roles import Role
from handrail.core.documents import open_document
from handrail.core.models import AuditEntry, Document, ReadEntry
from handrail.imports.child_views import ListView
from handrail.imports.children_file import HEADINGS
from handrail.imports.models import FileImport
from handrail.plans.versions import write_emergency
from handrail.records.actions import erase_child
from handrail.schools.actions import change_pupil, pupil_left
from handrail.schools.models import Contact, Pupil
from handrail.schools.upn import check_letter
from tenants.context import inside
from workflows import register

pytestmark = pytest.mark.django_db

UPLOAD = "/imports/children/900001/"
State = FileImport.State
A_DAY = timedelta(hours=24)


def upn(serial, *, authority="801"):
    rest = f"{authority}200{serial:06}"
    return check_letter(f"?{rest}") + rest


def row(name="Ann Ash", born="01/05/2016", **more):
    """A row of the template, by heading; what is not given is blank."""
    given = {"Name": name, "Date of birth": born, **{key.replace("_", " "): value for key, value in more.items()}}
    assert set(given) <= set(HEADINGS), given
    return given


def as_csv(*rows):
    out = io.StringIO()
    sheet = csv.DictWriter(out, HEADINGS)
    sheet.writeheader()
    sheet.writerows(rows)
    return out.getvalue().encode()


def as_xlsx(*rows):
    book, out = Workbook(), io.BytesIO()
    book.active.append(HEADINGS)
    for each in rows:
        book.active.append([each.get(heading) for heading in HEADINGS])
    book.save(out)
    return out.getvalue()


@pytest.fixture
def bring(one, cast, browse, work):
    """`bring(row(), ...)` uploads a list at Oak School's page, and gives it checked or refused."""

    def run(*rows, content=None, name="children.csv", by=None):
        file = SimpleUploadedFile(name, as_csv(*rows) if content is None else content)
        answer = browse(by or cast.head).post(UPLOAD, {"file": file})
        assert answer.status_code == 302, answer.content.decode()
        work()
        with inside(one):
            return FileImport.objects.select_related("document").get(id=answer["Location"].strip("/").split("/")[-1])

    return run


@pytest.fixture
def decide(one, cast, browse, work):
    """`decide(list)` imports it, `decide(list, "undo/")` has it undone; gives it afterwards."""

    def run(file, what="", **data):
        assert browse(cast.head).post(f"/imports/lists/{file.id}/{what}", data).status_code == 302
        work()
        with inside(one):
            return FileImport.objects.get(id=file.id)

    return run


@pytest.fixture
def page(cast, browse):
    """What the page of a list says to the head."""
    return lambda file, what="": b"".join(browse(cast.head).get(f"/imports/lists/{file.id}/{what}")).decode()


@pytest.fixture
def poppy(one, cast):
    with inside(one):
        return PupilFactory(school=cast.oak, name="Poppy Canarywright", upn=upn(5001))


def pupils(school):
    return {each.name: each for each in Pupil.objects.filter(school=school)}


class TestAList:
    def test_adds_changes_and_leaves_alone(self, one, cast, at, on, bring, decide, page, poppy):
        with inside(one):
            PupilFactory(school=cast.oak, name="Bo Birch", class_name="Owls")
            PupilFactory(school=cast.oak, name="Same As Before")
        file = bring(
            row("Ann Ash", UPN=f" {upn(7).lower()} ", Class="Owls"),
            row("Poppy Married", "1 May 2016", UPN=upn(5001), Year_group="6"),
            row("bo  birch", Class="Kestrels"),
            row("Same As Before"),
        )
        assert (file.state, file.problems) == (State.CHECKED, [])
        assert file.counts == {"good": 4, "skipped": 0, "new": 1, "changed": 2, "unchanged": 1, "left": 0}
        words = page(file)
        for each in ("Check what this list changes", "Ann Ash", "Poppy Married", "Import the 4 good rows"):
            assert each in words
        file = decide(file)
        assert file.state == State.COMMITTED
        with inside(one):
            now = pupils(cast.oak)
            assert set(now) == {"Ann Ash", "Poppy Married", "bo birch", "Same As Before"}
            ann, changed = now["Ann Ash"], now["Poppy Married"]
            assert (ann.upn, ann.class_name, ann.born_on, ann.joined_on) == (upn(7), "Owls", date(2016, 5, 1), on)
            assert (changed.id, changed.year_group, changed.class_name) == (poppy.id, "Year 6", "Kestrels")

    def test_records_ids_and_names_of_fields_alone(self, one, cast, bring, decide, poppy):
        decide(bring(row("Ann Canary", UPN=upn(7)), row("Poppy Married", UPN=upn(5001))))
        with inside(one):
            entries = AuditEntry.objects.filter(subject_kind="child", by=cast.head.id)
            ann = Pupil.objects.get(name="Ann Canary")
            assert {(each.verb, each.subject_id, *each.fields, each.school_id) for each in entries} == {
                ("added a child", ann.id, "born_on", "joined_on", "name", "upn", cast.oak.id),
                ("changed a child’s details", poppy.id, "name", cast.oak.id),
            }
            said = str([vars(each) for each in AuditEntry.objects.all()])
            assert not [each for each in ("Canary", "Married", upn(7)) if each in said]

    def test_changes_nothing_where_a_cell_is_blank(self, one, cast, bring, page, poppy):
        file = bring(row("Poppy Canarywright"))
        assert file.counts["unchanged"] == 1
        assert not file.does_something
        assert "This list changes nothing" in page(file)

    def test_brings_contacts_and_changes_those_of_the_same_name(self, one, cast, bring, decide, poppy):
        with inside(one):
            ContactFactory(pupil=poppy, name="Pat Parent", phone="01632 960001")
        of_contacts = {
            "Contact 1 name": "PAT PARENT",
            "Contact 1 phone": "1632960009",
            "Contact 2 name": "Cy Carer",
            "Contact 2 e-mail": "Cy@home.example",
            "Contact 2 parental responsibility": "No",
        }
        decide(bring({**row("Poppy Canarywright"), **of_contacts}))
        with inside(one):
            pat, cy = Contact.objects.of_child(poppy)
            assert (pat.phone, pat.email, pat.priority) == ("01632960009", "pat@home.example", 1)
            assert (cy.name, cy.email, cy.has_parental_responsibility, cy.priority) == (
                "Cy Carer",
                "cy@home.example",
                False,
                2,
            )

    def test_brings_back_somebody_who_had_left(self, one, cast, on, at, bring, decide, poppy):
        with inside(one):
            pupil_left(pupil=poppy, left_on=on, by=cast.head, at=at)
        file = bring(row("Poppy Canarywright", UPN=upn(5001)))
        assert [each["what"] for each in file.changes] == ["Back at the school"]
        decide(file)
        with inside(one):
            assert Pupil.objects.get().left_on is None

    @pytest.mark.parametrize("kind", ["csv", "xlsx"])
    def test_may_be_csv_or_a_workbook(self, one, cast, bring, decide, kind):
        rows = [row("Ann Ash", Class="Owls", UPN=upn(7)), row("Bo Birch")]
        if kind == "xlsx":
            content = as_xlsx({**rows[0], "Date of birth": date(2016, 5, 1), "Year group": 5.0}, rows[1])
        else:
            content = as_csv({**rows[0], "Year group": "5"}, rows[1])
        file = bring(content=content, name=f"list.{kind}")
        assert (file.refusal, file.problems) == ("", [])
        decide(file)
        with inside(one):
            ann = pupils(cast.oak)["Ann Ash"]
            assert (ann.born_on, ann.year_group, ann.upn) == (date(2016, 5, 1), "Year 5", upn(7))

    def test_takes_the_headings_of_other_systems(self, bring):
        content = f"Full name,DOB,Reg group,Unique pupil number\nAnn Ash,2016-05-01,5K,{upn(7)}\n,,,\n".encode()
        file = bring(content=content)
        assert (file.counts["new"], file.problems) == (1, [])


class TestRowsToLookAt:
    @pytest.mark.parametrize(
        ("given", "column", "advice"),
        [
            (row(""), "Name", "This must not be blank; the row was skipped"),
            (row(born=""), "Date of birth", "This must not be blank; the row was skipped"),
            (row(born="31/02/2016"), "Date of birth", "This must be a real date, like 23/11/2026; the row was skipped"),
            (row(born="24/11/2026"), "Date of birth", "This must be today or in the past; the row was skipped"),
            (row(UPN="A801200005001"), "UPN", "its first letter does not fit its numbers; the row was skipped"),
            (row("=1+1"), "Name", "This is a formula and must be text; the row was skipped"),
        ],
    )
    def test_are_skipped_where_who_it_is_about_is_in_doubt(self, bring, given, column, advice):
        file = bring(given, row("Bo Birch"))
        [problem] = file.problems
        assert (problem["line"], problem["column"], problem["skipped"]) == (2, column, True)
        assert advice in problem["advice"]
        assert (file.counts["good"], file.counts["skipped"], file.counts["new"]) == (1, 1, 1)

    @pytest.mark.parametrize(
        ("more", "advice"),
        [
            ({"Class": "x" * 51}, "This must have at most 50 characters"),
            ({"Joined on": "soon"}, "This must be a real date"),
            ({"Contact 1 name": "Pat", "Contact 1 phone": "ask"}, "This must be a phone number"),
            ({"Contact 1 name": "Pat", "Contact 1 e-mail": "pat@hоme.example"}, "uses letters that look like others"),
            ({"Contact 2 name": "Pat", "Contact 2 parental responsibility": "maybe"}, "This must be yes or no"),
            ({"Contact 1 phone": "01632 960001"}, "The contact’s name is missing"),
        ],
    )
    def test_are_kept_without_a_value_that_is_wrong(self, one, cast, bring, decide, more, advice):
        file = bring({**row(), **more})
        [problem] = file.problems
        assert not problem["skipped"]
        assert advice in problem["advice"]
        decide(file)
        with inside(one):
            assert set(pupils(cast.oak)) == {"Ann Ash"}

    def test_warn_of_an_unknown_authority_and_never_refuse_it(self, one, cast, bring, decide, page):
        file = bring(row(UPN="F006200005001"))
        [problem] = file.problems
        assert "No local authority has had the code 006" in problem["advice"]
        assert not problem["skipped"]
        decide(file)
        with inside(one):
            assert pupils(cast.oak)["Ann Ash"].upn == "F006200005001"

    @pytest.mark.parametrize(
        ("rows", "skipped"),
        [
            ([row("Ann", UPN=upn(7)), row("Bo", UPN=upn(7))], 2),
            ([row("Ann"), row("ANN", UPN=upn(7))], 2),
            ([row("Ann", UPN=upn(8)), row("Ann", UPN=upn(7))], 0),
            ([row("Ann"), row("Ann", "02/05/2016")], 0),
        ],
    )
    def test_say_so_when_two_are_about_one_child(self, bring, rows, skipped):
        file = bring(*rows)
        assert (file.counts["skipped"], file.counts["new"]) == (skipped, 2 - skipped)
        assert sum("has the same" in each["advice"] for each in file.problems) == skipped

    def test_can_be_downloaded_and_harm_nobody(self, bring, page):
        file = bring(row("=HYPERLINK(1)"))
        lines = page(file, "problems.csv").splitlines()
        assert lines[0].removeprefix("\ufeff") == "Row,Child,Column,Value,What to do,What happens"
        assert lines[1].startswith("2,'=HYPERLINK(1),Name,'=HYPERLINK(1),")


class TestWhoIsNotInTheList:
    @pytest.fixture
    def file(self, one, cast, bring, poppy):
        with inside(one):
            PupilFactory(school=cast.oak, name="Una Unsure", upn=upn(9))
            PupilFactory(school=cast.oak, name="Starts Later", joined_on=date(2027, 1, 4))
            PupilFactory(school=cast.oak, name="Leaves Later", left_on=date(2026, 12, 18))
            PupilFactory(school=cast.oak, name="Long Gone", left_on=date(2026, 10, 1))
        return bring(row("Ann Ash"), row("Una Unsure", "soon"))

    def test_is_who_is_on_roll_and_in_no_row(self, file, page):
        assert [each["name"] for each in file.changes if each["what"] == "Not in the list"] == ["Poppy Canarywright"]
        assert "Record that 1 child has left" in page(file)

    def test_stays_unless_the_person_says_so(self, one, cast, file, decide):
        decide(file)
        with inside(one):
            assert pupils(cast.oak)["Poppy Canarywright"].left_on is None

    def test_has_left_when_the_person_says_so(self, one, cast, on, file, decide, page):
        file = decide(file, marks_left="on")
        assert "recorded as having left" in page(file)
        with inside(one):
            now = pupils(cast.oak)
            assert now["Poppy Canarywright"].left_on == on
            assert now["Una Unsure"].left_on is None
            assert AuditEntry.objects.get(verb="recorded that a child left").fields == ["left_on"]
        file = decide(file, "undo/")
        assert file.left == []
        with inside(one):
            assert pupils(cast.oak)["Poppy Canarywright"].left_on is None


class TestAnotherSchool:
    def test_is_never_touched(self, one, cast, bring, decide):
        with inside(one):
            there = PupilFactory(school=cast.elm, name="Ann Ash", upn=upn(7), class_name="Elms")
        file = bring(row("Ann Ash", UPN=upn(7), Class="Owls"))
        assert (file.counts["new"], file.counts["left"]) == (1, 0)
        decide(file, marks_left="on")
        with inside(one):
            there.refresh_from_db()
            assert (there.school_id, there.class_name, there.left_on) == (cast.elm.id, "Elms", None)
            assert Pupil.objects.get(school=cast.oak).class_name == "Owls"

    def test_sees_and_decides_nothing(self, one, two, cast, browse, bring):
        file = bring(row())
        with inside(one):
            governor = person("gov@oak.example", Role.GOVERNOR, school=cast.oak)
        for what in ("", "cancel/", "undo/", "problems.csv", "changes.csv"):
            place = f"/imports/lists/{file.id}/{what}"
            for method in ("get", "post"):
                assert getattr(browse(cast.neighbour), method)(place).status_code in (404, 405)
                assert getattr(browse(cast.hospital, authority=two), method)(place).status_code in (404, 405)
                for nosy in (cast.officer, cast.admin, governor):
                    assert getattr(browse(nosy), method)(place).status_code == 403
        for who in (cast.neighbour, cast.officer, governor):
            answer = browse(who).post(UPLOAD, {"file": SimpleUploadedFile("x.csv", as_csv(row()))})
            assert answer.status_code in (403, 404)
        with inside(one):
            assert FileImport.objects.get().state == State.CHECKED

    def test_is_not_shown_to_officers_among_their_files(self, one, cast, browse, bring):
        file = bring(row())
        assert browse(cast.officer).get(f"/imports/{file.id}/").status_code == 404
        assert str(file.id) not in browse(cast.officer).get("/imports/").content.decode()

    def test_is_not_reached_by_somebody_whose_role_ended_meanwhile(self, one, cast, browse, work, bring):
        with inside(one):
            office = person("office@oak.example", Role.SCHOOL_ADMINISTRATOR, school=cast.oak)
        file = bring(row(), by=office)
        browse(office).post(f"/imports/lists/{file.id}/")
        with inside(one):
            office.memberships.update(school=cast.elm)
        work()
        with inside(one):
            assert FileImport.objects.get().state == State.REFUSED
            assert not Pupil.objects.exists()


class TestUndo:
    def test_puts_everything_back(self, one, cast, bring, decide, poppy):
        with inside(one):
            ContactFactory(pupil=poppy, name="Pat Parent", phone="01632 960001")
        with_contacts = {"Contact 1 name": "Pat Parent", "Contact 1 phone": "01632 960009", "Contact 2 name": "Cy"}
        file = decide(
            bring({**row("Poppy Married", UPN=upn(5001)), **with_contacts}, {**row("Ann Ash"), **with_contacts})
        )
        file = decide(file, "undo/")
        assert (file.state, file.left) == (State.UNDONE, [])
        with inside(one):
            assert Pupil.objects.get().name == "Poppy Canarywright"
            contact = Contact.objects.get()
            assert (contact.name, contact.phone) == ("Pat Parent", "01632 960001")

    def test_leaves_what_has_changed_since_and_says_so(self, one, cast, at, bring, decide, page, poppy):
        file = decide(
            bring(row("Poppy Canarywright", Class="Owls", Year_group="Year 6"), row("Ann Ash"), row("Bo Birch"))
        )
        with inside(one):
            now = pupils(cast.oak)
            change_pupil(pupil=now["Poppy Canarywright"], by=cast.head, at=at, class_name="Swifts")
            write_emergency(pupil=now["Ann Ash"], says=emergency(), based_on=0, by=cast.head, at=at)
        file = decide(file, "undo/")
        assert file.left == [
            "Ann Ash: something was recorded about them since, so they were kept.",
            "Poppy Canarywright: this has changed since and was left as it is: class.",
        ]
        assert "class." in page(file)
        with inside(one):
            now = pupils(cast.oak)
            assert set(now) == {"Poppy Canarywright", "Ann Ash"}
            poppy = now["Poppy Canarywright"]
            assert (poppy.class_name, poppy.year_group) == ("Swifts", "Year 5")

    def test_gives_no_number_back_that_another_child_has_now(self, one, cast, bring, decide, poppy):
        file = decide(bring(row("Poppy Canarywright", UPN=upn(8), Class="Owls")))
        with inside(one):
            PupilFactory(school=cast.oak, name="Another", upn=upn(5001))
        file = decide(file, "undo/")
        assert len(file.left) == 1
        with inside(one):
            poppy.refresh_from_db()
            assert (poppy.upn, poppy.class_name) == (upn(8), "Kestrels")

    def test_is_refused_after_24_hours(self, one, cast, at, bring, decide, monkeypatch, page):
        file = decide(bring(row()))
        monkeypatch.setattr("handrail.accounts.middleware.timezone.now", lambda: at + A_DAY)
        decide(file, "undo/")
        with inside(one):
            assert FileImport.objects.get().state == State.COMMITTED


class TestWhatIsKept:
    def test_is_sealed_and_unnamed(self, one, cast, bring):
        file = bring(row("Ann Canary"), name="Ann Canary.csv")
        with inside(one):
            assert file.document.is_sealed
            assert "Canary" not in file.file_name + file.document.name + file.document.file_name
            with open_document(file.document) as opened:
                assert b"Ann Canary" in opened.read()

    @pytest.mark.parametrize("what", [None, "", "cancel/"])
    def test_goes_after_a_day_whatever_became_of_the_list(self, one, cast, at, bring, decide, poppy, what):
        file = bring(row("Ann Canary"), row(born="soon"), row("Poppy Canarywright", Class="Owls"))
        if what is not None:
            decide(file, what)
        register.delete_files_of(authority=str(one.id), at=at + A_DAY - timedelta(seconds=1))
        with inside(one):
            assert FileImport.objects.get().changes
        register.delete_files_of(authority=str(one.id), at=at + A_DAY)
        with inside(one):
            file = FileImport.objects.get()
            assert (file.rows, file.changes, file.problems, file.before, file.left) == ([], [], [], {}, [])
            assert file.state == (State.COMMITTED if what == "" else State.CANCELLED)
            assert not Document.objects.exists()
            assert not file.may_be_undone(at=at)

    def test_goes_with_a_child_who_is_erased(self, one, cast, at, bring, decide, poppy, page):
        file = decide(bring(row("Poppy Canarywright", Class="Owls")))
        with inside(one):
            erase_child(pupil=poppy, by=cast.head, at=at)
            file = FileImport.objects.get()
            assert (file.changes, file.before, file.document) == ([], {}, None)
        assert "can no longer be undone" in page(file)

    def test_is_shown_with_a_record_of_whom(self, one, cast, bring, page, poppy):
        file = bring(row("Ann Ash"), row("Poppy Married", UPN=upn(5001)))
        page(file)
        page(file, "changes.csv")
        with inside(one):
            reads = ReadEntry.objects.filter(by=cast.head.id).order_by("written_at")
            assert {(each.verb, *each.child_ids, each.school_id) for each in reads} == {
                ("list", poppy.id, cast.oak.id),
                ("export", poppy.id, cast.oak.id),
            }

    @pytest.mark.parametrize(("what", "verb"), [("", "list"), ("problems.csv", "export")])
    def test_is_shown_with_a_record_of_whom_a_row_with_a_problem_names(self, one, cast, bring, page, poppy, what, verb):
        with inside(one):
            una = PupilFactory(school=cast.oak, name="Una Unsure", upn=upn(9))
            other = PupilFactory(school=cast.oak, name="Not Named")
            PupilFactory(school=cast.elm, name="Poppy Canarywright")
        twice = [row("Somebody", UPN=upn(9)), row("Somebody Else", UPN=upn(9))]
        file = bring(row("POPPY  Canarywright", "soon"), *twice)
        shown = page(file, what)
        assert "POPPY" in shown
        assert upn(9) in shown
        with inside(one):
            read = ReadEntry.objects.get(by=cast.head.id)
            assert (read.verb, read.school_id) == (verb, cast.oak.id)
            in_no_row = {other.id} if what == "" else set()
            assert set(read.child_ids) == {poppy.id, una.id} | in_no_row

    def test_is_shown_after_a_second_step_alone(self):
        assert ListView.needs_step_up
        assert ListView.shows_child


class TestTheTemplate:
    def test_has_the_columns_and_no_child(self, cast, browse, poppy):
        answer = browse(cast.head).get(f"{UPLOAD}template.csv")
        [line] = b"".join(answer).decode("utf-8-sig").splitlines()
        assert line.split(",") == list(HEADINGS)


class TestManyChildren:
    """2,000 children with 40 bad rows."""

    @staticmethod
    def rows(count, bad):
        good = [
            {
                **row(f"Child {n}", f"{1 + n % 28:02}/05/2016", UPN=upn(10_000 + n), Class=f"C{n % 7}"),
                "Contact 1 name": f"Parent {n}",
                "Contact 1 phone": "01632 960002",
            }
            for n in range(count - bad)
        ]
        return [*good, *(row(f"Bad {n}", "31/02/2016") for n in range(bad))]

    def test_take_as_many_statements_as_few(self, one, cast, bring, decide, work, browse):
        taken = {}
        for count, bad in ((20, 1), (100, 2), (2_000, 40)):
            with inside(one):
                Pupil.objects.all().delete()
                # A quarter is known already, half of them in another class; as many others are not in the list.
                known = [each for n, each in enumerate(self.rows(count, bad)) if n % 4 == 0 and "UPN" in each]
                Pupil.objects.bulk_create(
                    PupilFactory.build(
                        school=cast.oak,
                        name=each["Name"],
                        born_on=date(2016, 5, int(each["Date of birth"][:2])),
                        upn=each["UPN"],
                        class_name=each["Class"] if n % 2 else "Old",
                    )
                    for n, each in enumerate(known)
                )
                Pupil.objects.bulk_create(
                    PupilFactory.build(school=cast.oak, name=f"Gone {n}") for n in range(count // 4)
                )
                here = Pupil.objects.filter(school=cast.oak).exclude(upn="")
                Contact.objects.bulk_create(
                    ContactFactory.build(pupil=pupil, name=pupil.name.replace("Child", "Parent")) for pupil in here[::2]
                )
                had = Contact.objects.count()
            steps = []
            with CaptureQueriesContext(connection) as checking:
                file = bring(*self.rows(count, bad))
            steps.append(len(checking))
            assert file.counts == {
                "good": count - bad,
                "skipped": bad,
                "new": count - bad - len(known),
                "changed": len(known),  # a contact at least
                "unchanged": 0,
                "left": count // 4,
            }
            assert len(file.problems) == bad
            for what in ("", "undo/"):
                with CaptureQueriesContext(connection) as deciding:
                    file = decide(file, what, marks_left="on")
                steps.append(len(deciding))
                with inside(one):
                    here = Pupil.objects.filter(school=cast.oak)
                    assert here.count() == (count - bad + count // 4 if not what else len(known) + count // 4)
                    assert here.filter(left_on=None).count() == (count - bad if not what else here.count())
                    assert Contact.objects.count() == (count - bad if not what else had)
                    assert Contact.objects.filter(phone="01632 960001").count() == (0 if not what else had)
            assert file.left == []
            taken[count] = steps
        assert taken[2_000] == taken[100]  # the first of all asks for what is remembered afterwards
