"""Sickness returns from a file: read, compared, imported, undone and forgotten; and what never stands in clear."""

import csv
import io
import json
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from factories import PupilFactory, person

from handrail.absences import decisions
from handrail.absences.models import SicknessReturn
from handrail.accounts.roles import Role
from handrail.imports.absences_file import HEADINGS
from handrail.imports.models import FileImport
from handrail.schools.models import Pupil
from tenants.context import inside

pytestmark = pytest.mark.django_db
UPLOAD = "/imports/returns/900001/"
State = FileImport.State


def row(name="Ann Ash", born="01/05/2016", first="16/11/2026", likely="yes", address="Canary Street", **more):
    given = {"Name": name, "Date of birth": born, "First day away": first, "15 days likely": likely, "Address": address}
    given |= {key.replace("_", " "): value for key, value in more.items()}
    assert set(given) <= set(HEADINGS), given
    return given


def as_csv(*rows):
    out = io.StringIO()
    sheet = csv.DictWriter(out, HEADINGS)
    sheet.writeheader()
    sheet.writerows(rows)
    return out.getvalue().encode()


@pytest.fixture(autouse=True)
def ann(one, cast):
    with inside(one):
        return PupilFactory(school=cast.oak, name="Ann Ash")


@pytest.fixture
def bring(one, cast, browse, work):
    """`bring(row(), ...)` uploads a file at Oak School's page, and gives it checked or refused."""

    def run(*rows, content=None):
        file = SimpleUploadedFile("returns.csv", as_csv(*rows) if content is None else content)
        answer = browse(cast.head).post(UPLOAD, {"file": file})
        assert answer.status_code == 302, answer.content.decode()
        work()
        with inside(one):
            return FileImport.objects.get(id=answer["Location"].strip("/").split("/")[-1])

    return run


@pytest.fixture
def decide(one, cast, browse, work):
    """`decide(file)` confirms it, `decide(file, "undo/")` has it undone; gives it afterwards."""

    def run(file, what=""):
        browse(cast.head).post(f"/imports/lists/{file.id}/{what}")
        work()
        with inside(one):
            return FileImport.objects.get(id=file.id)

    return run


def problems(file):
    return [(each["line"], each["column"], each["advice"].split(";")[0]) for each in file.problems]


class TestWhatIsRead:
    @pytest.mark.parametrize(
        ("change", "column"),
        [
            ({"name": ""}, "Name"),
            ({"born": ""}, "Date of birth"),
            ({"born": "31/02/2016"}, "Date of birth"),
            ({"first": ""}, "First day away"),
            ({"first": "yesterday"}, "First day away"),
            ({"likely": ""}, "15 days likely"),
            ({"likely": "perhaps"}, "15 days likely"),
            ({"address": ""}, "Address"),
            ({"UPN": "A801200005001"}, "UPN"),
        ],
    )
    def test_a_bad_row_is_named_and_the_good_ones_stay(self, bring, one, cast, change, column):
        with inside(one):
            PupilFactory(school=cast.oak, name="Bo Bell")
        file = bring(row(**change), row("Bo Bell"))
        assert file.state == State.CHECKED
        assert [(line, where) for line, where, _ in problems(file)] == [(2, column)]
        assert file.counts["new"] == (2 if column == "UPN" else 1)

    def test_two_rows_about_one_absence_are_both_left_out(self, bring):
        file = bring(row(), row(likely="no"))
        assert [line for line, _, _ in problems(file)] == [2, 3]
        assert file.counts["new"] == 0

    @pytest.mark.parametrize("content", [b"", b"Name,Nothing\nx,y\n", b"\0\0\0"])
    def test_another_file_is_refused_whole(self, cast, browse, one, work, content):
        file = SimpleUploadedFile("returns.csv", content)
        browse(cast.head).post(UPLOAD, {"file": file})
        work()
        with inside(one):
            assert not FileImport.objects.exclude(state=State.REFUSED).exists()
            assert not SicknessReturn.objects.exists()

    @pytest.mark.parametrize(
        ("given", "says"),
        [
            (row("Nobody Here"), "No child with this name and date of birth is at the school"),
            (row(first="16/11/2024"), "First day away must be within the last 400 days"),
            (row(Last_day_away="15/11/2026"), "Last day away must be on or after the first day"),
            (row(Back_for_that_afternoon="yes"), "Give the last day away"),
        ],
    )
    def test_a_row_that_cannot_be_is_left_out_with_the_reason(self, bring, given, says):
        file = bring(given)
        assert [advice for _, _, advice in problems(file)] == [says]
        assert (file.counts["new"], file.counts["refused"]) == (0, 1)

    def test_days_that_overlap_are_left_out_in_one_file_too(self, bring):
        file = bring(row(Last_day_away="18/11/2026"), row(first="17/11/2026"), row(first="19/11/2026"))
        assert [(line, advice) for line, _, advice in problems(file)] == [
            (3, "These days are in the return from 16 November 2026 already")
        ]
        assert file.counts["new"] == 2

    def test_another_schools_child_is_nobody(self, bring, one, cast):
        with inside(one):
            PupilFactory(school=cast.elm, name="Elm Child")
        assert bring(row("Elm Child")).counts["refused"] == 1

    def test_what_it_says_of_a_child_stands_nowhere_in_clear(self, bring, decide, one):
        file = bring(row(Work_sent_home="Canary work"))
        with inside(one):
            assert file.good_rows[0]["address"] == "Canary Street"
        kept = json.dumps([file.rows, file.changes, file.problems, file.before])
        assert "Canary" not in kept
        file = decide(file)
        assert "Canary" not in json.dumps([file.rows, file.changes, file.problems, file.before])
        assert file.sealed_rows is None


