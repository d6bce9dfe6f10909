"""Sickness returns about children who live in another authority, on their way to it; and those that came from one."""

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Self
from uuid import UUID

from django.db import models

from handrail.absences.models import SicknessReturn
from handrail.accounts.roles import Permission
from handrail.core.fields import SealedJSONField
from handrail.core.models import Record, RecordManager

if TYPE_CHECKING:
    from handrail.accounts.models import User


class OnwardReturnQuerySet(models.QuerySet["OnwardReturn"]):
    def visible_to(self, user: "User") -> Self:
        """Those that came, to whoever decides about children; to nobody else any."""
        if any(Permission.DECIDE_CASES in each.permissions for each in user.acting_memberships):
            return self.filter(way=OnwardReturn.Way.IN)
        return self.none()

    def held_up(self) -> Self:
        """Those that could not be sent on yet, with their words."""
        return self.filter(way=OnwardReturn.Way.OUT, done_at=None, returned__withdrawn_at=None).exclude(trouble="")

    def to_open(self, *, at: datetime) -> Self:
        """Those that came and can be opened still."""
        return self.filter(way=OnwardReturn.Way.IN, done_at=None, expires_at__gt=at)


class OnwardReturn(Record):
    """One return on its way. The row is the queue: one that goes out is owed until it is `done_at`.

    One that came in lies sealed in the exchange until a named person opens it; then `says` is this side's own copy.
    """

    class Way(models.TextChoices):
        OUT = "out", "Out"
        IN = "in", "In"

    way = models.CharField(max_length=3, choices=Way)
    returned = models.ForeignKey(SicknessReturn, on_delete=models.CASCADE, null=True, related_name="onward")
    reference = models.UUIDField(help_text="the sender's, unique in the exchange")
    other_role = models.CharField(max_length=11, help_text="the other authority in the exchange; empty until it is in")
    other_name = models.CharField(max_length=100)
    says = SealedJSONField(null=True, help_text="who is away, of which school and since when, once it was opened")
    envelope_id = models.UUIDField(null=True)
    key_id = models.UUIDField(null=True, help_text="which of our keys opens one that came in")
    sha256 = models.CharField(max_length=64, blank=True, help_text="of the sealed content")
    owed_at = models.DateTimeField(help_text="when it was written, or came in")
    expires_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True, help_text="when it was deposited, or opened")
    done_by = models.UUIDField(null=True)
    done_by_name = models.CharField(max_length=150, blank=True)
    trouble = models.CharField(max_length=200, blank=True, help_text="why it could not be sent")

    returned_id: UUID | None

    objects: ClassVar = RecordManager.from_queryset(OnwardReturnQuerySet)()

    class Meta:
        ordering = ["-owed_at"]
        constraints = [
            models.UniqueConstraint(fields=["way", "reference"], name="one_onward_return_per_way_and_reference"),
            models.UniqueConstraint(
                fields=["returned"], condition=models.Q(way="out"), name="one_onward_return_per_return"
            ),
        ]
