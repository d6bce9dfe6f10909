"""The tables of who must know what a plan says, and of who has read which version."""

from datetime import date
from typing import ClassVar, Self

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Lower

from handrail.accounts.models import Membership
from handrail.accounts.roles import PERMISSIONS, Permission, Role
from handrail.core.models import Record, RecordManager

READERS = [role for role in Role if Permission.SEE_EMERGENCY in PERMISSIONS[role] and not role.is_about_one_child]
"""The roles at a school that see what to do in an emergency, and so can be asked to know it."""


class ReaderQuerySet(models.QuerySet["Reader"]):
    def asked(self, *, on: date) -> Self:
        """Those who must know the plan on the day `on`: by name, or with an account that may still see it. Nobody need
        know those of a school that has closed.
        """
        held = Membership.objects.current(on=on).filter(
            user=OuterRef("person"), school=OuterRef("plan__pupil__school"), role__in=READERS
        )
        there = self.filter(ended_at=None, plan__pupil__school__closed_on=None)
        return there.filter(Q(person=None) | Q(Exists(held), person__is_active=True))


class Reader(Record):
    """Somebody at the school who must know what a plan says: a person with an account, or a name."""

    plan = models.ForeignKey("plans.HealthcarePlan", on_delete=models.CASCADE, related_name="readers")
    person = models.ForeignKey("accounts.User", on_delete=models.CASCADE, null=True, related_name="+")
    name = models.CharField(max_length=150, blank=True, help_text="of somebody without an account")
    asked_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, help_text="from when they need not know it any more")

    objects: ClassVar = RecordManager.from_queryset(ReaderQuerySet)()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(person=None) ^ Q(name=""), name="a_reader_is_a_person_or_a_name"),
            models.UniqueConstraint(
                fields=["plan", "person"], condition=Q(person__isnull=False), name="one_reader_per_plan_and_person"
            ),
            models.UniqueConstraint(
                "plan", Lower("name"), condition=Q(person=None), name="one_reader_per_plan_and_name"
            ),
        ]

    def __str__(self) -> str:
        return str(self.person or self.name)


class ReadReceipt(Record):
    """Somebody has read a version of a plan. Never changed afterwards."""

    reader = models.ForeignKey(Reader, on_delete=models.CASCADE, related_name="receipts")
    version = models.ForeignKey("plans.PlanVersion", on_delete=models.CASCADE, related_name="receipts")
    read_at = models.DateTimeField()
    recorded_by = models.UUIDField(null=True)
    recorded_by_name = models.CharField(max_length=150)

    class Meta:
        ordering = ["read_at", "id"]
        constraints = [models.UniqueConstraint(fields=["reader", "version"], name="one_receipt_per_reader_and_version")]
