"""How policies stood at the end of a day that may be long past, from what had been recorded by then.

Reviews and versions say when they were recorded. Of what is changed in its row (an address, a lead, an approval) the
record of changes says when that was: what has been changed since is not told as if it had been so then.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from handrail.core.calendar import beginning_of
from handrail.core.models import AuditEntry, AuthoritySettings
from handrail.core.status import Status, status_of
from handrail.policies.models import Policy, PolicyReview, PolicyVersion

FINISHED = (PolicyReview.Outcome.NO_CHANGE, PolicyReview.Outcome.UPDATED, PolicyReview.Outcome.NEW)
CHANGED_SINCE = "Changed since: not kept as it was"
NOT_NEEDED, NEEDED_AGAIN = "decided a policy is not needed", "decided a policy is needed again"


@dataclass(frozen=True)
class Then:
    """A policy as it stood."""

    policy: Policy
    status: Status
    last_reviewed_on: date | None
    next_review_on: date | None
    reviewed_by: str
    version: PolicyVersion | None
    has_document: bool
    approval: PolicyVersion | None
    """The version, if its approval had been recorded."""
    published_url: str
    lead: str


def as_at(policies: Iterable[Policy], *, on: date) -> list[Then]:
    """Each of these policies at the end of the day `on`. Three questions to the database, however many."""
    policies = list(policies)
    ids, until = [each.id for each in policies], beginning_of(on + timedelta(days=1))
    reviews: dict[UUID, list[PolicyReview]] = {}
    for review in PolicyReview.objects.filter(policy__in=ids, recorded_at__lt=until).order_by("recorded_at"):
        reviews.setdefault(review.policy_id, []).append(review)
    versions: dict[UUID, list[PolicyVersion]] = {}
    for version in PolicyVersion.objects.filter(policy__in=ids).select_related("document").order_by("number"):
        versions.setdefault(version.policy_id, []).append(version)
    since: dict[UUID | None, list[tuple[str, datetime]]] = {}
    changes = AuditEntry.objects.filter(subject_kind="policy", at__gte=until).order_by("at", "id")
    for policy_id, verb, at in changes.values_list("subject_id", "verb", "at"):
        since.setdefault(policy_id, []).append((verb, at))
    days = AuthoritySettings.load().due_soon_days
    return [
        _then(
            each, reviews.get(each.id, []), versions.get(each.id, []), since.get(each.id, []),
            on=on, until=until, due_soon_days=days,
        )
        for each in policies
    ]  # fmt: skip


def _then(
    policy: Policy,
    reviews: list[PolicyReview],
    versions: list[PolicyVersion],
    since: list[tuple[str, datetime]],
    *,
    on: date,
    until: datetime,
    due_soon_days: int,
) -> Then:
    last = next((each for each in reversed(reviews) if each.outcome in FINISHED), None)
    moved = next((each for each in reversed(reviews) if each.next_review_on), None)
    version = next((each for each in reversed(versions) if each.made_at < until), None)
    superseded_at = next((each.made_at for each in versions if each.made_at >= until), None)
    # What happened after the day to the version that was current then, and not to one that took its place.
    to_it = {verb for verb, at in since if superseded_at is None or at < superseded_at}
    is_carried = not reviews and not since and policy.is_inherited and version is not None
    last_on = last.reviewed_on if last else policy.last_reviewed_on if is_carried else None
    next_on = moved.next_review_on if moved else policy.next_review_on if is_carried else None
    return Then(
        policy=policy,
        status=status_of(next_on, on=on, due_soon_days=due_soon_days, is_needed=_was_needed(policy, since)),
        last_reviewed_on=last_on,
        next_review_on=next_on,
        reviewed_by=last.recorded_by_name if last else "",
        version=version,
        has_document=bool(version and version.document and version.document.added_at < until),
        approval=version if version and version.approved_on and "recorded an approval" not in to_it else None,
        published_url=_address(policy, version, to_it),
        lead=CHANGED_SINCE if "changed who is responsible for a policy" in dict(since) else _lead(policy),
    )


def _was_needed(policy: Policy, since: list[tuple[str, datetime]]) -> bool:
    """The first decision after the day tells how it had been before."""
    first = next((verb for verb, _ in since if verb in (NOT_NEEDED, NEEDED_AGAIN)), None)
    return policy.is_needed if first is None else first == NOT_NEEDED


def _address(policy: Policy, version: PolicyVersion | None, to_it: set[str]) -> str:
    if to_it & {"changed where a policy is published", "recorded a review", "took back a starting point"}:
        return CHANGED_SINCE
    return version.published_url if version else policy.published_url


def _lead(policy: Policy) -> str:
    return policy.lead_name or (policy.school.lead_name if policy.school else "")
