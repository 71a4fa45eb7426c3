"""What the database itself keeps about notices and the ledger, and when a yes is in force."""

import django.db.models.deletion
from django.db import migrations, models

REFUSE = """
CREATE FUNCTION privacy_center_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;
"""


def append_only(name: str) -> migrations.RunSQL:
    table = f"privacy_center_{name}"
    return migrations.RunSQL(
        f"""
        CREATE TRIGGER append_only_rows BEFORE UPDATE OR DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION privacy_center_keep();
        CREATE TRIGGER append_only_table BEFORE TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION privacy_center_keep();
        """,
        f"""
        DROP TRIGGER append_only_rows ON {table};
        DROP TRIGGER append_only_table ON {table};
        """,
    )


# An entry changes once: it gets its index.
ENTRIES = """
CREATE FUNCTION privacy_center_index_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.index IS NULL AND NEW.index IS NOT NULL
        AND (OLD.id, OLD.record_id, OLD.leaf_hash) = (NEW.id, NEW.record_id, NEW.leaf_hash)
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER index_once BEFORE UPDATE ON privacy_center_ledgerentry
    FOR EACH ROW EXECUTE FUNCTION privacy_center_index_once();
CREATE TRIGGER append_only_rows BEFORE DELETE ON privacy_center_ledgerentry
    FOR EACH ROW EXECUTE FUNCTION privacy_center_keep();
CREATE TRIGGER append_only_table BEFORE TRUNCATE ON privacy_center_ledgerentry
    FOR EACH STATEMENT EXECUTE FUNCTION privacy_center_keep();
"""
ENTRIES_FREE = """
DROP TRIGGER append_only_table ON privacy_center_ledgerentry;
DROP TRIGGER append_only_rows ON privacy_center_ledgerentry;
DROP TRIGGER index_once ON privacy_center_ledgerentry;
DROP FUNCTION privacy_center_index_once();
"""

# A published notice and its texts never change, whoever asks.
NOTICES = """
CREATE FUNCTION privacy_center_keep_notice() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.published_at IS NOT NULL THEN
        RAISE EXCEPTION 'a published notice is for good: % is refused', TG_OP
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER keep_published BEFORE UPDATE OR DELETE ON privacy_center_notice
    FOR EACH ROW EXECUTE FUNCTION privacy_center_keep_notice();
CREATE TRIGGER append_only_table BEFORE TRUNCATE ON privacy_center_notice
    FOR EACH STATEMENT EXECUTE FUNCTION privacy_center_keep();
CREATE FUNCTION privacy_center_keep_notice_text() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed privacy_center_noticetext := CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
BEGIN
    IF EXISTS (
        SELECT 1 FROM privacy_center_notice
        WHERE published_at IS NOT NULL
          AND id IN (changed.notice_id, CASE TG_OP WHEN 'UPDATE' THEN OLD.notice_id END)
    ) THEN
        RAISE EXCEPTION 'the text of a published notice is for good: % is refused', TG_OP
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN changed;
END $$;
CREATE TRIGGER keep_published BEFORE INSERT OR UPDATE OR DELETE ON privacy_center_noticetext
    FOR EACH ROW EXECUTE FUNCTION privacy_center_keep_notice_text();
CREATE TRIGGER append_only_table BEFORE TRUNCATE ON privacy_center_noticetext
    FOR EACH STATEMENT EXECUTE FUNCTION privacy_center_keep();
"""
NOTICES_FREE = """
DROP TRIGGER append_only_table ON privacy_center_noticetext;
DROP TRIGGER keep_published ON privacy_center_noticetext;
DROP FUNCTION privacy_center_keep_notice_text();
DROP TRIGGER append_only_table ON privacy_center_notice;
DROP TRIGGER keep_published ON privacy_center_notice;
DROP FUNCTION privacy_center_keep_notice();
"""

