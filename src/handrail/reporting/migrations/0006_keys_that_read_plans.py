from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models

SCOPES = [
    ("aggregate", "Read numbers"),
    ("school", "Read schools and policies"),
    ("pupil", "Read plans one by one"),
    ("write_policies", "Record reviews of policies"),
    ("write_plans", "Record reviews of children’s plans"),
    ("write_returns", "Send sickness returns"),
]


class Migration(migrations.Migration):
    dependencies = [
        ("reporting", "0005_what_keys_write"),
    ]

    operations = [
        migrations.AlterField(
            model_name="apikey",
            name="scopes",
            field=ArrayField(base_field=models.CharField(choices=SCOPES, max_length=20), size=None),
        ),
    ]
