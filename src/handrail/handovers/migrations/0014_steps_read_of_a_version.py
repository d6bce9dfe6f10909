"""Which version of the setting's own plan somebody has read, so that changed steps are read anew."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("handovers", "0013_messages_not_opened"),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="stepsread", name="one_reading_per_pack_and_person"),
        migrations.AddField(
            model_name="stepsread",
            name="version",
            field=models.ForeignKey(
                help_text="of the setting’s own plan; empty where it is the one that the pack brought",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="plans.planversion",
            ),
        ),
        migrations.AddConstraint(
            model_name="stepsread",
            constraint=models.UniqueConstraint(
                fields=("pack", "version", "by"), name="one_reading_per_version_and_person", nulls_distinct=False
            ),
        ),
    ]
