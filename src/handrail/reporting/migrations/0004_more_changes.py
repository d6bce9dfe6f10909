"""Answers of returns, and policies at the end of months, are followed like the other tables that programs read."""

from django.db import migrations, models

TABLES = {"returns_answer": "answers", "policies_policymonth": "policy-months"}
"""Both can only be added to."""

NOTE = "".join(
    f"""
CREATE TRIGGER note_insert_of_{table} AFTER INSERT ON {table} REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION reporting_note_change('{name}');
INSERT INTO reporting_change (id, "table", transaction, changed_at, is_removed)
    SELECT id, '{name}', pg_current_xact_id()::text::bigint, now(), false FROM {table};
"""
    for table, name in TABLES.items()
)
LET_GO = "".join(f"DROP TRIGGER note_insert_of_{table} ON {table};" for table in TABLES)


class Migration(migrations.Migration):
    dependencies = [
        ("reporting", "0003_makers_of_keys"),
        ("policies", "0003_month_ends"),
        ("returns", "0001_initial"),
    ]

    operations = [
        migrations.RunSQL(NOTE, LET_GO),
        migrations.AddIndex(
            model_name="change",
            index=models.Index(fields=["table", "changed_at"], name="changes_since_a_moment"),
        ),
    ]
