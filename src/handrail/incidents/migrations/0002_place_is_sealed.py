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
    dependencies = [("incidents", "0001_initial")]

    operations = [
        none_in_clear("SELECT FROM incidents_incident"),
        migrations.RemoveField("incident", "place"),
        migrations.AddField("incident", "place", handrail.core.fields.SealedTextField()),
    ]
