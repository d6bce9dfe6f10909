"""How fast programs read tables of 60,000 rows, plans of children and reviews of policies, beside what a stock list of
Django REST framework does with the same.

Both go through the whole site by Django's test client and tell the same columns of the same rows. Ours asks for a key,
counts the call and notes its use, makes up the number of each plan and records which children were told of. Stock does
none of that.
"""

import json
import resource
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import count
from random import Random
from typing import Any

from databases import as_superuser, connected, scratch
from django.test import Client, override_settings
from django.urls import path
from factories import SchoolFactory, person
from measuring import seconds, side_by_side, timed
from plans import pupil_of
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.pagination import PageNumberPagination
from rest_framework.renderers import JSONRenderer

from handrail.accounts.roles import Role
from handrail.config import urls
from handrail.core.calendar import day_of
from handrail.plans.models import HealthcarePlan, Stage
from handrail.policies.models import SCHOOL_KINDS, Policy, PolicyReview
from handrail.reporting import api
from handrail.reporting.actions import make_key
from handrail.reporting.filters import LIMIT
from handrail.reporting.models import Scope
from handrail.schools.models import Pupil, School
from tenants.context import inside
from tenants.database import copy_to
from tenants.routing import Authority, authorities

SCHOOLS, PLANS_EACH, REVIEWS_EACH = 1000, 60, 20
ROWS = SCHOOLS * PLANS_EACH
DEEP = 55_000
PAGES = 20, LIMIT
"""Rows of the deep page: as many as a screen takes, and as many as a program gets that does not say how many. With more
of them the place counts for less, and what a row costs for more.
"""


class StockPlan(serializers.ModelSerializer):
    urn = serializers.CharField(source="pupil.school.urn")

    class Meta:
        model = HealthcarePlan
        fields = ["id", "urn", "notified_on", "last_reviewed_on", "due_on"]


class StockReview(serializers.ModelSerializer):
    urn = serializers.CharField(source="policy.school.urn")
    kind = serializers.CharField(source="policy.kind")
    outcome_label = serializers.CharField(source="get_outcome_display")

    class Meta:
        model = PolicyReview
        fields = [
            *("id", "policy_id", "urn", "kind", "reviewed_on", "outcome", "outcome_label", "next_review_on"),
            "recorded_at",
        ]


class Thousand(PageNumberPagination):
    page_size, page_size_query_param = 1000, "size"


class Stock(ListAPIView):
    pagination_class = Thousand
    authentication_classes: list[Any] = []
    renderer_classes = [JSONRenderer]


class StockPlans(Stock):
    serializer_class = StockPlan

    def get_queryset(self) -> Any:
        there = Pupil.objects.not_left(on=date.today()).filter(school__closed_on=None)
        found = HealthcarePlan.objects.filter(stage=Stage.ACTIVE, pupil__in=there)
        return found.select_related("pupil__school").order_by("id")


class StockReviews(Stock):
    serializer_class = StockReview

    def get_queryset(self) -> Any:
        return PolicyReview.objects.select_related("policy__school").order_by("id")


@dataclass(frozen=True)
class Case:
    ours: str
    stock: str
    database: str
    """What stock tells, in SQL and in the same order, for a bare COPY."""


CASES = (
    Case(
        "/api/v1/plans",
        "/stock-plans/",
        """SELECT plan.id, urn, notified_on, last_reviewed_on, due_on FROM plans_healthcareplan plan
        JOIN schools_pupil pupil ON pupil.id = pupil_id JOIN schools_school school ON school.id = pupil.school_id
        ORDER BY plan.id""",
    ),
    Case(
        "/api/v1/policy-reviews",
        "/stock-reviews/",
        """SELECT review.id, policy_id, urn, kind, reviewed_on, outcome, initcap(outcome), review.next_review_on,
            recorded_at FROM policies_policyreview review JOIN policies_policy policy ON policy.id = policy_id
        JOIN schools_school school ON school.id = policy.school_id ORDER BY review.id""",
    ),
)


class Conf:
    urlpatterns = [
        path("stock-plans/", StockPlans.as_view(), name="stock_plans"),
        path("stock-reviews/", StockReviews.as_view(), name="stock_reviews"),
        *urls.urlpatterns,
    ]
    handler404, handler500 = urls.handler404, urls.handler500


