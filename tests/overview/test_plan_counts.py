"""What people at the authority see of plans: numbers, none of which tells of a child."""

import csv
import io
import re
from datetime import timedelta

import pytest
from factories import PupilFactory, SchoolFactory

from handrail.care.models import StaffTraining
from handrail.core.models import AuthoritySettings
from handrail.overview.plan_counts import month_by_month, overdue, plan_counts, plan_counts_by_school
from handrail.plans.models import HealthcarePlan, Stage
from handrail.schools.models import Pupil, School
from tenants.context import inside
from workflows import plan_counts as workflow
from workflows.timetable import TIMETABLE

pytestmark = pytest.mark.django_db

IN_DATE, DUE_SOON, OVERDUE = 100, 10, -3
"""Days to go."""


@pytest.fixture
def plans(one, on):
    """Gives a school so many active plans of each status."""

    def put(school, in_date=0, due_soon=0, overdue=0):
        with inside(one):
            for number, days_to_go in ((in_date, IN_DATE), (due_soon, DUE_SOON), (overdue, OVERDUE)):
                children = Pupil.objects.bulk_create(PupilFactory.build_batch(number, school=school))
                HealthcarePlan.objects.bulk_create(
                    HealthcarePlan(pupil=each, stage=Stage.ACTIVE, due_on=on + timedelta(days=days_to_go))
                    for each in children
                )
        return school

    return put


@pytest.fixture
def counted(one, on):
    def count():
        with inside(one):
            found = plan_counts(on=on)
            assert overdue(on=on) == found.total.counts[2], "the first page says the same"
            return found, plan_counts_by_school(on=on)

    return count


class TestCounts:
    def test_of_an_authority_without_plans(self, cast, counted):
        found, schools = counted()
        assert found.total.counts == [0, 0, 0, 0, 0]
        assert [line.counts for line in schools] == [[0, 0, 0, 0, 0]] * 2
        assert found.months == []

    def test_that_are_large_are_shown(self, cast, plans, counted, on):
        plans(cast.oak, 20, 10, 9)
        plans(cast.elm, 30, 8, 0)
        found, schools = counted()
        assert [(line.label, line.counts) for line in found.phases] == [("Primary", [50, 18, 9, 77, 0])]
        assert {line.label: line.counts for line in schools} == {
            "Oak School": [20, 10, 9, 39, 0],
            "Elm School": [30, 8, 0, 38, 0],
        }
        assert sum(value for _, value in found.months) == 50
        assert found.months == [((on + timedelta(days=IN_DATE)).replace(day=1), 50)]

    def test_that_are_small_are_hidden_with_what_would_give_them_away(self, cast, plans, counted, one):
        plans(cast.oak, 20, 10, 3)
        plans(cast.elm, 30, 8, 0)
        with inside(one):
            birch = SchoolFactory(phase_name="Secondary")
        plans(birch, 40, 20, 10)
        found, schools = counted()
        by_school = {line.label: line.counts for line in schools}
        assert by_school["Oak School"] == [None, None, None, 33, None]
        assert by_school["Elm School"] == [None, None, None, 38, None]
        primary, secondary = (line.counts for line in found.phases)
        assert primary[2] is None
        assert secondary[2] is None or found.total.counts[2] is None
        assert by_school[birch.name] == [None, None, None, 70, None] or None not in secondary

    def test_leave_out_who_has_left_closed_schools_and_plans_on_their_way(self, cast, plans, counted, one, on):
        plans(cast.oak, 10)
        plans(cast.elm, 10)
        with inside(one):
            closed = SchoolFactory(closed_on=on)
        plans(closed, 10)
        with inside(one):
            Pupil.objects.filter(school=cast.elm).update(left_on=on)
            HealthcarePlan.objects.create(pupil=PupilFactory(school=cast.oak), stage=Stage.DRAFT, due_on=on)
        found, _ = counted()
        assert found.total.counts == [10, 0, 0, 10, 0]

    def test_leave_out_closed_schools_by_month_too(self, plans, cast, counted, one, on):
        plans(cast.oak, 10)
        with inside(one):
            closed = SchoolFactory(closed_on=on)
        plans(closed, 20)
        found, _ = counted()
        assert sum(value for _, value in found.months) == 10

    def test_by_month_are_hidden_when_the_sum_is(self, cast, plans, counted):
        plans(cast.oak, 3)
        found, _ = counted()
        assert {value for _, value in found.months} == {None}

    def test_take_two_questions_however_many_schools(self, cast, plans, one, on, django_assert_num_queries):
        for _ in range(5):
            with inside(one):
                school = SchoolFactory()
            plans(school, 6)
        with inside(one), django_assert_num_queries(5):
            plan_counts_by_school(on=on)
        with inside(one), django_assert_num_queries(1):
            plan_counts_by_school(on=on)


