"""The pages of a school and of the named officer: what they show, to whom, and that each look is recorded."""

import re
from datetime import date, timedelta
from uuid import uuid4

import pytest
from factories import PupilFactory, person

from handrail.absences import actions
from handrail.absences.counting import standing_of
from handrail.absences.daycount import Session, Slot
from handrail.absences.decisions import decide, education_ended, suitable_already
from handrail.absences.models import AttendanceMark, Case, CaseEntry, NilReturn, SicknessReturn
from handrail.absences.reminders import running
from handrail.accounts.roles import Role
from handrail.core.models import AuthoritySettings, ReadEntry
from handrail.handovers.models import Handover, Setting
from handrail.schools.models import Pupil, School
from tenants.context import inside

pytestmark = pytest.mark.django_db
RETURNS = "/schools/900001/returns/"
GOOD = {
    "first_on_day": "16", "first_on_month": "11", "first_on_year": "2026",
    "is_likely": "yes", "lives_in": "001", "address": "1 High Street", "work": "Maths sheets", "category": "mental",
}  # fmt: skip


def day(name, on):
    return {f"{name}_day": on.day, f"{name}_month": on.month, f"{name}_year": on.year}


@pytest.fixture
def office(one, cast):
    with inside(one):
        return person("office@oak.example", Role.SCHOOL_ADMINISTRATOR, school=cast.oak)


@pytest.fixture
def made(one, terms, poppy, nora, report, days_ago):
    with inside(one):
        return report(poppy, days_ago(21))


class TestReturns:
    def test_nothing_to_report_is_a_button_two_taps_from_home(self, one, cast, terms, browse, office):
        client = browse(office)
        assert f'href="{RETURNS}"' in client.get("/").text
        page = client.get(RETURNS).text
        assert "November 2026" in page
        assert "Not answered yet" in page
        answer = client.post(RETURNS, {"period": "2026-11-01"}, follow=True).text
        assert "Recorded: nothing to report for November 2026." in answer
        with inside(one):
            assert NilReturn.objects.get().made_by == office.id
            assert not ReadEntry.objects.exists()

    @pytest.mark.parametrize("period", ["2026-12-01", "2020-01-01", "", "x"])
    def test_a_period_that_is_not_asked_for_is_no_answer(self, one, cast, terms, browse, period):
        answer = browse(cast.head).post(RETURNS, {"period": period}, follow=True).text
        assert "Choose the period again" in answer
        with inside(one):
            assert not NilReturn.objects.exists()

    def test_somebody_to_report_is_refused_as_nothing(self, cast, browse, made):
        answer = browse(cast.head).post(RETURNS, {"period": "2026-11-01"}, follow=True).text
        assert "so there is something to report" in answer

    def test_a_governor_may_not(self, one, cast, browse):
        with inside(one):
            gus = person("gus@oak.example", Role.GOVERNOR, school=cast.oak)
        assert browse(gus).get(RETURNS).status_code == 403
        assert browse(cast.neighbour).get(RETURNS).status_code == 404


