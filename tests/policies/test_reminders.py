"""Who is owed a reminder, when, and that nobody is owed one twice."""

from datetime import date, timedelta

import pytest
from factories import PolicyFactory, SchoolFactory, recorded_policy

from handrail.accounts.models import Membership
from handrail.core.models import AuditEntry, AuthoritySettings
from handrail.notices.actions import NoLongerDue, Owed, suppress
from handrail.notices.models import Notice, Sweep
from handrail.policies.models import Kind, Policy
from handrail.policies.reminders import NOBODY_TO_REMIND, owe_review_reminders, remind, still_due
from tenants.context import inside

pytestmark = pytest.mark.django_db

Reason = Notice.Reason


@pytest.fixture
def here(one):
    with inside(one):
        yield one


@pytest.fixture
def owe(at):
    def sweep(on: date) -> Owed:
        return owe_review_reminders(on=on, at=at + (on - at.date()))

    return sweep


def steps(policy: Policy, *, role: str = "lead") -> list[tuple[str, str]]:
    """Each step of the policy, with its state or why it is not sent."""
    found = Notice.objects.of_subject("policy", policy.id).filter(recipient_role=role).order_by("step_on")
    return [(each.step, each.suppressed_reason or each.state) for each in found]


class TestOwe:
    @pytest.mark.parametrize(
        ("days_to_go", "step"),
        [
            (61, None),
            (60, "before-60"),
            (59, "before-60"),
            (31, "before-60"),
            (30, "before-30"),
            (14, "before-14"),
            (1, "before-14"),
            (0, "before-0"),
            (-1, "before-0"),
            (-6, "before-0"),
            (-7, "overdue-1"),
            (-13, "overdue-1"),
            (-14, "overdue-2"),
            (-1000, "overdue-142"),
        ],
    )
    def test_owes_the_newest_step_alone(self, here, owe, on, days_to_go, step):
        policy = recorded_policy(SchoolFactory(), next_review_on=on + timedelta(days=days_to_go))
        owe(on)
        assert steps(policy) == ([(step, "owed")] if step else [])

    def test_owes_nothing_the_second_time(self, here, owe, on):
        for days in (-20, -1, 0, 10, 45):
            recorded_policy(SchoolFactory(), next_review_on=on + timedelta(days=days))
        first = owe(on)
        assert first.owed == 6  # one each, and a copy to the head of the one that is 20 days late
        before = list(Notice.objects.order_by("id").values())
        assert owe(on) == Owed(0, 0)
        assert list(Notice.objects.order_by("id").values()) == before

    def test_passes_over_steps_that_were_missed(self, here, owe, on):
        policy = recorded_policy(SchoolFactory(head_email=""), next_review_on=on + timedelta(days=31))
        assert owe(on) == Owed(1, 0)
        later = on + timedelta(days=46)
        owe(later)
        assert steps(policy) == [
            ("before-60", "owed"),
            ("before-30", "superseded"),
            ("before-14", "superseded"),
            ("before-0", "superseded"),
            ("overdue-1", "superseded"),
            ("overdue-2", "owed"),
        ]
        assert owe(later) == Owed(0, 0)

    def test_does_not_send_old_steps_at_the_first_sweep(self, here, owe, on):
        policy = recorded_policy(SchoolFactory(), next_review_on=on - timedelta(days=400))
        owe(on)
        assert steps(policy) == [("overdue-57", "owed")]

    def test_owes_nothing_when_the_clock_goes_back(self, here, owe, on):
        policy = recorded_policy(SchoolFactory(), next_review_on=on - timedelta(days=21))
        owe(on)
        for days in (1, 8, 30):
            assert owe(on - timedelta(days=days)) == Owed(0, 0)
        assert steps(policy) == [("overdue-3", "owed")]

    def test_begins_anew_after_a_review(self, here, owe, on):
        policy = recorded_policy(SchoolFactory(), next_review_on=on)
        owe(on)
        policy.next_review_on = on + timedelta(days=365)
        policy.save()
        assert owe(on) == Owed(0, 0)
        later = on + timedelta(days=305)
        assert owe(later) == Owed(1, 0)
        assert [(each.cycle, each.step) for each in Notice.objects.of_subject("policy", policy.id)] == [
            ((on + timedelta(days=365)).isoformat(), "before-60"),
            (on.isoformat(), "before-0"),
        ]

    def test_follows_the_authoritys_settings(self, here, owe, on):
        AuthoritySettings.objects.create(reminder_days_before=[21], overdue_every_days=10, copy_head_after_days=20)
        policy = recorded_policy(SchoolFactory(), next_review_on=on)
        for days, step in ((-22, None), (-21, "before-21"), (9, None), (10, "overdue-1"), (20, "overdue-2")):
            owe(on + timedelta(days=days))
            assert not step or steps(policy)[-1] == (step, "owed")
        assert len(steps(policy)) == 3
        assert steps(policy, role="head") == [("overdue-2", "owed")]

    @pytest.mark.parametrize("settings", [{"overdue_every_days": 0}, {"reminder_days_before": []}])
    def test_bears_settings_that_ask_for_nothing(self, here, owe, on, settings):
        AuthoritySettings.objects.create(unrecorded_every_months=0, **settings)
        recorded_policy(SchoolFactory(), next_review_on=on - timedelta(days=3))
        PolicyFactory()
        owe(on)

    def test_owes_the_step_of_the_day_itself_before_days_off(self, here, owe):
        friday = date(2026, 12, 24)  # Christmas Eve: the next working day is Tuesday 29 December
        early = recorded_policy(SchoolFactory(), next_review_on=date(2026, 12, 28))
        on_the_day = recorded_policy(SchoolFactory(), next_review_on=date(2026, 12, 29))
        owe(friday)
        assert steps(early) == [("before-0", "owed")]
        assert Notice.objects.get(subject_id=early.id).urgency == "deadline"
        assert steps(on_the_day) == [("before-14", "owed")]
        assert owe(date(2026, 12, 28)).owed == 0

    def test_takes_three_statements_however_many_policies(self, here, owe, on, django_assert_max_num_queries):
        for number in range(12):
            recorded_policy(SchoolFactory(), next_review_on=on - timedelta(days=number))
            PolicyFactory(school=SchoolFactory(joined_on=on - timedelta(days=40)))
        with django_assert_max_num_queries(8):
            assert owe(on).owed == 24

    def test_notes_the_day_and_the_record_of_changes(self, here, owe, on):
        recorded_policy(SchoolFactory(), next_review_on=on)
        owe(on)
        owe(on)
        sweep = Sweep.objects.get()
        assert (sweep.on, sweep.owed, sweep.passed_over, sweep.days_missed) == (on, 1, 0, 0)
        assert AuditEntry.objects.filter(verb="owed reminders").count() == 1


