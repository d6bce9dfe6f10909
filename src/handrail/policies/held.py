"""What an authority held on file about its schools' policies before Handrail: written for many policies at once, and
taken back. However many there are, they take the same few statements.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max

from handrail.core import audit
from handrail.core.earlier import keep
from handrail.core.models import AuthoritySettings
from handrail.policies.actions import check_day, differs, web_address
from handrail.policies.cycle import next_review
from handrail.policies.models import Policy, PolicyReview, PolicyVersion
from tenants.database import execute_count

LEAD = ("lead_name", "lead_email")
HISTORY = ("last_reviewed_on", "next_review_on", "is_inherited")
REVIEW = "reviewed_on"
"""The column that stands for the whole of a review."""

AS_HELD = "As held by the local authority."
"""What is noted as changed when a policy's history begins with what the authority had on file."""


@dataclass(frozen=True)
class Held:
    """What is known about one policy; None where nothing is, and then what is there stays."""

    lead_name: str | None = None
    lead_email: str | None = None
    reviewed_on: date | None = None
    published_url: str | None = None


@dataclass(frozen=True)
class Before:
    """What taking back needs to know of one policy: what was there, what it became, and the review that was made."""

    was: dict[str, Any]
    became: dict[str, Any]
    review_id: UUID | None = None


@dataclass
class _Changes:
    """The changed columns of each policy, and what they are to be remembered by."""

    columns: dict[Policy, list[str]] = field(default_factory=dict)
    verbs: dict[str, list[audit.Subject]] = field(default_factory=dict)
    published: list[UUID] = field(default_factory=list)
    was: list[tuple[Policy, dict[str, Any]]] = field(default_factory=list)

    def note(self, verb: str, policy: Policy, fields: list[str], columns: Iterable[str] = ()) -> None:
        self.columns.setdefault(policy, []).extend(columns or fields)
        self.verbs.setdefault(verb, []).append(audit.Subject(policy.id, policy.school_id, fields))

    def lead(self, policy: Policy, wanted: Mapping[str, Any]) -> None:
        if was := differs(policy, {name: wanted[name] for name in LEAD if wanted.get(name) is not None}):
            self.was.append((policy, was))
            self.note("changed who is responsible for a policy", policy, list(was))

    def address(self, policy: Policy, wanted: str | None) -> None:
        if wanted is not None and (was := differs(policy, {"published_url": web_address(wanted)})):
            self.was.append((policy, was))
            self.note("changed where a policy is published", policy, ["published_url"])
            self.published.append(policy.id)

    def write(self, *, by: audit.Actor, at: datetime) -> None:
        keep(self.was, at=at)
        Policy.objects.save_changed(self.columns.items())
        execute_count(
            """UPDATE policies_policyversion v SET published_url = p.published_url FROM policies_policy p
               WHERE p.id = v.policy_id AND v.is_current AND p.id = ANY(%s)""",
            [self.published],
        )
        for verb, subjects in self.verbs.items():
            audit.record_each(verb, subjects, by=by, at=at, subject_kind="policy")