class TestReportAChild:
    def test_is_found_by_two_letters_and_reported(self, one, cast, terms, poppy, browse, office):
        client = browse(office)
        page = client.post(f"{RETURNS}children/", {"letters": "po"}).text
        assert f'href="/children/{poppy.id}/returns/make/">Report Poppy Canarywright</a>' in page
        answer = client.post(f"/children/{poppy.id}/returns/make/", GOOD, follow=True).text
        assert "Sent the sickness return to the authority." in answer
        assert "6 days lost this school year" in answer
        with inside(one):
            found = SicknessReturn.objects.get()
            assert (found.says["category"], found.last_on) == ("mental", None)
            assert set(ReadEntry.objects.values_list("group", flat=True)) == {"absence"}

    @pytest.mark.parametrize(
        ("change", "says"),
        [
            ({"first_on_day": ""}, "First day away must include a day"),
            ({"first_on_year": "2024"}, "First day away must be within the last 400 days"),
            ({"is_likely": ""}, "Select whether 15 school days are likely"),
            ({"address": ""}, "Enter the child’s address"),
            ({"lives_in": ""}, "Select the authority where the child lives"),
            ({"lives_in": "777"}, "Select the authority from the list"),
            ({"until_am": "on"}, "Enter the last day away"),
            ({"last_on_day": "1", "last_on_month": "11", "last_on_year": "2026"}, "Last day away must be on or after"),
        ],
    )
    def test_what_is_wrong_is_said_and_what_was_typed_is_kept(self, one, cast, poppy, browse, change, says):
        page = browse(cast.head).post(f"/children/{poppy.id}/returns/make/", GOOD | change).text
        assert "<title>Error: " in page
        assert says in page
        assert "Maths sheets" in page
        with inside(one):
            assert not SicknessReturn.objects.exists()

    def test_where_the_child_lives_is_asked_once(self, one, cast, terms, poppy, browse):
        with inside(one):
            Pupil.objects.update(lives_in="")
        client, address = browse(cast.head), f"/children/{poppy.id}/returns/make/"
        assert re.findall(r"<option[^>]*selected[^>]*>\s*([^<]+)", client.get(address).text) == ["Choose"]
        client.post(address, GOOD)
        assert re.findall(r"<option[^>]*selected[^>]*>\s*([^<]+)", client.get(address).text) == ["Barsetshire"]
        assert "Barsetshire" in client.get(f"/children/{poppy.id}/").text

    def test_another_schools_child_is_not_found(self, cast, poppy, browse):
        assert browse(cast.neighbour).get(f"/children/{poppy.id}/returns/make/").status_code == 404

    def test_a_return_is_changed_and_taken_back(self, one, cast, on, browse, made, poppy):
        client, address = browse(cast.head), f"/children/{made.case.pupil_id}/returns/{made.id}/"
        assert "1 High Street" in client.get(address).text
        changed = {
            "is_likely": "no",
            "lives_in": "002",
            "address": "2 Low Street",
            **day("last_on", on - timedelta(days=3)),
        }
        assert "Saved what you changed." in client.post(address, changed, follow=True).text
        with inside(one):
            found = SicknessReturn.objects.get()
            assert (found.says, found.last_on) == ({"address": "2 Low Street"}, on - timedelta(days=3))
            assert (found.lives_in, Pupil.objects.get(id=poppy.id).lives_in) == ("002", "002")
        assert "Its days count no more." in client.post(f"{address}withdraw/", follow=True).text
        assert client.get(address).status_code == 404

    @pytest.mark.parametrize(("last", "is_asked"), [(12, False), (13, True)])
    def test_codes_near_the_threshold_ask_for_a_return(self, one, cast, terms, at, poppy, browse, last, is_asked):
        client = browse(cast.head)
        with inside(one):
            ill = {
                Slot(date(2026, 11, day), half): "I" for day in (*range(2, 7), *range(9, last + 1)) for half in Session
            }
            actions.enter_codes(pupil=poppy, codes=ill, by=cast.head, at=at)
        pages = [RETURNS, f"{RETURNS}children/", f"/children/{poppy.id}/returns/"]
        says = ["1 child</strong> come near 15 days", "Report Poppy Canarywright", "has not been told"]
        assert [words in client.get(page).text for page, words in zip(pages, says, strict=True)] == [is_asked] * 3
        client.post(f"/children/{poppy.id}/returns/make/", GOOD)
        assert not any(words in client.get(page).text for page, words in zip(pages, says, strict=True))

    def test_codes_of_a_week_pass_over_the_weekend(self, one, cast, terms, on, poppy, browse):
        week = {**day("first_on", on - timedelta(days=4)), **day("last_on", on), "part": "all_day", "code": "I"}
        address = f"/children/{poppy.id}/returns/codes/"
        answer = browse(cast.head).post(address, week, follow=True).text
        assert "Saved 6 sessions." in answer
        assert "3 days lost this school year" in answer
        half = {**day("first_on", on), **day("last_on", on), "part": "pm", "code": "\\"}
        assert "2½ days lost this school year" in browse(cast.head).post(address, half, follow=True).text
        with inside(one):
            assert AttendanceMark.objects.standing().count() == 6

    @pytest.mark.parametrize(
        ("first", "last", "says"),
        [(0, -1, "in the past"), (60, 0, "less than 60 days"), (1, 2, "on or after"), (1, 1, "No school day")],
    )
    def test_codes_for_days_that_cannot_be_are_refused(self, one, cast, terms, on, poppy, browse, first, last, says):
        data = {**day("first_on", on - timedelta(days=first)), **day("last_on", on - timedelta(days=last))}
        page = browse(cast.head).post(f"/children/{poppy.id}/returns/codes/", data | {"part": "am", "code": "I"}).text
        assert says in page


