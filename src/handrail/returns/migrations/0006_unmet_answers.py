"""Which answers are unmet, and which of them give no reason, found in an index alone."""

from django.db import migrations, models
from django.db.models import Q

UNMET = ["partly", "no"]


class Migration(migrations.Migration):
    dependencies = [("returns", "0005_own_returns")]

    operations = [
        migrations.AddIndex(
            model_name="answer",
            index=models.Index(
                fields=["returned", "digest"], condition=Q(verdict__in=UNMET, reason=""), name="unmet_without_a_reason"
            ),
        ),
        migrations.AddIndex(
            model_name="answer",
            index=models.Index(
                fields=["returned", "digest"], condition=Q(verdict__in=UNMET, reason__gt=""), name="unmet_with_a_reason"
            ),
        ),
        migrations.RemoveIndex(model_name="answer", name="answers_that_are_unmet"),
    ]
