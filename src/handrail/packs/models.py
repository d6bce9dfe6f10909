"""Each school's pack: the emergency pages of all its active plans in one sealed file, for when the network is down."""

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Self
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from handrail.core.models import Document, Record, RecordManager
from handrail.schools.models import School

if TYPE_CHECKING:
    from handrail.accounts.models import User

MOST_ATTEMPTS = 3
"""Workers that may die over one school's pack in a night, before the others are all that is made."""


class PackQuerySet(models.QuerySet["Pack"]):
    def visible_to(self, user: "User") -> Self:
        return self.filter(school__in=School.objects.visible_to(user))

    def waiting(self, *, at: datetime) -> Self:
        """Those that are to be made, and that no worker has in hand at the moment `at`."""
        is_made = Q(made_on__isnull=False, made_on__gte=F("asked_on"))
        is_held = Q(lease_until__isnull=False, lease_until__gt=at)
        return self.filter(~is_made, ~is_held, attempt__lt=MOST_ATTEMPTS)


class Pack(Record):
    """The newest pack of a school. It holds copies of plans and nothing else, and each night's takes its place."""

    school = models.OneToOneField(School, on_delete=models.CASCADE, related_name="pack")
    asked_on = models.DateField(help_text="the day for which it is to be made")
    attempt = models.PositiveSmallIntegerField(default=0, db_default=0, help_text="times it was begun for that day")
    lease_until = models.DateTimeField(null=True, help_text="until when a worker has it in hand")
    made_on = models.DateField(null=True, help_text="the day for which it was made last")
    made_at = models.DateTimeField(null=True)
    document = models.ForeignKey(Document, on_delete=models.SET_NULL, null=True, related_name="+")
    child_ids = ArrayField(models.UUIDField(), default=list, db_default=[], help_text="whose pages are in the file")

    document_id: UUID | None

    objects: ClassVar = RecordManager.from_queryset(PackQuerySet)()
