from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("handovers", "0014_steps_read_of_a_version"),
    ]

    operations = [
        migrations.AddField(
            model_name="onwardreturn",
            name="moves_told",
            field=models.PositiveIntegerField(
                db_default=0,
                default=0,
                help_text="of one that goes out, how many moves of the child's handovers it tells of",
            ),
        ),
    ]