@transaction.atomic
def write_held(held: Mapping[UUID, Held], *, by: audit.Actor, at: datetime) -> dict[UUID, Before]:
    """Write what was held on file about policies, by policy's id. Gives what taking it back will need.

    A day of review begins a policy's history: a new policy, reviewed on that day, and to be reviewed again after the
    authority's number of months. Doing it twice changes nothing.

    Raises ReviewInFuture, ReviewBeforeLast, NotAWebAddress.
    """
    policies = _locked(held)
    months = AuthoritySettings.load().review_months
    begun = set(
        PolicyReview.objects.filter(policy_id__in=policies, outcome=PolicyReview.Outcome.NEW).values_list(
            "policy_id", "reviewed_on"
        )
    )
    of_policies = PolicyVersion.objects.filter(policy_id__in=policies).order_by()
    numbers = dict(of_policies.values_list("policy_id").annotate(Max("number")))
    changes = _Changes()
    before: dict[UUID, Before] = {}
    versions: list[PolicyVersion] = []
    reviews: list[PolicyReview] = []
    for policy_id, known in held.items():
        policy = policies[policy_id]
        was = {name: getattr(policy, name) for name in (*LEAD, "published_url", *HISTORY)}
        became = {name: value for name, value in vars(known).items() if value is not None}
        before[policy_id] = Before(was, became)
        changes.lead(policy, became)
        if known.reviewed_on is None:
            changes.address(policy, known.published_url)
        elif (policy_id, known.reviewed_on) not in begun:
            check_day(policy, known.reviewed_on, at=at)
            changes.was.append((policy, {"published_url": policy.published_url}))
            if known.published_url:
                policy.published_url = web_address(known.published_url)
            policy.last_reviewed_on, policy.is_inherited = known.reviewed_on, False
            policy.next_review_on = next_review(policy.kind, reviewed_on=known.reviewed_on, months=months)
            changes.note("recorded a review", policy, ["reviews"], ("published_url", *HISTORY))
            version = PolicyVersion(
                policy=policy,
                number=numbers.get(policy_id, 0) + 1,
                published_url=policy.published_url,
                change_note=AS_HELD,
                made_at=at,
                made_by=by.actor_id,
            )
            review = PolicyReview(
                policy=policy,
                reviewed_on=known.reviewed_on,
                outcome=PolicyReview.Outcome.NEW,
                changed=AS_HELD,
                next_review_on=policy.next_review_on,
                version=version,
                recorded_at=at,
                recorded_by=by.actor_id,
                recorded_by_name=by.actor_name,
            )
            before[policy_id] = Before(was, became, review.id)
            versions.append(version)
            reviews.append(review)
    of_policies.filter(policy_id__in=[each.policy_id for each in versions], is_current=True).update(is_current=False)
    PolicyVersion.objects.bulk_create(versions)
    PolicyReview.objects.bulk_create(reviews)
    changes.write(by=by, at=at)
    return before


@transaction.atomic
def take_back_held(before: Mapping[UUID, Before], *, by: audit.Actor, at: datetime) -> dict[UUID, list[str]]:
    """Undo `write_held`, as far as nobody has changed anything since. Gives by policy the columns that were left.

    A review is taken back with its version, and the dates of before return; it is left when a review, an approval, a
    document or a version has been recorded since.
    """
    policies = _locked(before)
    made = PolicyReview.objects.filter(id__in=[each.review_id for each in before.values() if each.review_id])
    reviews = {review.policy_id: review for review in made.select_related("version")}
    of_policies = PolicyReview.objects.filter(policy_id__in=policies).order_by()
    newest = dict(of_policies.values_list("policy_id").annotate(Max("recorded_at")))
    changes = _Changes()
    left: dict[UUID, list[str]] = {}
    gone: list[PolicyReview] = []
    for policy_id, each in before.items():
        policy, review = policies[policy_id], reviews.get(policy_id)
        same = [name for name in each.became if name != REVIEW and getattr(policy, name) == each.became[name]]
        left[policy_id] = [name for name in each.became if name != REVIEW and name not in same]
        if review and _is_touched(review, newest[policy_id]):
            left[policy_id].insert(0, REVIEW)
        elif review:
            gone.append(review)
            changes.was.append((policy, {"published_url": policy.published_url}))
            for name in HISTORY:
                setattr(policy, name, each.was[name])
            changes.note("took back a starting point", policy, ["reviews"], HISTORY)
        changes.address(policy, each.was["published_url"] if "published_url" in same else None)
        changes.lead(policy, {name: each.was[name] for name in same if name in LEAD})
    execute_count("DELETE FROM policies_policyreview WHERE id = ANY(%s)", [[each.id for each in gone]])
    execute_count("DELETE FROM policies_policyversion WHERE id = ANY(%s)", [[each.version_id for each in gone]])
    execute_count(
        """UPDATE policies_policyversion v SET is_current = true WHERE policy_id = ANY(%s)
           AND number = (SELECT max(number) FROM policies_policyversion WHERE policy_id = v.policy_id)""",
        [[each.policy_id for each in gone]],
    )
    changes.write(by=by, at=at)
    return left


def _locked(ids: Iterable[UUID]) -> dict[UUID, Policy]:
    """The policies, locked, always in the same order, so that two who change many do not wait for each other."""
    found = Policy.objects.filter(id__in=ids).order_by("id").select_for_update()
    return {policy.id: policy for policy in found}


def _is_touched(review: PolicyReview, newest_at: datetime) -> bool:
    """Whether anything was recorded after the review that builds on it."""
    version = review.version
    return (
        version is None
        or not version.is_current
        or version.document_id is not None
        or version.approved_on is not None
        or newest_at > review.recorded_at
    )
