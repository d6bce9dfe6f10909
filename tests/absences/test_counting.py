"""The count in SQL, held against the pure one; and what a board of many cases asks of the database."""

from datetime import date, timedelta
from random import Random

import pytest
from factories import PupilFactory

from handrail.absences import actions
from handrail.absences.counting import counted_codes, counts, standings
from handrail.absences.daycount import CODES, Session, Slot, count, known_sessions, reached_on
from handrail.absences.models import AttendanceMark, Case, SicknessReturn
from handrail.core.calendar import beginning_of
from handrail.core.models import AuthoritySettings
from handrail.schools.models import Term
from tenants.context import inside

pytestmark = pytest.mark.django_db


def pure(case, *, on, settings):
    """What the pure count says of a case as at a day."""
    calendar, year = Term.objects.calendar(), case.school_year
    by_then = beginning_of(on + timedelta(days=1))
    made = SicknessReturn.objects.standing().filter(case__pupil=case.pupil, made_at__lt=by_then)
    entered = AttendanceMark.objects.filter(pupil=case.pupil, recorded_at__lt=by_then).order_by("recorded_at")
    marks = {Slot(each.on, Session(each.session)): each.code for each in entered}  # the last one counts
    sessions = known_sessions([each.stretch for each in made], marks, calendar=calendar, until=on)
    rules = {"calendar": calendar, "counted": counted_codes(settings), "school_year": year}
    return (
        count(sessions, **rules).cumulative,
        reached_on(settings.absence_near_days, sessions, **rules),
        reached_on(settings.absence_trigger_days, sessions, **rules),
    )


def in_sql(*, on, settings):
    calendar = Term.objects.calendar()
    found = counts(Case.objects.all(), calendar=calendar, settings=settings, on=on)
    return {case: (each.sessions, each.near_on, each.full_on) for case, each in found.items()}


@pytest.mark.parametrize(
    "more", [{}, {"counts_appointments": True, "counts_part_time": True}, {"absence_near_days": 3}]
)
def test_is_the_same_as_the_pure_one(one, cast, terms, report, on, at, more):
    random, settings = Random(19), AuthoritySettings(**more)
    with inside(one):
        for _ in range(12):
            child = PupilFactory(school=cast.oak)
            first = on - timedelta(days=random.randrange(80))
            long = random.choice([None, first + timedelta(days=random.randrange(25))])
            report(child, first, last_on=long, from_pm=random.random() < 0.5, until_am=random.random() < 0.5)
            for days_ago in (40, 10, 0):  # what was entered before is entered otherwise now and then
                today, known = on - timedelta(days=days_ago), range(90 - days_ago)
                codes = {
                    Slot(today - timedelta(days=random.choice(known)), random.choice([*Session])): random.choice(
                        ["I", "I", "I", "/", *CODES]
                    )
                    for _ in range(random.randrange(40))
                }
                actions.enter_codes(pupil=child, codes=codes, by=cast.head, at=at - timedelta(days=days_ago))
        for day in (on, on - timedelta(days=20), on + timedelta(days=45)):
            found = in_sql(on=day, settings=settings)
            expected = {case.id: pure(case, on=day, settings=settings) for case in Case.objects.all()}
            assert found == expected
            assert any(full for _, _, full in found.values()) or day < on


def test_a_return_that_was_taken_back_counts_no_more(one, cast, terms, report, poppy, on, at, days_ago):
    with inside(one):
        made = report(poppy, days_ago(21))
        assert in_sql(on=on, settings=AuthoritySettings())[made.case_id][0] > 0
        actions.withdraw_return(made=made, by=cast.head, at=at)
        assert in_sql(on=on, settings=AuthoritySettings())[made.case_id][0] == 0


def test_a_return_counts_from_the_day_on_which_it_was_made(one, cast, terms, report, poppy, on, at, days_ago):
    with inside(one):
        made = report(poppy, days_ago(21), at=at)
        settings, yesterday = AuthoritySettings(), on - timedelta(days=1)
        assert in_sql(on=yesterday, settings=settings)[made.case_id] == (0, None, None)
        assert in_sql(on=on, settings=settings)[made.case_id][0] == 32


