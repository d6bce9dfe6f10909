"""The authority answers for itself: a return, its drafts and what is planned after it may be of no school."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0011_handover_review_weeks"),
        ("returns", "0004_evidence_file"),
        ("schools", "0004_terms"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="draft",
            name="one_draft_answer_to_a_question",
        ),
        migrations.RemoveConstraint(
            model_name="return",
            name="numbers_of_returns_are_not_reused",
        ),
        migrations.AlterField(
            model_name="draft",
            name="school",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="schools.school"
            ),
        ),
        migrations.AlterField(
            model_name="plannedaction",
            name="school",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="planned_actions",
                to="schools.school",
            ),
        ),
        migrations.AlterField(
            model_name="return",
            name="school",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="returns", to="schools.school"
            ),
        ),
        migrations.AddConstraint(
            model_name="draft",
            constraint=models.UniqueConstraint(
                fields=("cycle", "school", "requirement_id", "digest"),
                name="one_draft_answer_to_a_question",
                nulls_distinct=False,
            ),
        ),
        migrations.AddConstraint(
            model_name="return",
            constraint=models.UniqueConstraint(
                fields=("cycle", "school", "number"), name="numbers_of_returns_are_not_reused", nulls_distinct=False
            ),
        ),
    ]