class TestTheBoard:
    def test_shows_the_urgent_first_and_records_the_look_for_each_school(
        self, one, cast, terms, nora, browse, report, days_ago
    ):
        with inside(one):
            children = [
                PupilFactory(school=school, name=name)
                for school, name in (
                    (cast.oak, "Ann Overdue"),
                    (cast.elm, "Bo Due"),
                    (cast.oak, "Cy Near"),
                    (cast.oak, "Di Watched"),
                )
            ]
            for child, days in zip(children, (35, 21, 13, 3), strict=True):
                report(child, days_ago(days))
            PupilFactory(school=cast.oak, name="Ed Nobody")
        page = browse(nora).get("/cases/").text
        names = ["Ann Overdue", "Bo Due", "Cy Near", "Di Watched"]
        assert sorted(names, key=page.index) == names
        assert "Ed Nobody" not in page
        with inside(one):
            assert {(e.school_id, len(e.child_ids)) for e in ReadEntry.objects.all()} == {
                (cast.oak.id, 3),
                (cast.elm.id, 1),
            }
        only = browse(nora).get("/cases/?show=due").text
        assert [name for name in names if name in only] == ["Bo Due"]

    def test_sees_no_child_of_whom_only_codes_are_known(self, one, cast, terms, nora, browse, poppy, on):
        week = {**day("first_on", on - timedelta(days=50)), **day("last_on", on), "part": "all_day", "code": "I"}
        browse(cast.head).post(f"/children/{poppy.id}/returns/codes/", week)
        assert "Poppy" not in browse(nora).get("/cases/").text

    def test_below_the_threshold_a_child_who_has_left_and_a_return_taken_back_are_gone(
        self, one, cast, terms, nora, browse, report, poppy, at, on, days_ago
    ):
        with inside(one):
            made = report(poppy, days_ago(3))
        assert "Poppy" in browse(nora).get("/cases/").text
        with inside(one):
            poppy.left_on = on
            poppy.save()
        assert "Poppy" not in browse(nora).get("/cases/").text
        with inside(one):
            actions.withdraw_return(made=made, by=cast.head, at=at)
            poppy.left_on = None
            poppy.save()
        assert "Poppy" not in browse(nora).get("/cases/").text
        assert browse(nora).get(f"/cases/{made.case_id}/").status_code == 404

    @pytest.mark.parametrize("how", ["takes back", "says no more", "leaves", "closes"])
    def test_a_clock_runs_on_whatever_the_school_does_until_the_officer_says_no(
        self, one, cast, nora, browse, made, poppy, at, on, how
    ):
        with inside(one):
            if how == "takes back":
                actions.withdraw_return(made=made, by=cast.head, at=at)
            elif how == "says no more":
                said = {"until_am": False, "is_likely": False, "says": made.says}
                actions.change_return(made=made, last_on=made.first_on, by=cast.head, at=at, **said)
            elif how == "leaves":
                Pupil.objects.filter(id=poppy.id).update(left_on=on)
            else:
                School.objects.filter(id=cast.oak.id).update(closed_on=on)
        board = browse(nora).get("/cases/").text
        assert "Poppy" in board and ("Overdue" in board or "Clock running" in board)
        page = browse(nora).get(f"/cases/{made.case_id}/").text
        assert ("has since taken back, or changed," in page) == (how in ("takes back", "says no more"))
        assert ("Taken back" in page) == (how == "takes back")
        assert browse(nora).get(f"/cases/{made.case_id}/log.pdf").status_code == 200
        with inside(one):
            case = Case.objects.get(id=made.case_id)
            assert case in running(on=on)
            decide(
                case=case,
                outcome="no",
                decided_on=on,
                evidence="The school",
                reasons="It was a mistake.",
                next_review_on=on + timedelta(days=42),
                by=nora,
                at=at,
            )
            assert case not in running(on=on)
        assert browse(nora).get(f"/cases/{made.case_id}/").status_code == 200

    def test_is_for_the_named_officer_alone(self, cast, browse, made):
        for who in (cast.officer, cast.admin, cast.head):
            for path in ("/cases/", f"/cases/{made.case_id}/", f"/cases/{made.case_id}/log.pdf"):
                assert browse(who).get(path).status_code == 403

    def test_answers_tell_silence_from_nothing_to_report(self, cast, terms, nora, browse, made):
        browse(cast.neighbour).post("/schools/900002/returns/", {"period": "2026-10-01"})
        page = browse(nora).get("/cases/answers/?period=2026-10-01").text
        assert page.index("Elm School") < page.index("Nothing to report", page.index("Elm School"))
        assert "Oak School" in browse(nora).get("/cases/answers/?period=2026-10-01&show=silent").text
        assert "Elm School" not in browse(nora).get("/cases/answers/?period=2026-10-01&show=silent").text
        assert "Oak School" in browse(nora).get("/cases/answers/?show=reported").text

    def test_a_setting_that_is_not_asked_is_not_silent_and_may_report(self, one, cast, terms, nora, browse, at):
        with inside(one):
            AuthoritySettings.objects.create(settings_not_asked=["hospital"])
            Setting.objects.create(school=cast.oak, name="Oak", kind=Setting.Kind.HOSPITAL, confirmed_at=at)
        page = browse(nora).get("/cases/answers/?period=2026-10-01&show=not_asked").text
        assert "Oak School" in page and "Elm School" not in page
        page = browse(nora).get("/cases/answers/?period=2026-10-01&show=silent").text
        assert "Oak School" not in page and "Elm School" in page
        page = browse(cast.head).get("/schools/900001/returns/").text
        assert "Barsetshire does not ask a setting like yours" in page and "Report a child" in page
        assert "If there is nobody, say so" in browse(cast.neighbour).get("/schools/900002/returns/").text


