"""Counts of plans say how plans stand by establishment type too: see overview/plan_counts.py."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("plans", "0009_conditions_of_counts")]

    operations = [
        migrations.AddField(
            "plantally",
            "types",
            models.JSONField(
                default=list,
                db_default=models.Value([], models.JSONField()),
                help_text="of each establishment type: label and counts by status",
            ),
        ),
    ]
