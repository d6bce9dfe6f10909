"""The record of changes is sealed each minute, and the newest seal copied outside the database."""

from datetime import datetime

from celery import shared_task
from django.utils import timezone

from handrail.core.documents import store
from handrail.core.seals import keep_newest, seal
from tenants.routing import Authority
from workflows.per_authority import AuthorityTask, for_each_authority


@shared_task
def seal_all() -> int:
    """Ring for every authority to seal what was recorded."""
    return for_each_authority(seal_for, at=timezone.now())


@shared_task(base=AuthorityTask)
def seal_for(*, authority: Authority, at: datetime) -> None:
    """Seal one authority's entries."""
    seal(at=at)


@shared_task
def keep_all() -> int:
    """Ring for every authority to copy its newest seal out."""
    return for_each_authority(keep_for)


@shared_task(base=AuthorityTask)
def keep_for(*, authority: Authority) -> None:
    """Copy one authority's newest seal out of the database."""
    keep_newest(store())
