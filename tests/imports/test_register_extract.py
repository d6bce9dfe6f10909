"""An officer's extract of the register, from the upload to the undoing."""

from datetime import timedelta

import pytest
from imports_data import lines_of, sample

from handrail.core.models import AuditEntry
from handrail.imports.models import FileImport
from handrail.policies.models import Policy
from handrail.schools.models import School
from tenants.context import inside
from workflows.register import work_on_next_file

pytestmark = pytest.mark.django_db

State = FileImport.State
COUNTS = ("new", "changed", "unchanged", "closed", "moved", "missing", "others", "skipped")
REGISTER = "edubasealldata20261120.csv"
A_WEEK_LATER = "edubasealldata20261127.csv"


def counts(file):
    return tuple(file.counts[name] for name in COUNTS)


@pytest.fixture
def nobody_yet(one, cast):
    """Barsetshire has no school before the first file."""
    with inside(one):
        School.objects.all().delete()


@pytest.fixture
def imported(nobody_yet, bring, decide):
    """The first sample is in."""
    file = decide(bring("register", sample(REGISTER), name=REGISTER))
    assert file.state == State.COMMITTED
    return file


class TestFirstFile:
    def test_counts_exactly_before_anything_is_written(self, one, nobody_yet, bring):
        file = bring("register", sample(REGISTER), name=REGISTER)
        assert (file.state, file.refusal, file.needs_confirmation) == (State.CHECKED, "", "")
        assert counts(file) == (332, 0, 0, 0, 0, 0, 403, 0)
        assert (file.counts["good"], file.counts["not_added"]) == (376, 44)
        assert file.problems == []
        with inside(one):
            assert School.objects.count() == 0

    def test_adds_the_schools_with_their_policies(self, one, two, cast, imported):
        assert str(imported.as_of) == "2026-11-20"
        with inside(one):
            assert School.objects.count() == 332
            assert Policy.objects.of_schools().count() == 3 * 332
            entry = AuditEntry.objects.get(verb="imported a file")
            assert (entry.by, entry.subject_id) == (cast.officer.id, imported.id)
        with inside(two):
            assert list(School.objects.values_list("urn", flat=True)) == [cast.far.urn]

    def test_keeps_a_name_that_looks_like_a_formula_as_it_is(self, one, cast, bring, decide, browse):
        decide(bring("register", sample("malformed/bad_rows.csv")), has_understood="on")
        with inside(one):
            school = School.objects.get(urn="900702")
        assert school.name.startswith("=")


class TestNextFile:
    def test_counts_exactly(self, imported, bring):
        file = bring("register", sample(A_WEEK_LATER), name=A_WEEK_LATER)
        assert counts(file) == (1, 0, 329, 3, 0, 0, 402, 0)
        assert file.needs_confirmation == ""
        assert [(each["urn"], each["what"]) for each in file.changes] == [
            ("900389", "Closes"),
            ("900507", "Closes"),
            ("900045", "Closes"),
            ("901939", "New"),
        ]

    def test_changes_nothing_the_second_time(self, one, imported, bring, decide, browse, cast):
        file = bring("register", sample(REGISTER), name=REGISTER)
        assert counts(file) == (0, 0, 332, 0, 0, 0, 403, 0)
        assert not file.does_something
        page = browse(cast.officer).get(f"/imports/{file.id}/").content.decode()
        assert "This file changes nothing" in page
        assert "Import the" not in page

    def test_leaves_what_a_newer_register_said(self, imported, bring):
        file = bring("register", lines_of(REGISTER, renamed="Older Name"), name="edubasealldata20261101.csv")
        assert counts(file)[:3] == (0, 0, 1)
        assert file.counts["older"] == 1

    def test_takes_a_file_without_a_date_for_as_new_as_any(self, one, imported, bring, on):
        assert bring("register", lines_of(REGISTER, renamed="New Name")).as_of == on
        later = on + timedelta(days=40)
        with inside(one):
            School.objects.update(register_as_of=later)
        file = bring("register", lines_of(REGISTER, renamed="New Name"))
        assert (file.as_of, file.counts["changed"], file.counts["older"]) == (later, 1, 0)

    def test_keeps_values_that_the_file_has_not_or_has_wrong(self, one, imported, bring, decide):
        with inside(one):
            before = School.objects.get(urn="900045")
            assert before.pupils
        decide(bring("register", sample("malformed/bad_rows.csv")), has_understood="on")
        with inside(one):
            after = School.objects.get(urn="900045")
        assert after.pupils == before.pupils


class TestGuard:
    def test_asks_before_much_would_go(self, one, cast, imported, bring, browse, work):
        file = bring("register", sample("malformed/utf8_bom.csv"))
        assert file.needs_confirmation == (
            "Of your 332 open schools, 328 would be missing from the file and left as they are. "
            "That is more than 1 in 10."
        )
        answer = browse(cast.officer).post(f"/imports/{file.id}/")
        assert answer.status_code == 200
        assert "Tick the box to say that these figures are right" in answer.content.decode()
        assert "<title>Error: " in answer.content.decode()
        with inside(one):
            assert FileImport.objects.get(id=file.id).state == State.CHECKED

    def test_never_closes_a_school_that_is_missing(self, one, imported, bring, decide):
        file = decide(bring("register", lines_of(REGISTER, renamed="New Name")), has_understood="on")
        assert (file.state, counts(file)) == (State.COMMITTED, (0, 1, 0, 0, 0, 331, 0, 0))
        with inside(one):
            assert School.objects.open().count() == 332

    def test_counts_a_school_that_another_authority_has_now_as_moved(self, one, imported, bring, decide):
        file = bring("register", lines_of(REGISTER, count=2, la_codes=("002", "001")))
        assert counts(file) == (0, 0, 1, 0, 1, 330, 0, 0)
        file = decide(file, has_understood="on")
        urn = next(each["urn"] for each in file.changes if each["what"] == "Moves to another authority")
        with inside(one):
            assert School.objects.get(urn=urn).closed_on is not None


