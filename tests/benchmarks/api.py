"""How fast programs read a table of 60,000 rows, beside what a stock Django REST framework list does with the same.

Both go through the whole site by Django's test client; ours asks for a key, counts the call and notes its use. A page
deep in the list is compared with a stock page behind the same key: only how it is found and written differs.
"""

import json
import resource
import tracemalloc
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import count
from typing import Any

from databases import as_superuser, connected, scratch
from django.db.models import Q
from django.test import Client, override_settings
from django.urls import path
from factories import SchoolFactory, person
from measuring import seconds, side_by_side, timed
from rest_framework.generics import ListAPIView
from rest_framework.pagination import PageNumberPagination
from rest_framework.renderers import JSONRenderer
from rest_framework.serializers import ModelSerializer

from handrail.accounts.roles import Role
from handrail.config import urls
from handrail.policies.models import SCHOOL_KINDS, Policy, PolicyReview
from handrail.reporting import api, reading
from handrail.reporting.actions import make_key
from handrail.reporting.filters import LIMIT, Asked
from handrail.reporting.models import Scope
from handrail.reporting.tables import TABLES, AsAt
from handrail.schools.models import School
from tenants.context import inside
from tenants.database import copy_to
from tenants.routing import Authority, authorities

SCHOOLS, REVIEWS_EACH = 1000, 20
ROWS = SCHOOLS * len(SCHOOL_KINDS) * REVIEWS_EACH
DEEP = 55_000
PAGES = 20, LIMIT
"""Rows of the deep page: as many as a screen takes, and as many as a program gets that does not say how many. With more
of them the place counts for less, and what a row costs for more.
"""
OURS, STOCK = "/api/v1/policy-reviews", "/stock-with-key/"


class StockSerializer(ModelSerializer):
    class Meta:
        model = PolicyReview
        fields = ["id", "policy_id", "reviewed_on", "outcome", "next_review_on", "recorded_at"]


class Thousand(PageNumberPagination):
    page_size, page_size_query_param = 1000, "size"


class Stock(ListAPIView):
    serializer_class, pagination_class = StockSerializer, Thousand
    authentication_classes: list[Any] = []
    renderer_classes = [JSONRenderer]

    def get_queryset(self) -> Any:
        return PolicyReview.objects.order_by("id")


class StockWithKey(api.Endpoint, Stock):
    authentication_classes = [api.KeyAuthentication]
    renderer_classes = [JSONRenderer]


class Conf:
    urlpatterns = [
        path("stock/", Stock.as_view(), name="stock"),
        path("stock-with-key/", StockWithKey.as_view(), name="stock_with_key"),
        *urls.urlpatterns,
    ]
    handler404, handler500 = urls.handler404, urls.handler500


def fill(authority: Authority, at: datetime) -> str:
    """Reviews of a large county's policies over twenty years. Gives a key to them."""
    with inside(authority):
        admin = person("bench@barsetshire.example", Role.AUTHORITY_ADMINISTRATOR, at=at)
        schools = School.objects.bulk_create(SchoolFactory.build(urn=f"{930000 + n}") for n in range(SCHOOLS))
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


def main(say: Callable[[str], None]) -> None:
    api.CALLS_A_MINUTE = 10**9
    with scratch("bench_api") as database, connected(database), override_settings(ROOT_URLCONF=Conf):
        [one, *_] = authorities()
        secret = fill(one, datetime.now(UTC))
        with as_superuser(database) as admin:
            admin.execute("ANALYZE")  # as a live database has been, by its autovacuum: fair to both sides
        client = Client(HTTP_HOST=one.host, headers={"Authorization": f"Bearer {secret}"})

        def got(where: str, **asked: Any) -> Any:
            answer = client.get(where, asked)
            assert answer.status_code == 200, (where, asked)
            return answer

        def exported() -> None:
            assert sum(block.count(b"\n") for block in got(f"{OURS}.csv", all="true").streaming_content) == ROWS + 1

        def copied() -> None:
            with inside(one):
                for _ in copy_to("COPY (SELECT * FROM policies_policyreview) TO STDOUT (FORMAT csv)"):
                    pass

        def walked_stock() -> None:
            for number in count(1):
                if not json.loads(got("/stock/", page=number).content)["next"]:
                    return

        def walked() -> list[str]:
            cursors: list[str] = []
            while True:
                more = {"cursor": cursors[-1]} if cursors else {}
                page = json.loads(got(OURS, limit=1000, **more).content)["page"]
                if not page["has_more"]:
                    return cursors
                cursors.append(page["next_cursor"])

        export, bare, stock, ours = (seconds(each) for each in (exported, copied, walked_stock, walked))
        say(f"{ROWS:,} rows as CSV: {export:.2f} s, {stock / export:.0f} times a stock page-number walk (at least 10)")
        say(f"which is {100 * bare / export:.0f} per cent of a bare COPY’s speed (at least 20)")
        say(f"the same as JSON, page by page: {ours:.2f} s, {stock / ours:.1f} times the stock walk (at least 2)")
        cursor = walked()[DEEP // 1000 - 1]

        def asked(path: str, **more: Any) -> Callable[[], float]:
            return lambda: timed(lambda: got(path, **more))

        about = sorted(map(str, Scope))

        def read(size: int) -> None:
            with inside(one):
                as_at = AsAt(one, date.today())
                page = Asked(Q(), limit=size, cursor=cursor, is_all=False, filters=())
                assert len(reading.page(TABLES["policy-reviews"], page, as_at, about=about, as_json=True).rows) == size

        def read_stock(size: int) -> None:
            with inside(one):
                PolicyReview.objects.count()
                assert len(PolicyReview.objects.order_by("id")[DEEP : DEEP + size]) == size

        for size in PAGES:
            ours_deep, stock_deep = asked(OURS, limit=size, cursor=cursor), asked(STOCK, page=DEEP // size, size=size)
            deep, first = side_by_side(ours_deep, asked(OURS, limit=size), times=25)
            say(f"a page of {size} at depth {DEEP:,}: {deep / first:.2f} times the first (at most 1.5)")
            deep, stock = side_by_side(ours_deep, stock_deep, times=25)
            say(f"and {stock / deep:.1f} times as fast as a stock page there (at least 10)")
            rows, stock_rows = side_by_side(
                partial(timed, partial(read, size)), partial(timed, partial(read_stock, size)), times=25
            )
            say(f"its rows alone, without the site around them: {stock_rows / rows:.1f} times as fast")
            say(f"ours {1000 * deep:.1f} ms, of which rows {1000 * rows:.1f}")
        site = seconds(lambda: client.get("/api/v1/none"), times=9)
        say(f"any address of the site takes {1000 * site:.1f} ms of it")
        tag = got(OURS)["ETag"]
        unchanged = seconds(lambda: client.get(OURS, headers={"If-None-Match": tag}), times=9)
        say(f"a 304: {1000 * unchanged:.1f} ms, and a page of 200: {1000 * seconds(lambda: got(OURS)):.1f} ms")
        tracemalloc.start()
        exported()
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        say(f"memory of Python at the peak of an export: {peak / 2**20:.1f} MB")
        say(f"of the process, at most: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
