"""The product's own worker, with tasks that fail with a child in their hands."""

from celery import shared_task

from workflows.app import app  # isort: skip - it sets up what the others need
from telemetry.failing import FAULTS, log, simply

from handrail.schools.models import School
from tenants.context import inside
from tenants.routing import Authority
from workflows.per_authority import AuthorityTask, UnboundTask

__all__ = ["app"]


@shared_task(base=AuthorityTask)
def fail_inside(*, authority: Authority, how: str, child: str) -> None:
    FAULTS[how][0]()


@shared_task(base=UnboundTask)
def fail_between_doors(*, authority: Authority, child: str) -> None:
    with inside(authority):
        School.objects.count()
    log.error("a notice was not sent")
    simply()


@shared_task
def fail_for_nobody(*, child: str) -> None:
    simply()
