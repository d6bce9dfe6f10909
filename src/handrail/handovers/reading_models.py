"""Who has read the emergency steps of a pack, and whether what they read is what stands."""

from typing import ClassVar, Self

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Coalesce

from handrail.core.models import Record, RecordManager
from handrail.handovers.moves import Side
from handrail.plans.models import PlanVersion

STEPS_CHANGE = ["signs", "steps", "call_999", "medicines", "never", "contacts"]
"""The parts of a plan without whose newest words nobody may be looked after: see `PlanVersion.changed`."""


class StepsReadQuerySet(models.QuerySet["StepsRead"]):
    def of_now(self) -> Self:
        """Those of the steps as they are now. A setting that changes its own copy of the plan asks to be read anew; at
        the home side, whose copy is not what the others read, a corrected pack does.
        """
        read = Coalesce(OuterRef("version__number"), OuterRef("pack__version__number"), 0)
        newer = PlanVersion.objects.filter(
            plan__pupil=OuterRef("pack__handover__pupil"), number__gt=read, changed__overlap=STEPS_CHANGE
        )
        return self.filter(Q(pack__handover__side=Side.HOME) | ~Exists(newer))


class StepsRead(Record):
    """Somebody has read the emergency steps of a pack and knows where the medicine is. No session begins without."""

    pack = models.ForeignKey("handovers.Pack", on_delete=models.CASCADE, related_name="read_by")
    version = models.ForeignKey(
        PlanVersion,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        help_text="of the setting’s own plan; empty where it is the one that the pack brought",
    )
    at = models.DateTimeField()
    by = models.UUIDField(null=True)
    by_name = models.CharField(max_length=150)

    objects: ClassVar = RecordManager.from_queryset(StepsReadQuerySet)()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["pack", "version", "by"], name="one_reading_per_version_and_person", nulls_distinct=False
            )
        ]
