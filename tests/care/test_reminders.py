"""Who is owed a reminder of what goes out of date, and that no message says anything of a child."""

from datetime import date, timedelta

import pytest
from factories import SchoolFactory

from handrail.accounts.models import Membership
from handrail.care import actions
from handrail.care.models import Medicine, SpareKit, StaffTraining
from handrail.care.reminders import RULES, owe_expiry_reminders, still_due
from handrail.core.reference import reference
from handrail.notices.actions import NoLongerDue, Owed
from handrail.notices.letters import in_words
from handrail.notices.models import Notice
from tenants.context import inside

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
LEADS = ["colleague@oak.example", "head@oak.example"]


@pytest.fixture
def here(one, cast, poppy):
    with inside(one):
        yield one


@pytest.fixture
def owe(at):
    def sweep(on: date) -> Owed:
        return owe_expiry_reminders(on=on, at=at + (on - at.date()))

    return sweep


@pytest.fixture
def medicine(here, cast, at, poppy, facts):
    return lambda due: actions.add_medicine(pupil=poppy, by=cast.head, at=at, **facts | {"expires_on": due})


@pytest.fixture
def training(here, cast, on):
    def made(due, **more):
        given = {"school": cast.oak, "person": "Ann Able", "procedure": "seizure", "trainer": "Nora Nurse"}
        return StaffTraining.objects.create(**given | {"trained_on": due - 300 * DAY, "expires_on": due} | more)

    return made


@pytest.fixture
def kit(here, cast):
    def made(due, *, placed_on, **more):
        given = {"school": cast.oak, "kind": "inhaler", "place": "Dining hall"}
        return SpareKit.objects.create(**given | {"expires_on": due, "placed_on": placed_on} | more)

    return made


def written(kind, item):
    found = Notice.objects.of_subject(kind, item.id).order_by("step_on", "recipient")
    return [(each.recipient, each.step, each.suppressed_reason or each.state) for each in found]


def steps_to(recipient, kind, item):
    return [step for to, step, _ in written(kind, item) if to == recipient]


class TestSteps:
    @pytest.mark.parametrize(
        ("days_to_go", "step"),
        [(61, None), (60, "before-60"), (30, "before-30"), (14, "before-14"), (0, "before-0"), (-7, "overdue-1")],
    )
    def test_of_each_expiry_are_those_of_policies(self, medicine, training, kit, owe, on, days_to_go, step):
        due = on + days_to_go * DAY
        items = {"medicine": medicine(due), "training": training(due), "kit": kit(due, placed_on=on)}
        owe(on)
        for kind, item in items.items():
            assert steps_to("head@oak.example", kind, item) == ([step] if step else []), kind

    def test_of_a_check_are_its_day_and_each_week_after(self, kit, owe, on):
        due = date(2026, 12, 23)  # a month after the day of the tests
        spare = kit(on + 999 * DAY, placed_on=on)
        for day, steps in ((due - DAY, []), (due, ["before-0"]), (due + 7 * DAY, ["before-0", "overdue-1"])):
            owe(day)
            assert steps_to("head@oak.example", "kit_check", spare) == steps

    @pytest.mark.parametrize("since", [date(2026, 1, 31), date(2028, 1, 31), date(2026, 8, 31), date(2026, 12, 31)])
    def test_of_a_check_count_as_the_page_does(self, kit, since):
        kit(date(2030, 1, 1), placed_on=since)
        [item] = RULES["kit_check"].items(since)
        assert item.due == item.check_due_on

    def test_are_owed_once(self, medicine, training, kit, owe, on):
        medicine(on), training(on), kit(on, placed_on=on - 60 * DAY)
        first = owe(on)
        assert first.owed == 7  # two leads of each of two items, one lead of each of two, and a copy of a late check
        assert owe(on) == Owed(0, 0)


