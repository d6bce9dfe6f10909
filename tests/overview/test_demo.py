"""The demo: the same for the same school and day, of every status, and nobody real."""

import re
from argparse import Namespace
from collections import Counter
from datetime import date, timedelta

import pytest
from allauth.mfa.models import Authenticator
from factories import SchoolFactory

from handrail.absences.answers import recent_periods
from handrail.absences.models import NilReturn
from handrail.absences.return_reminders import silent
from handrail.accounts.models import Membership, User
from handrail.accounts.roles import Role
from handrail.care.models import SpareKit
from handrail.core.models import AuthoritySettings
from handrail.core.status import Status
from handrail.handovers.models import Handover, Message
from handrail.notices.models import Notice
from handrail.packs.models import Pack
from handrail.plans.coverage import is_covered
from handrail.plans.models import HealthcarePlan, PlanVersion
from handrail.plans.reading import asked_of, to_be_read_by
from handrail.plans.tally import PlanTally
from handrail.policies.actions import open_policies
from handrail.policies.models import SCHOOL_KINDS, Audience, Communication, Kind, MonthEnd, Policy, PolicyReview
from handrail.policies.reminders import owe_review_reminders
from handrail.returns.comparison import month_by_month
from handrail.returns.models import Answer, Draft, PlannedAction, Return
from handrail.schools import upn
from handrail.schools.models import Pupil, School
from tenants.context import inside
from workflows.commands import describe_demo
from workflows.commands.furnish_demo import Furnishing
from workflows.demo import AUTHORITIES, PASSWORD, policy_of, reminders_sent
from workflows.demo_returns import WITH_A_FILE


def test_most_policies_are_in_date_and_some_of_everything_is_not(on):
    kinds: Counter[str] = Counter()
    for urn in range(900_000, 901_000):
        made = policy_of(str(urn), Kind.MEDICAL_CONDITIONS, on=on)
        due_on = made.reviews[-1].next_review_on if made.reviews else None
        if made.not_needed_reason:
            kinds["not needed"] += 1
        elif due_on is None:
            kinds["not recorded"] += 1
        else:
            kinds["overdue" if due_on < on else "soon" if due_on <= on + timedelta(days=30) else "in date"] += 1
    assert kinds["in date"] > 650
    assert all(kinds[word] > 3 for word in ("overdue", "soon", "not recorded", "not needed"))


def test_the_same_school_has_the_same_history_and_it_moves_with_the_day(on):
    made = policy_of("900001", Kind.ALLERGY_SAFETY, on=on)
    assert made == policy_of("900001", Kind.ALLERGY_SAFETY, on=on)
    later = policy_of("900001", Kind.ALLERGY_SAFETY, on=on + timedelta(days=9))
    assert later.reviews[-1].next_review_on == made.reviews[-1].next_review_on + timedelta(days=9)


def test_every_reminder_that_fell_due_was_sent_but_the_newest(on):
    def sent(due_in, since=130):
        due_on, since_on = on + timedelta(days=due_in), on - timedelta(days=since)
        return [step for step, *_ in reminders_sent(due_on, settings=AuthoritySettings(), since=since_on, on=on)]

    assert sent(61) == []
    assert sent(60) == []
    assert sent(30) == ["before-60"]
    assert sent(0) == ["before-60", "before-30", "before-14"]
    assert sent(-15) == ["before-60", "before-30", "before-14", "before-0", "overdue-1"]
    assert sent(-15, since=10) == ["overdue-1"]


