"""How policies stood at the end of a day that may be long past, from what had been recorded by then.

Reviews and versions say when they were recorded. Of what is changed in its row (an address, a lead, an approval) what
it said before is kept (core/earlier.py); where something was changed before anything was kept, that is said. What
counted as due soon is the authority's setting of that day, as far as it was kept.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.db.models import Q

from handrail.core.calendar import beginning_of
from handrail.core.earlier import CHANGED_SINCE, Past, Until
from handrail.core.models import AuditEntry, AuthoritySettings
from handrail.core.status import Status, status_of
from handrail.policies.models import Policy, PolicyReview, PolicyVersion
from handrail.schools.models import School

FINISHED = (PolicyReview.Outcome.NO_CHANGE, PolicyReview.Outcome.UPDATED, PolicyReview.Outcome.NEW)
NOT_NEEDED, NEEDED_AGAIN = "decided a policy is not needed", "decided a policy is needed again"
PUBLISHED, TAKEN_BACK = "changed where a policy is published", "took back a starting point"
APPROVED, CARRIED = "recorded an approval", "carried policies over at a conversion"


class Approval(NamedTuple):
    """Of a version, as it had been recorded. CHANGED_SINCE stands for its body where it is not known any more."""

    approved_by: str
    approved_on: date | None = None
    minute_reference: str = ""


class Change(NamedTuple):
    """What the record of changes knows of one."""

    verb: str
    at: datetime
    fields: list[str]


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
    approval: Approval | None
    published_url: str
    lead: str


def as_at(policies: Iterable[Policy], *, on: date) -> list[Then]:
    """Each of these policies at the end of the day `on`. Four questions to the database, however many."""
    policies = list(policies)
    ids, until = [each.id for each in policies], beginning_of(on + timedelta(days=1))
    reviews: dict[UUID, list[PolicyReview]] = {}
    for review in PolicyReview.objects.filter(policy__in=ids).order_by("recorded_at"):
        reviews.setdefault(review.policy_id, []).append(review)
    versions: dict[UUID, list[PolicyVersion]] = {}
    for version in PolicyVersion.objects.filter(policy__in=ids).select_related("document").order_by("number"):
        versions.setdefault(version.policy_id, []).append(version)
    of_schools = {each.school_id for each in policies if each.school_id}
    subjects = Q(subject_kind="policy", subject_id__in=ids) | Q(subject_kind="school", subject_id__in=of_schools)
    changes: dict[UUID | None, list[Change]] = {}
    found = AuditEntry.objects.filter(subjects, Q(at__gte=until) | Q(verb=APPROVED)).order_by("at", "id")
    for subject_id, *change in found.values_list("subject_id", "verb", "at", "fields"):
        changes.setdefault(subject_id, []).append(Change._make(change))
    settings = AuthoritySettings.load()
    of_versions = (each.id for found in versions.values() for each in found)
    past = Past([settings.id, *ids, *of_schools, *of_versions], at=until)
    days = int(past.said(settings, "due_soon_days", changed_at=()))
    return [
        _Told(
            each, reviews.get(each.id, []), versions.get(each.id, []), changes.get(each.id, []),
            changes.get(each.school_id, []), past,
        ).then(on=on, due_soon_days=days)
        for each in policies
    ]  # fmt: skip


@dataclass(frozen=True)
class _Told:
    """A policy, and all that is known of its past."""

    policy: Policy
    reviews: list[PolicyReview]
    versions: list[PolicyVersion]
    changes: list[Change]
    of_school: list[Change]
    past: Past

    @property
    def until(self) -> datetime:
        return self.past.at

    def then(self, *, on: date, due_soon_days: int) -> Then:
        policy, version = self.policy, self.version
        recorded = [each for each in self.reviews if each.recorded_at < self.until]
        last = next((each for each in reversed(recorded) if each.outcome in FINISHED), None)
        moved = next((each for each in reversed(recorded) if each.next_review_on), None)
        has_changed = any(each.at >= self.until for each in self.changes)
        is_carried = not recorded and not has_changed and policy.is_inherited and version is not None
        last_on = last.reviewed_on if last else policy.last_reviewed_on if is_carried else None
        next_on = moved.next_review_on if moved else policy.next_review_on if is_carried else None
        return Then(
            policy=policy,
            status=status_of(next_on, on=on, due_soon_days=due_soon_days, is_needed=self._was_needed()),
            last_reviewed_on=last_on,
            next_review_on=next_on,
            reviewed_by=last.recorded_by_name if last else "",
            version=version,
            has_document=bool(version and version.document and version.document.added_at < self.until),
            approval=self._approval(version) if version else None,
            published_url=self._address(),
            lead=self._lead(),
        )

    @property
    def version(self) -> PolicyVersion | None:
        """The one that was current."""
        return next((each for each in reversed(self.versions) if each.made_at < self.until), None)

    @property
    def next_made_at(self) -> datetime | None:
        """When the version after that one was made."""
        return next((each.made_at for each in self.versions if each.made_at >= self.until), None)

    def _moments(self, *verbs: str, field: str = "") -> Iterator[datetime]:
        """When these things were done to the policy or its school; to the `field`, where one is given."""
        for each in (*self.changes, *self.of_school):
            if each.verb in verbs and (not field or field in each.fields):
                yield each.at

    def _was_needed(self) -> bool:
        """The first decision after the day tells how it had been before."""
        decided = (each.verb for each in self.changes if each.at >= self.until)
        first = next((verb for verb in decided if verb in (NOT_NEEDED, NEEDED_AGAIN)), None)
        return self.policy.is_needed if first is None else first == NOT_NEEDED

    def _address(self) -> str:
        """A version that was superseded keeps the address that it had."""
        superseded_at = self.next_made_at
        of_version = Until(superseded_at, self.version.published_url) if self.version and superseded_at else None
        reviewed = (each.recorded_at for each in self.reviews if each.outcome in FINISHED)
        changed_at = (*reviewed, *self._moments(PUBLISHED, TAKEN_BACK, CARRIED))
        return self.past.said(self.policy, "published_url", changed_at=changed_at, otherwise=of_version)

    def _lead(self) -> str:
        """The policy's own, else the school's."""
        changed = self._moments("changed who is responsible for a policy", field="lead_name")
        own = self.past.said(self.policy, "lead_name", changed_at=(*changed, *self._moments(CARRIED)))
        school: School | None = self.policy.school
        if own or school is None:
            return own
        changed = self._moments("changed a school's contacts", field="lead_name")
        return self.past.said(school, "lead_name", changed_at=changed)

    def _approval(self, version: PolicyVersion) -> Approval | None:
        """None had been recorded where the first came later."""
        superseded_at = self.next_made_at
        approved = (each for each in self._moments(APPROVED) if each >= version.made_at)
        recorded = [each for each in approved if superseded_at is None or each < superseded_at]
        by, on, minute = (self.past.said(version, name, changed_at=recorded) for name in PolicyVersion.TOLD_LATER)
        if CHANGED_SINCE in (by, on, minute):
            return Approval(CHANGED_SINCE) if recorded[0] < self.until else None
        return Approval(by, date.fromisoformat(on), minute) if on else None