class TestACase:
    DECISION = {
        "outcome": "yes", "evidence": "A GP letter", "reasons": "Canary reasons",
        **{f"decided_on_{box}": value for box, value in (("day", 23), ("month", 11), ("year", 2026))},
        **{f"next_review_on_{box}": value for box, value in (("day", 4), ("month", 1), ("year", 2027))},
    }  # fmt: skip

    def test_says_why_the_clock_says_what_it_says(self, cast, nora, browse, made):
        page = browse(nora).get(f"/cases/{made.case_id}/").text
        assert "16 days lost through illness in the school year." in page
        assert "The clock runs since 20 November 2026: 15 days were reached." in page
        assert "1 High Street" in page

    def test_is_decided_and_the_clock_runs_on(self, one, nora, browse, made):
        client, address = browse(nora), f"/cases/{made.case_id}/"
        assert "What you write cannot be changed afterwards." in client.get(f"{address}decision/").text
        page = client.post(f"{address}decision/", self.DECISION, follow=True).text
        assert "Written in the log of this case." in page
        assert "Decision: Yes, the authority arranges education" in page
        assert "The clock runs since 20 November 2026" in page
        with inside(one):
            assert CaseEntry.objects.get().made_by == nora.id

    @pytest.mark.parametrize(
        ("side", "days", "ended", "is_told"),
        [
            ("home", 2, None, True),  # since the clock runs
            ("home", 20, None, True),  # before it ran, in the same school year
            ("home", 100, None, False),  # in the year before
            ("setting", 2, None, False),  # what another authority's child was taught here
            ("home", 3, 3, False),  # before the education stopped
            ("home", 2, 3, True),  # and after it
        ],
    )
    def test_a_session_that_a_setting_tells_of_is_to_be_recorded(
        self, one, nora, browse, made, at, on, side, days, ended, is_told
    ):
        first_on = on - timedelta(days=days)
        with inside(one):
            Handover.objects.create(
                reference=uuid4(),
                side=side,
                state="active",
                pupil=made.case.pupil,
                since_on=on,
                started_at=at,
                setting_name="Ward School",
                first_session_on=first_on,
            )
            if ended:
                write = {"case": made.case, "by": nora, "at": at, "next_review_on": on + timedelta(days=40)}
                words = {"evidence": "A timetable", "reasons": "Full time at home"}
                suitable_already(happened_on=on - timedelta(days=5), **words, **write)
                del write["next_review_on"]
                education_ended(happened_on=on - timedelta(days=ended), reasons="The tutor left", **write)
        client, address = browse(nora), f"/cases/{made.case_id}/"
        page = client.get(address).text
        assert ("Ward School tells of a first session on" in page) == is_told
        assert ("To Ward School</a>: being taught" in page) == (side == "home")
        assert ("First session told of, not recorded" in client.get("/cases/").text) == is_told
        form = client.get(f"{address}first-session/").text
        assert (f'name="happened_on_day" type="text" value="{first_on.day}"' in form) == is_told
        with inside(one):
            assert standing_of(made.case, on=on).is_running

    @pytest.mark.parametrize(("lives_in", "is_elsewhere"), [("002", True), ("001", False)])
    def test_says_whose_the_duty_is(self, one, two, nora, browse, made, lives_in, is_elsewhere):
        with inside(one):
            SicknessReturn.objects.update(lives_in=lives_in)
        client, name = browse(nora), two.name
        assert (f"Lives in {name}" in client.get("/cases/").text) == is_elsewhere
        page = client.get(f"/cases/{made.case_id}/").text
        assert (f"The child lives in {name}, so the duty" in page) == is_elsewhere

    def test_refusals_stand_beside_the_question(self, one, nora, browse, made):
        client, address = browse(nora), f"/cases/{made.case_id}/first-session/"
        data = {**day("happened_on", made.first_on), "hours": "5", "why_not_full_time": ""}
        page = client.post(
            address, data | {"next_review_on_day": "4", "next_review_on_month": "1", "next_review_on_year": "2027"}
        ).text
        assert "Say why it is fewer than 25 hours" in page
        ended = {**day("happened_on", made.first_on), "reasons": "x"}
        assert "The clock is running" in client.post(f"/cases/{made.case_id}/ended/", ended).text
        with inside(one):
            assert not CaseEntry.objects.exists()

    def test_prints_its_log_under_a_name_that_tells_nobody(self, one, nora, browse, made):
        answer = browse(nora).get(f"/cases/{made.case_id}/log.pdf")
        assert answer.content.startswith(b"%PDF")
        assert "Poppy" not in answer["Content-Disposition"]
        with inside(one):
            assert ReadEntry.objects.get().verb == "print"

    def test_has_no_other_thing_to_write(self, nora, browse, made):
        assert browse(nora).get(f"/cases/{made.case_id}/nothing/").status_code == 404
