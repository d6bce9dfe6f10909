"""A school's things to do beside its policies: numbers that lead to lists, and name no child."""

from datetime import timedelta

import pytest
from factories import PupilFactory, person

from handrail.accounts.roles import Role
from handrail.care.models import Medicine, SpareKit, StaffTraining
from handrail.core.models import AuthoritySettings
from handrail.overview.to_do import tasks
from handrail.plans.models import HealthcarePlan, Stage
from handrail.returns.models import Cycle, PlannedAction
from tenants.context import inside

pytestmark = pytest.mark.django_db
DAYS = timedelta(days=1)


@pytest.fixture
def office(cast, one):
    with inside(one):
        return person("office@oak.example", Role.SCHOOL_ADMINISTRATOR, school=cast.oak)


@pytest.fixture
def kept(cast, one, on):
    """At Oak School two plans, a medicine, a kit, two trainings and an action fall due; at Elm School a plan does."""
    with inside(one):
        dates = {"opened_on": on, "due_on": on, "closes_on": on + DAYS}
        cycle = Cycle.objects.create(school_year=2026, framework_ids=["CFA-100A"], **dates)
        for school, days in ((cast.oak, 3), (cast.oak, 200), (cast.elm, 3)):
            PlannedAction.objects.create(cycle=cycle, school=school, what="Ask", due_on=on + days * DAYS)
        child = PupilFactory(school=cast.oak, name="Poppy Canarywright")
        for pupil, days in ((child, -1), (PupilFactory(school=cast.oak), 5), (PupilFactory(school=cast.oak), 99)):
            HealthcarePlan.objects.create(pupil=pupil, stage=Stage.ACTIVE, due_on=on + days * DAYS)
        HealthcarePlan.objects.create(pupil=PupilFactory(school=cast.elm), stage=Stage.ACTIVE, due_on=on)
        Medicine.objects.create(
            pupil=child, kind="medicine", name="Syrup", received_on=on - 9 * DAYS, expires_on=on + 9 * DAYS
        )
        SpareKit.objects.create(
            school=cast.oak, kind="inhaler", place="Office", placed_on=on - 50 * DAYS, expires_on=on + 99 * DAYS
        )
        for days in (-2, 20, 90):
            StaffTraining.objects.create(
                school=cast.oak, person="Ann", procedure="medicines", trainer="Nell",
                trained_on=on - 300 * DAYS, expires_on=on + days * DAYS,
            )  # fmt: skip


def found(one, who, school, on):
    with inside(one):
        return tasks(who, school, on=on, settings=AuthoritySettings.load())


class TestThingsToDo:
    def test_of_a_lead_are_what_is_overdue_first(self, one, cast, kept, on):
        assert [(each.title, each.text) for each in found(one, cast.head, cast.oak, on)] == [
            ("2 healthcare plans to see to", "1 is overdue. 1 is due soon."),
            ("1 spare kit to check", "1 is overdue."),
            ("2 trainings to renew", "1 is out of date. 1 is out of date soon."),
            ("1 medicine or device to renew", "1 is out of date soon."),
            ("1 action after the return", "1 is due soon."),
        ]

    def test_of_the_office_have_no_plan_and_no_medicine(self, one, cast, kept, office, on):
        said = " ".join(each.title for each in found(one, office, cast.oak, on))
        assert said == "1 spare kit to check 2 trainings to renew 1 action after the return"

    def test_are_on_the_first_page_with_no_childs_name(self, cast, kept, browse):
        lead = browse(cast.head)
        page = lead.get("/").text
        for href in ("plans/", "kits/", "training/", "medicines/", "return/", "handovers/"):
            assert f'href="/schools/900001/{href}"' in page
            assert lead.get(f"/schools/900001/{href}").status_code == 200
        assert "Canarywright" not in page
        assert "There is nothing to do" not in page

    def test_are_none_for_a_governor(self, one, cast, kept, on):
        with inside(one):
            governor = person("gus@oak.example", Role.GOVERNOR, school=cast.oak)
        assert found(one, governor, cast.oak, on) == []
