from django.db import migrations, models

import handrail.core.fields


class Migration(migrations.Migration):
    dependencies = [("care", "0002_training_and_logs_are_sealed")]

    operations = [
        migrations.AddField(
            model_name="medicine",
            name="is_hidden_from_parents",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="prescribed without their knowledge: the young person, who is able to, agreed alone",
            ),
        ),
        migrations.AlterField(
            model_name="medicine",
            name="consent_by",
            field=handrail.core.fields.SealedTextField(help_text="who agreed in writing", null=True),
        ),
        migrations.AddField(
            model_name="medicine",
            name="consent_withdrawn_on",
            field=models.DateField(help_text="empty while nobody took an agreement back", null=True),
        ),
    ]
