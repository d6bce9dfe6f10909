import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0011_handover_review_weeks"),
    ]

    operations = [
        migrations.AddField(
            model_name="authoritysettings",
            name="settings_not_asked",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=12),
                blank=True,
                db_default=[],
                default=list,
                help_text="kinds of setting that are not asked for sickness returns",
                size=None,
            ),
        ),
    ]
