import uuid

import django.db.models.deletion
from django.db import migrations, models

import handrail.core.fields


class Migration(migrations.Migration):
    dependencies = [
        ("absences", "0002_lives_in"),
        ("handovers", "0004_guest_pages"),
    ]

    operations = [
        migrations.CreateModel(
            name="OnwardReturn",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("way", models.CharField(choices=[("out", "Out"), ("in", "In")], max_length=3)),
                ("reference", models.UUIDField(help_text="the sender's, unique in the exchange")),
                (
                    "other_role",
                    models.CharField(
                        help_text="the other authority in the exchange; empty until it is in", max_length=11
                    ),
                ),
                ("other_name", models.CharField(max_length=100)),
                (
                    "says",
                    handrail.core.fields.SealedJSONField(
                        help_text="who is away, of which school and since when, once it was opened", null=True
                    ),
                ),
                ("envelope_id", models.UUIDField(null=True)),
                ("key_id", models.UUIDField(help_text="which of our keys opens one that came in", null=True)),
                ("sha256", models.CharField(blank=True, help_text="of the sealed content", max_length=64)),
                ("owed_at", models.DateTimeField(help_text="when it was written, or came in")),
                ("expires_at", models.DateTimeField(null=True)),
                ("done_at", models.DateTimeField(help_text="when it was deposited, or opened", null=True)),
                ("done_by", models.UUIDField(null=True)),
                ("done_by_name", models.CharField(blank=True, max_length=150)),
                ("trouble", models.CharField(blank=True, help_text="why it could not be sent", max_length=200)),
                (
                    "returned",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="onward",
                        to="absences.sicknessreturn",
                    ),
                ),
            ],
            options={
                "ordering": ["-owed_at"],
            },
        ),
        migrations.AddConstraint(
            model_name="onwardreturn",
            constraint=models.UniqueConstraint(
                fields=("way", "reference"), name="one_onward_return_per_way_and_reference"
            ),
        ),
        migrations.AddConstraint(
            model_name="onwardreturn",
            constraint=models.UniqueConstraint(
                condition=models.Q(("way", "out")), fields=("returned",), name="one_onward_return_per_return"
            ),
        ),
    ]