def test_a_code_counts_from_when_it_was_entered_until_another_takes_its_place(
    one, cast, terms, report, poppy, on, at, days_ago
):
    with inside(one):
        case = report(poppy, days_ago(21)).case_id
        settings, then = AuthoritySettings(), days_ago(10)

        def enters(code, days):
            codes = {Slot(days_ago(11), half): code for half in Session}
            actions.enter_codes(pupil=poppy, codes=codes, by=cast.head, at=at - timedelta(days=days))

        before = in_sql(on=then, settings=settings)[case][0]
        enters("/", 9)
        enters("I", 8)  # a Saturday and a Sunday, on which nothing else is lost
        found = [in_sql(on=days_ago(days), settings=settings)[case][0] for days in (10, 9, 8)]
        assert found == [before, before - 2, before]


def test_two_children_are_counted_apart(one, cast, terms, report, poppy, on, days_ago):
    with inside(one):
        long, short = report(poppy, days_ago(21)), report(PupilFactory(school=cast.oak), days_ago(0))
        found = in_sql(on=on, settings=AuthoritySettings())
        assert (found[long.case_id][0], found[short.case_id][0]) == (32, 2)


def test_a_new_school_year_is_counted_apart(one, cast, terms, poppy, on, at):
    """Terms of 2027 are not known, so its weekdays count."""
    with inside(one):
        summer = at.replace(year=2027, month=7, day=20)
        made = actions.make_return(
            pupil=poppy, first_on=summer.date(), is_likely=False, says={"address": "x"}, by=cast.head, at=summer
        )
        later = at.replace(year=2027, month=9, day=3)
        other = actions.change_return(
            made=made,
            last_on=summer.date() + timedelta(days=1),
            until_am=False,
            is_likely=False,
            says={"address": "x"},
            by=cast.head,
            at=later,
        )
        assert other == ["last_on"]
        second = actions.make_return(
            pupil=poppy, first_on=later.date(), is_likely=False, says={"address": "x"}, by=cast.head, at=later
        )
        found = in_sql(on=later.date(), settings=AuthoritySettings())
        assert (made.case.school_year, second.case.school_year) == (2026, 2027)
        assert (found[made.case_id][0], found[second.case_id][0]) == (4, 2)


def test_an_absence_that_goes_on_is_counted_in_the_new_school_year_too(one, cast, terms, report, poppy, at):
    """Nobody reports the child again, and nobody can: the return is open still."""
    with inside(one):
        Term.objects.create(school_year=2026, number=3, first_on=date(2027, 4, 12), last_on=date(2027, 7, 21))
        summer, autumn = at.replace(year=2027, month=7, day=20), at.replace(year=2027, month=9, day=3)
        made = report(poppy, summer.date(), at=summer)
        back, long = PupilFactory(school=cast.oak), PupilFactory(school=cast.oak)
        report(back, summer.date(), last_on=summer.date(), at=summer)
        report(long, summer.date(), is_likely=True, at=summer)
        assert actions.open_this_year(at=summer) == 0
        assert [actions.open_this_year(at=autumn) for _ in range(2)] == [1, 0]
        new = Case.objects.get(school_year=2027)
        assert (new.pupil_id, made.case.school_year) == (poppy.id, 2026)
        assert Case.objects.reported().filter(id=new.id).exists()
        found = in_sql(on=autumn.date(), settings=AuthoritySettings())
        assert found[new.id][0] == 6, "three days of September"
        now = dict(standings(Case.objects.filter(id=new.id), on=autumn.date() + timedelta(days=30)))
        assert now[new].started_on == date(2027, 9, 21)


def test_asks_as_often_for_many_as_for_one(one, cast, terms, report, on, days_ago, django_assert_num_queries):
    with inside(one):
        for _ in range(8):
            report(PupilFactory(school=cast.oak), days_ago(21))
        with django_assert_num_queries(6):
            assert len(standings(Case.objects.select_related("pupil"), on=on)) == 8
