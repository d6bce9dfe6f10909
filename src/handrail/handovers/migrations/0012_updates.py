"""By when it is next said how a child gets on. For those under way now, a week or two from now."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("handovers", "0011_returns_erased_elsewhere"),
    ]

    operations = [
        migrations.AddField(
            model_name="handover",
            name="update_on",
            field=models.DateField(help_text="by when it is next said how the child gets on", null=True),
        ),
        migrations.RunSQL(
            """UPDATE handovers_handover
            SET update_on = current_date + CASE state WHEN 'active' THEN 7 ELSE 14 END
            WHERE state IN ('active', 'phased_return')""",
            migrations.RunSQL.noop,
        ),
    ]
