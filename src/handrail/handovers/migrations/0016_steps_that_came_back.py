"""A return pack notes whether its emergency steps are others than the school's own, so that somebody is asked."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("handovers", "0015_moves_told"),
    ]

    operations = [
        migrations.AddField(
            model_name="pack",
            name="has_other_steps",
            field=models.BooleanField(db_default=False, default=False, help_text="of a return: than at home"),
        ),
    ]
