"""For which conditions plans are: numbers of the whole authority to the nearest ten, which two answers do not undo."""

import csv
import io
from datetime import timedelta

import pytest
from factories import PupilFactory

from handrail.overview.plan_conditions import LABELS, NOT_SAID
from handrail.overview.plan_counts import count_plans, month_by_month, plans_by_condition
from handrail.plans.models import HealthcarePlan, PlanTally, PlanVersion, Stage
from handrail.reporting.tables import TABLES
from handrail.schools.models import Pupil
from tenants.context import inside

pytestmark = pytest.mark.django_db

MANY = {"asthma": 34, "diabetes": 12, "epilepsy": 3, "": 8}


@pytest.fixture
def plans(one, on, at):
    """Gives a school so many active plans for each condition; "" is one that says none."""

    def put(school, stage=Stage.ACTIVE, **conditions):
        with inside(one):
            for condition, number in conditions.items():
                for child in Pupil.objects.bulk_create(PupilFactory.build_batch(number, school=school)):
                    plan = HealthcarePlan.objects.create(pupil=child, stage=stage, due_on=on + timedelta(days=100))
                    for n, kind in enumerate(("heart", condition), start=1):
                        PlanVersion.objects.create(
                            plan=plan, number=n, made_at=at, sections={"condition": {"kind": kind}}
                        )

    return put


@pytest.fixture
def told(one, on):
    """What is told so many days later, by that day's clock. 39, 70 and 98 days later are the first of a month."""

    def tell(after=0):
        with inside(one):
            count_plans(on=on + timedelta(days=after))
            return plans_by_condition(on=on + timedelta(days=after))

    return tell


@pytest.fixture
def many(cast, plans):
    for school in (cast.oak, cast.elm):
        plans(school, **MANY)


class TestConditions:
    def test_are_told_to_the_nearest_ten(self, many, told, on):
        counted_on, counts = told()
        assert counted_on == on
        assert list(counts) == list(LABELS)
        assert {each: count for each, count in counts.items() if count} == {
            "asthma": 70, "diabetes": 20, "epilepsy": 10, NOT_SAID: 20,
        }  # fmt: skip

    def test_are_those_of_the_newest_version_of_active_plans_there(self, cast, many, plans, told, one, on):
        plans(cast.oak, stage=Stage.DRAFT, asthma=20)
        with inside(one):
            left = PupilFactory.create_batch(20, school=cast.elm, left_on=on)
            for child in left:
                HealthcarePlan.objects.create(pupil=child, stage=Stage.ACTIVE, due_on=on)
        counts = told()[1]
        assert (counts["heart"], counts["asthma"], counts[NOT_SAID]) == (0, 70, 20)

    def test_are_kept_as_they_are_told_and_no_otherwise(self, many, told, one):
        told()
        with inside(one):
            [kept] = PlanTally.objects.values_list("conditions", flat=True)
        assert {count % 10 for count in kept.values()} == {0}

    def test_of_one_school_alone_are_not_told(self, cast, plans, told):
        plans(cast.oak, **MANY)
        plans(cast.elm, asthma=5)
        assert told() is None
        plans(cast.elm, asthma=1)
        assert told(after=39) is not None

    def test_are_counted_by_the_clock_alone(self, cast, many, told, browse):
        browse(cast.officer).get("/plan-reviews/")
        assert told() is None, "a page counted, and opened no plan"
        assert told(after=39) is not None

    def test_are_not_told_while_the_vault_is_closed(self, many, told, settings, one, on):
        settings.VAULT_KEYS = []
        assert told() is None
        with inside(one):
            assert [each.total.counts[3] for each in month_by_month(on=on)] == [114]


class TestTwoAnswers:
    """They stand until enough plans have come or gone, as everybody sees."""

    def test_are_the_same_while_few_came(self, cast, many, plans, told, one, on):
        begun = told()
        plans(cast.oak, heart=5)
        assert told(after=39) == begun
        plans(cast.oak, heart=1)
        assert told(after=70) == begun, "one figure differs, and it takes one more to hide whose it is"
        plans(cast.elm, asthma=1)
        assert told(after=98) == (on + timedelta(days=97), {**begun[1], "heart": 10})

    def test_are_the_same_whatever_plans_say_meanwhile(self, many, told, one, at):
        begun = told()
        with inside(one):
            for plan in HealthcarePlan.objects.all():
                PlanVersion.objects.create(
                    plan=plan, number=3, made_at=at, sections={"condition": {"kind": "epilepsy"}}
                )
        assert told(after=39) == begun

    def test_differ_enough_from_each_table_before(self, cast, many, plans, told, one):
        begun = told()
        plans(cast.oak, heart=7)
        second = told(after=39)
        assert second != begun
        with inside(one):
            some = HealthcarePlan.objects.filter(pupil__school=cast.oak)[:8]
            HealthcarePlan.objects.filter(id__in=[each.id for each in some]).update(stage=Stage.CLOSED, due_on=None)
        assert told(after=70) == second, "eight went since the second table, and one since the first"

    def test_leave_past_months_as_they_were(self, cast, many, plans, told, one, on):
        begun = told()
        plans(cast.oak, heart=30)
        told(after=39)
        with inside(one):
            months = month_by_month(on=on + timedelta(days=39))
            assert plans_by_condition(on=on + timedelta(days=37)) == begun
        assert [each.conditions["heart"] for each in months] == [30, 0]


class TestWhereTheyAreRead:
    def test_on_the_page_and_as_a_file(self, many, told, cast, browse):
        told()
        officer = browse(cast.officer)
        html = officer.get("/plan-reviews/").content.decode()
        assert "Counted on 23 November 2026, to the nearest ten" in html
        file = officer.get("/plan-reviews/conditions.csv?counted=2026-11-23").getvalue().decode("utf-8-sig")
        assert list(csv.reader(io.StringIO(file)))[:2] == [
            ["Counted on", "Condition", "Plans, to the nearest ten"], ["2026-11-23", "Asthma", "70"],
        ]  # fmt: skip

    def test_on_the_page_when_there_are_too_few(self, cast, plans, browse):
        plans(cast.oak, asthma=20)
        assert "Shown when there are enough plans, at more than one school" in (
            browse(cast.officer).get("/plan-reviews/").content.decode()
        )

    def test_never_by_school(self):
        with_conditions = [
            name for name, table in TABLES.items() if any("condition" in column for column in table.row().fields)
        ]
        assert with_conditions == ["plan-counts-by-condition"]

    def test_are_refused_to_people_at_schools(self, many, told, cast, browse):
        told()
        assert browse(cast.head).get("/plan-reviews/conditions.csv").status_code == 403
