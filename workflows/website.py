"""Looking whether policies are where they are said to be published: claim an address, look, note what came of it.

The look is outside any transaction. A worker that dies leaves one claim behind, and its lease gives the address back.
"""

import time
from datetime import datetime, timedelta

from celery import shared_task

from handrail.notices.letters import link
from handrail.policies import website, website_checks
from tenants.context import inside
from tenants.routing import Authority
from workflows.per_authority import UnboundTask, clock, for_each_authority

A_RUN_LASTS = timedelta(seconds=20)
"""So that other work is not kept waiting."""


@shared_task(name="workflows.website.look")
def look() -> None:
    """Each minute: ring for every authority."""
    for_each_authority(look_for_authority)


@shared_task(name="workflows.website.look_for_authority", base=UnboundTask)
def look_for_authority(*, authority: Authority) -> int:
    """Look at the addresses of one authority that are due; give their number."""
    with inside(authority):
        at = clock()
        website_checks.follow_addresses(at=at)
    return look_at_what_is_due(authority, at=at)


def look_at_what_is_due(authority: Authority, *, at: datetime) -> int:
    """Look at one address after the other until none is due or the time is up; give their number.

    A host is looked at once in a run: what else is there waits until it has been left alone for a while.
    """
    agent = f"{website.NAME} (checks that policies of schools can be read, {link(authority, '/')})"
    looked, ends = 0, time.monotonic() + A_RUN_LASTS.total_seconds()
    while time.monotonic() < ends:
        with inside(authority):
            mine = website_checks.claim(at=at)
        if mine is None:
            break
        try:
            seen = website.look(mine.url, agent=agent, take_turn=website_checks.take_turn_at)
        except website.HostIsBusy:
            with inside(authority):
                website_checks.put_off(mine, at=at)
            continue
        with inside(authority):
            website_checks.note(mine, seen, at=at)
        looked += 1
    return looked
