"""The news that a child was erased, owed to the other side of a handover."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("handovers", "0009_home_guests"),
    ]

    operations = [
        migrations.AddField(
            model_name="erasedenvelope",
            name="is_owed",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="whether it is the news of the erasing itself, and has not gone yet",
            ),
        ),
    ]
