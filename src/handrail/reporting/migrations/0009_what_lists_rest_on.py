"""What lists rest on beside what programs follow: dates of returns, and what is kept of months that have ended."""

from django.db import migrations

TABLES = {
    "returns_cycle": ("cycles", ("insert", "update")),
    "policies_monthend": ("month-ends", ("insert",)),
    "plans_plantally": ("plan-tallies", ("insert",)),
}
"""Nothing of them is deleted, and what is kept of months can only be added to."""

NOTE = "".join(
    f"""
CREATE TRIGGER note_{event}_of_{table} AFTER {event} ON {table} REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION reporting_note_change('{name}');
"""
    for table, (name, events) in TABLES.items()
    for event in events
)
WHAT_IS_THERE = "".join(
    f"""
INSERT INTO reporting_change (id, "table", transaction, changed_at, is_removed)
    SELECT id, '{name}', pg_current_xact_id()::text::bigint, now(), false FROM {table};
"""
    for table, (name, _) in TABLES.items()
)
LET_GO = "".join(
    f"DROP TRIGGER note_{event}_of_{table} ON {table};" for table, (_, events) in TABLES.items() for event in events
)


class Migration(migrations.Migration):
    dependencies = [
        ("reporting", "0008_histories"),
        ("policies", "0003_month_ends"),
        ("returns", "0001_initial"),
        ("plans", "0010_types_of_counts"),
    ]

    operations = [
        migrations.RunSQL(NOTE, LET_GO),
        migrations.RunSQL(WHAT_IS_THERE, migrations.RunSQL.noop),
    ]
