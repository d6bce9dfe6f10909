"""What went wrong at a school, or nearly did: an emergency, a mistake with medicine, or unacceptable practice."""

from datetime import date
from typing import TYPE_CHECKING, ClassVar, Self
from uuid import UUID

from django.db import models

from handrail.accounts.roles import Permission
from handrail.core.calendar import beginning_of
from handrail.core.fields import SealedTextField
from handrail.core.models import Record, RecordManager
from handrail.schools.models import Pupil, School

if TYPE_CHECKING:
    from handrail.accounts.models import User


class Kind(models.TextChoices):
    """What it was. After the first four come the practices that the guidance calls unacceptable: SPMC-UNP-01..09."""

    EMERGENCY = "emergency", "Medical emergency"
    MEDICINE = "medicine", "Wrong or missed medicine"
    EQUIPMENT = "equipment", "Equipment failed or was missing"
    NEAR_MISS = "near_miss", "Near miss"
    ACCESS = "access", "Kept from an inhaler or medicine"
    ALIKE = "alike", "Treated like every child with the same condition"
    IGNORED = "ignored", "Child, parent or medical advice ignored"
    SENT_HOME = "sent_home", "Sent home often, or kept from ordinary activities"
    SENT_ALONE = "sent_alone", "Sent ill to the office alone, or with somebody unsuitable"
    ATTENDANCE = "attendance", "Punished for absence because of the condition"
    BREAKS = "breaks", "Kept from food, drink or the toilet"
    PARENT = "parent", "Parent made to come and give care"
    LEFT_OUT = "left_out", "Left out, such as from a trip"


class Harm(models.TextChoices):
    NONE = "none", "No harm"
    SOME = "some", "Some harm, dealt with at school"
    SERIOUS = "serious", "Serious: hospital, or could have been"


class IncidentQuerySet(models.QuerySet["Incident"]):
    def visible_to(self, user: "User") -> Self:
        """Those of the schools at which the person keeps the log. Nobody at the authority reads one."""
        keeps = [each.school_id for each in user.acting_memberships if Permission.KEEP_INCIDENTS in each.permissions]
        return self.filter(school_id__in=keeps)

    def happened_within(self, first: date, end: date) -> Self:
        """Those from the day `first` to the day before `end`."""
        return self.filter(happened_at__gte=beginning_of(first), happened_at__lt=beginning_of(end))


class Incident(Record):
    """One incident or near miss at a school, perhaps about one child.

    What people write of it is sealed, where it was too. Its kind and its harm are not: they are two of a few codes, and
    are counted in the database for all schools together, of which no key would tell who is counted.
    """

    school = models.ForeignKey(School, on_delete=models.CASCADE, related_name="incidents")
    pupil = models.ForeignKey(Pupil, on_delete=models.CASCADE, null=True, related_name="incidents")
    kind = models.CharField(max_length=10, choices=Kind)
    harm = models.CharField(max_length=7, choices=Harm)
    happened_at = models.DateTimeField()
    place = SealedTextField()
    what_happened = SealedTextField()
    what_was_done = SealedTextField()
    what_is_learnt = SealedTextField(null=True, help_text="what will be done otherwise; often known only later")
    is_999_called = models.BooleanField(default=False)
    parents_told_at = models.DateTimeField(null=True)
    recorded_at = models.DateTimeField()
    recorded_by = models.UUIDField(null=True)
    recorded_by_name = models.CharField(max_length=150)

    pupil_id: UUID | None

    objects: ClassVar = RecordManager.from_queryset(IncidentQuerySet)()

    class Meta:
        ordering = ["-happened_at", "id"]
        indexes = [models.Index(fields=["school", "-happened_at"], name="incidents_of_a_school")]
