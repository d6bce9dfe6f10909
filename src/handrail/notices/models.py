"""Messages owed to people. A row is the queue, the record and the proof; see `workflows/notices.py` for the clock."""

from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar, Self
from uuid import UUID, uuid5

from django.db import models
from django.db.models import F, Q

from handrail.core.models import Record, RecordManager
from handrail.notices.wording import ABOUT_CHILDREN, WORDINGS

if TYPE_CHECKING:
    from handrail.accounts.models import User

REFERENCES = UUID("7f6a1f0e-3f0f-4c0b-9a55-6a1d7f2f8a11")
"""The namespace of the references that providers are given."""

CLAIMS_UNFINISHED_AT_MOST = 3
"""A notice whose sending was begun this often and never finished is given up: it may be what kills the worker."""


class NoticeQuerySet(models.QuerySet["Notice"]):
    def visible_to(self, user: "User") -> Self:
        """To people at schools what concerns their school; to people at the authority everything that is about no
        child: whom those go to, and when, would tell them of which school a child is.
        """
        if user.is_at_authority:
            return self.exclude(wording__in=ABOUT_CHILDREN)
        return self.filter(school_id__in=user.school_ids)

    def about_children(self) -> Self:
        return self.filter(wording__in=ABOUT_CHILDREN)

    def of_school(self, school_id: UUID) -> Self:
        """All that was owed about one school, newest first."""
        return self.filter(school_id=school_id).order_by("-owed_at", "recipient")

    def of_subject(self, kind: str, subject_id: UUID) -> Self:
        """All that was owed about one thing, newest first."""
        return self.filter(subject_kind=kind, subject_id=subject_id).order_by("-owed_at", "recipient")

    def waiting(self) -> Self:
        """Those that a worker has still to see to."""
        return self.filter(state__in=[Notice.State.OWED, Notice.State.CLAIMED])

    def undelivered(self) -> Self:
        """Those that only a person can help: given up, came back, or never known. Newest first."""
        hopeless = Q(state__in=[Notice.State.DEAD, Notice.State.BOUNCED])
        return self.filter(hopeless | Q(state=Notice.State.UNKNOWN, is_possible_duplicate=True)).order_by("-ended_at")

    def addresses_that_came_back(self) -> set[str]:
        """The addresses from which the newest message that left came back."""
        left = [Notice.State.ACCEPTED, Notice.State.DELIVERED, Notice.State.BOUNCED]
        newest = self.filter(state__in=left).order_by("recipient", "-ended_at").distinct("recipient")
        return {each.recipient for each in newest if each.state == Notice.State.BOUNCED}

    def that_reached(self) -> Self:
        """Those that were sent or soon will be: what counts as having reminded somebody."""
        return self.exclude(state__in=[Notice.State.SUPPRESSED, Notice.State.DEAD, Notice.State.BOUNCED])


