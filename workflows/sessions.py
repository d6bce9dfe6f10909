"""Sessions end by themselves; here what is left of them is forgotten."""

from celery import shared_task

from handrail.accounts.actions import forget_what_ended
from tenants.routing import Authority
from workflows.per_authority import AuthorityTask, clock, for_each_authority


@shared_task(name="workflows.sessions.forget")
def forget() -> None:
    """Each hour: ring for every authority."""
    for_each_authority(forget_one)


@shared_task(name="workflows.sessions.forget_one", base=AuthorityTask)
def forget_one(*, authority: Authority) -> None:
    forget_what_ended(at=clock())
