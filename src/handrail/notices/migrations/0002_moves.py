"""Which moves a notice's state may make, held by PostgreSQL: a slip in Python cannot send a message twice."""

from django.db import migrations

MOVES = (
    "owed>claimed",
    "owed>suppressed",
    "claimed>claimed",  # its lease has ended
    "claimed>owed",
    "claimed>unknown",
    "claimed>accepted",
    "claimed>bounced",
    "claimed>dead",
    "claimed>suppressed",
    "unknown>claimed",
    "unknown>owed",  # a person asked for it to be tried again
    "unknown>accepted",
    "unknown>delivered",
    "unknown>bounced",
    "unknown>suppressed",
    "accepted>delivered",
    "accepted>bounced",
    "dead>owed",
    "bounced>owed",
)
HOLD = f"""
CREATE FUNCTION notices_hold_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state = OLD.state AND NEW.attempt = OLD.attempt THEN
        RETURN NEW;
    END IF;
    IF NOT (OLD.state || '>' || NEW.state = ANY ('{{{",".join(MOVES)}}}'::text[])) THEN
        RAISE EXCEPTION 'a notice does not move from % to %', OLD.state, NEW.state USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.attempt <> OLD.attempt + (NEW.state = 'claimed')::int THEN
        RAISE EXCEPTION 'the attempt of a notice rises by one at each claim' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER notices_hold_moves BEFORE UPDATE OF state, attempt ON notices_notice
    FOR EACH ROW EXECUTE FUNCTION notices_hold_moves();
"""
LET_GO = "DROP TRIGGER notices_hold_moves ON notices_notice; DROP FUNCTION notices_hold_moves();"


class Migration(migrations.Migration):
    dependencies = [("notices", "0001_initial")]
    operations = [migrations.RunSQL(HOLD, LET_GO)]
