"""The table of how many plans there were when they were counted."""

from django.db import models

from handrail.core.models import Record


class PlanTally(Record):
    """How many active plans there were on the day on which they were counted, as it may be shown; null is kept back.
    See overview/plan_counts.py.
    """

    counted_on = models.DateField(unique=True)
    schools = models.JSONField(help_text="of each school that was open: URN, name, phase and counts by status")
    phases = models.JSONField(default=list, help_text="of each phase, and at the end of all schools: label and counts")
    types = models.JSONField(
        default=list,
        db_default=models.Value([], models.JSONField()),
        help_text="of each establishment type: label and counts by status",
    )
    months = models.JSONField(default=list, help_text="how many of those in date fall due in which month")
    conditions = models.JSONField(
        default=dict,
        db_default=models.Value({}, models.JSONField()),
        help_text="how many are for which condition, to the nearest ten; empty where not told anew",
    )

    class Meta:
        db_table_comment = "Append-only: how many plans there were, so that they are not counted again too soon"
