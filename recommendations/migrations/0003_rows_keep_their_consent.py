"""Law 1 for what is there already: a row stays with the person and the consent it came with, and
the answers cannot be emptied from under it."""

from django.db import migrations

TABLES = ("listen", "rating", "favorite")

KEEP = """
CREATE FUNCTION recommendations_keep_consent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a row keeps the person and the consent it was stored under'
        USING ERRCODE = 'check_violation';
END $$;
"""

LEAVE_NOTHING = """
CREATE FUNCTION recommendations_leave_nothing_in_tables() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM recommendations_listen)
        OR EXISTS (SELECT 1 FROM recommendations_rating)
        OR EXISTS (SELECT 1 FROM recommendations_favorite)
    THEN
        RAISE EXCEPTION 'consent cannot be emptied while behavior is still stored'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER leave_nothing_in_tables BEFORE TRUNCATE ON privacy_center_consentstate
    FOR EACH STATEMENT EXECUTE FUNCTION recommendations_leave_nothing_in_tables();
"""


def keeps_consent(table: str) -> migrations.RunSQL:
    name = f"recommendations_{table}"
    return migrations.RunSQL(
        f"""
        CREATE TRIGGER keep_consent BEFORE UPDATE OF subject_id, consent_id ON {name}
            FOR EACH ROW
            WHEN ((OLD.subject_id, OLD.consent_id) IS DISTINCT FROM (NEW.subject_id, NEW.consent_id))
            EXECUTE FUNCTION recommendations_keep_consent();
        """,
        f"DROP TRIGGER keep_consent ON {name};",
    )


class Migration(migrations.Migration):
    dependencies = [("recommendations", "0002_no_purpose_no_row")]

    operations = [
        migrations.RunSQL(KEEP, "DROP FUNCTION recommendations_keep_consent();"),
        *[keeps_consent(table) for table in TABLES],
        migrations.RunSQL(
            LEAVE_NOTHING,
            """
            DROP TRIGGER leave_nothing_in_tables ON privacy_center_consentstate;
            DROP FUNCTION recommendations_leave_nothing_in_tables();
            """,
        ),
    ]
