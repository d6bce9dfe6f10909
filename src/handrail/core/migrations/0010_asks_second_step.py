from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0009_absences"),
    ]

    operations = [
        migrations.AddField(
            model_name="authoritysettings",
            name="asks_second_step",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="of everybody at sign-in, not of the authority's people alone",
            ),
        ),
    ]