class TestTwoAnswers:
    """Whoever subtracts one answer from another, over days and settings, finds no child in between."""

    @pytest.fixture
    def shown(self, one, on):
        def show(after=0):
            day = on + timedelta(days=after)
            with inside(one):
                return plan_counts(on=day).phases, plan_counts_by_school(on=day), overdue(on=day)

        return show

    def test_are_the_same_on_each_day_until_a_month_has_ended_whatever_happens_to_a_plan(
        self, cast, plans, shown, one, on
    ):
        for school, first in ((cast.oak, 20), (cast.elm, 30)):
            plans(school, first, 10, 9)
            with inside(one):
                for number, plan in enumerate(HealthcarePlan.objects.filter(pupil__school=school)):
                    plan.due_on = on + timedelta(days=number)
                    plan.save()
        begun = shown()
        for day in range(1, 39):  # November ends a week after the first count, which is too soon
            plans(cast.oak, 1, 0, day % 2)
            assert shown(after=day) == begun, day
        assert shown(after=39) != begun

    @pytest.mark.parametrize("days", [0, 1, 9, 10, 11, 30, 99, 100, 101, 365])
    def test_are_the_same_whatever_the_authority_calls_due_soon(self, cast, plans, counted, one, days):
        plans(cast.oak, 20, 10, 9)
        with inside(one):
            settings = AuthoritySettings.load()
            settings.due_soon_days = days
            settings.save()
        assert counted()[0].total.counts == [20, 10, 9, 39, 0]

    def test_are_the_same_when_a_school_closes_in_between(self, cast, plans, shown, one, on):
        plans(cast.oak, 20, 10, 9)
        plans(cast.elm, 30, 8, 0)
        begun = shown()
        with inside(one):
            cast.elm.closed_on = on
            cast.elm.save()
        assert shown(after=1) == begun

    def test_differ_while_there_is_no_plan_to_find(self, cast, plans, shown, counted):
        assert counted()[0].total.counts == [0, 0, 0, 0, 0]
        plans(cast.oak, 20, 10, 9)
        assert counted()[0].total.counts == [20, 10, 9, 39, 0]

    def test_say_until_when_they_stand(self, cast, plans, browse):
        plans(cast.oak, 20, 10, 9)
        html = browse(cast.officer).get("/plan-reviews/").content.decode()
        assert "Counted on 23 November 2026." in html
        assert "stay as they are until 1 January 2027" in html


