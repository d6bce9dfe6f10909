"""A worker that is killed while it looks at a website: the address goes to the next one when its lease has ended."""

import os
import signal
from typing import Any

from factories import SchoolFactory, recorded_policy

from handrail.policies import website, website_checks
from handrail.policies.models import Outcome, WebsiteCheck
from handrail.policies.website import Seen
from handrail.policies.website_checks import LEASE
from tenants.context import inside
from workflows.website import look_at_what_is_due

FOUND = Seen(Outcome.FOUND, status=200, digest="a")


class TestKilled:
    def test_while_it_looks_it_costs_a_lease_and_nothing_else(self, ground: Any, monkeypatch: Any) -> None:
        with inside(ground.one):
            for number in range(2):
                url = f"https://school-{number}.example/policy"
                recorded_policy(SchoolFactory(), next_review_on=ground.on, published_url=url)
            website_checks.follow_addresses(at=ground.at)
        looked_at: list[str] = []

        def dies_at_the_second(url: str, **_: Any) -> Seen:
            looked_at.append(url)
            if len(looked_at) == 2:
                os.kill(os.getpid(), signal.SIGKILL)
            return FOUND

        monkeypatch.setattr(website, "look", dies_at_the_second)
        died = ground.in_a_process(lambda: look_at_what_is_due(ground.one, at=ground.at))
        assert died.wait() == -signal.SIGKILL
        monkeypatch.setattr(website, "look", lambda *_, **__: FOUND)
        assert look_at_what_is_due(ground.one, at=ground.at) == 0
        assert look_at_what_is_due(ground.one, at=ground.at + LEASE) == 1
        with inside(ground.one):
            assert WebsiteCheck.objects.filter(outcome=Outcome.FOUND, failures=0).count() == 2