class TestWhoIsWrittenTo:
    def test_the_named_lead_then_the_schools_lead_then_the_office(self, here, owe, on):
        contacts = [
            {"lead_email": "Named@oak.example"},
            {},
            {"school__lead_email": ""},
        ]
        found = []
        for each in contacts:
            lead = each.get("lead_email", "")
            school = SchoolFactory(**{k.removeprefix("school__"): v for k, v in each.items() if k != "lead_email"})
            policy = recorded_policy(school, next_review_on=on, lead_email=lead)
            found.append((policy, school))
        owe(on)
        written = [Notice.objects.get(subject_id=policy.id) for policy, _ in found]
        assert [(each.recipient, each.recipient_role) for each in written] == [
            ("named@oak.example", "lead"),
            (found[1][1].lead_email, "lead"),
            (found[2][1].office_email, "office"),
        ]

    def test_nobody_when_there_is_no_address_and_the_chase_list_can_tell(self, here, owe, on):
        school = SchoolFactory(lead_email="", office_email="", head_email="")
        silent = recorded_policy(school, next_review_on=on)
        recorded_policy(SchoolFactory(), next_review_on=on)
        assert owe(on).owed == 1
        assert list(Policy.objects.filter(NOBODY_TO_REMIND)) == [silent]

    def test_the_head_too_from_fourteen_days_overdue(self, here, owe, on):
        school = SchoolFactory()
        policy = recorded_policy(school, next_review_on=on)
        for days in (7, 13):
            owe(on + timedelta(days=days))
        assert steps(policy, role="head") == []
        owe(on + timedelta(days=14))
        copy = Notice.objects.get(recipient_role="head")
        assert (copy.step, copy.recipient, copy.wording) == ("overdue-2", school.head_email, "policy_overdue_copy")

    def test_a_head_who_leads_once(self, here, owe, on):
        school = SchoolFactory(head_email="HEAD@oak.example", lead_email="head@oak.example")
        policy = recorded_policy(school, next_review_on=on - timedelta(days=14))
        assert owe(on) == Owed(1, 0)
        assert steps(policy) == [("overdue-2", "owed")]

    def test_administrators_about_the_authoritys_own_policy(self, cast, one, owe, on):
        with inside(one):
            PolicyFactory(
                school=None, kind=Kind.SECTION_19, last_reviewed_on=on - timedelta(days=365), next_review_on=on
            )
            owe(on)
            found = set(Notice.objects.values_list("recipient", "recipient_role", "school_id"))
        assert ("adele@barsetshire.example", "administrator", None) in found
        assert not any(recipient.startswith("officer") for recipient, _, _ in found)

    def test_not_closed_schools_nor_policies_that_are_not_needed(self, here, owe, on):
        recorded_policy(SchoolFactory(closed_on=on), next_review_on=on)
        recorded_policy(SchoolFactory(), next_review_on=on, not_needed_reason="No pupils on roll")
        recorded_policy(SchoolFactory(type_code=11, body="independent_school"), next_review_on=on)
        PolicyFactory(school=SchoolFactory(closed_on=on, joined_on=on - timedelta(days=90)))
        assert owe(on) == Owed(0, 0)

    def test_the_new_lead_when_the_old_one_was_not_written_to(self, here, owe, on, at):
        recorded_policy(SchoolFactory(), next_review_on=on, lead_email="old@oak.example")
        owe(on)
        notice = Notice.objects.get()
        notice.state, notice.lease_until, notice.attempt = "claimed", at, 1
        notice.save()
        suppress(notice, Reason.CONTACT_CHANGED, at=at)
        Policy.objects.update(lead_email="new@oak.example")
        assert owe(on) == Owed(1, 0)
        assert Notice.objects.get(state="owed").recipient == "new@oak.example"
        Policy.objects.update(lead_email="newest@oak.example")
        assert owe(on) == Owed(0, 0), "the step is on its way to somebody"


