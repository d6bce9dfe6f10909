"""Every write about policies."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import BinaryIO
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max

from handrail.core import audit
from handrail.core.calendar import day_of
from handrail.core.documents import keep_given
from handrail.core.earlier import keep
from handrail.core.models import AuthoritySettings, Document
from handrail.policies.cycle import INTERIM, LONGEST_MONTHS, YEARLY, latest_next_review, next_review
from handrail.policies.models import SCHOOL_KINDS, WEB_ADDRESS, Kind, Policy, PolicyReview, PolicyVersion
from tenants.database import execute_count

Outcome = PolicyReview.Outcome


class Refused(ValueError):
    """What was asked cannot be done; the message says why in words for the person."""


class ReviewInFuture(Refused):
    """The day of the review has not come yet."""


class ReviewBeforeLast(Refused):
    """A later review has been recorded already."""


class NextReviewNotAfterReview(Refused):
    """The next review would not come after this one."""


class NextReviewTooLate(Refused):
    """The next review would come later than any policy may wait."""


class ApprovalInFuture(Refused):
    """The day of the approval has not come yet."""


class NothingToApprove(Refused):
    """Nothing has been recorded about the policy that a body could have approved."""


class NotAWebAddress(Refused):
    """People could not follow it to the policy, or it would do something else than lead there."""


class ReasonMissing(Refused):
    """A decision that a policy is not needed has to say why."""


@transaction.atomic
def open_policies(*, on: date, at: datetime) -> int:
    """Make the missing policies: the three kinds of every school open on the day `on`, whatever its body, and the
    authority's own section 19 policy. One statement; a second run makes none. Gives the number made.
    """
    made = execute_count(
        """INSERT INTO policies_policy (id, school_id, kind, lead_name, lead_email, link_governor, published_url,
                                        not_needed_reason, is_inherited)
           SELECT gen_random_uuid(), school_id, kind, '', '', '', '', '', false FROM (
               SELECT s.id, k.kind FROM schools_school s CROSS JOIN unnest(%(kinds)s::text[]) AS k(kind)
               WHERE s.closed_on IS NULL OR s.closed_on > %(on)s
               UNION ALL SELECT NULL, %(own)s
           ) AS wanted(school_id, kind)
           ON CONFLICT DO NOTHING""",
        {"kinds": [str(kind) for kind in SCHOOL_KINDS], "on": on, "own": str(Kind.SECTION_19)},
    )
    if made:
        audit.record("opened policies", by=audit.CLOCK, at=at, subject_kind="policy")
    return made


@transaction.atomic
def record_review(
    *,
    policy: Policy,
    by: audit.Actor,
    at: datetime,
    reviewed_on: date,
    outcome: str,
    involved: Sequence[str] = (),
    changed: str = "",
    next_review_on: date | None = None,
    published_url: str | None = None,
    document: Document | None = None,
) -> tuple[PolicyReview, bool]:
    """Record a review of a policy, and give it with whether it is new.

    A review of the same policy, day and outcome that is there already is given back and nothing changes. One still
    in progress moves no date. Any other sets when the policy was last reviewed and when it is to be next: the
    authority's number of months later unless `next_review_on` says otherwise, and for allergy safety never more
    than 12 months later whatever is asked (CFA-100A). *Updated* and *new* make a new version. *No change* keeps the
    current one; a document fills its empty place, and makes a new version where another document has it.
    `published_url` is left as it is unless given. Only a new policy is no longer inherited; an approval does the same.

    Raises ReviewInFuture, ReviewBeforeLast, NextReviewNotAfterReview, NextReviewTooLate, NotAWebAddress.
    """
    # Two taps on one button wait for each other here; the second then finds the first one's review.
    policy = Policy.objects.select_for_update().get(id=policy.id)
    same = policy.reviews.filter(reviewed_on=reviewed_on, outcome=outcome).first()
    if same:
        return same, False
    check_day(policy, reviewed_on, at=at)
    review = PolicyReview(
        policy=policy,
        reviewed_on=reviewed_on,
        outcome=outcome,
        involved=list(involved),
        changed=changed,
        recorded_at=at,
        recorded_by=by.actor_id,
        recorded_by_name=by.actor_name,
    )
    if outcome != Outcome.IN_PROGRESS:
        review.next_review_on = _next_review(policy, reviewed_on=reviewed_on, asked=next_review_on)
        # Nothing else says whether a review changed the address.
        keep([(policy, {"published_url": policy.published_url})], at=at)
        if published_url is not None:
            policy.published_url = web_address(published_url)
        review.version = _version(policy, outcome=outcome, changed=changed, document=document, by=by, at=at)
        policy.last_reviewed_on, policy.next_review_on = reviewed_on, review.next_review_on
        policy.is_inherited = policy.is_inherited and outcome != Outcome.NEW
        policy.save()
    review.save(force_insert=True)
    _record("recorded a review", policy, by=by, at=at, fields=["reviews"])
    return review, True


@transaction.atomic
def ask_interim_review(*, policy: Policy, by: audit.Actor, at: datetime) -> tuple[PolicyReview, bool] | None:
    """Ask for a review within two weeks of today; give what the history keeps of it, with whether it is new.

    The next review moves forward, never back. Of a policy on which nothing was ever recorded the first review is due
    anyway, so only the asking is kept. Asking twice on a day changes nothing, nor does asking of one not needed: that
    gives nothing. Why the school asks is for the school to know: the authority reads the history too.
    """
    policy = Policy.objects.select_for_update(of=("self",)).select_related("school").get(id=policy.id)
    if not policy.is_needed:
        return None
    today = day_of(at)
    if policy.next_review_on and today + INTERIM < policy.next_review_on:
        policy.next_review_on = today + INTERIM
        policy.save(update_fields=["next_review_on"])
    review, is_new = PolicyReview.objects.get_or_create(
        policy=policy,
        reviewed_on=today,
        outcome=Outcome.ASKED,
        defaults={
            "next_review_on": policy.next_review_on,
            "recorded_at": at,
            "recorded_by": by.actor_id,
            "recorded_by_name": by.actor_name,
        },
    )
    if is_new:
        _record("asked for an interim review", policy, by=by, at=at, fields=["next_review_on"])
    return review, is_new


@transaction.atomic
def approve_version(
    *, policy: Policy, by: audit.Actor, at: datetime, approved_by: str, approved_on: date, minute_reference: str = ""
) -> PolicyVersion:
    """Record which body approved the current version, on which day and under which minute.

    An inherited policy that is approved is the school's own from then on; without a version of its own it gets its
    first. Raises ApprovalInFuture, and NothingToApprove when no review was ever recorded.
    """
    policy = Policy.objects.select_for_update().get(id=policy.id)
    if approved_on > day_of(at):
        raise ApprovalInFuture("Date of approval must be today or in the past")
    if policy.last_reviewed_on is None:
        raise NothingToApprove("Record a review of this policy before its approval")
    version = policy.versions.filter(is_current=True).first() or _new_version(policy, by=by, at=at)
    approval = {"approved_by": approved_by, "approved_on": approved_on, "minute_reference": minute_reference}
    if was := differs(version, approval):
        keep([(version, approval | was)], at=at)  # all of it, for it is recorded as one
        version.save(update_fields=list(approval))
        _record("recorded an approval", policy, by=by, at=at, fields=list(approval))
    if policy.is_inherited:
        policy.is_inherited = False
        policy.save(update_fields=["is_inherited"])
    return version


@transaction.atomic
def publish(*, policy: Policy, by: audit.Actor, at: datetime, published_url: str) -> None:
    """Note at which address people can read the policy; empty when it is not on a website. Raises NotAWebAddress."""
    policy = Policy.objects.select_for_update().get(id=policy.id)
    if was := differs(policy, {"published_url": web_address(published_url)}):
        keep([(policy, was)], at=at)
        policy.save(update_fields=["published_url"])
        policy.versions.filter(is_current=True).update(published_url=published_url)
        _record("changed where a policy is published", policy, by=by, at=at, fields=["published_url"])


@transaction.atomic
def set_details(
    *, policy: Policy, by: audit.Actor, at: datetime, lead_name: str, lead_email: str, link_governor: str
) -> None:
    """Name the policy's lead, who is reminded, and the governor linked to it."""
    policy = Policy.objects.select_for_update().get(id=policy.id)
    wanted = {"lead_name": lead_name, "lead_email": lead_email, "link_governor": link_governor}
    if was := differs(policy, wanted):
        keep([(policy, was)], at=at)
        policy.save(update_fields=was)
        _record("changed who is responsible for a policy", policy, by=by, at=at, fields=list(was))


