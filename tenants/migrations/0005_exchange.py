"""The exchange: the one place where two authorities meet. Rows are shared there by row-level security alone.

`member` is who may be written to; `envelope` is the card that sender and recipient see; `envelopebody` is the sealed
content, which only the recipient reads, once it has opened the envelope. Who may make which move is held by policies
and one trigger, which see the authority's own role as `current_user`: nothing here runs with its owner's rights.
"""

from django.db import migrations

EXCHANGE = """
CREATE SCHEMA exchange;

CREATE TABLE exchange.member (
    role text PRIMARY KEY,
    authority_id uuid NOT NULL UNIQUE,
    code text NOT NULL UNIQUE,
    name text NOT NULL,
    key_id uuid,
    public_key bytea CHECK (octet_length(public_key) = 32),
    joined_at timestamptz,
    left_at timestamptz,
    CONSTRAINT who_has_joined_has_a_key CHECK (joined_at IS NULL OR (key_id IS NOT NULL AND public_key IS NOT NULL))
);

CREATE TABLE exchange.block (
    blocker text NOT NULL DEFAULT current_user REFERENCES exchange.member ON DELETE CASCADE,
    blocked text NOT NULL REFERENCES exchange.member ON DELETE CASCADE,
    PRIMARY KEY (blocker, blocked)
);

CREATE TABLE exchange.envelope (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    sender text NOT NULL DEFAULT current_user,
    recipient text NOT NULL,
    reference uuid NOT NULL,
    kind text NOT NULL CONSTRAINT kind_is_a_word CHECK (kind ~ '^[a-z]{1,30}$'),
    about uuid,
    card jsonb NOT NULL CONSTRAINT card_says_no_more CHECK (
        jsonb_typeof(card) = 'object' AND card - ARRAY['setting', 'urn', 'is_urgent', 'ring', 'telephone'] = '{}'),
    key_id uuid NOT NULL,
    sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    state text NOT NULL DEFAULT 'deposited' CONSTRAINT state_is_known CHECK (
        state IN ('deposited', 'collected', 'opened', 'ended', 'recalled', 'expired')),
    deposited_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL CHECK (expires_at > deposited_at),
    collected_at timestamptz,
    opened_at timestamptz,
    ended_at timestamptz,
    CONSTRAINT reference_is_unique_per_sender UNIQUE (sender, reference)
);
CREATE INDEX envelopes_to_collect ON exchange.envelope (recipient) WHERE state = 'deposited';

CREATE TABLE exchange.envelopebody (
    envelope_id uuid PRIMARY KEY REFERENCES exchange.envelope ON DELETE CASCADE,
    ciphertext bytea NOT NULL CHECK (octet_length(ciphertext) < 50000000)
);

CREATE FUNCTION exchange.only_legal_moves() RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    is_sender boolean := OLD.sender = current_user;
    is_recipient boolean := OLD.recipient = current_user;
    is_owner boolean := current_user = 'handrail_owner';
    is_legal boolean;
BEGIN
    is_legal := (NEW.state = 'collected' OR NEW.collected_at IS NOT DISTINCT FROM OLD.collected_at)
        AND (NEW.state = 'opened' OR NEW.opened_at IS NOT DISTINCT FROM OLD.opened_at)
        AND (NEW.state IN ('ended', 'recalled', 'expired') OR NEW.ended_at IS NOT DISTINCT FROM OLD.ended_at)
        AND CASE OLD.state || ' ' || NEW.state
            WHEN 'deposited collected' THEN is_recipient AND NEW.collected_at < OLD.expires_at
            WHEN 'collected opened' THEN is_recipient AND NEW.opened_at < OLD.expires_at
            WHEN 'opened ended' THEN is_recipient AND NEW.ended_at IS NOT NULL
            WHEN 'deposited recalled' THEN (is_sender OR is_owner) AND NEW.ended_at IS NOT NULL
            WHEN 'collected recalled' THEN (is_sender OR is_owner) AND NEW.ended_at IS NOT NULL
            WHEN 'deposited expired' THEN is_owner OR (is_sender AND NEW.ended_at >= OLD.expires_at)
            WHEN 'collected expired' THEN is_owner OR (is_sender AND NEW.ended_at >= OLD.expires_at)
            ELSE false END;
    IF is_legal THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'an envelope that is % may not become % by this hand', OLD.state, NEW.state
        USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER only_legal_moves BEFORE UPDATE ON exchange.envelope
    FOR EACH ROW EXECUTE FUNCTION exchange.only_legal_moves();

ALTER TABLE exchange.member ENABLE ROW LEVEL SECURITY;
ALTER TABLE exchange.member FORCE ROW LEVEL SECURITY;
CREATE POLICY everybody_reads ON exchange.member FOR SELECT USING (true);
CREATE POLICY ones_own_key ON exchange.member FOR UPDATE USING (role = current_user) WITH CHECK (role = current_user);
CREATE POLICY the_owner_admits ON exchange.member TO handrail_owner USING (true) WITH CHECK (true);

ALTER TABLE exchange.block ENABLE ROW LEVEL SECURITY;
ALTER TABLE exchange.block FORCE ROW LEVEL SECURITY;
CREATE POLICY either_side_reads ON exchange.block FOR SELECT USING (current_user IN (blocker, blocked));
CREATE POLICY one_blocks ON exchange.block FOR INSERT WITH CHECK (blocker = current_user AND blocked <> blocker);
CREATE POLICY one_unblocks ON exchange.block FOR DELETE USING (blocker = current_user);
CREATE POLICY the_owner_tidies ON exchange.block TO handrail_owner USING (true) WITH CHECK (true);

ALTER TABLE exchange.envelope ENABLE ROW LEVEL SECURITY;
ALTER TABLE exchange.envelope FORCE ROW LEVEL SECURITY;
CREATE POLICY either_side_reads ON exchange.envelope FOR SELECT USING (current_user IN (sender, recipient));
CREATE POLICY a_member_deposits ON exchange.envelope FOR INSERT WITH CHECK (
    sender = current_user AND state = 'deposited'
    AND collected_at IS NULL AND opened_at IS NULL AND ended_at IS NULL
    AND EXISTS (SELECT 1 FROM exchange.member m
                WHERE m.role = sender AND m.joined_at IS NOT NULL AND m.left_at IS NULL)
    AND EXISTS (SELECT 1 FROM exchange.member m
                WHERE m.role = recipient AND m.joined_at IS NOT NULL AND m.left_at IS NULL
                AND m.key_id = envelope.key_id)
    AND NOT EXISTS (SELECT 1 FROM exchange.block b WHERE b.blocker = recipient AND b.blocked = sender));
CREATE POLICY either_side_moves ON exchange.envelope FOR UPDATE
    USING (current_user IN (sender, recipient)) WITH CHECK (current_user IN (sender, recipient));
CREATE POLICY the_owner_tidies ON exchange.envelope TO handrail_owner USING (true) WITH CHECK (true);

ALTER TABLE exchange.envelopebody ENABLE ROW LEVEL SECURITY;
ALTER TABLE exchange.envelopebody FORCE ROW LEVEL SECURITY;
CREATE POLICY the_sender_puts_in ON exchange.envelopebody FOR INSERT WITH CHECK (EXISTS (
    SELECT 1 FROM exchange.envelope e
    WHERE e.id = envelope_id AND e.sender = current_user AND e.state = 'deposited'));
CREATE POLICY who_may_take_out_reads ON exchange.envelopebody FOR SELECT USING (EXISTS (
    SELECT 1 FROM exchange.envelope e WHERE e.id = envelope_id
    AND ((e.recipient = current_user AND e.state = 'opened')
         OR (e.sender = current_user AND e.state IN ('recalled', 'expired')))));
CREATE POLICY the_recipient_takes_out_what_it_opened ON exchange.envelopebody FOR DELETE USING (EXISTS (
    SELECT 1 FROM exchange.envelope e WHERE e.id = envelope_id
    AND ((e.recipient = current_user AND e.state = 'opened')
         OR (e.sender = current_user AND e.state IN ('recalled', 'expired')))));
CREATE POLICY the_owner_tidies ON exchange.envelopebody TO handrail_owner USING (true) WITH CHECK (true);

DO $$ DECLARE each record; BEGIN
    FOR each IN SELECT id, code, name, schema_name AS role FROM public.tenants_localauthority LOOP
        INSERT INTO exchange.member (role, authority_id, code, name)
            VALUES (each.role, each.id, each.code, each.name);
        EXECUTE format('GRANT USAGE ON SCHEMA exchange TO %1$I;
            GRANT SELECT ON exchange.member TO %1$I;
            GRANT UPDATE (key_id, public_key, joined_at, left_at) ON exchange.member TO %1$I;
            GRANT SELECT, INSERT, DELETE ON exchange.block, exchange.envelopebody TO %1$I;
            GRANT SELECT, INSERT ON exchange.envelope TO %1$I;
            GRANT UPDATE (state, collected_at, opened_at, ended_at) ON exchange.envelope TO %1$I', each.role);
    END LOOP;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("tenants", "0004_schema_template")]
    operations = [migrations.RunSQL([EXCHANGE], "DROP SCHEMA exchange CASCADE")]
