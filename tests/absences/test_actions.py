"""What schools write: returns, nothing to report and codes; and what is refused."""

from datetime import date, timedelta

import pytest
from django.db import connection
from factories import PupilFactory

from handrail.absences import actions
from handrail.absences.answers import Answer, answers_of, recent_periods
from handrail.absences.counting import standing_of
from handrail.absences.daycount import Session, Slot
from handrail.absences.decisions import decide
from handrail.absences.models import AttendanceMark, Case, NilReturn, SicknessReturn
from handrail.core.models import AuditEntry, AuthoritySettings
from handrail.handovers.models import Setting
from handrail.schools.models import Pupil, Term
from tenants.context import inside

pytestmark = pytest.mark.django_db


@pytest.fixture
def here(one, cast, terms, poppy):
    with inside(one):
        yield one


class TestMakeReturn:
    def test_opens_the_case_of_the_school_year_and_records_no_value(self, here, cast, poppy, report, on, at, days_ago):
        says = {"address": "1 High Street", "work": "", "category": "mental"}
        made = report(poppy, days_ago(4), is_likely=True, says=says, at=at)
        assert (made.case.pupil, made.case.school_year, made.likely_on) == (poppy, 2026, on)
        assert made.says == {"address": "1 High Street", "category": "mental"}
        entry = AuditEntry.objects.get(verb="made a sickness return")
        assert (entry.by, entry.school_id, entry.subject_id, entry.fields) == (cast.head.id, cast.oak.id, made.id, [])

    def test_keeps_what_it_says_sealed(self, here, poppy, report, days_ago):
        report(poppy, days_ago(4), says={"address": "Canary Street"})
        with connection.cursor() as cursor:
            cursor.execute("SELECT says FROM absences_sicknessreturn")
            assert b"Canary" not in bytes(cursor.fetchone()[0])

    def test_has_no_place_for_a_diagnosis(self):
        names = {field.name for field in SicknessReturn._meta.fields}
        assert not {name for name in names if "diagnos" in name or "condition" in name}

    def test_twice_in_a_year_is_one_case(self, here, poppy, report, days_ago):
        one = report(poppy, days_ago(20), last_on=days_ago(18))
        other = report(poppy, days_ago(4))
        assert one.case == other.case

    @pytest.mark.parametrize(("first", "last"), [(20, 18), (18, 18), (25, 20), (25, None), (19, 2), (18, None)])
    def test_refuses_days_that_are_reported(self, here, poppy, report, days_ago, first, last):
        report(poppy, days_ago(20), last_on=days_ago(18))
        with pytest.raises(actions.ReportedAlready, match="Change that one"):
            report(poppy, days_ago(first), last_on=None if last is None else days_ago(last))
        report(PupilFactory(school=poppy.school), days_ago(first))

    def test_refuses_a_second_while_the_child_is_away_still(self, here, poppy, report, days_ago):
        report(poppy, days_ago(20))
        with pytest.raises(actions.ReportedAlready):
            report(poppy, days_ago(1))

    def test_may_be_made_again_after_the_first_was_taken_back(self, here, cast, poppy, report, at, days_ago):
        made = report(poppy, days_ago(4))
        assert actions.withdraw_return(made=made, by=cast.head, at=at)
        assert not actions.withdraw_return(made=made, by=cast.head, at=at)
        assert report(poppy, days_ago(4)).case == made.case

    @pytest.mark.parametrize(
        ("first", "last", "field"),
        [(-121, None, "first_on"), (401, None, "first_on"), (4, 5, "last_on"), (4, -401, "last_on")],
    )
    def test_refuses_impossible_days(self, here, poppy, report, at, days_ago, first, last, field):
        with pytest.raises(actions.ImpossibleDays) as refusal:
            report(poppy, days_ago(first), last_on=None if last is None else days_ago(last), at=at)
        assert refusal.value.field == field
        assert not Case.objects.exists()

    def test_takes_a_stay_that_is_planned(self, here, poppy, report, on, days_ago):
        assert report(poppy, days_ago(-10), last_on=days_ago(-40), is_likely=True).likely_on == on

    def test_refuses_a_child_who_has_left(self, here, cast, report, on, at, days_ago):
        gone = PupilFactory(school=cast.oak, left_on=on)
        with pytest.raises(actions.NotOnRoll):
            report(gone, days_ago(4), at=at)


