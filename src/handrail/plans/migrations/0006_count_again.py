"""Counts from before it was counted how many plans are covered do not say it: they are made again when asked for."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("plans", "0005_readers")]

    operations = [migrations.RunSQL("DELETE FROM plans_plantally", migrations.RunSQL.noop)]
