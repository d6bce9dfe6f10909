import uuid

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("handovers", "0003_admissions")]

    operations = [
        migrations.CreateModel(
            name="GuestPage",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=150)),
                ("email", models.EmailField(help_text="codes go there", max_length=254)),
                ("sent_at", models.DateTimeField()),
                ("sent_by", models.UUIDField()),
                ("sent_by_name", models.CharField(max_length=150)),
                ("ends_at", models.DateTimeField()),
                ("withdrawn_at", models.DateTimeField(null=True)),
                (
                    "digests",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=64),
                        default=list,
                        help_text="of what the addresses of it hold",
                        size=None,
                    ),
                ),
                (
                    "code",
                    models.CharField(
                        blank=True, help_text="a digest of the newest code, until it is used", max_length=64
                    ),
                ),
                ("code_sent_at", models.DateTimeField(null=True)),
                ("codes_sent", models.PositiveSmallIntegerField(default=0)),
                (
                    "wrong_tries",
                    models.PositiveSmallIntegerField(default=0, help_text="since it was opened last"),
                ),
                ("tried_at", models.DateTimeField(null=True)),
                (
                    "locked_at",
                    models.DateTimeField(help_text="when there had been too many wrong tries", null=True),
                ),
                ("opened_at", models.DateTimeField(help_text="when somebody first got in", null=True)),
                (
                    "handover",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="guest_pages",
                        to="handovers.handover",
                    ),
                ),
            ],
            options={
                "ordering": ["-sent_at"],
                "indexes": [django.contrib.postgres.indexes.GinIndex(fields=["digests"], name="guest_pages_by_digest")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("ends_at__gt", models.F("sent_at"))),
                        name="a_guest_page_ends_after_it_was_sent",
                    )
                ],
            },
        ),
    ]
