"""The table of how many plans there were when they were counted."""

from django.db import models

from handrail.core.models import Record


class PlanTally(Record):
    """How many active plans each school had on the day on which they were counted: see overview/plan_counts.py."""

    counted_on = models.DateField(unique=True)
    schools = models.JSONField(help_text="of each open school: URN, name, phase and counts by status")
    by_day = models.JSONField(help_text="how many of those in date fall due on which day")

    class Meta:
        db_table_comment = "Append-only: how many plans there were, so that they are not counted again too soon"