class TestMonthByMonth:
    """Every month is counted by itself, and stands as it was."""

    @pytest.fixture
    def clock(self, monkeypatch, one, at):
        """The clock's work of so many days, once on each of them."""

        def run(*days):
            for day in days:
                monkeypatch.setattr(workflow, "clock", lambda day=day: at + timedelta(days=day))
                workflow.count_one(authority=str(one.id))

        return run

    @pytest.fixture
    def months(self, one, on):
        def found(after):
            with inside(one):
                return {str(each.counted_on): each for each in month_by_month(on=on + timedelta(days=after))}

        return found

    def test_is_on_the_timetable(self):
        assert workflow.count.name in {entry.task for entry in TIMETABLE}

    def test_has_the_end_of_each_month_though_nobody_looks(self, cast, plans, clock, months):
        plans(cast.oak, 20, 10, 9)
        clock(*range(0, 160, 3))
        found = months(after=160)
        assert list(found) == ["2027-04-30", "2027-03-31", "2027-02-28", "2027-01-31", "2026-12-31", "2026-11-23"]
        assert [day for day, each in found.items() if not each.is_at_its_end] == ["2026-11-23"], "the first count"

    @pytest.mark.parametrize(("after", "counted"), [(39, "2026-12-31"), (41, "2026-12-31"), (42, "2027-01-04")])
    def test_has_an_end_that_was_counted_soon_after_it_or_none(self, cast, plans, clock, months, after, counted):
        """39 days later it is 1 January."""
        plans(cast.oak, 20, 10, 9)
        clock(0, after)
        assert list(months(after=after)) == [counted, "2026-11-23"]

    def test_counts_as_at_the_end_who_was_there_then(self, cast, plans, clock, months, one, on):
        plans(cast.oak, 20, 10, 9)
        plans(cast.elm, 30, 8, 0)
        clock(0)
        with inside(one):
            Pupil.objects.filter(school=cast.oak).update(left_on=on + timedelta(days=38))
            Pupil.objects.filter(school=cast.elm).update(left_on=on + timedelta(days=39))
        clock(39)
        assert months(after=39)["2026-12-31"].total.counts[3] == 38

    def test_has_the_last_of_two_counts_in_one_month(self, cast, plans, clock, months):
        plans(cast.oak, 20, 10, 9)
        clock(-22, 8)  # 1 November, and as at its end
        assert list(months(after=8)) == ["2026-11-30"]

    def test_leaves_past_months_as_they_were(self, cast, plans, clock, months, browse, one, on):
        plans(cast.oak, 20, 10, 9)
        plans(cast.elm, 30, 8, 0)
        clock(0)
        begun = months(after=0)["2026-11-23"]
        officer = browse(cast.officer)
        files = [f"/plan-reviews/{table}.csv?counted=2026-11-23" for table in ("phases", "schools", "months")]
        before = [officer.get(path).getvalue() for path in files]
        plans(cast.oak, 7, 7, 7)
        with inside(one):
            Pupil.objects.filter(school=cast.elm).update(left_on=on)
            School.objects.filter(id=cast.oak.id).update(name="Ash School", phase_name="Secondary")
        clock(39)
        found = months(after=39)
        assert found["2026-11-23"] == begun
        assert found["2026-12-31"].total.counts == [27, 0, 33, 60, 0]
        assert begun.total.counts == [50, 18, 9, 77, 0]
        assert [officer.get(path).getvalue() for path in files] == before

    def test_keeps_back_in_each_month_what_is_small_in_it(self, cast, plans, clock, browse):
        plans(cast.oak, 3)
        plans(cast.elm, 2)
        clock(-54)
        plans(cast.oak, 20)
        clock(-22)
        officer = browse(cast.officer)
        html = officer.get("/plan-reviews/").content.decode()
        assert "September 2026" in html
        assert "October 2026" in html
        for page in ("", "?counted=2026-09-30", "schools/?counted=2026-09-30"):
            assert not re.search(r"numeric\"[^>]*>[1-5]<", officer.get(f"/plan-reviews/{page}").content.decode())
        rows = list(csv.reader(io.StringIO(officer.get("/plan-reviews/counts.csv").getvalue().decode("utf-8-sig"))))
        assert rows[0][:3] == ["Month", "Counted on", "Phase"]
        assert [row[:3] for row in rows[1:]] == [
            ["2026-10-01", "2026-10-31", "Primary"],
            ["2026-10-01", "2026-10-31", "All schools"],
            ["2026-09-01", "2026-09-30", "Primary"],
            ["2026-09-01", "2026-09-30", "All schools"],
        ]
        assert not {"1", "2", "3", "4", "5"} & {value for row in rows[1:] for value in row[3:]}
        assert "Hidden" in rows[3]

    @pytest.mark.parametrize("day", ["2026-11-22", "2026-12-21", "yesterday"])
    def test_has_no_page_of_a_day_without_a_count(self, cast, plans, clock, browse, day):
        plans(cast.oak, 20, 10, 9)
        clock(0)
        officer = browse(cast.officer)
        for page in ("", "schools/", "schools.csv"):
            assert officer.get(f"/plan-reviews/{page}?counted={day}").status_code == 404

    def test_is_refused_to_people_at_schools(self, cast, browse):
        assert browse(cast.head).get("/plan-reviews/?counted=2026-11-23").status_code == 403
        assert browse(cast.head).get("/plan-reviews/counts.csv").status_code == 403