@transaction.atomic
def decide_not_needed(*, policy: Policy, by: audit.Actor, at: datetime, reason: str) -> None:
    """Decide that this policy is not needed here, and why. Its history stays. Raises ReasonMissing."""
    policy = Policy.objects.select_for_update().get(id=policy.id)
    if not reason.strip():
        raise ReasonMissing("Enter why this policy is not needed")
    if differs(policy, {"not_needed_reason": reason.strip()}):
        policy.save(update_fields=["not_needed_reason"])
        _record("decided a policy is not needed", policy, by=by, at=at, fields=["not_needed_reason"])


@transaction.atomic
def needed_again(*, policy: Policy, by: audit.Actor, at: datetime) -> None:
    """Take back the decision that this policy is not needed. Its dates count again as they were."""
    policy = Policy.objects.select_for_update().get(id=policy.id)
    if differs(policy, {"not_needed_reason": ""}):
        policy.save(update_fields=["not_needed_reason"])
        _record("decided a policy is needed again", policy, by=by, at=at, fields=["not_needed_reason"])


@transaction.atomic
def inherit_history(*, predecessor: UUID, successor: UUID, by: audit.Actor, on: date, at: datetime) -> int:
    """Carry the policies of a school that converted over to the school it became: dates, people, address and the
    current document, marked as inherited until they are approved anew. And whom the old school told of one, and when:
    the year goes on.

    The old school keeps its rows and all their history. A policy about which the new school has recorded anything
    itself is left alone, so a second run changes nothing. `predecessor` and `successor` are schools' ids. Gives the
    number of policies carried.
    """
    open_policies(on=on, at=at)
    before = list(Policy.objects.filter(school=successor, last_reviewed_on=None))
    carried = execute_count(
        """UPDATE policies_policy AS new
           SET lead_name = old.lead_name, lead_email = old.lead_email, link_governor = old.link_governor,
               published_url = old.published_url, last_reviewed_on = old.last_reviewed_on,
               next_review_on = old.next_review_on, is_inherited = true
           FROM policies_policy AS old
           WHERE old.school_id = %(old)s AND new.school_id = %(new)s AND old.kind = new.kind
             AND old.last_reviewed_on IS NOT NULL AND new.last_reviewed_on IS NULL""",
        {"old": predecessor, "new": successor},
    )
    told = execute_count(
        """INSERT INTO policies_communication (id, policy_id, audience, told_on, due_on, how, recorded_at, recorded_by,
                                               recorded_by_name)
           SELECT gen_random_uuid(), new.id, audience, told_on, due_on, how, %(at)s, recorded_by, recorded_by_name
           FROM policies_communication AS given
           JOIN policies_policy AS old ON old.id = given.policy_id
           JOIN policies_policy AS new ON new.kind = old.kind AND new.school_id = %(new)s
           WHERE old.school_id = %(old)s
           ON CONFLICT DO NOTHING""",
        {"old": predecessor, "new": successor, "at": at},
    )
    if not carried and not told:
        return 0
    keep(((each, {name: getattr(each, name) for name in Policy.TOLD_LATER}) for each in before), at=at)
    execute_count(
        """INSERT INTO policies_policyversion (id, policy_id, number, is_current, document_id, published_url,
                                               approved_by, minute_reference, change_note, made_at)
           SELECT gen_random_uuid(), new.id, 1, true, held.document_id, held.published_url, '', '', '', %(at)s
           FROM policies_policyversion AS held
           JOIN policies_policy AS old ON old.id = held.policy_id AND held.is_current
           JOIN policies_policy AS new ON new.kind = old.kind AND new.is_inherited
           WHERE old.school_id = %(old)s AND new.school_id = %(new)s
           ON CONFLICT DO NOTHING""",
        {"old": predecessor, "new": successor, "at": at},
    )
    audit.record(
        "carried policies over at a conversion",
        by=by,
        at=at,
        subject_kind="school",
        subject_id=successor,
        school_id=successor,
        fields=[*(["policies"] if carried else []), *(["communications"] if told else [])],
    )
    return carried


