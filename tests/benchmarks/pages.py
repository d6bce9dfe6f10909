"""How long an officer waits for a page, at the server: an authority with 1,000 schools, 3,000 policies, and their
people and messages. Beside each page, how often it asks the database.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

from databases import as_superuser, connected, scratch
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from factories import SchoolFactory, person, sign_in
from measuring import seconds

from handrail.accounts.models import Membership, User
from handrail.accounts.roles import Role
from handrail.config.garbage import settle
from handrail.core.calendar import day_of
from handrail.guidance.published import framework
from handrail.notices.models import Notice
from handrail.policies.actions import open_policies
from handrail.policies.models import SCHOOL_KINDS, Kind, Policy
from handrail.returns.models import Answer, Cycle, Return
from handrail.returns.questions import digest_of
from handrail.schools.models import School
from tenants.context import inside
from tenants.routing import Authority, authorities
from workflows.demo import policy_of

SCHOOLS, REQUESTS = 1000, 21
PATHS = (
    "/",
    "/schools/",
    "/schools/?page=20",
    "/schools/?q=school&sort=next-review&medical_conditions=overdue",
    "/chase/",
    "/chase/?urgency=overdue&kind=allergy_safety",
    "/chase/?week=2027-01-04",
    "/schools/930000/activity/",
    "/returns/",
    "/returns/?colour=red",
    "/schools/930000/return/",
    "/schools/930000/return/{submitted}/",
)
OF_THE_LEAD = ("/schools/930000/return/sections/1/",)
"""What is for those at the school alone."""


def fill(authority: Authority, at: datetime) -> User:
    """The schools of a large county, as the demo would make them up. Gives an officer."""
    on = day_of(at)
    with inside(authority):
        officer = person("bench@barsetshire.example", Role.POLICY_OFFICER, at=at)
        schools = [
            SchoolFactory.build(urn=f"{930000 + n}", name=f"Invented School {n}", trust_name=f"Trust {n % 40}")
            for n in range(SCHOOLS)
        ]
        School.objects.bulk_create(schools)
        open_policies(on=on, at=at)
        policies = list(Policy.objects.of_schools().select_related("school"))
        notices = []
        for policy in policies:
            made = policy_of(policy.school.urn if policy.school else "", Kind(policy.kind), on=on)
            if made.reviews:
                policy.last_reviewed_on = made.reviews[-1].reviewed_on
                policy.next_review_on = made.reviews[-1].next_review_on
            notices += [
                Notice(
                    subject_kind="policy",
                    subject_id=policy.id,
                    school_id=policy.school_id,
                    cycle="bench",
                    step=f"before-{number}",
                    step_on=on - timedelta(days=number),
                    recipient="lead@school.example",
                    recipient_role="lead",
                    wording="policy_due",
                    owed_at=at - timedelta(days=number),
                    not_before=at - timedelta(days=number),
                    ended_at=at - timedelta(days=number),
                    state=Notice.State.ACCEPTED,
                )
                for number in (3, 30, 60)
            ]
        Policy.objects.bulk_update(policies, ["last_reviewed_on", "next_review_on"])
        Notice.objects.bulk_create(notices)
        leads = [User(email=f"lead{n}@s.example", name=f"Lead {n}", joined_at=at) for n in range(SCHOOLS)]
        for lead in leads[::2]:
            lead.last_login = at
        User.objects.bulk_create(leads)
        Membership.objects.bulk_create(
            Membership(user=lead, role=Role.SCHOOL_LEAD, school=school, from_on=on - timedelta(days=9))
            for lead, school in zip(leads, schools, strict=True)
        )
        fill_returns(schools, at)
        assert len(policies) == SCHOOLS * len(SCHOOL_KINDS)
    return officer


def fill_returns(schools: list[School], at: datetime) -> None:
    """A return of each school, with an answer to all that is asked of it."""
    on = day_of(at)
    cycle = Cycle.objects.create(
        school_year=2026,
        framework_ids=["SPMC-2015"],
        opened_on=on,
        due_on=on + timedelta(days=60),
        closes_on=on + timedelta(days=90),
    )
    asked = framework("SPMC-2015").of("maintained_school")
    alike = digest_of(asked)
    returns = [Return(cycle=cycle, school=school, number=1, asked=alike, submitted_at=at) for school in schools]
    Return.objects.bulk_create(returns)
    Answer.objects.bulk_create(
        (
            Answer(
                returned=made,
                requirement_id=each.id,
                digest=each.digest,
                verdict="no" if (number + place) % 17 == 0 else "yes",
                reason="A reason" if place % 2 else "",
                answered_at=at,
            )
            for number, made in enumerate(returns)
            for place, each in enumerate(asked)
        ),
        batch_size=5000,
    )


def main(say: Callable[[str], None]) -> None:
    with scratch("bench_pages") as database, connected(database):
        authority = authorities()[0]
        officer = fill(authority, datetime.now(UTC))
        client, school = Client(HTTP_HOST=authority.host), Client(HTTP_HOST=authority.host)
        with inside(authority):
            sign_in(client, officer)
            sign_in(school, User.objects.get(email="lead0@s.example"))
            submitted = Return.objects.get(school__urn="930000").id
        places = [(path.format(submitted=submitted), client) for path in PATHS]
        places += [(path, school) for path in OF_THE_LEAD]

        def ask(path: str, times: int, client: Client) -> None:
            for _ in range(times):
                answer = client.get(path)
                assert answer.status_code == 200, f"{path}: {answer.status_code}"
                assert answer.content

        with as_superuser(database) as admin:
            admin.execute("VACUUM (ANALYZE)")  # as the server's own housekeeping has done by the time people come
        settle()  # as the web server does when it starts
        policies = SCHOOLS * len(SCHOOL_KINDS)
        say(f"{SCHOOLS:,} schools, {policies:,} policies, three messages about each; median of {REQUESTS}")
        for path, who in places:
            ask(path, 1, who)
            with CaptureQueriesContext(connection) as captured:
                ask(path, 1, who)
            asked = len(captured)
            taken = seconds(partial(ask, path, 1, who), times=REQUESTS)
            say(f"{path:<64} {taken * 1e3:6.1f} ms, {asked:2} queries")

        def take(kind: str) -> None:
            day = datetime.now(UTC)
            typed = {"on_day": day.day, "on_month": day.month, "on_year": day.year, "kind": kind}
            answer = client.post("/inspection/", typed)
            assert answer["Content-Type"] == f"application/{kind}", answer.content
            assert b"".join(answer.streaming_content)

        taken_as = {kind: seconds(partial(take, kind)) for kind in ("pdf", "zip")}
        say(f"the authority's evidence for inspection: PDF {taken_as['pdf']:.1f} s, ZIP {taken_as['zip']:.1f} s")
