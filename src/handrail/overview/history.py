"""What happened at a school: changes, reviews and messages in one line of time."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import CharField, F, Q, QuerySet, Value
from django.db.models.functions import Coalesce
from django.urls import reverse

from handrail.absences.models import Case, SicknessReturn
from handrail.accounts.models import Membership, User
from handrail.accounts.roles import Permission
from handrail.care.models import Medicine, SpareKit, StaffTraining
from handrail.core import audit
from handrail.core.jinja import long_date
from handrail.core.models import AuditEntry
from handrail.incidents.models import Incident
from handrail.notices.models import Notice
from handrail.people.invitations import SUBJECT as INVITATION
from handrail.people.role_news import GIVEN
from handrail.people.role_news import SUBJECT as ROLE_NEWS
from handrail.plans.break_glass import SUBJECT as BREAK_GLASS
from handrail.plans.models import BreakGlass, HealthcarePlan
from handrail.policies.models import Policy, PolicyReview
from handrail.schools.models import Pupil, School

SHOWN = {
    Permission.SEE_ACTIVITY: {
        "invited a person": "Invited a person",
        "invited a person again": "Invited a person again",
        "added a person": "Gave a person a role",
        "changed a role": "Changed a person’s role",
        "ended a role": "Ended a person’s role",
        "took back a person": "Took back a person’s role",
        "carried a role over from a school that closed": "Carried a person’s role over from the school before this one",
        "added provision without a URN": "Added provision that is in no register",
        "changed a school's contacts": "Changed the contacts",
        "carried policies over at a conversion": "Carried the policies over from the school before this one",
        "took back a starting point": "Took back what was recorded of a policy",
        "recorded an approval": "Recorded an approval",
        "took evidence for inspection": "Took evidence for inspection",
        "changed where a policy is published": "Changed where a policy is published",
        "found that a published policy had changed": "Found that a published policy had changed on its website",
        "could not find a published policy": "Could not find a published policy at its address for a week",
        "recorded whom a policy was brought to": "Recorded who was told about a policy",
        "changed who is responsible for a policy": "Changed who is responsible for a policy",
        "answered points of a return": "Answered points of the return",
        "submitted a return": "Submitted the return",
        "countersigned a return": "Signed the return",
        "assessed an answer of a return": "Recorded what the authority found of an answer",
        "planned what a return lacks": "Planned what will be done about a point",
        "changed what was planned about a return": "Changed what was planned about a point",
        "decided a policy is not needed": "Decided that a policy is not needed",
        "decided a policy is needed again": "Decided that a policy is needed again",
        "added a spare kit": "Added a spare kit",
        "changed a spare kit": "Changed a spare kit",
        "checked a spare kit": "Checked a spare kit",
        "withdrew a spare kit": "Took a spare kit out of use",
        "had nothing to report": "Had no absence to report",
        "uploaded a document": "Uploaded a document",
        "did not send a message": "Did not send a message that was no longer needed",
        "asked for a message to be tried again": "Asked for a message to be tried again",
    },
    Permission.SEE_CHILDREN: {
        "added a child": "Added a child",
        "changed a child’s details": "Changed a child’s details",
        "recorded that a child left": "Recorded that a child left",
        "carried a child over from a school that closed": "Carried a child over from the school before this one",
        "added a child’s contact": "Added somebody to ask about a child",
        "changed a child’s contact": "Changed who to ask about a child",
        "removed a child’s contact": "Removed somebody to ask about a child",
        "took back a child who was added": "Took back a child whom a list had added",
        "took back changes to a child": "Took back what a list had changed about a child",
        "took back a child’s contact": "Took back whom a list had said to ask about a child",
    },
    Permission.SEE_EMERGENCY: {
        "wrote an emergency plan": "Wrote a child’s emergency plan",
        "changed an emergency plan": "Changed a child’s emergency plan",
    },
    Permission.SEE_PLANS: {
        "was told of a condition": "Was told that a child may need a plan",
        "decided that a plan is needed": "Decided that a child needs a plan",
        "decided that no plan is needed": "Decided that a child needs no plan",
        "changed a healthcare plan": "Changed a child’s plan",
        "asked for agreement to a plan": "Asked for agreement to a child’s plan",
        "recorded an agreement to a plan": "Recorded an agreement to a child’s plan",
        "recorded a wish to change a plan": "Recorded a wish to change a child’s plan",
        "sent a link to a plan": "Sent somebody without an account a link to a child’s plan",
        "withdrew a link to a plan": "Withdrew a link to a child’s plan",
        "opened a plan through a link": "Opened a child’s plan through a link",
        "stopped a link after wrong tries": "Stopped a link to a child’s plan after wrong tries",
        "commented on a plan": "Commented on a child’s plan",
        "answered a comment on a plan": "Answered a comment on a child’s plan",
        "signed off a plan": "Signed off a child’s plan",
        "brought a review forward": "Brought the review of a child’s plan forward",
        "reviewed a plan": "Reviewed a child’s plan",
        "chose who keeps a plan in date": "Chose who keeps a child’s plan in date",
        "chose who must know a plan": "Chose who must know a child’s plan",
        "confirmed reading a plan": "Confirmed that they have read a child’s plan",
        "recorded who has read a plan": "Recorded who has read a child’s plan",
        "paused a plan": "Paused a child’s plan",
        "passed a plan on": "Passed a child’s plan on",
        "closed a plan": "Closed a child’s plan",
        "took up a plan again": "Took a child’s plan up again",
    },
    Permission.EDIT_PLANS: {
        "took in a medicine": "Took in a child’s medicine or device",
        "changed a medicine": "Changed what is known of a child’s medicine or device",
        "returned a medicine": "Recorded that a child’s medicine or device has gone",
        "recorded a training": "Recorded a training",
        "corrected a training": "Corrected a training",
        "ended a training": "Ended a training",
    },
    Permission.SEE_HANDOVERS: {
        "prepared a handover": "Began to hand a child over",
        "gave notice of an admission": "Gave notice that a child was admitted",
        "asked for a pack": "Asked for a child’s pack",
        "sent a pack": "Sent a child’s pack",
        "opened a pack": "Opened a child’s pack",
        "asked for more": "Asked for more about a child",
        "accepted a handover": "Accepted a child",
        "declined a handover": "Declined a child",
        "taught the first session": "Began to teach a child",
        "told how a child gets on": "Told how a child gets on there",
        "reviewed a phased return": "Reviewed a child’s phased return",
        "reviewed a placement": "Reviewed a child’s placement",
        "told the other side of a handover by hand": "Told the other side of a handover by hand",
        "planned a return": "Planned a child’s return",
        "taught a child there again": "Taught a child there again who had begun to return",
        "sent a guest page": "Sent somebody without an account a page of a handover",
        "withdrew a guest page": "Stopped a page of a handover",
        "opened a handover through a guest page": "Opened a handover through a page that was sent",
        "stopped a guest page after wrong tries": "Stopped a page of a handover after wrong tries",
        "sent a return pack": "Sent a child’s return pack",
        "opened a return pack": "Opened a child’s return pack",
        "wrote for a return pack": "Wrote for a child’s return pack",
        "re-issued a plan after a return": "Re-issued a child’s plan after their return",
        "began a phased return": "Began a child’s phased return",
        "confirmed a return": "Confirmed a child’s return",
        "passed a child on": "Passed a child on to another setting",
        "ended a handover": "Ended a child’s handover",
        "withdrew a handover": "Withdrew a child’s handover",
        "corrected a pack": "Sent a corrected pack of a child",
        "let a handover run out": "Let a child’s handover run out",
        "got a pack back": "Got a child’s pack back unopened",
        "lost the way to the other side of a handover": "Lost the way to the other side of a child’s handover",
        "wrote for a pack": "Wrote for a child’s pack",
        "took back the notice of an admission": "Took back the notice that a child was admitted",
        "heard of an admission": "Heard that a child was admitted",
        "said who was admitted": "Said which child was admitted",
        "led a notice to a school": "Was led to the notice that a child was admitted",
        "read the emergency steps of a pack": "Read the emergency steps of a child’s pack",
        "heard of a move of the other side": "Heard from the other side of a handover",
        "destroyed a declined copy": "Destroyed the copy of a child whom it had declined",
        "took the evidence of a handover": "Took the evidence of a child’s handover",
        "said what follows a handover": "The authority said what follows a child’s handover",
    },
    Permission.KEEP_INCIDENTS: {
        "recorded an incident": "Recorded an incident or near miss",
        "added to an incident": "Added what is learnt from an incident",
    },
    Permission.MAKE_RETURNS: {
        "made a sickness return": "Reported a child’s absence to the authority",
        "changed a sickness return": "Changed what was reported of a child’s absence",
        "sent a return on to another authority": "Sent a child’s absence on to where the child lives",
        "told another authority of a return": "Told the authority where a child lives of the child’s absence",
        "took back a sickness return": "Took back a report of a child’s absence",
        "entered attendance codes": "Entered a child’s attendance codes",
        "wrote in the log of a case": "The authority wrote in its log about a child",
    },
    Permission.SEE_READS: {
        "opened an emergency access": "Opened a child’s emergency plan for a reason",
        "reviewed an emergency access": "Reviewed why a child’s emergency plan was opened",
    },
    Permission.KEEP_CHILD_RIGHTS: {
        "placed a legal hold": "Placed a legal hold on a child’s record",
        "lifted a legal hold": "Lifted the legal hold on a child’s record",
        "erased a child": "Erased a child’s record",
        "took out what is hidden from parents": "Took a file with what parents must not be told",
    },
}
"""What is shown of the record of changes, in words, to whom. No words tell which child: that is on a page of its own,
behind the second step and recorded as read. Who may see no child sees none of it, since from one line on a page they
could count the children with a plan.
"""

NOT_SHOWN = {
    "it is shown as what was recorded or sent": {
        *("recorded a review", "asked for an interim review", "asked for reminders", "owed reminders"),
    },
    "it tells of looking, and names no school": {"found nobody for emergency access", "took an extract of the record"},
    "it happened by itself, for all schools at once": {
        "brought reviews forward",
        "let reviews wait again",
        "asked for packs of emergency pages",
    },
    "it concerns the authority and others": {
        *("joined the exchange", "blocked an authority in the exchange", "unblocked an authority in the exchange"),
        *("confirmed a setting", "opened a return from another authority"),
        "deleted a return from another authority",
    },
    "it concerns a person and their way in, at no school": {
        *(
            "closed an account",
            "opened an account again",
            "ended sessions",
            "signed everybody out",
            "added a second step",
            "removed a second step",
        ),
        *("reset a second step", "made recovery codes", "used a recovery code"),
        *("connected a sign-in service", "disconnected a sign-in service"),
        *("made a calendar address", "stopped a calendar address"),
    },
    "it concerns the authority; what it did at a school is shown there": {
        *("uploaded a file", "gathered office addresses", "confirmed an import", "cancelled an import"),
        *("asked to undo an import", "imported a file", "undid an import", "refused a file", "gave up on a file"),
        *("deleted an uploaded file", "imported a register extract", "took back a register extract"),
        *("imported a starter spreadsheet", "took back a starter spreadsheet", "followed the register of schools"),
        *("opened policies", "changed settings", "added a sign-in service", "changed a sign-in service"),
        *("switched a sign-in service on", "switched a sign-in service off", "removed a sign-in service"),
        *("opened a cycle of returns", "changed the dates of a cycle of returns"),
        *("set the dates of a term", "switched a draft’s preview on", "switched a draft’s preview off"),
        *("made a key for a program", "revoked a key of a program"),
        *("asked for an export of everything", "agreed to an export of everything"),
        *("cancelled an export of everything", "finished an export of everything"),
        *("downloaded an export of everything", "gave up on an export of everything"),
        *("deleted an export of everything", "changed how long records are kept", "asked for a deletion"),
        *("agreed to a deletion", "cancelled a deletion", "deleted what was past its time"),
        *("retired old entries of the record", "began to seal with a new key", "wrapped a data key anew"),
    },
}
"""Why the other verbs are not on a school's page. The authority's own page of activity shows every one."""

WORDS = {verb: words for said in SHOWN.values() for verb, words in said.items()}

Names = dict[Any, object]
"""What policies and people are called, by id."""

RECIPIENTS = {
    "lead": "the named lead",
    "head": "the headteacher",
    "office": "the school office",
    **dict.fromkeys(("kit_lead", "return_lead"), "the school’s lead"),
    "action_owner": "who sees to it",
    "assessor": "who answers for the authority",
    "signer": "who may sign it",
    "kit_office": "the school office",
    "administrator": "an administrator",
}


def happenings(school: School, *, by: User) -> QuerySet[Any, dict[str, Any]]:
    """What happened, as far as the person may know it, newest first, as `what`, `id` and `moment`; `told` makes
    sentences of a page of it.
    """
    return (
        _dated(_entries(school, by=by), "entry", F("at"))
        .union(
            _dated(PolicyReview.objects.filter(policy__school=school), "review", F("recorded_at")),
            _dated(
                Notice.objects.filter(school_id=school.id).exclude(state=Notice.State.SUPPRESSED),
                "notice",
                Coalesce("ended_at", "owed_at"),
            ),
            all=True,
        )
        .order_by("-moment", "id")
    )


def happenings_to_children(school: School, *, by: User) -> QuerySet[Any, dict[str, Any]]:
    """Those of them that are about children."""
    about = _entries(school, by=by).exclude(verb__in=SHOWN[Permission.SEE_ACTIVITY])
    return _dated(about, "entry", F("at")).order_by("-moment", "id")


def _entries(school: School, *, by: User) -> QuerySet[AuditEntry]:
    verbs = [verb for needed, said in SHOWN.items() if by.may(needed, school_id=school.id) for verb in said]
    return AuditEntry.objects.filter(school_id=school.id, verb__in=verbs)


def _dated(rows: QuerySet[Any], what: str, moment: Any) -> QuerySet[Any, dict[str, Any]]:
    return rows.order_by().values("id", what=Value(what, CharField()), moment=moment)


def told(rows: Iterable[dict[str, Any]], *, to: User | None = None) -> list[dict[str, Any]]:
    """Each happening as `at`, `who`, `text` and perhaps a `note`; with its `child` and a link to them where the person
    `to` may see them. At most fifteen questions, however many rows.
    """
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
        **SpareKit.objects.in_bulk(subjects),
        **User.objects.in_bulk(senders - {None}),
        **_called(subjects, entries.values()),
    }
    children = _children(entries.values(), by=to) if to else {}
    found = []
    for row in rows:
        if row["what"] == "entry":
            said = _of_entry(entries[row["id"]], names, children)
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


_ABOUT_CHILDREN: tuple[tuple[Any, str], ...] = (
    (HealthcarePlan, "plan"),
    (BreakGlass, BREAK_GLASS),
    (Medicine, "medicine"),
    (StaffTraining, "training"),
    (Incident, "incident"),
    (Case, "absence_case"),
)
"""Whose rows an entry of each kind names, where they in turn name a child."""


def _children(entries: Iterable[AuditEntry], *, by: User) -> dict[Any, Pupil]:
    """The children whom entries are about, by the id that the entry names, as far as the person may see them."""
    by_kind: dict[str, set[Any]] = {
        kind: set() for kind in ("child", "sickness_return", *(kind for _, kind in _ABOUT_CHILDREN))
    }
    for entry in entries:
        by_kind.get(entry.subject_kind, set()).add(entry.subject_id)
    child_of: dict[Any, Any] = {child: child for child in by_kind["child"]}
    for model, kind in _ABOUT_CHILDREN:
        child_of |= dict(model.objects.filter(id__in=by_kind[kind]).values_list("id", "pupil_id"))
    made = SicknessReturn.objects.filter(id__in=by_kind["sickness_return"])
    child_of |= dict(made.values_list("id", "case__pupil_id"))
    seen = Pupil.objects.visible_to(by).in_bulk(set(child_of.values()))
    return {subject: seen[child] for subject, child in child_of.items() if child in seen}


def _of_entry(entry: AuditEntry, names: Names, children: dict[Any, Pupil]) -> dict[str, Any]:
    said: dict[str, Any] = {
        "who": entry.by_name,
        "text": WORDS[entry.verb],
        "note": str(names.get(entry.subject_id) or ""),
    }
    if child := children.get(entry.subject_id):
        said |= {"child": child, "href": reverse("schools:child", args=[child.id]), "note": str(child)}
    return said


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
        about = (
            f"to the school about the role of {subject}"
            if notice.wording == GIVEN
            else f"to {subject} about their role"
        )
        return {"who": who, "text": f"Message {about}", "note": f"{notice.recipient}: {state}"}
    return {
        "who": who,
        "text": f"{subject or 'Message'}: reminder to {RECIPIENTS.get(notice.recipient_role, notice.recipient_role)}",
        "note": f"{notice.recipient}: {notice.get_state_display().lower()}",
    }