@pytest.mark.django_db
class TestFurnishing:
    @pytest.fixture
    def furnish(self, one, at):
        def run() -> int:
            with inside(one):
                return Furnishing(AUTHORITIES[0], at=at, password="!").furnish()

        return run

    def test_fills_an_authority_once(self, one, furnish, on, at):
        with inside(one):
            for number in range(30):
                SchoolFactory(phase_name=("Primary", "Secondary")[number % 2], website=f"https://www.s{number}.example")
            SchoolFactory(body="independent_school")
            SchoolFactory(type_code=12, phase_name="Not applicable")
            SchoolFactory(name="Invented Hospital School", type_code=12, phase_name="Not applicable")
            open_policies(on=on, at=at)
        assert furnish() == 33
        with inside(one):
            ends = [date(2026, 8, 31), date(2026, 9, 30), date(2026, 10, 31)]
            assert [*PlanTally.objects.filter(counted_on__in=ends).values_list("counted_on", flat=True)] == ends
            begun = MonthEnd.objects.get(ended_on=ends[0]).figures["handovers"]
            assert {count for *_, count in begun} == {0}
            reviews = PolicyReview.objects.count()
            assert reviews > 90
            assert User.objects.exclude(email__endswith=".example").count() == 0
            lead = User.objects.get(email="hana.hughes@barsetshire-schools.example")
            school = lead.memberships.get().school
            policies = {policy.kind: policy for policy in school.policies.all()}
            settings = AuthoritySettings.load()
            assert [policies[kind].status_on(on, settings).label for kind in SCHOOL_KINDS] == [
                "Overdue",
                "Due soon",
                "In date",
            ]
            assert school.lead_email == lead.email
            assert sorted(Counter(Pupil.objects.values_list("school", flat=True)).values()) == [3, 4, 4]
            assert all(upn.read(pupil.upn).authority == "001" for pupil in Pupil.objects.exclude(upn=""))
            assert PlanVersion.objects.count() == 13
            office = User.objects.get(email="sally.stokes@barsetshire-schools.example").as_at(on)
            to_read = to_be_read_by(office, HealthcarePlan.objects.visible_to(office), on=on)
            assert {
                (plan.pupil.name, asked_of(office, plan.versions.order_by("-number")[0], on=on).has_read_before)
                for plan in to_read
            } == {("Benjamin Cole", False), ("Matilda Hill", True)}
            assert Pack.objects.get(school=school).document is not None
            covered = HealthcarePlan.objects.annotate(whole=is_covered(on=on)).values_list("whole", flat=True)
            assert set(covered) == {True, False}
            checks = [kit.check_status_on(on) for kit in SpareKit.objects.with_last_check()]
            assert Counter(checks) == {Status.IN_DATE: 3, Status.OVERDUE: 3}
            assert Policy.objects.get(kind=Kind.SECTION_19).next_review_on == on + timedelta(days=212)
            assert not Policy.objects.filter(school__body="independent_school", last_reviewed_on__isnull=False).exists()
            assert not PolicyReview.objects.filter(recorded_at__gt=at).exists()
            overdue = policies[Kind.MEDICAL_CONDITIONS]
            told = set(Notice.objects.filter(subject_id=overdue.id).values_list("step", flat=True))
            assert told == {"before-60", "before-30", "before-14", "before-0"}
            at_home = Handover.objects.filter(side="home").values_list("state", "packs__is_return")
            assert sorted(at_home) == [("return_planned", False), ("submitted", False)]
            arrived = Handover.objects.get(side="setting", state="pack_asked")
            assert Pupil.objects.filter(name=arrived.pupil.name, born_on=arrived.pupil.born_on).count() == 2
            assert Message.objects.get(kind="back", way="in").done_at is None
            assert Return.objects.filter(school=school).count() == 1
            assert Draft.objects.exclude(school=None).values("school").distinct().count() == 1
            assert Draft.objects.filter(school=None).count() == 10
            assert PlannedAction.objects.open().filter(school=school).count() == 1
            assert Answer.objects.get(returned__school=school, requirement_id=WITH_A_FILE).evidence_file is not None
            told = Communication.objects.filter(policy__school=school).values_list("audience", flat=True)
            assert set(told) == set(Audience.values)
            silences = [silent(period).count() for period in recent_periods(on=on)[1:]]
            assert NilReturn.objects.exists() and 0 < sum(silences) < NilReturn.objects.count()
            months = dict(month_by_month())
            assert list(months) == [date(2026, 7, 31), date(2026, 8, 31), date(2026, 9, 30), date(2026, 10, 31)]
            answered = [group.answered for group in months.values()]
            assert answered[0] > 0 and answered == sorted(set(answered))
            owe_review_reminders(on=on, at=at)
            assert Notice.objects.get(subject_id=overdue.id, state="owed", recipient_role="lead").step == "overdue-1"
        assert furnish() == 0
        with inside(one):
            assert PolicyReview.objects.count() == reviews

    def test_has_somebody_to_try_of_every_role(self, one, furnish, on, at, capsys):
        with inside(one):
            for phase in ("Primary", "Secondary"):
                SchoolFactory(phase_name=phase)
            SchoolFactory(name="Invented Hospital School", type_code=12, phase_name="Not applicable")
            open_policies(on=on, at=at)
        furnish()
        with inside(one):
            to_try = Membership.objects.filter(user__email__in=AUTHORITIES[0].to_try, user__password="!")
            assert {each.role for each in to_try} == set(Role)
            settings = {each.school.name for each in to_try if each.role.startswith("setting_")}
            assert settings == {"Invented Hospital School"}
            asked = to_try.get(role=Role.HEALTH_PROFESSIONAL)
            assert PlanVersion.objects.of_child(asked.pupil).exists()
            assert asked.pupil.school == asked.school
            with_app = Authenticator.objects.values_list("user__email", flat=True)
            assert sorted(with_app) == sorted(AUTHORITIES[0].to_try)
        describe_demo.run(Namespace(port="8000"))
        said = capsys.readouterr().out
        assert [role for role in Role if f"{role.label}\n" not in said and f"{role.label}, " not in said] == []
        assert [email for email in AUTHORITIES[0].to_try if email not in said] == []

    def test_does_nothing_without_schools(self, one, furnish):
        assert furnish() == 0
        with inside(one):
            assert not School.objects.exists()


@pytest.mark.django_db
class TestDescription:
    @pytest.fixture
    def described(self, one, two, capsys):
        assert describe_demo.run(Namespace(port="8000")) == 0
        return capsys.readouterr().out

    def test_gives_each_authoritys_address_and_mailbox(self, described, client, settings, tmp_path):
        settings.IS_DEMO, settings.MAILBOX = True, tmp_path
        addresses = re.findall(r"http://(\S+?):8000(/\S*)", described)
        assert addresses == [
            ("barsetshire.localhost", "/"),
            ("barsetshire.localhost", "/mailbox/"),
            ("borchester.localhost", "/"),
            ("borchester.localhost", "/mailbox/"),
        ]
        for host, path in addresses:
            answer = client.get(path, headers={"host": host}, follow=True)
            assert answer.status_code == 200, (host, path)

    def test_names_who_can_sign_in_and_how(self, one, cast, capsys):
        with inside(one):
            User.objects.filter(id=cast.officer.id).update(email=AUTHORITIES[0].email(AUTHORITIES[0].officer))
        assert describe_demo.run(Namespace(port="8000")) == 0
        lines = capsys.readouterr().out.splitlines()
        assert any(line.split() == ["olu.okafor@barsetshire.example", "Policy", "officer"] for line in lines)
        assert lines[-1].split()[-1] == PASSWORD
