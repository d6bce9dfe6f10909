import uuid

import django.db.models.deletion
from django.db import migrations, models

import handrail.core.fields


class Migration(migrations.Migration):
    dependencies = [
        ("handovers", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="handover",
            name="made_pupil",
            field=models.BooleanField(
                db_default=False, default=False, help_text="whether the setting knows the child by this handover alone"
            ),
        ),
        migrations.CreateModel(
            name="FollowUp",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("says", handrail.core.fields.SealedTextField()),
                ("at", models.DateTimeField()),
                ("by", models.UUIDField(null=True)),
                ("by_name", models.CharField(max_length=150)),
                (
                    "handover",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="follow_up",
                        to="handovers.handover",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
    ]