@transaction.atomic
def keep_document(*, policy: Policy, by: audit.Actor, at: datetime, file: BinaryIO, name: str) -> Document:
    """Keep a file that somebody gives us about a policy; a review attaches it to a version, or nothing ever does.

    Raises UnusableFile, StoreUnavailable.
    """
    document = keep_given(file, name=name, by=by, at=at)
    _record("uploaded a document", policy, by=by, at=at, fields=["document"])
    return document


def check_day(policy: Policy, reviewed_on: date, *, at: datetime) -> None:
    """See that a finished or begun review may have happened on this day. Raises ReviewInFuture, ReviewBeforeLast."""
    if reviewed_on > day_of(at):
        raise ReviewInFuture("Date of review must be today or in the past")
    if policy.last_reviewed_on and reviewed_on < policy.last_reviewed_on:
        raise ReviewBeforeLast("Date of review must be on or after the last one recorded")


def web_address(text: str) -> str:
    """The address, or blank, if a link may lead there. Raises NotAWebAddress."""
    try:
        if text:
            WEB_ADDRESS(text)
    except ValidationError as error:
        raise NotAWebAddress(str(error.message)) from error
    return text


def _next_review(policy: Policy, *, reviewed_on: date, asked: date | None) -> date:
    latest = latest_next_review(policy.kind, reviewed_on=reviewed_on)
    if asked is None:
        months = AuthoritySettings.load().review_months
        return next_review(policy.kind, reviewed_on=reviewed_on, months=months)
    if asked <= reviewed_on:
        raise NextReviewNotAfterReview("Date of next review must be after the date of review")
    if policy.kind in YEARLY:
        return min(asked, latest)
    if asked > latest:
        raise NextReviewTooLate(f"Date of next review must be within {LONGEST_MONTHS} months of the review")
    return asked