class TestImporting:
    def test_makes_the_returns_and_says_so(self, bring, decide, one, cast, browse):
        file = bring(row(Last_day_away="18/11/2026", Work_sent_home="Maths"), row("Nobody Here"))
        page = browse(cast.head).get(f"/imports/lists/{file.id}/").text
        assert "Import the 1 good row and skip 1" in page
        file = decide(file)
        assert file.state == State.COMMITTED
        with inside(one):
            made = SicknessReturn.objects.get()
            assert (made.case.pupil.name, made.last_on.day, made.says["work"]) == ("Ann Ash", 18, "Maths")
            assert made.made_by == cast.head.id

    def test_ends_a_return_that_is_there_and_the_same_again_changes_nothing(self, bring, decide, one):
        decide(bring(row()))
        file = bring(row(Last_day_away="18/11/2026"))
        assert (file.counts["new"], file.counts["changed"]) == (0, 1)
        decide(file)
        assert bring(row(Last_day_away="18/11/2026")).counts["unchanged"] == 1
        with inside(one):
            assert SicknessReturn.objects.get().last_on.day == 18

    def test_asks_where_the_child_lives_and_keeps_what_was_said(self, bring, decide, one, cast):
        def lives_in():
            with inside(one):
                return [each.lives_in for each in SicknessReturn.objects.standing().order_by("first_on")]

        decide(bring(row(Last_day_away="17/11/2026", Lives_in_another_authority="borchester")))
        assert lives_in() == ["002"]
        file = decide(bring(row(Last_day_away="18/11/2026"), row(first="20/11/2026", Last_day_away="20/11/2026")))
        assert lives_in() == ["002", "002"], "what is left empty stands as it was said before"
        file = decide(file, "undo/")
        assert lives_in() == ["002"]
        for said in ("no", "Barsetshire", "001"):
            decide(bring(row(Last_day_away="17/11/2026", Lives_in_another_authority=said)))
            assert lives_in() == ["001"]
        file = decide(bring(row(Last_day_away="17/11/2026", Lives_in_another_authority="002")))
        assert lives_in() == ["002"]
        assert decide(file, "undo/").left == []
        assert lives_in() == ["001"]
        unknown = bring(row(first="19/11/2026", Lives_in_another_authority="Nowhere"))
        assert [(column, advice[:40]) for _, column, advice in problems(unknown)] == [
            ("Lives in another authority", "Give the name or the three-digit code of")
        ]

    def test_asks_while_nobody_has_said_where_the_child_lives(self, bring, decide, one):
        with inside(one):
            Pupil.objects.update(lives_in="")
        asked = bring(row(Last_day_away="17/11/2026"))
        assert [(column, advice[:27]) for _, column, advice in problems(asked)] == [
            ("Lives in another authority", "Say which authority the chi")
        ]
        assert asked.counts["new"] == 0
        decide(bring(row(Last_day_away="17/11/2026", Lives_in_another_authority="no")))
        with inside(one):
            assert SicknessReturn.objects.get().lives_in == "001"

    def test_is_for_people_who_report(self, one, cast, browse):
        with inside(one):
            gus = person("gus@oak.example", Role.GOVERNOR, school=cast.oak)
        assert browse(gus).get(UPLOAD).status_code == 403
        assert browse(cast.neighbour).get(UPLOAD).status_code == 404
        assert "Address" in b"".join(browse(cast.head).get(f"{UPLOAD}template.csv").streaming_content).decode()


class TestUndoing:
    def test_takes_back_what_was_made_and_puts_back_what_was_changed(self, bring, decide, one, cast):
        with inside(one):
            PupilFactory(school=cast.oak, name="Bo Bell")
        decide(bring(row()))
        file = decide(bring(row(Last_day_away="18/11/2026"), row("Bo Bell")))
        file = decide(file, "undo/")
        assert (file.state, file.left) == (State.UNDONE, [])
        with inside(one):
            made = SicknessReturn.objects.standing().get()
            assert (made.case.pupil.name, made.last_on) == ("Ann Ash", None)

    def test_leaves_what_has_changed_since_and_what_the_authority_acted_on(self, bring, decide, one, cast, at):
        with inside(one):
            nora = person("nora@barsetshire.example", Role.NAMED_OFFICER)
            PupilFactory(school=cast.oak, name="Bo Bell")
        file = decide(bring(row(), row("Bo Bell")))
        with inside(one):
            ann, bo = SicknessReturn.objects.select_related("case").order_by("case__pupil__name")
            SicknessReturn.objects.filter(id=ann.id).update(last_on=at.date())
            decisions.decide(
                case=bo.case,
                outcome="more",
                decided_on=at.date(),
                evidence="e",
                reasons="r",
                next_review_on=at.date() + timedelta(days=7),
                by=nora,
                at=at,
            )
        file = decide(file, "undo/")
        assert sorted(file.left) == [
            "Ann Ash: this return has changed since and was left as it is.",
            "Bo Bell: the authority has acted on this return, so it was kept.",
        ]
        with inside(one):
            assert SicknessReturn.objects.standing().count() == 2
            assert Pupil.objects.filter(name="Bo Bell").exists()
