from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("plans", "0006_count_again")]

    operations = [
        migrations.AddField(
            model_name="healthcareplan",
            name="asked_due_on",
            field=models.DateField(help_text="the day that the last review asked for, sooner than a year", null=True),
        ),
    ]
