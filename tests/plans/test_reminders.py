"""Who is owed a reminder about a plan, when, and that none goes out about a child who has left."""

from datetime import date, timedelta

import pytest
from factories import PupilFactory, SchoolFactory, person

from handrail.accounts.models import Membership, User
from handrail.accounts.roles import Role
from handrail.core.models import AuditEntry
from handrail.core.reference import reference
from handrail.notices.actions import NoLongerDue, Owed, suppress
from handrail.notices.letters import in_words
from handrail.notices.models import Notice, Sweep
from handrail.plans.models import HealthcarePlan, Stage
from handrail.plans.reminders import owe_review_reminders, still_due
from tenants.context import inside

pytestmark = pytest.mark.django_db

Reason = Notice.Reason
A_DAY = timedelta(days=1)


@pytest.fixture
def here(one, cast):
    with inside(one):
        yield one


@pytest.fixture
def plan(here, cast, on):
    """Makes an active plan of a child at Oak School, or one at another stage, that is due in so many days."""

    def made(days_to_go: int, *, school=None, **more) -> HealthcarePlan:
        values = {"stage": Stage.ACTIVE, "due_on": on + timedelta(days=days_to_go)} | more
        return HealthcarePlan.objects.create(pupil=PupilFactory(school=school or cast.oak), **values)

    return made


@pytest.fixture
def owe(at):
    def sweep(on: date) -> Owed:
        return owe_review_reminders(on=on, at=at + (on - at.date()))

    return sweep


def written(plan: HealthcarePlan) -> list[tuple[str, str, str]]:
    found = Notice.objects.of_subject("plan", plan.id).order_by("step_on", "recipient")
    return [(each.recipient, each.step, each.suppressed_reason or each.state) for each in found]


def steps(plan: HealthcarePlan) -> list[tuple[str, str]]:
    return [(step, state) for recipient, step, state in written(plan) if recipient == "head@oak.example"]


class TestSteps:
    @pytest.mark.parametrize(
        ("days_to_go", "step"),
        [
            (61, None),
            (60, "before-60"),
            (30, "before-30"),
            (14, "before-14"),
            (0, "before-0"),
            (-6, "before-0"),
            (-7, "overdue-1"),
            (-14, "overdue-2"),
        ],
    )
    def test_of_an_active_plan(self, plan, owe, on, days_to_go, step):
        due = plan(days_to_go)
        owe(on)
        assert steps(due) == ([(step, "owed")] if step else [])

    @pytest.mark.parametrize(
        ("stage", "days_to_go", "step"),
        [
            (Stage.NOTIFIED, 14, "told"),
            (Stage.DRAFT, 14, None),
            (Stage.DRAFT, 8, None),
            (Stage.NOTIFIED, 7, "before-7"),
            (Stage.AWAITING, 7, "before-7"),
            (Stage.DRAFT, 0, "before-0"),
            (Stage.AWAITING, -7, "overdue-1"),
        ],
    )
    def test_of_a_plan_on_its_way(self, plan, owe, on, stage, days_to_go, step):
        due = plan(days_to_go, stage=stage, notified_on=on + timedelta(days=days_to_go - 14))
        owe(on)
        assert steps(due) == ([(step, "owed")] if step else [])

    @pytest.mark.parametrize("stage", [Stage.NOT_NEEDED, Stage.SUSPENDED, Stage.TRANSFERRED, Stage.CLOSED])
    def test_of_a_plan_at_rest_there_are_none(self, plan, owe, on, stage):
        plan(0, stage=stage, due_on=None, notified_on=on)
        assert owe(on) == Owed(0, 0)

    def test_the_second_time_owes_nothing(self, plan, owe, on):
        plan(-20), plan(14), plan(14, stage=Stage.NOTIFIED, notified_on=on)
        assert owe(on).owed == 7  # three to each of the two leads, and a copy of the first to the head
        before = list(Notice.objects.order_by("id").values())
        assert owe(on) == Owed(0, 0)
        assert list(Notice.objects.order_by("id").values()) == before

    def test_missed_ones_are_passed_over(self, plan, owe, on):
        due = plan(60)
        owe(on)
        owe(on + 46 * A_DAY)
        assert steps(due) == [("before-60", "owed"), ("before-30", "superseded"), ("before-14", "owed")]

    def test_that_are_brought_forward_begin_anew(self, plan, owe, on):
        due = plan(60)
        owe(on)
        HealthcarePlan.objects.filter(id=due.id).update(due_on=on + 10 * A_DAY)
        owe(on)
        assert sorted(steps(due)) == [("before-14", "owed"), ("before-60", "owed")]

    def test_of_the_day_itself_are_owed_before_days_off(self, plan, owe, on):
        on_boxing_day = plan((date(2026, 12, 28) - on).days)
        owe(date(2026, 12, 24))
        assert steps(on_boxing_day) == [("before-0", "owed")]

    def test_takes_one_statement_a_rule_however_many_plans(self, plan, owe, on, django_assert_max_num_queries):
        for number in range(12):
            plan(-number), plan(number, stage=Stage.DRAFT)
        with django_assert_max_num_queries(8):
            assert owe(on).owed > 24

    def test_are_noted_once_a_sweep(self, plan, owe, on):
        plan(0)
        owe(on)
        owe(on)
        sweep = Sweep.objects.get(rule="plan reviews")
        assert (sweep.on, sweep.owed) == (on, 2)
        assert AuditEntry.objects.filter(verb="owed reminders").count() == 1


