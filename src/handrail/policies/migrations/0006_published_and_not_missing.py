from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("policies", "0005_communication"),
    ]

    operations = [
        migrations.AlterField(
            model_name="policymonth",
            name="is_published",
            field=models.BooleanField(help_text="whether an address is on record, and the policy not missing there"),
        ),
    ]
