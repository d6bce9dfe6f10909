"""Counts of plans say how many are for which condition too: see overview/plan_conditions.py."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("plans", "0008_counts_as_they_are_shown")]

    operations = [
        migrations.AddField(
            "plantally",
            "conditions",
            models.JSONField(
                default=dict,
                db_default=models.Value({}, models.JSONField()),
                help_text="how many are for which condition, to the nearest ten; empty where not told anew",
            ),
        ),
    ]
