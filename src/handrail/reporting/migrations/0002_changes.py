"""What changed when, noted by PostgreSQL itself: no write, however it is made, can be forgotten."""

import uuid

from django.db import migrations, models

TABLES = {
    "schools_school": "schools",
    "policies_policy": "policies",
    "policies_policyreview": "policy-reviews",
}
EVENTS = {"insert": "NEW", "update": "NEW", "delete": "OLD"}
"""And which rows of each are noted."""

NOTE = """
CREATE FUNCTION reporting_note_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO reporting_change (id, "table", transaction, changed_at, is_removed)
    SELECT id, TG_ARGV[0], pg_current_xact_id()::text::bigint, now(), TG_OP = 'DELETE' FROM changed
    ON CONFLICT (id) DO UPDATE SET transaction = excluded.transaction, changed_at = excluded.changed_at,
        is_removed = excluded.is_removed;
    RETURN NULL;
END $$;
""" + "".join(
    f"""
CREATE TRIGGER note_{event}_of_{table} AFTER {event} ON {table} REFERENCING {rows} TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION reporting_note_change('{name}');
"""
    for table, name in TABLES.items()
    for event, rows in EVENTS.items()
)
LET_GO = (
    "".join(f"DROP TRIGGER note_{event}_of_{table} ON {table};" for table in TABLES for event in EVENTS)
    + "DROP FUNCTION reporting_note_change();"
)
WHAT_IS_THERE = "".join(
    f"""
INSERT INTO reporting_change (id, "table", transaction, changed_at, is_removed)
    SELECT id, '{name}', pg_current_xact_id()::text::bigint, now(), false FROM {table};
"""
    for table, name in TABLES.items()
)


class Migration(migrations.Migration):
    dependencies = [
        ("reporting", "0001_keys"),
        ("schools", "0001_initial"),
        ("policies", "0001_initial"),
    ]
    operations = [
        migrations.CreateModel(
            name="Change",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("table", models.CharField(max_length=20)),
                ("transaction", models.BigIntegerField()),
                ("changed_at", models.DateTimeField()),
                ("is_removed", models.BooleanField(default=False)),
            ],
            options={
                "indexes": [models.Index(fields=["table", "transaction", "id"], name="changes_of_a_table")],
            },
        ),
        migrations.RunSQL(NOTE, LET_GO),
        migrations.RunSQL(WHAT_IS_THERE, migrations.RunSQL.noop),
    ]
