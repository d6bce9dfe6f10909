from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models

SCOPES = [
    ("aggregate", "Read numbers"),
    ("school", "Read schools and policies"),
    ("write_policies", "Record reviews of policies"),
    ("write_plans", "Record reviews of children’s plans"),
    ("write_returns", "Send sickness returns"),
]


class Migration(migrations.Migration):
    dependencies = [
        ("reporting", "0004_more_changes"),
    ]

    operations = [
        migrations.AlterField(
            model_name="apikey",
            name="scopes",
            field=ArrayField(base_field=models.CharField(choices=SCOPES, max_length=20), size=None),
        ),
    ]
