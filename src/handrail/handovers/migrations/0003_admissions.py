import django.db.models.deletion
from django.db import migrations, models

import handrail.core.fields


class Migration(migrations.Migration):
    dependencies = [
        ("handovers", "0002_follow_ups"),
        ("schools", "0004_terms"),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="handover", name="the_home_side_knows_the_child"),
        migrations.AddField(
            model_name="handover",
            name="back",
            field=handrail.core.fields.SealedJSONField(
                help_text="what the setting has written for the return pack: see return_pack.py", null=True
            ),
        ),
        migrations.AddField(
            model_name="handover",
            name="earlier",
            field=models.ForeignKey(
                help_text="which this one was passed on from",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="later",
                to="handovers.handover",
            ),
        ),
        migrations.AddField(
            model_name="handover",
            name="notice",
            field=handrail.core.fields.SealedJSONField(
                help_text="what the notice of an admission says: see admissions.py", null=True
            ),
        ),
        migrations.AddField(
            model_name="handover",
            name="school",
            field=models.ForeignKey(
                help_text="of the home side, while nobody has said who the child of a notice is",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="schools.school",
            ),
        ),
        migrations.AlterField(
            model_name="handover",
            name="roll",
            field=models.CharField(
                blank=True,
                choices=[
                    ("guest", "Stays on the home school’s roll only"),
                    ("dual", "On both rolls, the home school’s first"),
                    ("sole", "On the setting’s roll, and on no school’s before"),
                ],
                max_length=5,
            ),
        ),
        migrations.AlterField(
            model_name="message",
            name="kind",
            field=models.CharField(
                choices=[
                    ("pack", "A pack"),
                    ("move", "A move"),
                    ("note", "A notice of an admission"),
                    ("back", "A return pack"),
                ],
                max_length=4,
            ),
        ),
        migrations.AddConstraint(
            model_name="handover",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("side", "setting"),
                    ("pupil__isnull", False),
                    ("notice__isnull", False),
                    _connector="OR",
                ),
                name="the_home_side_knows_the_child",
            ),
        ),
    ]
