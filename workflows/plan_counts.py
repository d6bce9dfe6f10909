"""Plans are counted as at the end of each month, so that the authority sees every month."""

from celery import shared_task

from handrail.core.calendar import day_of
from handrail.overview.plan_counts import count_plans
from tenants.routing import Authority
from workflows.per_authority import AuthorityTask, clock, for_each_authority


@shared_task
def count() -> None:
    """Each hour: ring for every authority."""
    for_each_authority(count_one)


@shared_task(base=AuthorityTask)
def count_one(*, authority: Authority) -> None:
    count_plans(on=day_of(clock()))
