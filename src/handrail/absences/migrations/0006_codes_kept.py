"""The code of a session that another took the place of is kept, so that a past day counts by what was known then."""

from django.db import migrations, models

ONE_CODE = "one_code_per_child_and_session"


class Migration(migrations.Migration):
    dependencies = [
        ("absences", "0005_clocks_kept"),
    ]

    operations = [
        migrations.AddField(
            model_name="attendancemark",
            name="replaced_at",
            field=models.DateTimeField(help_text="when another code took its place", null=True),
        ),
        migrations.RemoveConstraint(model_name="attendancemark", name=ONE_CODE),
        migrations.AddConstraint(
            model_name="attendancemark",
            constraint=models.UniqueConstraint(
                condition=models.Q(replaced_at=None), fields=["pupil", "on", "session"], name=ONE_CODE
            ),
        ),
    ]