# A record speaks of its own purpose's notice; the answer repeats when its record's yes ends.
AGREE = """
ALTER TABLE privacy_center_notice ADD CONSTRAINT notice_is_about UNIQUE (id, purpose);
ALTER TABLE privacy_center_consentrecord
    ADD CONSTRAINT consentrecord_notice_is_about_its_purpose
    FOREIGN KEY (notice_id, purpose) REFERENCES privacy_center_notice (id, purpose);
ALTER TABLE privacy_center_consentrecord ADD CONSTRAINT consentrecord_ends UNIQUE (id, valid_until);
ALTER TABLE privacy_center_consentstate
    ADD CONSTRAINT consentstate_ends_with_its_record
    FOREIGN KEY (record_id, valid_until)
    REFERENCES privacy_center_consentrecord (id, valid_until);
"""
FREE = """
ALTER TABLE privacy_center_consentstate DROP CONSTRAINT consentstate_ends_with_its_record;
ALTER TABLE privacy_center_consentrecord DROP CONSTRAINT consentrecord_ends;
ALTER TABLE privacy_center_consentrecord DROP CONSTRAINT consentrecord_notice_is_about_its_purpose;
ALTER TABLE privacy_center_notice DROP CONSTRAINT notice_is_about;
"""

USES_NEED_STORE = """
CREATE OR REPLACE FUNCTION privacy_center_uses_need_store() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM privacy_center_consentstate AS used
        WHERE used.subject_id = NEW.subject_id AND used.decision IN {yes}
          AND split_part(used.purpose, ':', 2) IN ('personalize', 'train')
          AND NOT EXISTS (
            SELECT 1 FROM privacy_center_consentstate AS stored
            WHERE stored.subject_id = used.subject_id AND stored.decision IN {yes}
              AND stored.purpose = split_part(used.purpose, ':', 1) || ':store')
    ) THEN
        RAISE EXCEPTION 'personalize and train need store' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
"""

# A yes, to the live notice, before its end; and for a use, the same of what it uses.
IN_FORCE = """
CREATE VIEW consent_in_force AS
WITH live AS (
    SELECT DISTINCT ON (purpose) id FROM privacy_center_notice
    WHERE published_at IS NOT NULL ORDER BY purpose, version DESC
), said AS NOT MATERIALIZED (
    SELECT state.record_id, state.subject_id, state.purpose, state.since
    FROM privacy_center_consentstate AS state
    JOIN privacy_center_consentrecord AS record ON record.id = state.record_id
    JOIN live ON live.id = record.notice_id
    WHERE state.decision IN ('given', 'renewed') AND state.valid_until > now()
)
SELECT record_id, subject_id, purpose, since FROM said
WHERE split_part(purpose, ':', 2) NOT IN ('personalize', 'train')
   OR EXISTS (
        SELECT 1 FROM said AS stored
        WHERE stored.subject_id = said.subject_id
          AND stored.purpose = split_part(said.purpose, ':', 1) || ':store');
"""


class Migration(migrations.Migration):
    dependencies = [("privacy_center", "0004_first_notices_and_keys")]

    operations = [
        migrations.AlterField(
            model_name="consentrecord",
            name="commitment",
            field=models.BinaryField(
                help_text="HMAC of the record under its opening; without the person's key it names nobody."
            ),
        ),
        migrations.AlterField(
            model_name="consentrecord",
            name="notice",
            field=models.ForeignKey(
                help_text="The words decided by.",
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="privacy_center.notice",
            ),
        ),
        migrations.AddConstraint(
            model_name='consentstate',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decision__in', ('given', 'renewed')), ('valid_until__isnull', False)), models.Q(models.Q(('decision__in', ('given', 'renewed')), _negated=True), ('valid_until', None)), _connector='OR'), name='consentstate_a_yes_ends'),
        ),
        migrations.AddConstraint(
            model_name='consentrecord',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decision__in', ('given', 'renewed')), ('valid_until__isnull', False)), models.Q(models.Q(('decision__in', ('given', 'renewed')), _negated=True), ('valid_until', None)), _connector='OR'), name='consentrecord_a_yes_ends'),
        ),
        migrations.RunSQL(REFUSE, "DROP FUNCTION privacy_center_keep();"),
        append_only("consentrecord"),
        append_only("ledgernode"),
        append_only("ledgercheckpoint"),
        append_only("ledgerkey"),
        migrations.RunSQL(ENTRIES, ENTRIES_FREE),
        migrations.RunSQL(NOTICES, NOTICES_FREE),
        migrations.RunSQL(AGREE, FREE),
        migrations.RunSQL(
            USES_NEED_STORE.format(yes="('given', 'renewed')"),
            USES_NEED_STORE.format(yes="('given')"),
        ),
        migrations.RunSQL(IN_FORCE, "DROP VIEW consent_in_force;"),
    ]