class TestWhoIsWrittenTo:
    def test_the_coordinator_alone(self, plan, owe, on, cast):
        due = plan(0, coordinator=cast.colleague)
        owe(on)
        assert written(due) == [("colleague@oak.example", "before-0", "owed")]

    @pytest.mark.parametrize("ended", ["membership", "account", "elsewhere"])
    def test_the_leads_once_the_coordinator_may_not_see_it_any_more(self, plan, owe, on, cast, ended):
        due = plan(0, coordinator=cast.neighbour if ended == "elsewhere" else cast.colleague)
        if ended == "membership":
            Membership.objects.filter(user=cast.colleague).update(to_on=on)
        elif ended == "account":
            User.objects.filter(id=cast.colleague.id).update(is_active=False)
        owe(on)
        leads = ["head@oak.example"] if ended != "elsewhere" else ["colleague@oak.example", "head@oak.example"]
        assert [recipient for recipient, _, _ in written(due)] == leads

    def test_a_teacher_who_coordinates_but_no_governor(self, plan, owe, on, cast):
        teacher = person("teacher@oak.example", Role.SETTING_TEACHER, school=cast.oak)
        governor = person("governor@oak.example", Role.GOVERNOR, school=cast.oak)
        taught, governed = plan(0, coordinator=teacher), plan(0, coordinator=governor)
        owe(on)
        assert [recipient for recipient, _, _ in written(taught)] == ["teacher@oak.example"]
        assert "governor@oak.example" not in [recipient for recipient, _, _ in written(governed)]

    def test_the_schools_own_address_when_nobody_leads(self, plan, owe, on):
        school = SchoolFactory(lead_email="Lead@pine.example", head_email="")
        silent = plan(0, school=SchoolFactory(lead_email="", head_email=""))
        due = plan(0, school=school)
        owe(on)
        assert written(due) == [("lead@pine.example", "before-0", "owed")]
        assert written(silent) == []

    def test_the_head_too_from_fourteen_days_overdue(self, plan, owe, on, cast):
        due = plan(-13, coordinator=cast.colleague)
        owe(on)
        assert len(written(due)) == 1
        owe(on + A_DAY)
        assert written(due)[1:] == [
            ("colleague@oak.example", "overdue-2", "owed"),
            (cast.oak.head_email, "overdue-2", "owed"),
        ]

    def test_a_head_who_coordinates_once_and_not_as_a_copy(self, plan, owe, on, cast):
        type(cast.oak).objects.filter(id=cast.oak.id).update(head_email="Head@oak.example")
        due = plan(-14, coordinator=cast.head)
        owe(on)
        assert Notice.objects.get(subject_id=due.id).recipient_role == "coordinator"
        assert owe(on + A_DAY) == Owed(0, 0)

    def test_not_about_a_child_who_left_nor_of_a_closed_school(self, plan, owe, on):
        left, leaves = plan(0), plan(0)
        plan(0, school=SchoolFactory(closed_on=on))
        type(left.pupil).objects.filter(id=left.pupil_id).update(left_on=on)
        type(left.pupil).objects.filter(id=leaves.pupil_id).update(left_on=on + A_DAY)
        owe(on)
        assert {each.subject_id for each in Notice.objects.all()} == {leaves.id}

    def test_about_a_child_who_is_still_to_come(self, plan, owe, on):
        due = plan(7, stage=Stage.DRAFT)
        type(due.pupil).objects.filter(id=due.pupil_id).update(joined_on=on + 8 * A_DAY)
        owe(on)
        assert steps(due) == [("before-7", "owed")]

    def test_the_leads_when_the_coordinator_was_not_written_to(self, plan, owe, on, at, cast):
        due = plan(0, coordinator=cast.colleague)
        owe(on)
        Membership.objects.filter(user=cast.colleague).update(to_on=on)
        notice = Notice.objects.get()
        notice.state, notice.lease_until, notice.attempt = "claimed", at, 1
        notice.save()
        suppress(notice, Reason.CONTACT_CHANGED, at=at)
        assert owe(on) == Owed(1, 0)
        assert ("head@oak.example", "before-0", "owed") in written(due)


