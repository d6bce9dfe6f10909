"""A handover whose other side is not in the exchange any more: it comes back unopened, or goes on alone."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("handovers", "0007_told_by_hand"),
        ("schools", "0004_terms"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="handover",
            name="one_open_handover_per_child_at_home",
        ),
        migrations.RemoveConstraint(
            model_name="handover",
            name="nothing_is_due_of_what_is_over",
        ),
        migrations.AddField(
            model_name="handover",
            name="alone_since",
            field=models.DateField(help_text="from when on the other side is not in the exchange any more", null=True),
        ),
        migrations.AlterField(
            model_name="handover",
            name="state",
            field=models.CharField(
                choices=[
                    ("draft", "Being prepared"),
                    ("admitted", "Admitted, home not told"),
                    ("pack_asked", "Pack asked for"),
                    ("submitted", "Sent"),
                    ("acknowledged", "Opened"),
                    ("more_asked", "More asked for"),
                    ("accepted", "Accepted"),
                    ("active", "Being taught"),
                    ("return_planned", "Return planned"),
                    ("phased_return", "Returning in steps"),
                    ("returned", "Back at school"),
                    ("passed_on", "Passed on"),
                    ("ended", "Ended"),
                    ("declined", "Declined"),
                    ("withdrawn", "Withdrawn"),
                    ("expired", "Ran out"),
                    ("came_back", "Came back unopened"),
                ],
                max_length=14,
            ),
        ),
        migrations.AlterField(
            model_name="step",
            name="state",
            field=models.CharField(
                choices=[
                    ("draft", "Being prepared"),
                    ("admitted", "Admitted, home not told"),
                    ("pack_asked", "Pack asked for"),
                    ("submitted", "Sent"),
                    ("acknowledged", "Opened"),
                    ("more_asked", "More asked for"),
                    ("accepted", "Accepted"),
                    ("active", "Being taught"),
                    ("return_planned", "Return planned"),
                    ("phased_return", "Returning in steps"),
                    ("returned", "Back at school"),
                    ("passed_on", "Passed on"),
                    ("ended", "Ended"),
                    ("declined", "Declined"),
                    ("withdrawn", "Withdrawn"),
                    ("expired", "Ran out"),
                    ("came_back", "Came back unopened"),
                ],
                help_text="where the handover stood afterwards",
                max_length=14,
            ),
        ),
        migrations.AddConstraint(
            model_name="handover",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("side", "home"),
                    models.Q(
                        (
                            "state__in",
                            ["came_back", "declined", "ended", "expired", "passed_on", "returned", "withdrawn"],
                        ),
                        _negated=True,
                    ),
                ),
                fields=("pupil",),
                name="one_open_handover_per_child_at_home",
            ),
        ),
        migrations.AddConstraint(
            model_name="handover",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        (
                            "state__in",
                            ["came_back", "declined", "ended", "expired", "passed_on", "returned", "withdrawn"],
                        ),
                        _negated=True,
                    ),
                    ("due_on", None),
                    _connector="OR",
                ),
                name="nothing_is_due_of_what_is_over",
            ),
        ),
    ]
