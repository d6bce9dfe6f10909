"""What happened at a school: changes, reviews and messages in one line of time."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import CharField, F, Q, QuerySet, Value
from django.db.models.functions import Coalesce

from handrail.accounts.models import Membership, User
from handrail.core import audit
from handrail.core.jinja import long_date
from handrail.core.models import AuditEntry
from handrail.notices.models import Notice
from handrail.people.invitations import SUBJECT as INVITATION
from handrail.people.role_news import SUBJECT as ROLE_NEWS
from handrail.policies.models import Policy, PolicyReview
from handrail.schools.models import School

SAID = {
    "invited a person": "Invited a person",
    "invited a person again": "Invited a person again",
    "added a person": "Gave a person a role",
    "changed a role": "Changed a person’s role",
    "ended a role": "Ended a person’s role",
    "took back a person": "Took back a person’s role",
    "changed a school's contacts": "Changed the contacts",
    "carried policies over at a conversion": "Carried the policies over from the school before this one",
    "took back a starting point": "Took back what was recorded of a policy",
    "recorded an approval": "Recorded an approval",
    "changed where a policy is published": "Changed where a policy is published",
    "changed who is responsible for a policy": "Changed who is responsible for a policy",
    "decided a policy is not needed": "Decided that a policy is not needed",
    "decided a policy is needed again": "Decided that a policy is needed again",
    "uploaded a document": "Uploaded a document",
    "did not send a message": "Did not send a message that was no longer needed",
    "asked for a message to be tried again": "Asked for a message to be tried again",
}
"""What is shown of the record of changes, in words. What is not among these is not shown here: people see this page
who may not know a child's name, nor that somebody looked.
"""

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
        AuditEntry.objects.filter(school_id=school.id, verb__in=SAID), "entry", F("at")
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
    """Each happening as `at`, `who`, `text` and perhaps a `note`. Six questions, however many rows."""
    rows = list(rows)
    ids: dict[str, list[UUID]] = {"entry": [], "review": [], "notice": []}
    for row in rows:
        ids[row["what"]].append(row["id"])
    entries = AuditEntry.objects.in_bulk(ids["entry"])
    reviews = PolicyReview.objects.select_related("policy").in_bulk(ids["review"])
    notices = Notice.objects.in_bulk(ids["notice"])
    subjects: set[Any] = {entry.subject_id for entry in entries.values()}
    subjects |= {notice.subject_id for notice in notices.values()}
    senders: set[Any] = {notice.sent_by for notice in notices.values()}
    names: Names = {
        **Policy.objects.in_bulk(subjects),
        **User.objects.in_bulk(senders - {None}),
        **_called(subjects, entries.values()),
    }
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


def _called(subjects: set[Any], entries: Iterable[AuditEntry]) -> Names:
    """What the people are called at the school whose happenings these are, by the id of the person or of the role.

    Their own name may be nobody's business there: see `Membership.called`.
    """
    schools = {entry.school_id for entry in entries}
    about = Membership.objects.filter(Q(id__in=subjects) | Q(user_id__in=subjects, school_id__in=schools))
    found: Names = {}
    for membership in about.select_related("user").order_by("from_on", "invited_at"):
        found[membership.id] = found[membership.user_id] = membership.called
    return found


def _of_entry(entry: AuditEntry, names: Names) -> dict[str, Any]:
    subject = names.get(entry.subject_id)
    return {"who": entry.by_name, "text": SAID[entry.verb], "note": str(subject or "")}


def _of_review(review: PolicyReview) -> dict[str, Any]:
    then = f". Next review {long_date(review.next_review_on)}" if review.next_review_on else ""
    return {
        "who": review.recorded_by_name,
        "text": f"{review.policy}: {review.get_outcome_display().lower()}",
        "note": f"Date of review {long_date(review.reviewed_on)}{then}",
    }


def _of_notice(notice: Notice, names: Names) -> dict[str, Any]:
    subject, who = names.get(notice.subject_id), str(names.get(notice.sent_by, audit.CLOCK.actor_name))
    if notice.subject_kind == INVITATION:
        state = notice.get_state_display().lower()
        return {"who": who, "text": f"Invitation to {subject}", "note": f"{notice.recipient}: {state}"}
    if notice.subject_kind == ROLE_NEWS:
        state = notice.get_state_display().lower()
        return {"who": who, "text": f"Message to {subject} about their role", "note": f"{notice.recipient}: {state}"}
    return {
        "who": who,
        "text": f"{subject or 'Message'}: reminder to {RECIPIENTS.get(notice.recipient_role, notice.recipient_role)}",
        "note": f"{notice.recipient}: {notice.get_state_display().lower()}",
    }
