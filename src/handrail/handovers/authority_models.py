"""What the authority itself keeps: what it does for a child whom nobody took, and returns that cross its border."""

from django.db import models

from handrail.core.fields import SealedTextField
from handrail.core.models import Record


class FollowUp(Record):
    """What happens next for a child whose handover was declined or ran out, in the words of whoever answers for it.

    It ends the messages about the handover. The clock of section 19 goes on: only a first session, or suitable
    education, stops that.
    """

    handover = models.OneToOneField("handovers.Handover", on_delete=models.CASCADE, related_name="follow_up")
    says = SealedTextField()
    at = models.DateTimeField()
    by = models.UUIDField(null=True)
    by_name = models.CharField(max_length=150)
