"""What the authority itself keeps: what it does for a child whom nobody took, and returns that cross its border."""

from django.db import models

from handrail.core.fields import SealedTextField
from handrail.core.models import Record


class FollowUp(Record):
    """What happens next for a child whose handover was declined, ran out or was passed on, as somebody said.

    It ends the messages about the handover. The clock of section 19 goes on: only a first session, or suitable
    education, stops that.
    """

    handover = models.OneToOneField("handovers.Handover", on_delete=models.CASCADE, related_name="follow_up")
    says = SealedTextField()
    at = models.DateTimeField()
    by = models.UUIDField(null=True)
    by_name = models.CharField(max_length=150)


class ErasedEnvelope(Record):
    """One envelope of a child about whom nothing is held any more: the ledger keeps its count and hash.

    It says which envelope it was, and of whom nothing.
    """

    way = models.CharField(max_length=3, choices=[("out", "Out"), ("in", "In")])
    other_role = models.CharField(max_length=11, help_text="the other authority in the exchange")
    reference = models.UUIDField(help_text="the sender's, unique in the exchange")
    about = models.UUIDField(help_text="what both sides know the case by: what comes later of it finds nobody here")
    sha256 = models.CharField(max_length=64, help_text="of the sealed content")
    is_owed = models.BooleanField(
        default=False, db_default=False, help_text="whether it is the news of the erasing itself, and has not gone yet"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["way", "reference"], name="one_erased_envelope_per_way_and_reference")
        ]
