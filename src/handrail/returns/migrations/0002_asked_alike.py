"""Which returns were asked the same, and which answers are unmet, found without reading every answer."""

from django.db import migrations, models
from django.db.models import Q

DIGESTS = """
UPDATE returns_return SET asked = left(encode(sha256(said.digests::bytea), 'hex'), 16)
FROM (SELECT returned_id, string_agg(digest, ',' ORDER BY digest COLLATE "C") AS digests
      FROM returns_answer GROUP BY returned_id) said
WHERE said.returned_id = id
"""


class Migration(migrations.Migration):
    dependencies = [("returns", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="return",
            name="asked",
            field=models.CharField(
                default="", max_length=16, help_text="a digest: the same for all that were asked the same"
            ),
            preserve_default=False,
        ),
        migrations.RunSQL(DIGESTS, migrations.RunSQL.noop),
        migrations.AddIndex(
            model_name="answer",
            index=models.Index(
                fields=["returned"], condition=Q(verdict__in=["partly", "no"]), name="answers_that_are_unmet"
            ),
        ),
    ]
