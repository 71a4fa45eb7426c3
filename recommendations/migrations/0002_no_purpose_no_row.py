"""Law 1 in the database: behavior is stored only while a live yes to storing is named by the row.

Both directions are kept: no row enters without the consent, and the consent cannot end while
rows are left. The lock makes a withdrawal and a new row wait for each other.
"""

from django.db import migrations

TABLES = ("listen", "rating", "favorite")

REQUIRE = """
CREATE FUNCTION recommendations_require_store() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM privacy_center_consentstate AS state
    WHERE state.purpose = 'listening:store'
      AND state.subject_id IN (SELECT DISTINCT subject_id FROM new_rows)
    FOR SHARE;
    IF EXISTS (
        SELECT 1 FROM (SELECT DISTINCT subject_id, consent_id FROM new_rows) AS stored
        WHERE NOT EXISTS (
            SELECT 1 FROM consent_in_force AS consent
            WHERE consent.subject_id = stored.subject_id
              AND consent.purpose = 'listening:store'
              AND (TG_OP = 'UPDATE' OR consent.record_id = stored.consent_id))
    ) THEN
        RAISE EXCEPTION 'no row without a live consent to listening:store'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
"""

LEAVE_NOTHING = """
CREATE FUNCTION recommendations_leave_nothing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM consent_in_force
        WHERE subject_id = OLD.subject_id AND purpose = 'listening:store'
    ) AND (
        EXISTS (SELECT 1 FROM recommendations_listen WHERE subject_id = OLD.subject_id)
        OR EXISTS (SELECT 1 FROM recommendations_rating WHERE subject_id = OLD.subject_id)
        OR EXISTS (SELECT 1 FROM recommendations_favorite WHERE subject_id = OLD.subject_id)
    ) THEN
        RAISE EXCEPTION 'listening:store ended while behavior is still stored'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER leave_nothing
    AFTER UPDATE OR DELETE ON privacy_center_consentstate
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (OLD.purpose = 'listening:store' AND OLD.decision = 'given')
    EXECUTE FUNCTION recommendations_leave_nothing();
"""


def rules(table: str) -> migrations.RunSQL:
    """The triggers of one table of stored behavior. They make foreign keys to the subject and the
    record superfluous: a row enters only with both, and neither can go while the row is there."""
    name = f"recommendations_{table}"
    return migrations.RunSQL(
        f"""
        CREATE TRIGGER require_store_new AFTER INSERT ON {name}
            REFERENCING NEW TABLE AS new_rows
            FOR EACH STATEMENT EXECUTE FUNCTION recommendations_require_store();
        CREATE TRIGGER require_store_changed AFTER UPDATE ON {name}
            REFERENCING NEW TABLE AS new_rows
            FOR EACH STATEMENT EXECUTE FUNCTION recommendations_require_store();
        """,
        f"""
        DROP TRIGGER require_store_changed ON {name};
        DROP TRIGGER require_store_new ON {name};
        """,
    )


class Migration(migrations.Migration):
    dependencies = [
        ("recommendations", "0001_initial"),
        ("privacy_center", "0002_consent_rules"),
    ]

    operations = [
        migrations.RunSQL(REQUIRE, "DROP FUNCTION recommendations_require_store();"),
        *[rules(table) for table in TABLES],
        migrations.RunSQL(
            LEAVE_NOTHING,
            """
            DROP TRIGGER leave_nothing ON privacy_center_consentstate;
            DROP FUNCTION recommendations_leave_nothing();
            """,
        ),
    ]