def fill(authority: Authority, at: datetime) -> str:
    """A large county: plans of its children, and reviews of its policies over twenty years. Gives a key to them."""
    random, on = Random("api"), day_of(at)
    with inside(authority):
        admin = person("bench@barsetshire.example", Role.AUTHORITY_ADMINISTRATOR, at=at)
        schools = School.objects.bulk_create(SchoolFactory.build(urn=f"{930000 + n}") for n in range(SCHOOLS))
        pupils = Pupil.objects.bulk_create(
            (pupil_of(school, n, random, on) for school in schools for n in range(PLANS_EACH)), batch_size=5000
        )
        HealthcarePlan.objects.bulk_create(
            (
                HealthcarePlan(
                    pupil=pupil,
                    stage=Stage.ACTIVE,
                    notified_on=on - timedelta(days=380),
                    last_reviewed_on=on - timedelta(days=n % 365),
                    due_on=on + timedelta(days=365 - n % 365),
                )
                for n, pupil in enumerate(pupils)
            ),
            batch_size=5000,
        )
        policies = Policy.objects.bulk_create(
            Policy(school=school, kind=kind) for school in schools for kind in SCHOOL_KINDS
        )
        PolicyReview.objects.bulk_create(
            (
                PolicyReview(
                    policy=policy,
                    reviewed_on=date(2006 + year, 9, 1),
                    next_review_on=date(2007 + year, 9, 1),
                    outcome="no_change",
                    recorded_at=at,
                    recorded_by_name="Bench",
                )
                for policy in policies
                for year in range(REVIEWS_EACH)
            ),
            batch_size=5000,
        )
        ends_on = at.date() + timedelta(days=30)
        return make_key(name="Bench", scopes=list(Scope), expires_on=ends_on, by=admin, at=at)[1]


class Reader:
    """A program with a key."""

    def __init__(self, authority: Authority, secret: str) -> None:
        self.authority = authority
        self.client = Client(HTTP_HOST=authority.host, headers={"Authorization": f"Bearer {secret}"})

    def got(self, where: str, **asked: Any) -> Any:
        answer = self.client.get(where, asked)
        assert answer.status_code == 200, (where, asked)
        return answer

    def exported(self, case: Case) -> None:
        answer = self.got(f"{case.ours}.csv", all="true")
        assert sum(block.count(b"\n") for block in answer.streaming_content) == ROWS + 1

    def copied(self, case: Case) -> None:
        with inside(self.authority):
            for _ in copy_to(f"COPY ({case.database}) TO STDOUT (FORMAT csv)"):
                pass

    def walked_stock(self, case: Case) -> None:
        for number in count(1):
            if not json.loads(self.got(case.stock, page=number).content)["next"]:
                return

    def walked(self, case: Case) -> list[str]:
        """The cursors, each to the next thousand."""
        cursors: list[str] = []
        while True:
            more = {"cursor": cursors[-1]} if cursors else {}
            page = json.loads(self.got(case.ours, limit=1000, **more).content)["page"]
            if not page["has_more"]:
                return cursors
            cursors.append(page["next_cursor"])

    def asks(self, where: str, **asked: Any) -> Callable[[], float]:
        return lambda: timed(lambda: self.got(where, **asked))


def main(say: Callable[[str], None]) -> None:
    api.CALLS_A_MINUTE = 10**9
    with scratch("bench_api") as database, connected(database), override_settings(ROOT_URLCONF=Conf):
        [one, *_] = authorities()
        reader = Reader(one, fill(one, datetime.now(UTC)))
        with as_superuser(database) as admin:
            admin.execute("ANALYZE")  # as a live database has been, by its autovacuum: fair to both sides
        for case in CASES:
            say(f"{case.ours}, {ROWS:,} rows")
            whole(reader, case, say)
            pages(reader, case, say)
        unchanged(reader, say)
        say(f"of the process, at most: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


def whole(reader: Reader, case: Case, say: Callable[[str], None]) -> None:
    export, bare = side_by_side(
        lambda: timed(partial(reader.exported, case)), lambda: timed(partial(reader.copied, case)), times=9
    )
    stock, ours = seconds(partial(reader.walked_stock, case)), seconds(partial(reader.walked, case))
    say(f"as CSV: {export:.2f} s, {stock / export:.0f} times a stock page-number walk (at least 10)")
    say(f"which is {100 * bare / export:.0f} per cent of the speed of a bare COPY of these columns (at least 20)")
    say(f"as JSON, page by page: {ours:.2f} s, {stock / ours:.1f} times the stock walk (at least 2)")
    tracemalloc.start()
    reader.exported(case)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    say(f"memory of Python at the peak of the CSV: {peak / 2**20:.1f} MB")


def pages(reader: Reader, case: Case, say: Callable[[str], None]) -> None:
    cursor = reader.walked(case)[DEEP // 1000 - 1]
    for size in PAGES:
        ours = reader.asks(case.ours, limit=size, cursor=cursor)
        deep, first = side_by_side(ours, reader.asks(case.ours, limit=size), times=25)
        say(f"a page of {size} at depth {DEEP:,}: {deep / first:.2f} times the first (at most 1.5)")
        deep, stock = side_by_side(ours, reader.asks(case.stock, page=1 + DEEP // size, size=size), times=25)
        says = f"{1000 * deep:.1f} ms, and {1000 * stock:.0f} there"
        say(f"and {stock / deep:.1f} times as fast as a stock page there (at least 10): {says}")


def unchanged(reader: Reader, say: Callable[[str], None]) -> None:
    where = CASES[-1].ours
    tag = reader.got(where)["ETag"]
    again = seconds(lambda: reader.client.get(where, headers={"If-None-Match": tag}), times=25)
    page = seconds(lambda: reader.got(where), times=25)
    say(f"a 304: {1000 * again:.1f} ms, and a page of {LIMIT}: {1000 * page:.1f} ms")
