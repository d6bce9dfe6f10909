"""A block stops what is new. What the blocker has opened, or sent itself, is answered and corrected all the same."""

from django.db import migrations

NOT_CEASED = "(m.ceased_on IS NULL OR m.ceased_on > (deposited_at AT TIME ZONE 'Europe/London')::date)"
POLICY = f"""
DROP POLICY a_member_deposits ON exchange.envelope;
CREATE POLICY a_member_deposits ON exchange.envelope FOR INSERT WITH CHECK (
    sender = current_user AND state = 'deposited'
    AND collected_at IS NULL AND opened_at IS NULL AND ended_at IS NULL
    AND EXISTS (SELECT 1 FROM exchange.member m
                WHERE m.role = sender AND m.joined_at IS NOT NULL AND m.left_at IS NULL AND {NOT_CEASED})
    AND EXISTS (SELECT 1 FROM exchange.member m
                WHERE m.role = recipient AND m.joined_at IS NOT NULL AND m.left_at IS NULL AND {NOT_CEASED}
                AND m.key_id = envelope.key_id)
    AND (NOT EXISTS (SELECT 1 FROM exchange.block b WHERE b.blocker = recipient AND b.blocked = sender)
         OR EXISTS (SELECT 1 FROM exchange.envelope e WHERE e.about = envelope.about
                    AND ((e.sender = envelope.recipient AND e.recipient = envelope.sender)
                         OR (e.sender = envelope.sender AND e.recipient = envelope.recipient
                             AND e.opened_at IS NOT NULL)))));
"""


class Migration(migrations.Migration):
    dependencies = [("tenants", "0008_ons_codes")]
    operations = [migrations.RunSQL([POLICY], migrations.RunSQL.noop)]
