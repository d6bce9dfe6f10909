"""Every write about what is seen at the addresses of policies. The rows are the queue: the clock looks at what is due.

A worker holds an address for a while (`lease_until`). What it writes is refused when that is not its lease any more.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F

from handrail.core import audit
from handrail.policies.models import MISSING_AFTER, Outcome, WebsiteCheck
from handrail.policies.reminders import watched
from handrail.policies.website import Seen
from tenants.database import execute, execute_count, require_bound, take_turn

LEASE = timedelta(minutes=5)
AGAIN, AGAIN_AFTER_FAILURE = MISSING_AFTER, MISSING_AFTER / 2
"""So that the third failure comes a week after the first."""

BETWEEN_TWO, BETWEEN_TWO_AT_MOST = timedelta(minutes=1), timedelta(hours=1)
"""How long a host is left alone after a look, and if its robots.txt asks for more."""

UNFINISHED_AT_MOST = 3
"""Looks at one address that no worker lived to finish, before it is left alone until it changes."""


@dataclass(frozen=True)
class Claim:
    """An address that this worker has in hand."""

    id: UUID
    url: str
    lease_until: datetime


@transaction.atomic
def follow_addresses(*, at: datetime) -> None:
    """Have each address looked at at which a needed policy is published, a new one from the moment `at` on. What was
    seen at an address where it is not published any more is forgotten.
    """
    _one_at_a_time()
    published = watched().exclude(published_url="").order_by()
    WebsiteCheck.objects.exclude(policy__in=published, url=F("policy__published_url")).delete()
    rows, parameters = published.values_list("id", "published_url").query.sql_with_params()
    execute_count(
        f"""INSERT INTO policies_websitecheck (id, policy_id, url, host, due_at)
            SELECT gen_random_uuid(), id, url, coalesce(lower(substring(url from '//([^/?#]*)')), ''), %s
            FROM ({rows}) found (id, url)
            ON CONFLICT DO NOTHING""",
        [at, *parameters],
    )


@transaction.atomic
def claim(*, at: datetime) -> Claim | None:
    """Take the address in hand that has waited longest, of a host that no other worker is at, of this authority or of
    another. Look before the next door is opened: the turn at the host ends with it.
    """
    _one_at_a_time()
    held = WebsiteCheck.objects.filter(lease_until__gt=at)
    waiting = WebsiteCheck.objects.filter(due_at__lte=at, unfinished__lt=UNFINISHED_AT_MOST)
    waiting = waiting.exclude(host__in=held.values("host")).order_by("due_at", "id")
    check = waiting.first()
    while check and not take_turn_at(check.host):
        waiting = waiting.exclude(host=check.host)
        check = waiting.first()
    if check is None:
        return None
    check.lease_until, check.unfinished = at + LEASE, check.unfinished + 1
    check.save(update_fields=["lease_until", "unfinished"])
    return Claim(check.id, check.url, check.lease_until)


@transaction.atomic
def note(claim: Claim, seen: Seen, *, at: datetime) -> bool:
    """Write what came of a look, when the address is to be looked at again, and leave its host alone for a while.

    Gives whether it was written: not when the lease has gone to another worker, or the policy to another address.
    """
    _one_at_a_time()
    held = WebsiteCheck.objects.filter(id=claim.id, lease_until=claim.lease_until)
    check: WebsiteCheck | None = held.select_related("policy").first()
    if check is None:
        return False
    was_missing = check.is_missing
    check.lease_until, check.unfinished, check.looked_at = None, 0, at
    check.outcome, check.why, check.status = seen.outcome, seen.why[:200], seen.status
    if seen.outcome == Outcome.FOUND:
        if check.digest not in ("", seen.digest):
            check.changed_at = at
            _record("found that a published policy had changed", check, at=at)
        check.digest, check.content_type, check.seen_at = seen.digest, seen.content_type, at
        check.failures, check.failing_since = 0, None
    elif seen.outcome == Outcome.NOT_FOUND:
        check.failures, check.failing_since = check.failures + 1, check.failing_since or at
        if check.is_missing and not was_missing:
            _record("could not find a published policy", check, at=at)
    else:
        check.failures, check.failing_since = 0, None  # whether it is there, nobody knows
    check.due_at = at + (AGAIN_AFTER_FAILURE if check.failures else AGAIN)
    check.save()
    until = at + max(BETWEEN_TWO, min(timedelta(seconds=min(seen.pause, 86400)), BETWEEN_TWO_AT_MOST))
    WebsiteCheck.objects.filter(host__in=[check.host, *seen.hosts], due_at__lt=until).update(due_at=until)
    return True


@transaction.atomic
def put_off(claim: Claim, *, at: datetime) -> None:
    """Give an address back that leads to a host at which somebody else is, to be looked at a little later."""
    held = WebsiteCheck.objects.filter(id=claim.id, lease_until=claim.lease_until)
    held.update(lease_until=None, unfinished=0, due_at=at + BETWEEN_TWO)


def take_turn_at(host: str) -> bool:
    """Whether nobody else is at a host, of this authority or of another. Then it is ours until the next door."""
    return take_turn(f"website {host}")


def _one_at_a_time() -> None:
    execute("SELECT pg_advisory_xact_lock(hashtext(%s), hashtext('website'))", [str(require_bound().id)])


def _record(verb: str, check: WebsiteCheck, *, at: datetime) -> None:
    policy = check.policy
    audit.record(verb, by=audit.CLOCK, at=at, subject_kind="policy", subject_id=policy.id, school_id=policy.school_id)
