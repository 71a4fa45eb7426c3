"""What a person takes out of their taste, and what they hide; law 1 for the latter as for the rest.

From here on a renewed yes counts as a given one: it cannot end while behavior is stored either.
"""

from django.db import migrations, models

TABLES = ("listen", "rating", "favorite", "hiddenpractice")
TABLES_BEFORE = TABLES[:-1]
YES = "('given', 'renewed')"
YES_BEFORE = "('given')"


def leave_nothing(tables: tuple[str, ...], *, yes: str) -> str:
    """The functions and the trigger that keep a consent from ending while rows are left."""
    own, anybodys = (
        "\n        OR ".join(
            f"EXISTS (SELECT 1 FROM recommendations_{table}{where})" for table in tables
        )
        for where in (" WHERE subject_id = OLD.subject_id", "")
    )
    return f"""
CREATE OR REPLACE FUNCTION recommendations_leave_nothing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM consent_in_force
        WHERE subject_id = OLD.subject_id AND purpose = 'listening:store'
    ) AND (
        {own}
    ) THEN
        RAISE EXCEPTION 'listening:store ended while behavior is still stored'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION recommendations_leave_nothing_in_tables() RETURNS trigger
    LANGUAGE plpgsql AS $$
BEGIN
    IF {anybodys}
    THEN
        RAISE EXCEPTION 'consent cannot be emptied while behavior is still stored'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
DROP TRIGGER IF EXISTS leave_nothing ON privacy_center_consentstate;
CREATE CONSTRAINT TRIGGER leave_nothing
    AFTER UPDATE OR DELETE ON privacy_center_consentstate
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (OLD.purpose = 'listening:store' AND OLD.decision IN {yes})
    EXECUTE FUNCTION recommendations_leave_nothing();
"""


RULES = """
CREATE TRIGGER require_store_new AFTER INSERT ON recommendations_hiddenpractice
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION recommendations_require_store();
CREATE TRIGGER require_store_changed AFTER UPDATE ON recommendations_hiddenpractice
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION recommendations_require_store();
CREATE TRIGGER keep_consent BEFORE UPDATE OF subject_id, consent_id
    ON recommendations_hiddenpractice
    FOR EACH ROW
    WHEN ((OLD.subject_id, OLD.consent_id) IS DISTINCT FROM (NEW.subject_id, NEW.consent_id))
    EXECUTE FUNCTION recommendations_keep_consent();
"""
RULES_GONE = """
DROP TRIGGER keep_consent ON recommendations_hiddenpractice;
DROP TRIGGER require_store_changed ON recommendations_hiddenpractice;
DROP TRIGGER require_store_new ON recommendations_hiddenpractice;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("recommendations", "0003_rows_keep_their_consent"),
        # Sets the trigger aside that is made anew here.
        ("privacy_center", "0005_consent_and_ledger_rules"),
    ]

    operations = [
        migrations.AddField(
            model_name="listen",
            name="is_excluded",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Stays in the history, and is used neither for shelves nor for training.",
            ),
        ),
        migrations.AddField(
            model_name="favorite",
            name="is_excluded",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Stays a favorite, and is used neither for shelves nor for training.",
            ),
        ),
        migrations.CreateModel(
            name="HiddenPractice",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("subject_id", models.UUIDField()),
                (
                    "consent_id",
                    models.UUIDField(help_text="The record that says this may be stored."),
                ),
                ("hidden_at", models.DateTimeField()),
                (
                    "practice",
                    models.ForeignKey(
                        on_delete=models.deletion.PROTECT,
                        related_name="+",
                        to="recommendations.practice",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("subject_id", "practice"), name="one_hidden_each"
                    )
                ]
            },
        ),
        migrations.RunSQL(RULES, RULES_GONE),
        migrations.RunSQL(
            leave_nothing(TABLES, yes=YES), leave_nothing(TABLES_BEFORE, yes=YES_BEFORE)
        ),
    ]
