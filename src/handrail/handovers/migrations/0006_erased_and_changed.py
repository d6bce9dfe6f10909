import uuid

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("absences", "0003_editions"),
        ("handovers", "0005_onward_returns"),
    ]

    operations = [
        migrations.CreateModel(
            name="ErasedEnvelope",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("way", models.CharField(choices=[("out", "Out"), ("in", "In")], max_length=3)),
                ("other_role", models.CharField(help_text="the other authority in the exchange", max_length=11)),
                ("reference", models.UUIDField(help_text="the sender's, unique in the exchange")),
                (
                    "about",
                    models.UUIDField(
                        help_text="what both sides know the case by: what comes later of it finds nobody here"
                    ),
                ),
                ("sha256", models.CharField(help_text="of the sealed content", max_length=64)),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="onwardreturn",
            name="one_onward_return_per_return",
        ),
        migrations.AddField(
            model_name="onwardreturn",
            name="about",
            field=models.UUIDField(
                help_text="the reference of the first one, by which both sides know it again", null=True
            ),
        ),
        migrations.AddField(
            model_name="onwardreturn",
            name="edition",
            field=models.PositiveIntegerField(
                db_default=1,
                default=1,
                help_text="of the return; of one that came in, how many came before it and itself",
            ),
        ),
        migrations.AddField(
            model_name="onwardreturn",
            name="lives_in",
            field=models.CharField(
                blank=True, db_default="", help_text="the authority that it goes to, by DfE code", max_length=3
            ),
        ),
        migrations.AddField(
            model_name="onwardreturn",
            name="takes_back",
            field=models.BooleanField(
                db_default=False, default=False, help_text="whether it says that what was sent before counts no more"
            ),
        ),
        migrations.AddConstraint(
            model_name="onwardreturn",
            constraint=models.UniqueConstraint(
                condition=models.Q(("way", "out")),
                fields=("returned", "edition", "takes_back"),
                name="each_edition_of_a_return_is_sent_on_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="erasedenvelope",
            constraint=models.UniqueConstraint(
                fields=("way", "reference"), name="one_erased_envelope_per_way_and_reference"
            ),
        ),
        migrations.RunSQL(
            """UPDATE handovers_onwardreturn onward SET about = onward.reference, lives_in = coalesce(
                   (SELECT lives_in FROM absences_sicknessreturn made WHERE made.id = onward.returned_id), '')""",
            migrations.RunSQL.noop,
        ),
    ]
