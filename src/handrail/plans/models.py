"""A child's Individual Healthcare Plan and its versions, and looks at one by somebody who otherwise may not."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from handrail.core.fields import SealedJSONField, SealedTextField
from handrail.core.models import Record, RecordManager
from handrail.plans.emergency import Emergency
from handrail.schools.models import Pupil

if TYPE_CHECKING:
    from handrail.accounts.models import User


class HealthcarePlan(Record):
    """A child's plan. What it says is in its versions."""

    pupil = models.OneToOneField(Pupil, on_delete=models.CASCADE, related_name="plan")


class PlanVersionQuerySet(models.QuerySet["PlanVersion"]):
    def of_child(self, pupil: Pupil) -> Self:
        """All versions of a child's plan, the newest first."""
        return self.filter(plan__pupil=pupil).order_by("-number")


class PlanVersion(Record):
    """What a plan said from one saving to the next."""

    plan = models.ForeignKey(HealthcarePlan, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    made_at = models.DateTimeField()
    made_by = models.UUIDField(null=True)
    made_by_name = models.CharField(max_length=150)
    changed = ArrayField(models.CharField(max_length=30), default=list, help_text="the names of the parts that did")
    emergency = SealedJSONField()

    objects: ClassVar = RecordManager.from_queryset(PlanVersionQuerySet)()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["plan", "number"], name="one_version_per_number_of_a_plan")]

    @property
    def says(self) -> Emergency:
        return Emergency.from_json(self.emergency)


class BreakGlassQuerySet(models.QuerySet["BreakGlass"]):
    def open_to(self, user: "User", *, at: datetime) -> Self:
        """Those under which this person may look at the moment `at`: for half an hour, and nobody else."""
        return self.filter(opened_by=user.id, opened_at__lte=at, ends_at__gt=at)

    def visible_to(self, user: "User") -> Self:
        """What there is to review, to people at the authority."""
        return self if user.is_at_authority else self.none()

    def waiting(self) -> Self:
        """Those that nobody has reviewed, the oldest first."""
        return self.filter(reviewed_at=None).order_by("opened_at", "id")

    def reviewed(self) -> Self:
        return self.filter(reviewed_at__isnull=False).order_by("-reviewed_at", "id")


class BreakGlass(Record):
    """Half an hour in which somebody at the authority may see one child's emergency plan, and why."""

    LASTS = timedelta(minutes=30)

    class Outcome(models.TextChoices):
        JUSTIFIED = "justified", "It was justified"
        NOT_JUSTIFIED = "not_justified", "It was not justified"
        MISTAKE = "mistake", "It was a mistake, and did no harm"

    pupil = models.ForeignKey(Pupil, on_delete=models.CASCADE, related_name="+")
    opened_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    opened_by = models.UUIDField()
    opened_by_name = models.CharField(max_length=150)
    reason = SealedTextField()
    reviewed_at = models.DateTimeField(null=True)
    reviewed_by = models.UUIDField(null=True)
    reviewed_by_name = models.CharField(max_length=150, blank=True)
    outcome = models.CharField(max_length=20, choices=Outcome, blank=True)
    note = SealedTextField(null=True)

    objects: ClassVar = RecordManager.from_queryset(BreakGlassQuerySet)()

    class Meta:
        indexes = [models.Index(fields=["opened_at"], condition=Q(reviewed_at=None), name="break_glass_to_review")]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("opened_at"), ends_at__lte=F("opened_at") + timedelta(minutes=30)),
                name="break_glass_lasts_half_an_hour_at_most",
            ),
            models.CheckConstraint(
                condition=Q(reviewed_at=None, outcome="") | (Q(reviewed_at__isnull=False) & ~Q(outcome="")),
                name="a_review_and_only_a_review_has_an_outcome",
            ),
        ]
