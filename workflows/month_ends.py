"""When a month has ended, how everything stood at its end is written down, once."""

from celery import shared_task

from handrail.core.calendar import day_of
from handrail.overview.month_ends import take_month_ends
from tenants.routing import Authority
from workflows.per_authority import AuthorityTask, clock, for_each_authority


@shared_task
def take() -> None:
    """Each hour: ring for every authority."""
    for_each_authority(take_one)


@shared_task(base=AuthorityTask)
def take_one(*, authority: Authority) -> None:
    at = clock()
    take_month_ends(on=day_of(at), at=at)