class TestWhoIsWrittenTo:
    def test_about_what_may_be_a_childs_are_those_who_may_open_it(self, medicine, owe, on, cast, here):
        syrup = medicine(on)
        owe(on)
        assert [to for to, _, _ in written("medicine", syrup)] == LEADS

    def test_is_the_schools_address_when_nobody_has_an_account(self, medicine, owe, on):
        Membership.objects.all().delete()
        syrup = medicine(on)
        owe(on)
        notice = Notice.objects.get(subject_id=syrup.id)
        assert (notice.recipient, notice.recipient_role) == ("head@oak.example", "contact")

    def test_about_a_kit_is_the_named_lead_or_the_office(self, kit, owe, on):
        school = SchoolFactory(lead_email="", office_email="office@x.example", head_email="")
        spare = kit(on, placed_on=on, school=school)
        owe(on)
        assert written("kit", spare) == [("office@x.example", "before-0", "owed")]

    def test_is_the_head_too_when_it_is_late(self, medicine, owe, on):
        syrup = medicine(on - 14 * DAY)
        owe(on)
        assert ("head@900001.example", "overdue-2", "owed") in written("medicine", syrup)

    @pytest.mark.parametrize(
        "change",
        [
            lambda child, on: Medicine.objects.update(returned_on=on, gone="returned"),
            lambda child, on: Medicine.objects.update(expires_on=None),
            lambda child, on: type(child).objects.filter(id=child.id).update(left_on=on),
            lambda child, on: type(child.school).objects.filter(id=child.school_id).update(closed_on=on),
        ],
        ids=["returned", "no expiry", "left", "closed"],
    )
    def test_is_nobody_when_there_is_nothing_to_do(self, medicine, owe, on, poppy, change):
        syrup = medicine(on)
        change(poppy, on)
        owe(on)
        assert written("medicine", syrup) == []


class TestTheMessage:
    def test_about_a_child_is_a_reference_alone(self, medicine, training, owe, on, at, here, poppy):
        for kind, item in (("medicine", medicine(on)), ("training", training(on, pupil=poppy))):
            owe(on)
            notice = Notice.objects.of_subject(kind, item.id).first()
            assert notice.school_id is None
            subject, text, _ = in_words(notice, still_due(notice, at=at), authority=here)
            assert reference(item.id) in text
            assert f"/items/{item.id}/" in text
            for word in ("Poppy", "Oak", "Cetirizine", "medicine", "seizure", "Ann Able", "2026"):
                assert word not in subject + text, word

    def test_about_a_kit_says_where_it_is(self, kit, owe, on, at, here):
        spare = kit(on, placed_on=on - 60 * DAY)
        owe(on)
        said = {}
        for notice in Notice.objects.filter(subject_id=spare.id, recipient_role="kit_lead"):
            subject, text, _ = in_words(notice, still_due(notice, at=at), authority=here)
            assert "Oak School" in subject
            assert "/schools/900001/kits/" in text
            said[notice.subject_kind] = text
        assert "Dining hall" in said["kit"]
        assert "23 November 2026" in said["kit"]
        assert "checked" in said["kit_check"]


class TestAtTheMomentOfSending:
    @pytest.fixture
    def notice(self, medicine, owe, on):
        self.syrup = medicine(on)
        owe(on)
        return Notice.objects.filter(subject_id=self.syrup.id).first()

    def test_is_still_due(self, notice, at):
        assert still_due(notice, at=at)["role"] == "leads"

    def test_is_not_when_a_new_one_came(self, notice, at, cast, on):
        actions.change_medicine(medicine=self.syrup, by=cast.head, at=at, expires_on=on + 300 * DAY)
        with pytest.raises(NoLongerDue, match="not_due"):
            still_due(notice, at=at)

    def test_is_not_when_it_has_gone(self, notice, at, cast, on):
        actions.return_medicine(medicine=self.syrup, gone="disposed", returned_on=on, by=cast.head, at=at)
        with pytest.raises(NoLongerDue, match="not_needed"):
            still_due(notice, at=at)

    def test_is_not_to_somebody_who_is_no_lead_any_more(self, notice, at):
        Membership.objects.filter(user__email=notice.recipient).delete()
        with pytest.raises(NoLongerDue, match="contact_changed"):
            still_due(notice, at=at)

    def test_is_not_when_the_kit_was_checked_meanwhile(self, kit, owe, on, at, cast):
        spare = kit(on + 999 * DAY, placed_on=on - 40 * DAY)
        owe(on)
        notice = Notice.objects.filter(subject_kind="kit_check", recipient_role="kit_lead").first()
        actions.check_kit(kit=spare, is_complete=True, by=cast.head, at=at)
        with pytest.raises(NoLongerDue, match="not_due"):
            still_due(notice, at=at)
