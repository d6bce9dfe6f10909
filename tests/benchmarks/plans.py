"""How long people wait for pages about plans, at the server: an authority with 1,000 schools and 60,000 plans. Beside
each page, how often it asks the database; and how long the nightly sweep takes, one statement for each rule, with what
stands behind the plans: two people trained for each child, 40,000 medicines and 2,000 kits.
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from random import Random

from databases import as_superuser, connected, scratch
from dateutil.relativedelta import relativedelta
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from factories import SchoolFactory, emergency, person, sign_in
from measuring import seconds, timed

from handrail.accounts.models import Membership, User
from handrail.accounts.roles import Role
from handrail.care.models import Medicine, SpareKit, StaffTraining
from handrail.care.reminders import owe_expiry_reminders
from handrail.core.calendar import day_of
from handrail.notices.models import Notice
from handrail.overview.plan_count_views import LOOKS_BACK
from handrail.overview.plan_counts import STANDS_FOR, count_plans
from handrail.plans import reminders, triggers, versions
from handrail.plans.models import HealthcarePlan, PlanTally, Stage
from handrail.policies.actions import open_policies
from handrail.schools.models import Pupil, School
from tenants.context import inside
from tenants.routing import Authority, authorities

SCHOOLS, PLANS_EACH, REQUESTS = 1000, 60, 21
PHASES = ("Primary", "Primary", "Primary", "Secondary", "Not applicable")
RULE = re.compile("INSERT INTO|DELETE FROM")
NAMES = ("Ash", "Birch", "Cedar", "Dogwood", "Elder", "Fir", "Hazel", "Larch")


def fill(authority: Authority, at: datetime) -> tuple[User, User, Pupil]:
    """The plans of a large county. Gives an officer, a school's lead, and a child at the school with a plan."""
    random, on = Random("plans"), day_of(at)
    with inside(authority):
        officer = person("bench@barsetshire.example", Role.POLICY_OFFICER, at=at)
        schools = School.objects.bulk_create(
            SchoolFactory.build(urn=f"{930000 + n}", name=f"Invented School {n}", phase_name=PHASES[n % len(PHASES)])
            for n in range(SCHOOLS)
        )
        open_policies(on=on, at=at)
        leads = User.objects.bulk_create(
            User(email=f"lead{n}@s.example", name=f"Lead {n}", joined_at=at, last_login=at) for n in range(SCHOOLS)
        )
        Membership.objects.bulk_create(
            Membership(user=lead, role=Role.SCHOOL_LEAD, school=school, from_on=on - timedelta(days=90))
            for lead, school in zip(leads, schools, strict=True)
        )
        pupils = Pupil.objects.bulk_create(
            (pupil_of(school, n, random, on) for school in schools for n in range(PLANS_EACH)), batch_size=5000
        )
        HealthcarePlan.objects.bulk_create(
            (plan_of(pupil, leads[n // PLANS_EACH], random, on) for n, pupil in enumerate(pupils)), batch_size=5000
        )
        stand_behind(schools, pupils, random, on)
        first = pupils[0]
        HealthcarePlan.objects.filter(pupil=first).update(stage=Stage.ACTIVE, due_on=on + timedelta(days=5))
        versions.write_emergency(pupil=first, says=emergency(), based_on=0, by=officer, at=at)
    return officer, leads[0], first


def stand_behind(schools: list[School], pupils: list[Pupil], random: Random, on: date) -> None:
    """Most of it in date. What runs out has no child's name and no words of its own: all of it is the same."""
    StaffTraining.objects.bulk_create(
        (
            StaffTraining(
                school_id=pupil.school_id,
                pupil=pupil,
                person=f"Helper {is_cover}",
                procedure=StaffTraining.Procedure.MEDICINES,
                trainer="Nurse",
                trained_on=(expires_on := on + timedelta(days=random.randint(-20, 364))) - timedelta(days=364),
                expires_on=expires_on,
                is_confirmed=True,
                is_cover=is_cover,
            )
            for pupil in pupils
            for is_cover in (False, True)
        ),
        batch_size=5000,
    )
    Medicine.objects.bulk_create(
        (
            Medicine(
                pupil=pupil,
                kind=Medicine.Kind.MEDICINE,
                name="Salbutamol",
                dose="1 puff",
                place="Office",
                given_by="Anybody",
                received_on=on - timedelta(days=30),
                consent_on=on - timedelta(days=30) if random.random() > 1 / 20 else None,
                expires_on=on + timedelta(days=random.randint(-20, 500)),
            )
            for pupil in pupils
            if random.random() < 2 / 3
        ),
        batch_size=5000,
    )
    kits = [
        SpareKit(
            school=school,
            kind=kind,
            place="Office",
            expires_on=on + timedelta(days=random.randint(-20, 300)),
            placed_on=on - timedelta(days=random.randint(1, 60)),
        )
        for school in schools
        for kind in SpareKit.Kind
    ]
    SpareKit.objects.bulk_create(kits)


def count_months(authority: Authority, on: date) -> None:
    """Counts of as many earlier months as a page looks back on, each as large as the newest."""
    with inside(authority):
        count_plans(on=on)
        newest = PlanTally.objects.get()
        PlanTally.objects.bulk_create(
            PlanTally(
                counted_on=newest.counted_on - number * STANDS_FOR,
                schools=newest.schools,
                phases=newest.phases,
                months=newest.months,
            )
            for number in range(1, LOOKS_BACK + 1)
        )


def pupil_of(school: School, number: int, random: Random, on: date) -> Pupil:
    return Pupil(
        school=school,
        name=f"Invented {random.choice(NAMES)}{random.choice(NAMES).lower()} {number}",
        born_on=on - timedelta(days=random.randint(4 * 365, 18 * 365)),
        year_group=f"Year {1 + number % 11}",
        class_name=f"Class {number % 20}",
        joined_on=on - timedelta(days=400),
    )


def plan_of(pupil: Pupil, lead: User, random: Random, on: date) -> HealthcarePlan:
    """Most are in date, one in twelve overdue, one in twelve on its way; half have somebody who coordinates them."""
    due_on = on + timedelta(days=random.randint(-30, 335))
    is_active = random.random() > 1 / 12
    return HealthcarePlan(
        pupil=pupil,
        stage=Stage.ACTIVE if is_active else random.choice((Stage.NOTIFIED, Stage.DRAFT, Stage.AWAITING)),
        notified_on=due_on - timedelta(days=14),
        last_reviewed_on=due_on - relativedelta(years=1) if is_active else None,
        due_on=due_on if is_active else on + timedelta(days=random.randint(-14, 14)),
        coordinator=lead if random.random() < 0.5 else None,
    )


def main(say: Callable[[str], None]) -> None:
    with scratch("bench_plans") as database, connected(database):
        authority, at = authorities()[0], datetime.now(UTC)
        officer, lead, child = fill(authority, at)
        with as_superuser(database) as admin:
            admin.execute("ANALYZE")  # as the server's own housekeeping has done by the time people come
        plans = SCHOOLS * PLANS_EACH
        say(f"{SCHOOLS:,} schools, {plans:,} plans")
        sweep(authority, at, say)
        taken = timed(partial(count_months, authority, day_of(at)))
        say(f"plans counted, with {LOOKS_BACK} earlier months beside: {taken:.2f} s")
        say(f"pages: median of {REQUESTS}")
        school = "/schools/930000"
        pages = {
            officer: (
                "/",
                "/plan-reviews/",
                f"/plan-reviews/?counted={day_of(at) - STANDS_FOR}",
                "/plan-reviews/schools/",
                "/plan-reviews/schools/?page=20",
            ),
            lead: (
                "/",
                f"{school}/plans/",
                f"{school}/plans/?status=overdue",
                f"{school}/children/",
                f"{school}/medicines/",
                f"{school}/plans/print/",
                "/plans-to-read/",
                f"/children/{child.id}/plan/",
                f"/children/{child.id}/plan/review/",
                f"/children/{child.id}/emergency/",
            ),
        }
        for who, paths in pages.items():
            client = Client(HTTP_HOST=authority.host)
            with inside(authority):
                sign_in(client, who)
            for path in paths:
                page(path.replace(str(child.id), "…"), partial(client.get, path), say)
        page(f"{school}/plans/, searched", partial(client.post, f"{school}/plans/", {"letters": "ash"}), say)


def sweep(authority: Authority, at: datetime, say: Callable[[str], None]) -> None:
    """The nightly sweep, the first time and once more."""
    for said in ("the first night", "the same night again"):
        for name, work in (
            ("renewed", partial(triggers.forget_renewed, on=day_of(at), at=at)),
            ("known ahead", partial(triggers.note_known_ahead, on=day_of(at), at=at)),
            ("reminders of plans", partial(reminders.owe_review_reminders, on=day_of(at), at=at)),
            ("reminders of medicines, training, kits, checks", partial(owe_expiry_reminders, on=day_of(at), at=at)),
        ):
            with inside(authority), CaptureQueriesContext(connection) as captured:
                before = Notice.objects.count()
                taken = timed(work)
                owed = Notice.objects.count() - before
            writing = [each for each in captured if "WITH" in each["sql"]]
            rules = [float(each["time"]) for each in writing if RULE.search(each["sql"])]
            each = ", ".join(f"{time:.2f}" for time in rules)
            say(f"{name}, {said}: {taken:.2f} s, {owed:,} messages; {len(rules)} statements of {each} s")


def page(called: str, ask: Callable[[], HttpResponse], say: Callable[[str], None]) -> None:
    def asked() -> None:
        answer = ask()
        assert answer.status_code == 200, f"{called}: {answer.status_code}"
        assert answer.content

    asked()
    with CaptureQueriesContext(connection) as captured:
        asked()
    queries = len(captured)
    say(f"{called:<50} {seconds(asked, times=REQUESTS) * 1e3:6.1f} ms, {queries:2} queries")
