"""What happened at a school: changes, reviews and messages in one line of time."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import CharField, F, QuerySet, Value
from django.db.models.functions import Coalesce

from handrail.accounts.models import User
from handrail.core import audit
from handrail.core.jinja import long_date
from handrail.core.models import AuditEntry
from handrail.notices.models import Notice
from handrail.policies.models import Policy, PolicyReview
from handrail.schools.models import School

REVIEWED = "recorded a review"
"""The verb of the audit entry that stands beside each review; the review itself says more."""

Names = dict[Any, object]
"""What policies and people are called, by id."""

RECIPIENTS = {
    "lead": "the named lead",
    "head": "the headteacher",
    "office": "the school office",
    "administrator": "an administrator",
}


def happenings(school: School) -> QuerySet[Any, dict[str, Any]]:
    """What happened, newest first, as `what`, `id` and `moment`; `told` makes sentences of a page of it."""

    def dated(rows: QuerySet[Any], what: str, moment: Any) -> QuerySet[Any, dict[str, Any]]:
        return rows.order_by().values("id", what=Value(what, CharField()), moment=moment)

    return dated(
        AuditEntry.objects.filter(school_id=school.id).exclude(verb=REVIEWED), "entry", F("at")
    ).union(
        dated(PolicyReview.objects.filter(policy__school=school), "review", F("recorded_at")),
        dated(
            Notice.objects.filter(school_id=school.id).exclude(state=Notice.State.SUPPRESSED),
            "notice",
            Coalesce("ended_at", "owed_at"),
        ),
        all=True,
    ).order_by("-moment", "id")  # fmt: skip


def told(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each happening as `at`, `who`, `text` and perhaps a `note`. Five questions, however many rows."""
    rows = list(rows)
    ids: dict[str, list[UUID]] = {"entry": [], "review": [], "notice": []}
    for row in rows:
        ids[row["what"]].append(row["id"])
    entries = AuditEntry.objects.in_bulk(ids["entry"])
    reviews = PolicyReview.objects.select_related("policy").in_bulk(ids["review"])
    notices = Notice.objects.in_bulk(ids["notice"])
    subjects: set[Any] = {entry.subject_id for entry in entries.values()}
    for notice in notices.values():
        subjects |= {notice.subject_id, notice.sent_by}
    names: Names = {**Policy.objects.in_bulk(subjects), **User.objects.in_bulk(subjects)}
    found = []
    for row in rows:
        if row["what"] == "entry":
            said = _of_entry(entries[row["id"]], names)
        elif row["what"] == "review":
            said = _of_review(reviews[row["id"]])
        else:
            said = _of_notice(notices[row["id"]], names)
        moment: datetime = row["moment"]
        found.append({"at": moment, **said})
    return found


def _of_entry(entry: AuditEntry, names: Names) -> dict[str, Any]:
    subject = names.get(entry.subject_id)
    return {"who": entry.by_name, "text": f"{entry.verb[:1].upper()}{entry.verb[1:]}", "note": str(subject or "")}


def _of_review(review: PolicyReview) -> dict[str, Any]:
    then = f". Next review {long_date(review.next_review_on)}" if review.next_review_on else ""
    return {
        "who": review.recorded_by_name,
        "text": f"{review.policy}: {review.get_outcome_display().lower()}",
        "note": f"Date of review {long_date(review.reviewed_on)}{then}",
    }


def _of_notice(notice: Notice, names: Names) -> dict[str, Any]:
    policy = names.get(notice.subject_id)
    return {
        "who": str(names.get(notice.sent_by, audit.CLOCK.actor_name)),
        "text": f"{policy or 'Message'}: reminder to {RECIPIENTS.get(notice.recipient_role, notice.recipient_role)}",
        "note": f"{notice.recipient}: {notice.get_state_display().lower()}",
    }
