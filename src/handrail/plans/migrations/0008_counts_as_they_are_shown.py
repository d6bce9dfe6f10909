"""Counts are kept as they may be shown. Those from before, which hold small numbers, go: plans are counted anew."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("plans", "0007_asked_due_on")]

    operations = [
        migrations.RunSQL("DELETE FROM plans_plantally", migrations.RunSQL.noop),
        migrations.RemoveField("plantally", "by_day"),
        migrations.AddField(
            "plantally",
            "phases",
            models.JSONField(default=list, help_text="of each phase, and at the end of all schools: label and counts"),
        ),
        migrations.AddField(
            "plantally",
            "months",
            models.JSONField(default=list, help_text="how many of those in date fall due in which month"),
        ),
        migrations.AlterField(
            "plantally",
            "schools",
            models.JSONField(help_text="of each school that was open: URN, name, phase and counts by status"),
        ),
    ]
