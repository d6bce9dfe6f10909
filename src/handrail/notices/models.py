"""Messages owed to people. A row is the queue, the record and the proof; see `workflows/notices.py` for the clock."""

from django.db import models
from django.db.models import Q

from handrail.core.models import Record


class Notice(Record):
    """One message owed to one recipient about one step of one cycle of one subject, by one channel."""

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
        NOW = "now", "Now"
        DEADLINE = "deadline", "Deadline"
        ROUTINE = "routine", "Routine"

    class Channel(models.TextChoices):
        EMAIL = "email", "E-mail"

    subject_kind = models.CharField(max_length=30)
    subject_id = models.UUIDField()
    school_id = models.UUIDField(null=True, db_index=True)
    cycle = models.CharField(max_length=30, help_text="which round, such as the due date")
    step = models.CharField(max_length=20, help_text="which message of the round, such as before-30 or overdue-2")
    recipient = models.EmailField()
    recipient_role = models.CharField(max_length=20, help_text="lead, head or office")
    channel = models.CharField(max_length=10, choices=Channel, default=Channel.EMAIL)
    urgency = models.CharField(max_length=10, choices=Urgency, default=Urgency.ROUTINE)
    wording = models.CharField(max_length=40, help_text="the key of its text in wording.py")

    owed_at = models.DateTimeField()
    not_before = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State, default=State.OWED)
    lease_until = models.DateTimeField(null=True)
    attempt = models.PositiveSmallIntegerField(default=0, help_text="rises at each claim: the fence")
    provider = models.CharField(max_length=20, blank=True)
    provider_id = models.CharField(max_length=200, blank=True)
    last_error = models.CharField(max_length=300, blank=True)
    suppressed_reason = models.CharField(max_length=30, blank=True)
    ended_at = models.DateTimeField(null=True)
    is_possible_duplicate = models.BooleanField(default=False)
    sent_by = models.UUIDField(null=True, help_text="who pressed Remind; empty for the clock")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["subject_kind", "subject_id", "cycle", "step", "recipient", "channel"],
                name="one_notice_per_subject_cycle_step_recipient_and_channel",
            ),
            models.CheckConstraint(
                condition=~Q(state="claimed") | Q(lease_until__isnull=False), name="a_claim_has_a_lease"
            ),
            models.CheckConstraint(
                condition=~Q(state="suppressed") | ~Q(suppressed_reason=""), name="suppression_has_a_reason"
            ),
        ]
        indexes = [
            models.Index(
                fields=["not_before"], condition=Q(state__in=["owed", "claimed", "unknown"]), name="notices_to_send"
            ),
            models.Index(fields=["subject_kind", "subject_id", "-owed_at"], name="notices_of_a_subject"),
        ]


class NoticeAttempt(Record):
    """One try at sending a notice and what came of it."""

    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="attempts")
    number = models.PositiveSmallIntegerField()
    at = models.DateTimeField()
    outcome = models.CharField(max_length=20)
    detail = models.CharField(max_length=300, blank=True)

    class Meta:
        db_table_comment = "Append-only: every try at sending"
        ordering = ["number", "at"]
