"""A card may say how many requests for more its sender had heard of: a number, and nothing about the child."""

from django.db import migrations

WORDS = "ARRAY['setting', 'urn', 'is_urgent', 'ring', 'telephone', 'answers']"
CARD = f"""
ALTER TABLE exchange.envelope DROP CONSTRAINT card_says_no_more;
ALTER TABLE exchange.envelope ADD CONSTRAINT card_says_no_more CHECK (
    jsonb_typeof(card) = 'object' AND card - {WORDS} = '{{}}'
    AND (NOT card ? 'answers' OR jsonb_typeof(card -> 'answers') = 'number'));
"""


class Migration(migrations.Migration):
    dependencies = [("tenants", "0009_blocks_stop_what_is_new")]
    operations = [migrations.RunSQL([CARD], migrations.RunSQL.noop)]