class TestChangeReturn:
    @pytest.fixture
    def change(self, cast, at):
        def run(made, **more):
            given = {"last_on": None, "until_am": False, "is_likely": False, "says": {"address": "1 High Street"}}
            return actions.change_return(made=made, by=cast.head, **({"at": at} | given | more))

        return run

    def test_says_when_it_ended(self, here, poppy, report, change, days_ago):
        made = report(poppy, days_ago(4))
        assert change(made, last_on=days_ago(1), until_am=True) == ["last_on", "until_am"]
        assert change(made, last_on=days_ago(1), until_am=True) == []

    def test_keeps_the_day_on_which_15_days_became_likely(self, here, poppy, report, change, on, at, days_ago):
        made = report(poppy, days_ago(4))
        assert change(made, is_likely=True) == ["likely_on"]
        assert change(made, is_likely=True, at=at + timedelta(days=3)) == []
        made.refresh_from_db()
        assert made.likely_on == on

    def test_refuses_an_end_before_the_beginning_and_days_of_another(self, here, poppy, report, change, days_ago):
        made, _ = report(poppy, days_ago(20), last_on=days_ago(18)), report(poppy, days_ago(4))
        with pytest.raises(actions.ImpossibleDays):
            change(made, last_on=days_ago(21))
        with pytest.raises(actions.ReportedAlready):
            change(made, last_on=days_ago(3))


class TestNothingToReport:
    @pytest.fixture
    def period(self, here, terms, on):
        return recent_periods(on=on)[0]

    def test_is_an_answer_and_is_given_once(self, here, cast, period, at):
        assert actions.nothing_to_report(school=cast.oak, period=period, by=cast.head, at=at)
        assert not actions.nothing_to_report(school=cast.oak, period=period, by=cast.colleague, at=at)
        assert NilReturn.objects.get().made_by == cast.head.id
        assert AuditEntry.objects.filter(verb="had nothing to report").count() == 1

    def test_is_refused_when_a_child_was_reported(self, here, cast, poppy, report, period, at, days_ago):
        report(poppy, days_ago(4))
        with pytest.raises(actions.SomethingToReport):
            actions.nothing_to_report(school=cast.oak, period=period, by=cast.head, at=at)

    def test_differs_from_silence_and_from_a_return(self, here, cast, poppy, report, terms, on, at, days_ago):
        def said():
            return {each.period.name: each.answer for each in answers_of(cast.oak, on=on)}

        assert said() == {
            "November 2026": Answer.WAITING,
            "October 2026": Answer.SILENT,
            "September 2026": Answer.SILENT,
        }
        [_, october, _september] = recent_periods(on=on)[:3]
        actions.nothing_to_report(school=cast.oak, period=october, by=cast.head, at=at)
        report(poppy, days_ago(4))
        assert said() == {
            "November 2026": Answer.REPORTED,
            "October 2026": Answer.NOTHING,
            "September 2026": Answer.SILENT,
        }
        SicknessReturn.objects.update(withdrawn_at=at)
        assert said()["November 2026"] == Answer.WAITING

    def test_is_not_asked_of_a_setting_that_the_authority_leaves_out(self, here, cast, poppy, report, on, at, days_ago):
        def said():
            return [each.answer for each in answers_of(cast.oak, on=on)]

        AuthoritySettings.objects.create(settings_not_asked=["hospital"])
        assert said() == [Answer.WAITING, Answer.SILENT, Answer.SILENT]
        Setting.objects.create(school=cast.oak, name="Oak", kind=Setting.Kind.HOSPITAL, confirmed_at=at)
        assert said() == [Answer.NOT_ASKED] * 3
        report(poppy, days_ago(4))
        assert said() == [Answer.REPORTED, Answer.NOT_ASKED, Answer.NOT_ASKED]

    def test_is_not_asked_for_when_the_authority_wants_none(self, here, cast, on):
        AuthoritySettings.objects.create(return_cadence="never")
        assert answers_of(cast.oak, on=on) == []