class TestNeverRecorded:
    def test_monthly_from_the_day_the_school_joined(self, here, owe):
        policy = PolicyFactory(school=SchoolFactory(joined_on=date(2026, 8, 31)))
        for on, found in (
            (date(2026, 9, 1), 0),
            (date(2026, 9, 29), 0),
            (date(2026, 9, 30), 0),
            (date(2026, 10, 1), 1),
            (date(2026, 10, 2), 0),
            (date(2026, 10, 31), 1),
            (date(2026, 11, 30), 0),
            (date(2026, 12, 1), 1),
        ):
            assert owe(on) == Owed(found, 0), on
        assert [step for step, _ in steps(policy)] == ["unrecorded-1", "unrecorded-2", "unrecorded-3"]

    def test_only_the_newest_for_a_school_that_joined_long_ago(self, here, owe, on):
        policy = PolicyFactory(school=SchoolFactory(joined_on=date(2025, 1, 1)))
        owe(on)
        assert steps(policy) == [("unrecorded-22", "owed")]

    def test_until_something_is_recorded(self, here, owe, on):
        policy = PolicyFactory(school=SchoolFactory(joined_on=on - timedelta(days=45)))
        owe(on)
        policy.last_reviewed_on, policy.next_review_on = on, on + timedelta(days=365)
        policy.save()
        assert owe(on + timedelta(days=60)) == Owed(0, 0)

    def test_for_the_authoritys_own_from_the_day_its_first_person_joined(self, cast, one, owe, on):
        with inside(one):
            PolicyFactory(school=None, kind=Kind.SECTION_19)
            owe(date(2026, 9, 30))
            assert not Notice.objects.exists()
            owe(date(2026, 10, 1))
            assert Notice.objects.get(recipient="adele@barsetshire.example").step == "unrecorded-1"


