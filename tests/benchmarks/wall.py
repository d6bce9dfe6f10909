"""What the wall costs: a transaction and a page through it, against django-tenants as it comes."""

from collections.abc import Callable
from functools import partial
from typing import Any

from databases import connected, scratch
from django.conf import settings
from django.db import connection, transaction
from django.test import Client, override_settings
from measuring import side_by_side, timed

from handrail.schools.models import School
from tenants.context import inside
from tenants.routing import Authority, authorities

TRANSACTIONS, PAGES = 300, 60
STOCK_MIDDLEWARE = [
    each.replace("tenants.middleware.AuthorityMiddleware", "django_tenants.middleware.main.TenantMainMiddleware")
    for each in settings.MIDDLEWARE
]


def transactions(both: list[Authority], queries: int) -> None:
    for number in range(TRANSACTIONS):
        with inside(both[number % 2]):
            for _ in range(queries):
                School.objects.first()


def stock_transactions(both: list[Authority], queries: int) -> None:
    wrapper: Any = connection
    for number in range(TRANSACTIONS):
        wrapper.set_tenant(both[number % 2])
        with transaction.atomic():
            for _ in range(queries):
                School.objects.first()


def pages(both: list[Authority]) -> None:
    client = Client()
    for number in range(PAGES):
        answer = client.get("/sign-in/", headers={"host": both[number % 2].host})
        assert answer.status_code == 200, answer.status_code


def main(say: Callable[[str], None]) -> None:
    with scratch("bench_wall") as database:
        with connected(database):
            both = authorities()

        def wall(work: Callable[[], None]) -> float:
            with connected(database):
                connection.ensure_connection()
                return timed(work)

        def stock(work: Callable[[], None]) -> float:
            with override_settings(MIDDLEWARE=STOCK_MIDDLEWARE), connected(database, "owner", ATOMIC_REQUESTS=True):
                connection.ensure_connection()
                return timed(work)

        for queries in (1, 5, 20):
            through, past = side_by_side(
                partial(wall, partial(transactions, both, queries)),
                partial(stock, partial(stock_transactions, both, queries)),
            )
            say(
                f"a transaction of {queries:2} queries: wall {through / TRANSACTIONS * 1e6:6.0f} us, "
                f"stock {past / TRANSACTIONS * 1e6:6.0f} us, ratio {through / past:.2f}"
            )
        through, past = side_by_side(partial(wall, partial(pages, both)), partial(stock, partial(pages, both)))
        say(
            f"the sign-in page: wall {through / PAGES * 1e3:.1f} ms, stock {past / PAGES * 1e3:.1f} ms, "
            f"ratio {through / past:.2f}"
        )
