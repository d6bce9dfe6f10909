from django.db import migrations


class Migration(migrations.Migration):
    """Recovery codes that could be made again from a seed go: whoever has them is told to make new ones."""

    dependencies = [
        ("accounts", "0007_calendar_keys"),
        ("mfa", "0003_authenticator_type_uniq"),
    ]

    operations = [
        migrations.RunSQL(
            "DELETE FROM mfa_authenticator WHERE type = 'recovery_codes' AND data ? 'seed'", migrations.RunSQL.noop
        ),
    ]
