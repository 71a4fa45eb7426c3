"""What the database itself keeps about consent: append-only records, true states, one view."""

from django.db import migrations

APPEND_ONLY = """
CREATE FUNCTION privacy_center_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'consent records are append-only: % is refused', TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER append_only_rows BEFORE UPDATE OR DELETE ON privacy_center_consentrecord
    FOR EACH ROW EXECUTE FUNCTION privacy_center_refuse_change();
CREATE TRIGGER append_only_table BEFORE TRUNCATE ON privacy_center_consentrecord
    FOR EACH STATEMENT EXECUTE FUNCTION privacy_center_refuse_change();
"""

NOT_APPEND_ONLY = """
DROP TRIGGER append_only_rows ON privacy_center_consentrecord;
DROP TRIGGER append_only_table ON privacy_center_consentrecord;
DROP FUNCTION privacy_center_refuse_change();
"""

# The state repeats what its record says; a composite foreign key lets it say nothing else.
STATE_AGREES = """
ALTER TABLE privacy_center_consentrecord
    ADD CONSTRAINT consentrecord_says UNIQUE (id, subject_id, purpose, decision);
ALTER TABLE privacy_center_consentstate
    ADD CONSTRAINT consentstate_agrees_with_record
    FOREIGN KEY (record_id, subject_id, purpose, decision)
    REFERENCES privacy_center_consentrecord (id, subject_id, purpose, decision);
"""

STATE_IS_FREE = """
ALTER TABLE privacy_center_consentstate DROP CONSTRAINT consentstate_agrees_with_record;
ALTER TABLE privacy_center_consentrecord DROP CONSTRAINT consentrecord_says;
"""

USES_NEED_STORE = """
CREATE FUNCTION privacy_center_uses_need_store() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM privacy_center_consentstate AS used
        WHERE used.subject_id = NEW.subject_id AND used.decision = 'given'
          AND split_part(used.purpose, ':', 2) IN ('personalize', 'train')
          AND NOT EXISTS (
            SELECT 1 FROM privacy_center_consentstate AS stored
            WHERE stored.subject_id = used.subject_id AND stored.decision = 'given'
              AND stored.purpose = split_part(used.purpose, ':', 1) || ':store')
    ) THEN
        RAISE EXCEPTION 'personalize and train need store' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER uses_need_store
    AFTER INSERT OR UPDATE ON privacy_center_consentstate
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION privacy_center_uses_need_store();
"""

USES_NEED_NOTHING = """
DROP TRIGGER uses_need_store ON privacy_center_consentstate;
DROP FUNCTION privacy_center_uses_need_store();
"""

IN_FORCE = """
CREATE VIEW consent_in_force AS
    SELECT record_id, subject_id, purpose, since
    FROM privacy_center_consentstate WHERE decision = 'given';
"""


class Migration(migrations.Migration):
    dependencies = [("privacy_center", "0001_initial")]

    operations = [
        migrations.RunSQL(APPEND_ONLY, NOT_APPEND_ONLY),
        migrations.RunSQL(STATE_AGREES, STATE_IS_FREE),
        migrations.RunSQL(USES_NEED_STORE, USES_NEED_NOTHING),
        migrations.RunSQL(IN_FORCE, "DROP VIEW consent_in_force;"),
    ]
