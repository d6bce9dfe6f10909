"""What came in and is not opened is looked for with each ring of the clock."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [
        ("handovers", "0012_updates"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=Q(("done_at", None), ("way", "in")), fields=["handover"], name="messages_not_opened"
            ),
        ),
    ]
