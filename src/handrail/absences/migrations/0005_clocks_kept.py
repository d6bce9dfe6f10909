"""Since when a clock ran that a school would have set back."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("absences", "0004_lives_in_always"),
    ]

    operations = [
        migrations.AddField(
            model_name="case",
            name="clock_on",
            field=models.DateField(
                help_text="since when the clock ran before the school took back, or changed, what it rests on",
                null=True,
            ),
        ),
    ]