class Notice(Record):
    """One message owed to one recipient about one step of one cycle of one subject, by one channel.

    Which moves its state may make is held by a trigger: see migration `0002_moves`.
    """

    class State(models.TextChoices):
        OWED = "owed", "Waiting to be sent"
        CLAIMED = "claimed", "Being sent"
        UNKNOWN = "unknown", "Not known whether it was sent"
        ACCEPTED = "accepted", "Sent"
        DELIVERED = "delivered", "Delivered"
        BOUNCED = "bounced", "Came back"
        DEAD = "dead", "Could not be sent"
        SUPPRESSED = "suppressed", "Not needed any more"

    class Urgency(models.TextChoices):
        """How a notice bears with quiet hours: not at all; owed early so that it never leaves late; it waits."""

        NOW = "now", "Now"
        DEADLINE = "deadline", "Deadline"
        ROUTINE = "routine", "Routine"

    class Channel(models.TextChoices):
        EMAIL = "email", "E-mail"

    class Reason(models.TextChoices):
        """Why a notice was not sent after all."""

        SUPERSEDED = "superseded", "A newer message took its place"
        REMINDED_BY_HAND = "reminded_by_hand", "Somebody had just sent a reminder"
        NOT_DUE = "not_due", "It was no longer due"
        NOT_NEEDED = "not_needed", "It is not needed"
        SCHOOL_CLOSED = "school_closed", "The school has closed"
        LEFT = "left", "Whom it is about has left"
        CONTACT_CHANGED = "contact_changed", "The recipient is no longer the contact"

    subject_kind = models.CharField(max_length=30)
    subject_id = models.UUIDField()
    school_id = models.UUIDField(null=True, db_index=True)
    cycle = models.CharField(max_length=30, help_text="which round, such as the due date")
    step = models.CharField(max_length=20, help_text="which message of the round, such as before-30 or overdue-2")
    step_on = models.DateField(help_text="the day the step falls on, whenever it was owed")
    recipient = models.EmailField()
    recipient_role = models.CharField(max_length=20, help_text="as whom they get it, such as lead or head")
    channel = models.CharField(max_length=10, choices=Channel, default=Channel.EMAIL)
    urgency = models.CharField(max_length=10, choices=Urgency, default=Urgency.ROUTINE)
    wording = models.CharField(max_length=40, help_text="the key of its text in wording.py")

    owed_at = models.DateTimeField()
    not_before = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State, default=State.OWED)
    lease_until = models.DateTimeField(null=True)
    attempt = models.PositiveIntegerField(default=0, help_text="rises at each claim: the fence")
    unfinished = models.PositiveSmallIntegerField(default=0, help_text="claims since one was last seen through")
    failures = models.PositiveSmallIntegerField(default=0, help_text="tries that failed, outages not counted")
    provider = models.CharField(max_length=20, blank=True)
    provider_id = models.CharField(max_length=200, blank=True)
    last_error = models.CharField(max_length=300, blank=True)
    suppressed_reason = models.CharField(max_length=30, choices=Reason, blank=True)
    ended_at = models.DateTimeField(null=True)
    is_possible_duplicate = models.BooleanField(default=False)
    sent_by = models.UUIDField(null=True, help_text="who pressed Remind; empty for the clock")

    objects: ClassVar = RecordManager.from_queryset(NoticeQuerySet)()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["subject_kind", "subject_id", "cycle", "step", "recipient", "channel"],
                name="one_notice_per_subject_cycle_step_recipient_and_channel",
            ),
            models.CheckConstraint(
                condition=Q(state="claimed", lease_until__isnull=False) | (~Q(state="claimed") & Q(lease_until=None)),
                name="a_claim_and_only_a_claim_has_a_lease",
            ),
            models.CheckConstraint(
                condition=Q(state="suppressed") ^ Q(suppressed_reason=""), name="suppression_has_a_reason"
            ),
            models.CheckConstraint(
                condition=Q(unfinished__lte=F("attempt")), name="no_more_claims_unfinished_than_made"
            ),
        ]
        indexes = [
            models.Index(
                fields=["urgency", "not_before"],
                condition=Q(state__in=["owed", "claimed", "unknown"]),
                name="notices_to_send",
            ),
            models.Index(fields=["subject_kind", "subject_id", "-owed_at"], name="notices_of_a_subject"),
            models.Index(
                fields=["-ended_at"], condition=Q(state__in=["dead", "bounced", "unknown"]), name="notices_undelivered"
            ),
        ]

    @property
    def reference(self) -> UUID:
        """What a provider knows this notice by: made of the row's id, so it says nothing about anybody."""
        return uuid5(REFERENCES, str(self.id))

    @property
    def called(self) -> str:
        """What this message is, in a few words."""
        wording = WORDINGS.get(self.wording)
        return wording.called if wording else "Message"

    @property
    def may_be_replayed(self) -> bool:
        """Whether a person may ask for it to be tried again."""
        given_up = self.state in (self.State.DEAD, self.State.BOUNCED)
        return given_up or (self.state == self.State.UNKNOWN and self.is_possible_duplicate)


class NoticeAttempt(Record):
    """One try at sending a notice and what came of it."""

    class Outcome(models.TextChoices):
        ACCEPTED = "accepted", "The provider took it"
        FAILED = "failed", "It failed and is tried again"
        HELD = "held", "The provider is out of order: held"
        UNKNOWN = "unknown", "The provider did not answer"
        BOUNCED = "bounced", "The address was refused"
        DEAD = "dead", "Given up"
        SUPPRESSED = "suppressed", "Not needed any more"
        LATE = "late", "A worker came back after its time"
        REPLAYED = "replayed", "Somebody asked for it to be tried again"

    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="attempts")
    number = models.PositiveIntegerField()
    at = models.DateTimeField()
    outcome = models.CharField(max_length=20, choices=Outcome)
    detail = models.CharField(max_length=300, blank=True)

    class Meta:
        db_table_comment = "Append-only: every try at sending"
        ordering = ["at", "number"]


class Sweep(Record):
    """A day on which the clock asked what is owed under a rule. A day without a row is a day that nobody asked."""

    rule = models.CharField(max_length=30)
    on = models.DateField()
    at = models.DateTimeField(help_text="when it was last asked on that day")
    owed = models.PositiveIntegerField(default=0)
    passed_over = models.PositiveIntegerField(default=0, help_text="not to be sent: a newer message took its place")
    previous_on = models.DateField(null=True, help_text="the day it was asked before")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["rule", "on"], name="one_row_per_rule_and_day")]

    @property
    def days_missed(self) -> int:
        """Days before this one on which nobody asked."""
        if self.previous_on is None:
            return 0
        return (self.on - self.previous_on - timedelta(days=1)).days