def _version(
    policy: Policy, *, outcome: str, changed: str, document: Document | None, by: audit.Actor, at: datetime
) -> PolicyVersion:
    """The version that a finished review leaves current."""
    current = policy.versions.filter(is_current=True).first()
    if outcome != Outcome.NO_CHANGE or current is None or (document and current.document_id):
        return _new_version(policy, changed=changed, document=document, by=by, at=at)
    current.document = document or current.document
    current.published_url = policy.published_url
    current.save(update_fields=["document", "published_url"])
    return current


def _new_version(
    policy: Policy, *, by: audit.Actor, at: datetime, changed: str = "", document: Document | None = None
) -> PolicyVersion:
    policy.versions.filter(is_current=True).update(is_current=False)
    last = policy.versions.aggregate(last=Max("number"))["last"] or 0
    return PolicyVersion.objects.create(
        policy=policy,
        number=last + 1,
        document=document,
        published_url=policy.published_url,
        change_note=changed,
        made_at=at,
        made_by=by.actor_id,
    )


def differs(row: Policy | PolicyVersion, wanted: Mapping[str, object]) -> dict[str, object]:
    """Set the wanted values on the row; give what was there of those that were not so before, by name."""
    was = {name: getattr(row, name) for name, value in wanted.items() if getattr(row, name) != value}
    for name in was:
        setattr(row, name, wanted[name])
    return was


def _record(verb: str, policy: Policy, *, by: audit.Actor, at: datetime, fields: list[str]) -> None:
    audit.record(
        verb,
        by=by,
        at=at,
        subject_kind="policy",
        subject_id=policy.id,
        school_id=policy.school_id,
        fields=fields,
    )
