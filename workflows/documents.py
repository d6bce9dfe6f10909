"""The store holds nothing for ever that no row speaks of: what failed transactions and deletions left is swept."""

from datetime import datetime, timedelta
from itertools import islice

from celery import shared_task
from django.utils import timezone

from handrail.core.documents import folder_of, store, without_rows
from tenants.context import inside
from tenants.routing import Authority
from workflows.per_authority import UnboundTask, for_each_authority

MAY_STILL_GET_A_ROW = timedelta(days=1)
"""Bytes are stored before their row is committed; no transaction stays open for so long."""

AT_ONCE = 1_000


@shared_task
def sweep() -> int:
    """Ring for every authority."""
    return for_each_authority(sweep_one, at=timezone.now())


@shared_task(base=UnboundTask)
def sweep_one(*, authority: Authority, at: datetime) -> int:
    """Delete what one authority's folder holds without a row. Gives the number deleted.

    Rows are asked for after the store, so that what was put and committed meanwhile is not taken for left over.
    """
    kept, deleted = store(), 0
    keys = kept.keys(folder_of(authority.id))
    old = (key for key, put_at in keys if put_at < at - MAY_STILL_GET_A_ROW)
    while some := list(islice(old, AT_ONCE)):
        with inside(authority):
            left_over = without_rows(some)
        for key in left_over:
            kept.delete(key)
        deleted += len(left_over)
    return deleted
