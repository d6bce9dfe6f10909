from django.db import migrations

import handrail.core.fields


def none_in_clear(found: str) -> migrations.RunSQL:
    """Stop where rows hold in clear what is sealed from here on: whoever migrates has no key to seal it with."""
    return migrations.RunSQL(
        f"""DO $$ BEGIN
            IF EXISTS ({found}) THEN
                RAISE EXCEPTION 'Some rows hold in clear what this release seals. Begin with a new database.';
            END IF;
        END $$""",
        migrations.RunSQL.noop,
    )


class Migration(migrations.Migration):
    dependencies = [("care", "0001_initial")]

    operations = [
        none_in_clear("SELECT FROM care_stafftraining UNION ALL SELECT FROM care_medicine WHERE log_url <> ''"),
        migrations.RemoveField("medicine", "log_url"),
        migrations.AddField(
            "medicine",
            "log_url",
            handrail.core.fields.SealedTextField(help_text="where each dose is written down, elsewhere", null=True),
        ),
        migrations.RemoveField("stafftraining", "procedure"),
        migrations.AddField(
            "stafftraining",
            "procedure",
            handrail.core.fields.SealedTextField(
                choices=[
                    ("awareness", "Awareness of medical conditions"),
                    ("medicines", "Giving medicines"),
                    ("adrenaline", "Adrenaline auto-injector"),
                    ("inhaler", "Inhaler and spacer"),
                    ("seizure", "Seizures and rescue medicine"),
                    ("diabetes", "Glucose, insulin and hypos"),
                    ("feeding", "Tube feeding"),
                    ("catheter", "Catheter and continence care"),
                    ("tracheostomy", "Tracheostomy, suction and oxygen"),
                    ("first_aid", "First aid"),
                    ("other", "Something else"),
                ]
            ),
        ),
    ]
