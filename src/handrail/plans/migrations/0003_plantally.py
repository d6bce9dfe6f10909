import uuid

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("plans", "0002_lifecycle")]

    operations = [
        migrations.CreateModel(
            name="PlanTally",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("counted_on", models.DateField(unique=True)),
                ("schools", models.JSONField(help_text="of each open school: URN, name, phase and counts by status")),
                ("by_day", models.JSONField(help_text="how many of those in date fall due on which day")),
            ],
            options={
                "db_table_comment": (
                    "Append-only: how many plans there were, so that they are not counted again too soon"
                ),
            },
        ),
    ]
