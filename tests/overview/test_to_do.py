"""A school's things to do beside its policies: numbers that lead to lists, and name no child."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from factories import AT, PupilFactory, emergency, person

from handrail.accounts.roles import Role
from handrail.care.models import Medicine, SpareKit, StaffTraining
from handrail.core.models import AuthoritySettings
from handrail.handovers.models import Handover, Message, Pack, Setting, StepsRead
from handrail.overview.to_do import tasks
from handrail.plans.models import HealthcarePlan, Stage
from handrail.plans.versions import write_emergency
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

    def test_count_the_handovers_that_wait_for_the_school(self, one, cast, on):
        def handover(state, **more):
            facts = {"state": state, "since_on": on, "started_at": AT, "setting_name": "Ward", "reference": uuid4()}
            pupil = None if more.get("side") == "setting" else PupilFactory(school=cast.oak)
            return Handover.objects.create(**{"side": "home", "pupil": pupil, **facts, **more})

        with inside(one):
            handover("pack_asked", due_on=on - DAYS)
            handover("more_asked", due_on=on + 30 * DAYS)
            handover("submitted", due_on=on - DAYS)  # waits for the setting
            handover("return_planned", due_on=on + 30 * DAYS)  # its day is far
            back = handover("return_planned", due_on=on + 30 * DAYS)
            Message.objects.create(handover=back, way="in", kind="back", reference=uuid4(), number=1, owed_at=AT)
        assert [(each.title, each.text, each.href) for each in found(one, cast.head, cast.oak, on)] == [
            ("3 handovers to answer", "1 is late. 2 are waiting for you.", "/schools/900001/handovers/")
        ]
        assert found(one, cast.neighbour, cast.elm, on) == []

    def test_of_a_teacher_at_a_setting_are_the_emergency_steps_to_read(self, one, cast, on):
        with inside(one):
            teacher = person("terry@oak.example", Role.SETTING_TEACHER, school=cast.oak)
            setting = Setting.objects.create(name="Oak", kind="hospital", school=cast.oak, confirmed_at=AT)
            facts = {"side": "setting", "setting": setting, "since_on": on, "started_at": AT, "setting_name": "Oak"}
            packs = []
            for state in ("active", "active", "declined"):
                made = Handover.objects.create(reference=uuid4(), state=state, **facts)
                for number in (1, 2):
                    packs.append(Pack.objects.create(handover=made, number=number, content={}, sha256="", made_at=AT))
            StepsRead.objects.create(pack=packs[0], by=teacher.id, at=AT)  # a newer one has come
            StepsRead.objects.create(pack=packs[3], by=teacher.id, at=AT)
        assert [(each.title, each.text, each.href) for each in found(one, teacher, cast.oak, on)] == [
            ("1 pupil’s emergency steps to read", "1 is not read by you yet.", "/schools/900001/today/")
        ]

    def test_are_none_for_a_governor(self, one, cast, kept, on):
        with inside(one):
            governor = person("gus@oak.example", Role.GOVERNOR, school=cast.oak)
        assert found(one, governor, cast.oak, on) == []


class TestAPackWithOlderSteps:
    def test_is_among_the_things_to_do_and_on_its_page_until_it_is_corrected(
        self, one, cast, browse, at, on, monkeypatch
    ):
        monkeypatch.setattr("handrail.accounts.middleware.timezone.now", lambda: at)
        with inside(one):
            child = PupilFactory(school=cast.oak, name="Poppy Canarywright")
            version, _ = write_emergency(pupil=child, says=emergency(), based_on=0, by=cast.head, at=at)
            handover = Handover.objects.create(
                reference=uuid4(), side="home", state="active", pupil=child, since_on=on, started_at=at,
                setting_name="Ward School", other_role="la_00000000", other_name="Borchester",
            )  # fmt: skip
            content = {"plan": {"number": 1}, "child": {}}
            Pack.objects.create(
                handover=handover, number=1, content=content, sha256="0" * 64, version=version, made_at=at
            )
        words, page = "The pack sent has older emergency steps: send a correction.", f"/handovers/{handover.id}/"
        assert words not in browse(cast.head).get(page).text
        assert not [each for each in found(one, cast.head, cast.oak, on) if "older" in each.title]
        with inside(one):
            says = replace(emergency(), steps=("Ring the ward.",))
            newer, _ = write_emergency(pupil=child, says=says, based_on=1, by=cast.head, at=at)
        assert words in browse(cast.head).get(page).text
        assert "Send a correction" in browse(cast.head).get("/schools/900001/handovers/").text
        [told] = [each for each in found(one, cast.head, cast.oak, on) if "older" in each.title]
        assert (told.title, told.text) == (
            "1 pack sent with older emergency steps",
            "1 is to be corrected: the plan was changed after it was sent.",
        )
        with inside(one):
            Pack.objects.create(
                handover=handover, number=2, content=content, sha256="0" * 64, version=newer, made_at=at
            )
        assert words not in browse(cast.head).get(page).text


class TestEmergencyStepsThatCameBack:
    def test_are_on_every_page_until_somebody_says_which_stand(self, one, cast, browse, at, on, monkeypatch):
        monkeypatch.setattr("handrail.accounts.middleware.timezone.now", lambda: at)
        with inside(one):
            child = PupilFactory(school=cast.oak, name="Poppy Canarywright")
            version, _ = write_emergency(pupil=child, says=emergency(), based_on=0, by=cast.head, at=at - DAYS)
            handover = Handover.objects.create(
                reference=uuid4(), side="home", state="return_planned", pupil=child, since_on=on, started_at=at,
                setting_name="Ward School", other_role="la_00000000", other_name="Borchester",
            )  # fmt: skip
            came = Pack.objects.create(
                handover=handover, number=1, content={"said": {}}, sha256="0" * 64, made_at=at, is_return=True,
                has_other_steps=True,
            )  # fmt: skip
        words, page = "than those in your plan", f"/handovers/{handover.id}/"
        for where in (page, f"{page}moves/confirm_return/"):
            assert words in browse(cast.head).get(where).text
        assert words not in browse(cast.head).get(f"{page}moves/end/").text
        assert "Re-issue the plan" in browse(cast.head).get("/schools/900001/handovers/").text
        assert [each.title for each in found(one, cast.head, cast.oak, on) if "handover" in each.title]
        with inside(one):
            came.version = version
            came.save()
        assert words not in browse(cast.head).get(page).text
        assert words not in browse(cast.head).get(f"{page}moves/confirm_return/").text