class TestRemind:
    def test_owes_one_message_per_policy_and_says_what_it_left_out(self, cast, one, on, at):
        with inside(one):
            due = [recorded_policy(cast.oak, next_review_on=on - timedelta(days=9))]
            due.append(PolicyFactory(school=cast.elm))
            nobody = recorded_policy(SchoolFactory(lead_email="", office_email=""), next_review_on=on)
            recorded_policy(SchoolFactory(closed_on=on), next_review_on=on)
            found = remind(policies=Policy.objects.visible_to(cast.officer), by=cast.officer, at=at)
            assert (found.sent, found.reminded_recently, found.nobody_to_remind) == (2, 0, 1)
            written = Notice.objects.all()
            assert {each.subject_id for each in written} == {policy.id for policy in due}
            assert {(each.wording, each.sent_by, each.step) for each in written} == {
                ("policy_by_hand", cast.officer.id, "by-hand-2026-11-23")
            }
            entry = AuditEntry.objects.get(verb="asked for reminders")
            assert (entry.by_name, entry.subject_kind) == ("Olu Officer", "policy")
            assert nobody.id not in {each.subject_id for each in written}

    def test_passes_over_what_somebody_was_reminded_of_in_the_last_day(self, cast, one, on, at):
        with inside(one):
            recorded_policy(cast.oak, next_review_on=on)
            everything = Policy.objects.all()
            assert remind(policies=everything, by=cast.officer, at=at).sent == 1
            again = remind(policies=everything, by=cast.officer, at=at + timedelta(hours=23, minutes=59))
            assert (again.sent, again.reminded_recently) == (0, 1)
            assert remind(policies=everything, by=cast.officer, at=at + timedelta(hours=24)).sent == 1

    def test_takes_the_place_of_the_next_automatic_one_within_three_days(self, cast, one, owe, on, at):
        with inside(one):
            soon = recorded_policy(cast.oak, next_review_on=on - timedelta(days=4))
            later = recorded_policy(cast.elm, next_review_on=on - timedelta(days=3))
            remind(policies=Policy.objects.all(), by=cast.officer, at=at)
            owe(on + timedelta(days=3))
            owe(on + timedelta(days=4))
            assert steps(soon)[-1] == ("overdue-1", "reminded_by_hand")
            assert steps(later)[-1] == ("overdue-1", "owed")
            owe(on + timedelta(days=10))
            assert steps(soon)[-1] == ("overdue-2", "owed"), "one is skipped, not more"

    def test_takes_a_fixed_number_of_statements(self, cast, one, on, at, django_assert_num_queries):
        with inside(one):
            for _ in range(30):
                recorded_policy(SchoolFactory(), next_review_on=on)
            with django_assert_num_queries(3):
                assert remind(policies=Policy.objects.all(), by=cast.officer, at=at).sent == 30


class TestStillDue:
    @pytest.fixture
    def notice(self, cast, one, on, at):
        with inside(one):
            policy = recorded_policy(cast.oak, next_review_on=on - timedelta(days=7))
            owe_review_reminders(on=on, at=at)
            yield Notice.objects.get(subject_id=policy.id)

    def test_gives_what_the_text_needs(self, notice, at):
        facts = still_due(notice, at=at)
        assert (facts["whose"], facts["policy"], facts["due"]) == (
            "Oak School",
            "medical conditions policy",
            "16 November 2026",
        )

    @pytest.mark.parametrize(
        ("model", "change", "reason"),
        [
            ("policy", {"next_review_on": date(2027, 11, 1)}, Reason.NOT_DUE),
            ("policy", {"not_needed_reason": "No pupils"}, Reason.NOT_NEEDED),
            ("policy", {"lead_email": "new@oak.example"}, Reason.CONTACT_CHANGED),
            ("school", {"lead_email": "new@oak.example"}, Reason.CONTACT_CHANGED),
            ("school", {"closed_on": date(2026, 11, 20)}, Reason.SCHOOL_CLOSED),
            ("school", {"body": "independent_school"}, Reason.NOT_NEEDED),
        ],
    )
    def test_refuses_what_has_changed(self, notice, cast, at, model, change, reason):
        changed = Policy.objects.get(id=notice.subject_id) if model == "policy" else cast.oak
        type(changed).objects.filter(id=changed.id).update(**change)
        with pytest.raises(NoLongerDue) as refused:
            still_due(notice, at=at)
        assert refused.value.args == (reason,)

    def test_refuses_a_step_that_a_newer_one_has_overtaken(self, notice, on, at):
        week = timedelta(days=7)
        owe_review_reminders(on=on + week, at=at + week)
        with pytest.raises(NoLongerDue) as refused:
            still_due(notice, at=at + week)
        assert refused.value.args == (Reason.SUPERSEDED,)

    def test_refuses_an_administrator_whose_role_has_ended(self, cast, one, on, at):
        with inside(one):
            PolicyFactory(school=None, kind=Kind.SECTION_19)
            owe_review_reminders(on=date(2026, 10, 5), at=at)
            notice = Notice.objects.get(recipient="adele@barsetshire.example")
            assert still_due(notice, at=at)["whose"] == "Barsetshire"
            Membership.objects.filter(user=cast.admin).update(to_on=on)
            with pytest.raises(NoLongerDue) as refused:
                still_due(notice, at=at)
            assert refused.value.args == (Reason.CONTACT_CHANGED,)