class TestALongAbsence:
    """One that began in an earlier school year, and has not ended."""

    @pytest.fixture
    def long(self, here, poppy, report, at):
        Pupil.objects.update(joined_on=date(2025, 9, 1))
        Term.objects.create(school_year=2025, number=3, first_on=date(2026, 4, 13), last_on=date(2026, 7, 21))
        return report(poppy, date(2026, 7, 15), at=at.replace(month=7, day=15))

    @pytest.fixture
    def this_year(self, long, at, on):
        """The clock runs in the case of this school year, and rests on the return of the last."""
        assert actions.open_this_year(at=at) == 1
        case = Case.objects.get(school_year=2026)
        assert standing_of(case, on=on).needs_somebody
        return case

    @pytest.mark.parametrize("what", ["taken back", "ended before"])
    def test_no_change_to_its_return_lets_the_clock_of_this_year_vanish(self, long, this_year, cast, at, on, what):
        started_on, said = standing_of(this_year, on=on).started_on, {"by": cast.head, "at": at}
        if what == "taken back":
            actions.withdraw_return(made=long, **said)
        else:
            ended = {"last_on": date(2026, 7, 17), "until_am": False, "is_likely": False, "says": long.says}
            actions.change_return(made=long, **ended, **said)
        assert this_year in Case.objects.reported()
        now = standing_of(this_year, on=on)
        assert (now.started_on, now.needs_somebody) == (started_on, True)

    def test_can_be_ended_however_long_ago_it_began(self, long, cast, at):
        later = at.replace(year=2028)
        ended = {"last_on": later.date(), "until_am": False, "is_likely": False, "says": long.says}
        assert actions.change_return(made=long, by=cast.head, at=later, **ended) == ["last_on"]
        with pytest.raises(actions.ImpossibleDays, match="on or after the first day"):
            ended["last_on"] = date(2026, 7, 14)
            actions.change_return(made=long, by=cast.head, at=later, **ended)

    @pytest.mark.parametrize(("outcome", "is_opened"), [("no", 1), ("yes", 0)])
    def test_is_counted_anew_in_the_new_school_year_where_the_authority_had_said_no(
        self, nora, here, cast, poppy, report, at, outcome, is_opened
    ):
        Pupil.objects.update(joined_on=date(2025, 9, 1))
        Term.objects.create(school_year=2025, number=3, first_on=date(2026, 4, 13), last_on=date(2026, 7, 21))
        summer = at.replace(month=7, day=15)
        case = report(poppy, date(2026, 6, 1), is_likely=True, at=summer).case
        decide(
            case=case,
            outcome=outcome,
            decided_on=summer.date(),
            evidence="A letter",
            reasons="Well enough",
            next_review_on=date(2026, 9, 30),
            by=nora,
            at=summer,
        )
        assert actions.open_this_year(at=at) == is_opened


class TestEnterCodes:
    def slot(self, day, session=Session.AM):
        return Slot(date(2026, 11, day), session)

    def test_takes_the_place_of_an_earlier_code(self, here, cast, poppy, at):
        def enter(codes):
            return actions.enter_codes(pupil=poppy, codes=codes, by=cast.head, at=at)

        assert enter({self.slot(16): "I", self.slot(16, Session.PM): "N"}) == 2
        assert enter({self.slot(16): "I", self.slot(16, Session.PM): "\\"}) == 1
        assert enter({self.slot(16): "I"}) == 0
        standing = AttendanceMark.objects.standing()
        assert list(standing.values_list("session", "code")) == [("am", "I"), ("pm", "\\")]
        assert [each.code for each in AttendanceMark.objects.filter(replaced_at=at)] == ["N"]
        assert AuditEntry.objects.filter(verb="entered attendance codes").count() == 2

    def test_a_clock_that_ran_runs_on(self, here, cast, terms, poppy, report, at, on, days_ago):
        case = report(poppy, days_ago(28)).case
        started_on = standing_of(case, on=on).started_on
        assert started_on is not None
        present = {Slot(days_ago(14 - each), half): "/" for each in range(5) for half in Session}
        assert actions.enter_codes(pupil=poppy, codes=present, by=cast.head, at=at) == 10
        now = standing_of(case, on=on)
        assert (now.started_on, now.needs_somebody) == (started_on, True)
        assert "taken back, or changed" in now.why

    def test_refuses_tomorrow_and_what_is_no_code(self, here, cast, poppy, at):
        with pytest.raises(actions.ImpossibleDays):
            actions.enter_codes(pupil=poppy, codes={self.slot(24): "I"}, by=cast.head, at=at)
        with pytest.raises(ValueError, match="no such codes"):
            actions.enter_codes(pupil=poppy, codes={self.slot(20): "H"}, by=cast.head, at=at)
        assert not AttendanceMark.objects.exists()
