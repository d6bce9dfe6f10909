"""Each night every school's pack of emergency pages is made anew.

A school's is finished and kept before the next is begun, each in its own transaction: whoever kills the worker costs
the one it was at, and another worker makes that when its lease has ended.
"""

import logging
from collections.abc import Callable
from datetime import datetime

from celery import shared_task
from django.utils import timezone

from handrail.core import vault
from handrail.core.calendar import day_of
from handrail.packs import actions
from tenants.context import inside
from tenants.routing import Authority
from workflows.per_authority import UnboundTask, for_each_authority

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]

AT_ONCE = 200
"""Packs that one ring makes: about a minute and a half, so that other work is not kept waiting."""


@shared_task
def make_packs() -> int:
    """Ring for every authority."""
    return for_each_authority(make_packs_of)


@shared_task(base=UnboundTask)
def make_packs_of(*, authority: Authority) -> None:
    """Make the packs of one authority that are not made yet today."""
    work_on_packs(authority)


def work_on_packs(authority: Authority, *, now: Clock = timezone.now) -> int:
    """Ask for the day's packs and make those that wait; give how many. One that fails leaves the others alone."""
    made = 0
    try:
        with inside(authority):
            vault.require_open()
            actions.ask_for_packs(on=day_of(now()), at=now())
        for _ in range(AT_ONCE):
            with inside(authority):
                mine = actions.claim(at=now())
            if mine is None:
                break
            made += make(authority, mine, now)
    except vault.VaultClosed:
        log.warning("the packs of authority %s wait: the vault is closed", authority.code)
    return made


def make(authority: Authority, mine: actions.Claim, now: Clock) -> bool:
    """Make one pack; give whether it was made. What breaks is tried again when its lease has ended."""
    try:
        with inside(authority):
            actions.make(mine, at=now())
    except actions.LeaseLost:
        log.warning("another worker has pack %s in hand", mine.id)
    except vault.VaultClosed:
        raise
    except Exception:
        log.exception("pack %s of authority %s failed", mine.id, authority.code)
    else:
        return True
    return False
