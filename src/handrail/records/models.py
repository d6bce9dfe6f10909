"""Exports of everything that an authority holds, how long it keeps what, and what two people agreed to delete."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, ClassVar, Self

from django.db import models
from django.db.models import F, Q

from handrail.core.models import Document, Record, RecordManager
from handrail.schools.models import Pupil

if TYPE_CHECKING:
    from handrail.accounts.models import User

KEPT_FOR = timedelta(days=7)


class TwoPeople(Record):
    """Something that one person asks for and another agrees to before it is done."""

    asked_at = models.DateTimeField()
    asked_by = models.UUIDField()
    asked_by_name = models.CharField(max_length=150)
    confirmed_at = models.DateTimeField(null=True)
    confirmed_by = models.UUIDField(null=True)
    confirmed_by_name = models.CharField(max_length=150, blank=True)

    class Meta:
        abstract = True
        ordering = ["-asked_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(confirmed_by=None) | ~Q(confirmed_by=F("asked_by")), name="two_people_agree_to_%(class)s"
            )
        ]


class AuthorityExportQuerySet(models.QuerySet["AuthorityExport"]):
    def visible_to(self, user: "User") -> Self:
        """All of them to people at the authority, none to anybody else."""
        return self if user.is_at_authority else self.none()

    def waiting(self, *, at: datetime) -> Self:
        """Those that a worker has to do something about, and no worker has in hand."""
        return self.filter(Q(lease_until=None) | Q(lease_until__lte=at), state=AuthorityExport.State.CONFIRMED)


class AuthorityExport(TwoPeople):
    """Everything of the authority in one ZIP file: asked for by one person, confirmed by another, made by a worker.

    `attempt` is the fence that keeps a worker which lost its lease from writing over the next one.
    """

    class State(models.TextChoices):
        ASKED = "asked", "Waiting for a second person"
        CONFIRMED = "confirmed", "Being made"
        READY = "ready", "Ready"
        CANCELLED = "cancelled", "Cancelled"
        FAILED = "failed", "Could not be made"
        DELETED = "deleted", "Deleted"

    state = models.CharField(max_length=9, choices=State, default=State.ASKED)
    lease_until = models.DateTimeField(null=True)
    attempt = models.PositiveSmallIntegerField(default=0)
    document = models.ForeignKey(Document, on_delete=models.SET_NULL, null=True, related_name="+")
    ready_at = models.DateTimeField(null=True)
    is_only_one = models.BooleanField(default=True, editable=False)

    objects: ClassVar = RecordManager.from_queryset(AuthorityExportQuerySet)()

    class Meta(TwoPeople.Meta):
        constraints = [
            *TwoPeople.Meta.constraints,
            models.UniqueConstraint(
                fields=["is_only_one"], condition=Q(state__in=["asked", "confirmed"]), name="one_export_at_a_time"
            ),
        ]

    def __str__(self) -> str:
        return f"Export of {self.asked_at:%-d %B %Y}"

    @property
    def deleted_at(self) -> datetime | None:
        """When the file is deleted."""
        return self.ready_at + KEPT_FOR if self.ready_at else None


class ExportFile(Record):
    """One file that a worker has finished for an export; kept until all are put together."""

    export = models.ForeignKey(AuthorityExport, on_delete=models.CASCADE, related_name="files")
    path = models.CharField(max_length=200, help_text="in the ZIP file")
    row_count = models.PositiveIntegerField()
    document = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["export", "path"], name="one_file_per_path_of_an_export")]

    def __str__(self) -> str:
        return self.path


# -- keeping ---------------------------------------------------------------------------------------------


class RetentionPeriod(Record):
    """How many years the authority keeps a class of records, where it has chosen. The classes are in retention.py."""

    record_class = models.CharField(max_length=20, unique=True)
    years = models.PositiveSmallIntegerField()

    def __str__(self) -> str:
        return f"{self.record_class}: {self.years} years"


class DeletionQuerySet(models.QuerySet["Deletion"]):
    def visible_to(self, user: "User") -> Self:
        """All of them to people at the authority, none to anybody else."""
        return self if user.is_at_authority else self.none()


class Deletion(TwoPeople):
    """Deleting what is past its time: with the periods, the day and the counts that two people saw and agreed to.

    Whoever serves pages cannot delete the record of changes: the command `delete-expired` carries it out.
    """

    class State(models.TextChoices):
        ASKED = "asked", "Waiting for a second person"
        CONFIRMED = "confirmed", "Will be deleted tonight"
        CANCELLED = "cancelled", "Cancelled"
        DONE = "done", "Deleted"

    state = models.CharField(max_length=9, choices=State, default=State.ASKED)
    on = models.DateField(help_text="the day as at which records are past their time")
    periods = models.JSONField(help_text="years, by class")
    expected = models.JSONField(help_text="how many records there were to delete when it was asked for, by class")
    deleted = models.JSONField(default=dict, help_text="how many were deleted, by class")
    done_at = models.DateTimeField(null=True)
    is_only_one = models.BooleanField(default=True, editable=False)

    objects: ClassVar = RecordManager.from_queryset(DeletionQuerySet)()

    class Meta(TwoPeople.Meta):
        constraints = [
            *TwoPeople.Meta.constraints,
            models.UniqueConstraint(
                fields=["is_only_one"], condition=Q(state__in=["asked", "confirmed"]), name="one_deletion_at_a_time"
            ),
        ]

    def __str__(self) -> str:
        return f"Deletion of {self.asked_at:%-d %B %Y}"


class LegalHold(Record):
    """Why nothing about a child may be deleted, from when to when."""

    pupil = models.ForeignKey(Pupil, on_delete=models.CASCADE, related_name="legal_holds")
    reason = models.CharField(max_length=500)
    placed_at = models.DateTimeField()
    placed_by = models.UUIDField()
    placed_by_name = models.CharField(max_length=150)
    lifted_at = models.DateTimeField(null=True)
    lifted_by = models.UUIDField(null=True)
    lifted_by_name = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering = ["-placed_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["pupil"], condition=Q(lifted_at=None), name="one_legal_hold_on_a_child_at_a_time"
            )
        ]

    def __str__(self) -> str:
        return f"Legal hold of {self.placed_at:%-d %B %Y}"
