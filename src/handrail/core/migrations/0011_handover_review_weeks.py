from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0010_asks_second_step"),
    ]

    operations = [
        migrations.AddField(
            model_name="authoritysettings",
            name="handover_review_weeks",
            field=models.PositiveSmallIntegerField(db_default=6, default=6),
        ),
    ]
