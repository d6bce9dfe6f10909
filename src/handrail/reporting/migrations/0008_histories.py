"""What is noted of changes says in which history of the database its numbers were given."""

import uuid

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("reporting", "0007_keys_of_made_up_numbers"),
    ]

    operations = [
        migrations.CreateModel(
            name="History",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("epoch", models.CharField(max_length=100, unique=True)),
            ],
            options={"db_table_comment": "Append-only: in which histories of the database programs have read"},
        ),
    ]
