"""What a pack that is opened becomes at a setting that has written something itself, or has the child on its list."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from factories import PupilFactory, emergency
from handovers.between import AT, CHILD, CONDITION, HOSPITAL_URN, SAID, Between
from handovers.test_admissions import admitted, answered, home_of
from handovers.test_corrections import NEW, changed, taken

from handrail.handovers import actions, post
from handrail.handovers.actions import Refused
from handrail.handovers.models import Handover
from handrail.handovers.own_copy import others
from handrail.plans import versions
from handrail.plans.emergency import Emergency
from handrail.plans.models import PlanVersion
from handrail.schools.models import Contact, Pupil, School
from tenants.context import inside

LATER = AT + timedelta(hours=2)
AT_THE_WARD = emergency(CONDITION, never=("Leave alone.",))
UPN, BORN = "B801200005001", date(2016, 5, 1)
STEPS = "What to do in an emergency"


def dose(text: str) -> Emergency:
    says = emergency(CONDITION)
    return replace(says, medicines=tuple(replace(each, dose=text) for each in says.medicines))


def write(between: Between, says: Emergency, *, at_home: bool, at: Any = LATER) -> None:
    with inside(between.one if at_home else between.two):
        child = Pupil.objects.get()
        by = between.people["lead" if at_home else "hospital"]
        number = PlanVersion.objects.of_child(child).first().number
        versions.write_emergency(pupil=child, says=says, based_on=number, by=by, at=at)


def submit(between: Between, *, at: Any = LATER) -> None:
    with inside(between.one):
        actions.submit(handover=between.home_inside(), by=between.people["lead"], at=at)
    between.post(at=at)


def now(between: Between) -> tuple[Emergency | None, list[str]]:
    """The setting's own emergency steps, and where its newest pack has something else."""
    with inside(between.two):
        handover = Handover.objects.select_related("pupil").filter(side="setting").order_by("started_at").last()
        version = PlanVersion.objects.of_child(handover.pupil).first()
        found = others(handover)
        return version and version.says, [each.title for each in found]


class TestACorrection:
    def test_of_a_name_leaves_the_dose_that_was_changed_at_the_ward(self, between: Between) -> None:
        taken(between)
        write(between, dose("10 mg"), at_home=False)
        with inside(between.two):
            Contact.objects.create(pupil=Pupil.objects.get(), name="Nan Parent", phone="01632 960009", priority=2)
        changed(between, name=NEW)
        between.post(at=LATER)
        between.open(at=LATER)
        assert now(between) == (dose("10 mg"), [STEPS, "Contacts"])
        with inside(between.two):
            assert Pupil.objects.get().name == NEW
            assert {each.name for each in Contact.objects.all()} == {"Pat Parent", "Nan Parent"}

    def test_brings_what_the_setting_has_not_changed(self, between: Between) -> None:
        taken(between)
        with inside(between.one):
            Contact.objects.update(phone="01632 960008")
        write(between, dose("7 mg"), at_home=True)
        submit(between)
        between.open(at=LATER)
        assert now(between) == (dose("7 mg"), [])
        with inside(between.two):
            assert Contact.objects.get().phone == "01632 960008"

    def test_of_what_both_have_changed_leaves_the_settings_own_and_says_so(self, between: Between) -> None:
        taken(between)
        write(between, dose("10 mg"), at_home=False)
        write(between, dose("7 mg"), at_home=True)
        submit(between)
        between.open(at=LATER)
        assert now(between) == (dose("10 mg"), [STEPS])
        write(between, dose("7 mg"), at_home=False)
        assert now(between) == (dose("7 mg"), [])


class TestAFirstPack:
    def known(self, between: Between, **more: Any) -> Pupil:
        with inside(between.two):
            school = School.objects.get(urn=HOSPITAL_URN)
            facts = {"name": "Katherine Canary", "upn": UPN, "born_on": BORN} | more
            return PupilFactory(school=school, **facts)

    def test_leaves_the_plan_that_a_special_school_has_of_its_own(self, between: Between) -> None:
        child = self.known(between)
        with inside(between.two):
            versions.write_emergency(pupil=child, says=AT_THE_WARD, based_on=0, by=between.people["hospital"], at=AT)
        between.sent()
        between.post()
        between.open()
        assert now(between) == (AT_THE_WARD, [STEPS])
        with inside(between.two):
            assert Contact.objects.get().name == "Pat Parent", "it had none"

    def test_brings_all_where_the_setting_has_nothing(self, between: Between) -> None:
        self.known(between)
        between.sent()
        between.post()
        between.open()
        assert now(between) == (emergency(CONDITION), [])

    def test_brings_what_is_new_since_an_earlier_stay(self, between: Between) -> None:
        taken(between)
        between.move_home("end", said={"reason": "Well again."}, at=LATER)
        between.post(at=LATER)
        write(between, dose("7 mg"), at_home=True)
        again = LATER + timedelta(days=60)
        between.prepare(at=again)
        with inside(between.one):
            handover, by = Handover.objects.get(side="home", state="draft"), between.people["lead"]
            actions.write(handover=handover, said=Handover.objects.get(state="ended").about, by=by, at=again)
            actions.submit(handover=handover, by=by, at=again)
        between.post(at=again)
        with inside(between.two):
            came = Handover.objects.get(side="setting", state="submitted")
            post.open_pack(handover=came, by=between.people["hospital"], at=again)
        assert now(between) == (dose("7 mg"), [])

    def arrives_as_katie(self, between: Between) -> None:
        admitted(between, home_of(between), name="Katie Canary")
        between.post()
        answered(between, is_same=True)
        with inside(between.one):
            handover, by = between.home_inside(), between.people["lead"]
            actions.write(handover=handover, said=SAID, by=by, at=AT)
            actions.submit(handover=handover, by=by, at=AT)
        between.post()

    def test_of_a_child_on_the_settings_list_leads_the_notice_to_that_child(self, between: Between) -> None:
        listed = self.known(between)
        self.arrives_as_katie(between)
        between.open(at=LATER)
        with inside(between.two):
            child = Pupil.objects.get()
            assert (child.id, child.name, child.upn) == (listed.id, CHILD, UPN)
            handover = between.setting_inside()
            assert (handover.pupil_id, handover.made_pupil, handover.state) == (listed.id, False, "acknowledged")

    def test_is_refused_where_something_is_written_of_the_second_row(self, between: Between) -> None:
        listed = self.known(between)
        self.arrives_as_katie(between)
        with inside(between.two):
            katie, by = Pupil.objects.get(name="Katie Canary"), between.people["hospital"]
            versions.write_emergency(pupil=katie, says=AT_THE_WARD, based_on=0, by=by, at=AT)
        with pytest.raises(Refused, match=r"Katherine Canary is on your list .* Katie Canary, of whom something"):
            between.open(at=LATER)
        with inside(between.two):
            assert between.setting_inside().pupil_id == katie.id
            katie.left_on = katie.joined_on
            katie.save()
        between.open(at=LATER)
        with inside(between.two):
            assert between.setting_inside().pupil_id == listed.id
            assert Pupil.objects.count() == 2

    def test_is_refused_where_the_list_has_another_date_of_birth(self, between: Between) -> None:
        self.known(between, born_on=date(2015, 1, 5))
        between.sent()
        between.post()
        with pytest.raises(Refused, match="Katherine Canary, born on 5 January 2015, is on your list"):
            between.open(at=LATER)
        with inside(between.two):
            Pupil.objects.update(born_on=BORN)
        between.open(at=LATER)
        with inside(between.two):
            assert Pupil.objects.get().name == CHILD