class TestBadRows:
    def test_names_every_problem_and_what_to_do(self, imported, bring):
        file = bring("register", sample("malformed/bad_rows.csv"))
        found = [(each["line"], each["urn"], each["column"], each["value"], each["skipped"]) for each in file.problems]
        assert found == [
            (3, "12A456", "URN", "12A456", True),
            (4, "", "URN", "", True),
            (5, "901176", "URN", "901176", True),
            (6, "901176", "URN", "901176", True),
            (7, "900045", "NumberOfPupils", "abc", False),
            (8, "900871", "OpenDate", "31-02-2020", False),
            (9, "901195", "EstablishmentName", "", True),
            (10, "900389", "LA (code)", "", True),
        ]
        assert file.problems[4]["advice"] == (
            "This must be a whole number from 0 to 2147483647; the value held before was left: "
            "correct it and send the file again."
        )
        assert counts(file) == (0, 1, 1, 0, 0, 329, 3, 6)


class TestCommit:
    def test_shows_the_figures_anew_when_schools_have_changed_meanwhile(self, one, imported, bring, decide):
        file = bring("register", lines_of(REGISTER, renamed="New Name"))
        with inside(one):
            School.objects.update(name="New Name")
        file = decide(file, has_understood="on")
        assert (file.state, counts(file)[:3]) == (State.CHECKED, (0, 0, 1))
        assert "checked again" in file.note

    def test_is_refused_when_who_confirmed_may_no_longer_import(self, one, cast, imported, bring, decide):
        file = bring("register", lines_of(REGISTER, renamed="New Name"))
        with inside(one):
            cast.officer.memberships.update(to_on="2026-10-01")
            FileImport.objects.filter(id=file.id).update(state=State.CONFIRMED)
        work_on_next_file(one)
        with inside(one):
            assert FileImport.objects.get(id=file.id).state == State.REFUSED
            assert not School.objects.filter(name="New Name").exists()


class TestUndo:
    def test_puts_everything_back(self, one, imported, bring, decide):
        with inside(one):
            before = sorted(School.objects.values_list())
        file = decide(bring("register", sample(A_WEEK_LATER), name=A_WEEK_LATER))
        with inside(one):
            assert sorted(School.objects.values_list()) != before
        file = decide(file, "undo/")
        assert (file.state, file.left) == (State.UNDONE, [])
        with inside(one):
            assert sorted(School.objects.values_list()) == before

    def test_leaves_what_has_changed_since_and_says_so(self, one, imported, bring, decide):
        file = decide(bring("register", sample(A_WEEK_LATER), name=A_WEEK_LATER))
        with inside(one):
            School.objects.filter(urn="900389").update(name="Knollsea Academy")
            School.objects.filter(urn="901939").update(office_email="office@new.example")
            new = School.objects.get(urn="901939")
        file = decide(file, "undo/")
        assert file.left == [
            "Knollsea Junior School (900389) has changed since, so it was left as it is.",
            f"{new.name} (901939) was kept: something has been recorded about it since.",
        ]
        with inside(one):
            assert School.objects.get(urn="900507").is_open
            assert not School.objects.get(urn="900389").is_open

    def test_is_refused_after_a_day(self, one, cast, imported, browse, at):
        with inside(one):
            FileImport.objects.update(committed_at=at.replace(year=2025))
        browse(cast.officer).post(f"/imports/{imported.id}/undo/")
        with inside(one):
            assert FileImport.objects.get(id=imported.id).state == State.COMMITTED
        page = browse(cast.officer).get(f"/imports/{imported.id}/").content.decode()
        assert "Undo this import" not in page


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("no_urn_column", "This file has no URN column."),
        ("error_page", "This is a web page, not a CSV file: the download failed."),
        ("utf16", "This file is saved as UTF-16"),
        ("nul_bytes", "This file is damaged: it holds NUL bytes."),
        ("truncated", "This file stops in the middle of a row (line 19)."),
        ("header_only", "This file has column names but no rows."),
    ],
)
def test_refuses_a_malformed_file_whole(one, cast, bring, browse, name, why):
    file = bring("register", sample(f"malformed/{name}.csv"))
    assert file.state == State.REFUSED
    assert file.refusal.startswith(why)
    assert why in browse(cast.officer).get(f"/imports/{file.id}/").content.decode().replace("&#39;", "'")
    with inside(one):
        assert list(School.objects.values_list("name", flat=True).order_by("name")) == ["Elm School", "Oak School"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("utf8_bom", (4, 0, 0, 0, 0, 0, 7, 0)),
        ("unquoted_slash_dates", (4, 0, 0, 0, 0, 0, 7, 0)),
        ("cut_at_a_row_end", (16, 0, 0, 0, 0, 0, 18, 0)),
        ("bad_rows", (2, 0, 0, 0, 0, 0, 3, 6)),
    ],
)
def test_takes_a_strange_but_good_file(nobody_yet, bring, name, expected):
    file = bring("register", sample(f"malformed/{name}.csv"))
    assert (file.state, counts(file)) == (State.CHECKED, expected)


def test_refuses_a_file_of_other_authorities_only(bring):
    file = bring("register", lines_of(REGISTER, count=2, la_codes=("002", "003")))
    assert file.refusal == "This file has no school of Barsetshire (001). Send one that has."
