"""One-case guest pages: for a named person on the side whose authority does not use Handrail."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q

from handrail.accounts.guests import Guest
from handrail.core.fields import SealedJSONField
from tenants.database import require_bound


class GuestPage(Guest):
    """What lets one person without an account read and answer one handover: at a setting the newest pack, at a home
    school the notice that its child was admitted, and the return pack.

    Of what is in its address only digests are here. By itself an address opens nothing: a code to the person's
    address, and the child's date of birth, do. It is who acts (`by=`) in what is done through it.
    """

    LASTS = timedelta(days=7)

    handover = models.ForeignKey("handovers.Handover", on_delete=models.CASCADE, related_name="guest_pages")
    name = models.CharField(max_length=150)
    email = models.EmailField(help_text="codes go there")
    draft = SealedJSONField(null=True, help_text="what they typed and have not sent")

    class Meta:
        ordering = ["-sent_at"]
        indexes = [GinIndex(fields=["digests"], name="guest_pages_by_digest")]
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("sent_at")), name="a_guest_page_ends_after_it_was_sent")
        ]

    @property
    def school(self) -> str:
        """Who shares it, as its mails and first pages say: the home school; not a hospital school but its authority."""
        handover: Any = self.handover
        return handover.pupil.school.name if handover.is_home else require_bound().name

    def stands(self, at: datetime) -> bool:
        """Whether it opens anything at the moment `at`."""
        handover: Any = self.handover
        is_stopped = self.withdrawn_at is not None or self.locked_at is not None
        return not is_stopped and at < self.ends_at and not handover.is_over

    # An action's `by=`
    @property
    def actor_id(self) -> UUID | None:
        return self.id

    @property
    def actor_name(self) -> str:
        return self.name

    def role_at(self, school_id: UUID | None) -> str:
        return "guest"
