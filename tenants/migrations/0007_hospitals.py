"""Which of its schools an authority has confirmed as hospital schools: the others wait a day for those, not a week."""

from django.db import migrations

HOSPITALS = r"""
ALTER TABLE exchange.member
    ADD COLUMN hospitals text[] NOT NULL DEFAULT '{}',
    ADD CONSTRAINT hospitals_are_urns CHECK (array_to_string(hospitals, ' ', '-') ~ '^([0-9]{6}( [0-9]{6})*)?$');

DO $$ DECLARE each record; BEGIN
    FOR each IN SELECT schema_name AS role FROM public.tenants_localauthority LOOP
        EXECUTE format('GRANT UPDATE (hospitals) ON exchange.member TO %I', each.role);
    END LOOP;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("tenants", "0006_ceased")]
    operations = [migrations.RunSQL([HOSPITALS], "ALTER TABLE exchange.member DROP COLUMN hospitals")]