class TestCovered:
    """Plans that are in date, with trained people, medicines and permissions in place."""

    @pytest.fixture
    def cover(self, one, on):
        """Covers so many of a school's plans that are in date."""

        def put(school, number):
            with inside(one):
                plans = HealthcarePlan.objects.filter(pupil__school=school, due_on__gte=on).order_by("due_on")
                StaffTraining.objects.bulk_create(
                    StaffTraining(
                        school=school, pupil_id=plan.pupil_id, person="Ann", procedure="medicines", trainer="Nell",
                        trained_on=on, expires_on=on, is_confirmed=True, is_cover=is_cover,
                    )
                    for plan in plans[:number]
                    for is_cover in (False, True)
                )  # fmt: skip

        return put

    def of(self, found, schools):
        return found.total.counts[-1], {line.label: line.counts[-1] for line in schools}

    def test_are_counted_by_school_and_altogether(self, cast, plans, cover, counted):
        cover(plans(cast.oak, 20, 10, 9), 12)
        cover(plans(cast.elm, 30, 8, 0), 38)
        assert self.of(*counted()) == (50, {"Oak School": 12, "Elm School": 38})

    @pytest.mark.parametrize("number", [3, 27])
    def test_that_are_few_or_all_but_a_few_are_hidden_with_another_school(self, cast, plans, cover, counted, number):
        cover(plans(cast.oak, 20, 10, 9), number)
        cover(plans(cast.elm, 30, 8, 0), 20)
        assert self.of(*counted()) == (number + 20, {"Oak School": None, "Elm School": None})

    def test_are_hidden_altogether_when_one_school_would_be_found(self, cast, plans, cover, counted):
        cover(plans(cast.oak, 20, 10, 9), 3)
        assert self.of(*counted()) == (None, {"Oak School": None, "Elm School": None})

    def test_are_hidden_where_anything_else_is(self, cast, plans, cover, counted):
        cover(plans(cast.oak, 20, 10, 3), 15)
        cover(plans(cast.elm, 30, 8, 0), 15)
        assert self.of(*counted()) == (None, {"Oak School": None, "Elm School": None})

    def test_of_a_phase_that_is_hidden_are_hidden_at_its_schools(self, cast, one, plans, cover, counted):
        cover(plans(cast.oak, 20, 10, 9), 2)
        cover(plans(cast.elm, 30, 8, 0), 1)
        with inside(one):
            birch, fir = (SchoolFactory(phase_name=phase) for phase in ("Secondary", "Nursery"))
        cover(plans(birch, 40, 20, 10), 30)
        cover(plans(fir, 40, 30, 10), 33)
        found, schools = counted()
        total, by_school = self.of(found, schools)
        assert total == 66
        assert [line.counts[-1] for line in found.phases] == [33, None, None]
        assert by_school == {"Oak School": None, "Elm School": None, birch.name: None, fir.name: 33}


class TestPages:
    @pytest.fixture(autouse=True)
    def some(self, cast, plans):
        plans(cast.oak, 20, 10, 3)
        plans(cast.elm, 30, 8, 0)

    @pytest.mark.parametrize("path", ["/", "/plan-reviews/", "/plan-reviews/schools/"])
    def test_show_no_small_number_and_no_child(self, cast, browse, one, path):
        with inside(one):
            Pupil.objects.update(name="Poppy Canarywright")
        html = browse(cast.officer).get(path).content.decode()
        assert "Hidden" in html
        assert "Canarywright" not in html
        if path != "/":
            assert not re.search(r"numeric\"[^>]*>[1-5]<", html)

    @pytest.mark.parametrize("path", ["/plan-reviews/", "/plan-reviews/schools/", "/plan-reviews/schools.csv"])
    def test_are_refused_to_people_at_schools(self, cast, browse, path):
        answer = browse(cast.head).get(path)
        assert answer.status_code == 403
        assert "Adele Admin" in answer.content.decode()

    def test_download_what_they_show(self, cast, browse):
        def rows(counted):
            answer = browse(cast.officer).get(f"/plan-reviews/{counted}.csv")
            return list(csv.reader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))

        assert rows("schools")[1] == ["900002", "Elm School", "Primary", "Hidden", "Hidden", "Hidden", "38", "Hidden"]
        assert rows("phases")[0] == ["Phase", "In date", "Due soon", "Overdue", "All active", "Covered"]
        assert rows("months")[-1] == ["2027-03-01", "Hidden" if rows("phases")[-1][1] == "Hidden" else "50"]

    def test_ask_as_often_however_many_schools(self, cast, browse, one, plans, django_assert_max_num_queries):
        for _ in range(5):
            with inside(one):
                school = SchoolFactory()
            plans(school, 6)
        officer = browse(cast.officer)
        officer.get("/plan-reviews/schools/")
        with django_assert_max_num_queries(14):
            assert officer.get("/plan-reviews/schools/").status_code == 200
