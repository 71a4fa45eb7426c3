"""Who is erased leaves no decision behind, and the ledger stays what it is.

Once a person's key is destroyed, nobody can open the commitments of their records any more. From
then on, and not before, those records may be deleted, and what staff noted about the person; the
entries let go of their records and keep their hashes, so that the tree and everybody's receipts
stay as they are.
"""

from django.db import migrations, models

KEEP_WHILE_KEYED = """
CREATE FUNCTION privacy_center_keep_while_keyed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND EXISTS (
        SELECT 1 FROM privacy_center_datasubject
        WHERE id = OLD.subject_id AND wrapped_key IS NULL
    ) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;
"""


def keep(function: str) -> str:
    return "".join(
        f"""
        DROP TRIGGER append_only_rows ON {table};
        CREATE TRIGGER append_only_rows BEFORE UPDATE OR DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION {function}();
        """
        for table in ("privacy_center_consentrecord", "privacy_center_staffaccess")
    )


CHANGE_ONCE = """
CREATE OR REPLACE FUNCTION privacy_center_index_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.index IS NULL AND NEW.index IS NOT NULL
        AND (OLD.id, OLD.record_id, OLD.leaf_hash) = (NEW.id, NEW.record_id, NEW.leaf_hash)
    THEN
        RETURN NEW;
    END IF;
    IF OLD.index IS NOT NULL AND OLD.record_id IS NOT NULL AND NEW.record_id IS NULL
        AND (OLD.id, OLD.index, OLD.leaf_hash) = (NEW.id, NEW.index, NEW.leaf_hash)
        AND EXISTS (
            SELECT 1 FROM privacy_center_consentrecord AS record
            JOIN privacy_center_datasubject AS subject ON subject.id = record.subject_id
            WHERE record.id = OLD.record_id AND subject.wrapped_key IS NULL)
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;
"""
INDEX_ONCE = """
CREATE OR REPLACE FUNCTION privacy_center_index_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.index IS NULL AND NEW.index IS NOT NULL
        AND (OLD.id, OLD.record_id, OLD.leaf_hash) = (NEW.id, NEW.record_id, NEW.leaf_hash)
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("privacy_center", "0009_consent_recorded")]

    operations = [
        migrations.AlterField(
            model_name="ledgerentry",
            name="record",
            field=models.OneToOneField(
                help_text="Empty once the person is erased.",
                null=True,
                on_delete=models.deletion.PROTECT,
                related_name="entry",
                to="privacy_center.consentrecord",
            ),
        ),
        migrations.RunSQL(
            KEEP_WHILE_KEYED, "DROP FUNCTION privacy_center_keep_while_keyed();"
        ),
        migrations.RunSQL(
            keep("privacy_center_keep_while_keyed"), keep("privacy_center_keep")
        ),
        migrations.RunSQL(CHANGE_ONCE, INDEX_ONCE),
    ]
