"""An authority that has ceased, and which ones followed it: from that day it sends, takes up and opens nothing."""

from django.db import migrations

NOT_CEASED = "(m.ceased_on IS NULL OR m.ceased_on > (deposited_at AT TIME ZONE 'Europe/London')::date)"
CEASED = f"""
ALTER TABLE exchange.member
    ADD COLUMN ceased_on date,
    ADD COLUMN followed_by jsonb NOT NULL DEFAULT '{{}}',
    ADD CONSTRAINT who_ceased_was_followed CHECK ((ceased_on IS NULL) = (followed_by = '{{}}'));

DROP POLICY a_member_deposits ON exchange.envelope;
CREATE POLICY a_member_deposits ON exchange.envelope FOR INSERT WITH CHECK (
    sender = current_user AND state = 'deposited'
    AND collected_at IS NULL AND opened_at IS NULL AND ended_at IS NULL
    AND EXISTS (SELECT 1 FROM exchange.member m
                WHERE m.role = sender AND m.joined_at IS NOT NULL AND m.left_at IS NULL AND {NOT_CEASED})
    AND EXISTS (SELECT 1 FROM exchange.member m
                WHERE m.role = recipient AND m.joined_at IS NOT NULL AND m.left_at IS NULL AND {NOT_CEASED}
                AND m.key_id = envelope.key_id)
    AND NOT EXISTS (SELECT 1 FROM exchange.block b WHERE b.blocker = recipient AND b.blocked = sender));

CREATE FUNCTION exchange.nothing_for_who_has_ceased() RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    IF NEW.state IN ('collected', 'opened') AND NEW.state <> OLD.state AND EXISTS (
        SELECT 1 FROM exchange.member m WHERE m.role = OLD.recipient AND m.ceased_on <=
            (coalesce(NEW.opened_at, NEW.collected_at) AT TIME ZONE 'Europe/London')::date)
    THEN
        RAISE EXCEPTION 'an authority that has ceased takes up and opens nothing'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER nothing_for_who_has_ceased BEFORE UPDATE ON exchange.envelope
    FOR EACH ROW EXECUTE FUNCTION exchange.nothing_for_who_has_ceased();
"""


class Migration(migrations.Migration):
    dependencies = [("tenants", "0005_exchange")]
    operations = [migrations.RunSQL([CEASED], migrations.RunSQL.noop)]
