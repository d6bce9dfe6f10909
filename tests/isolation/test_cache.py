"""Numbers in the cache that several processes count up together."""

from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from threading import Barrier
from typing import Any

import pytest
from django.db import connections

from tenants.cache import AuthorityCache, key_of_authority
from tenants.context import inside


@pytest.mark.django_db(transaction=True, databases=["default", "side"])
class TestCounting:
    @pytest.fixture
    def cache(self, db: None) -> Any:
        return AuthorityCache("core_cacheentry", {"KEY_FUNCTION": key_of_authority})

    def test_counts_each_of_several_at_once(self, cache, one, two):
        ready = Barrier(4)

        def count(_number: int) -> list[int]:
            try:
                ready.wait(timeout=60)
                with inside(one):
                    cache.add("tries", 0)
                    return [cache.incr("tries") for _ in range(10)]
            finally:
                connections.close_all()

        with ThreadPoolExecutor(4) as counters:
            counted = list(counters.map(count, range(4)))
        assert sorted(chain(*counted)) == list(range(1, 41))
        with inside(two):
            assert cache.get("tries") is None

    def test_does_not_begin_by_itself(self, cache, one):
        with inside(one), pytest.raises(ValueError, match="not found"):
            cache.incr("tries")