class TestStillDue:
    @pytest.fixture
    def due(self, plan, cast):
        return plan(-7, coordinator=cast.head)

    @pytest.fixture
    def notice(self, due, owe, on):
        owe(on)
        return Notice.objects.get(subject_id=due.id)

    def test_says_nothing_but_a_reference(self, notice, due, at, here):
        type(due.pupil).objects.filter(id=due.pupil_id).update(name="Poppy Canarywright")
        facts = still_due(notice, at=at)
        assert set(facts) == {"role", "path", "reference"}
        assert facts["path"] == f"/items/{reference(due.id)}/"
        subject, text, _ = in_words(notice, facts, authority=here)
        assert subject == "An item needs your action"
        assert f"An item needs your action. Reference {reference(due.id)}. Sign in." in text
        for secret in ("Poppy", "Oak", str(due.id), str(due.pupil_id)):
            assert secret not in subject + text
        assert notice.school_id is None, "an activity page would tell that a child has a plan"

    @pytest.mark.parametrize(
        ("what", "change", "reason"),
        [
            ("plan", {"due_on": date(2027, 11, 1)}, Reason.NOT_DUE),
            ("plan", {"stage": "closed", "due_on": None}, Reason.NOT_NEEDED),
            ("plan", {"stage": "suspended", "due_on": None}, Reason.NOT_NEEDED),
            ("plan", {"coordinator": "colleague"}, Reason.CONTACT_CHANGED),
            ("pupil", {"left_on": date(2026, 11, 23)}, Reason.LEFT),
            ("pupil", {"left_on": date(2026, 11, 24)}, None),
            ("school", {"closed_on": date(2026, 11, 20)}, Reason.SCHOOL_CLOSED),
            ("role", {"to_on": date(2026, 11, 23)}, Reason.CONTACT_CHANGED),
            ("person", {"is_active": False}, Reason.CONTACT_CHANGED),
        ],
    )
    def test_refuses_what_has_changed(self, notice, due, cast, at, what, change, reason):
        rows = {
            "plan": HealthcarePlan.objects.filter(id=due.id),
            "pupil": type(due.pupil).objects.filter(id=due.pupil_id),
            "school": type(cast.oak).objects.filter(id=cast.oak.id),
            "role": Membership.objects.filter(user=cast.head),
            "person": User.objects.filter(id=cast.head.id),
        }
        rows[what].update(**change | ({"coordinator": cast.colleague} if "coordinator" in change else {}))
        if reason is None:
            assert still_due(notice, at=at)
            return
        with pytest.raises(NoLongerDue) as refused:
            still_due(notice, at=at)
        assert refused.value.args == (reason,)

    def test_refuses_a_step_that_a_newer_one_has_overtaken(self, notice, owe, on, at):
        week = timedelta(days=7)
        owe(on + week)
        with pytest.raises(NoLongerDue) as refused:
            still_due(notice, at=at + week)
        assert refused.value.args == (Reason.SUPERSEDED,)

    def test_refuses_to_ask_for_a_decision_that_was_taken(self, plan, owe, on, at, cast):
        told = plan(14, stage=Stage.NOTIFIED, notified_on=on, coordinator=cast.head)
        owe(on)
        notice = Notice.objects.get(subject_id=told.id)
        assert still_due(notice, at=at)
        HealthcarePlan.objects.filter(id=told.id).update(stage=Stage.DRAFT)
        with pytest.raises(NoLongerDue) as refused:
            still_due(notice, at=at)
        assert refused.value.args == (Reason.NOT_DUE,)


class TestItem:
    @pytest.fixture
    def path(self, one, cast, on):
        with inside(one):
            self.due = HealthcarePlan.objects.create(pupil=PupilFactory(school=cast.oak), stage="active", due_on=on)
        return f"/items/{reference(self.due.id)}/"

    def test_leads_on_to_the_plan(self, path, browse, cast):
        answer = browse(cast.head).get(path)
        assert answer.status_code == 302
        assert f"/children/{self.due.pupil_id}/" in answer["Location"]

    def test_is_found_in_small_letters_too(self, path, browse, cast):
        assert browse(cast.head).get(path.replace("H-", "h-")).status_code == 302

    def test_asks_to_sign_in_first(self, path, browse):
        assert browse().get(path)["Location"].startswith("/sign-in")

    def test_is_nowhere_for_somebody_of_another_school(self, path, browse, cast):
        assert browse(cast.neighbour).get(path).status_code == 404

    def test_is_refused_with_words_to_an_officer(self, path, browse, cast):
        answer = browse(cast.officer).get(path)
        assert answer.status_code == 403
        assert "Adele Admin" in answer.content.decode()
