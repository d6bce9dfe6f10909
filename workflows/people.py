"""Invitations that nobody took up end by themselves."""

from celery import shared_task

from handrail.people.actions import end_unused
from tenants.routing import Authority
from workflows.per_authority import AuthorityTask, clock, for_each_authority


@shared_task(name="workflows.people.end_unused")
def end_unused_everywhere() -> None:
    """Each hour: ring for every authority."""
    for_each_authority(end_unused_in)


@shared_task(name="workflows.people.end_unused_in", base=AuthorityTask)
def end_unused_in(*, authority: Authority) -> None:
    end_unused(at=clock())
