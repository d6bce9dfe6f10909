"""Handovers go from one side to the other: what is owed is deposited, what came in is collected, by each authority."""

import logging
from datetime import datetime

from celery import shared_task
from django.utils import timezone

from handrail.core.calendar import day_of
from handrail.handovers import ceased, corrections, ledger, onward, places, post
from handrail.records.declined import destroy_declined as destroy
from tenants.context import inside
from tenants.routing import Authority
from workflows.per_authority import AuthorityTask, UnboundTask, clock, for_each_authority

log = logging.getLogger(__name__)


WORK = (ceased.follow_ceased, corrections.correct_who, onward.send_on, post.deposit_owed, post.collect)


@shared_task
def deliver() -> int:
    """Ring for every authority."""
    return for_each_authority(deliver_one)


@shared_task(base=UnboundTask)
def deliver_one(*, authority: Authority) -> int:
    """Do each piece of work in one transaction of this authority. Gives the number of what went on."""
    moved = 0
    for work in WORK:
        with inside(authority):
            moved += work(at=clock())
    return moved


@shared_task
def let_run_out() -> int:
    """Ring for every authority."""
    return for_each_authority(let_run_out_one, at=timezone.now())


@shared_task(base=UnboundTask)
def let_run_out_one(*, authority: Authority, at: datetime) -> int:
    """End what nobody opened in its time; say which are hospital schools, and where the ledgers of the sides differ."""
    with inside(authority):
        places.publish_hospitals()
        ended = post.let_run_out(at=at)
        for difference in ledger.differences():
            log.error("exchange: %s", difference)
    return ended


@shared_task
def destroy_declined() -> int:
    """Ring for every authority."""
    return for_each_authority(destroy_declined_one)


@shared_task(base=AuthorityTask)
def destroy_declined_one(*, authority: Authority) -> int:
    """Destroy what settings hold of children whom they declined, when its day has come. Gives their number."""
    at = clock()
    return destroy(on=day_of(at), at=at)
