"""The catalog's edition: new with every statement that writes practices, topics or what joins them."""

import django.db.models
from django.db import migrations, models

TABLES = (
    "recommendations_practice",
    "recommendations_topic",
    "recommendations_practice_topics",
)

# Before the statement, so that everybody takes this row first and practices after it: two writers
# of the catalog wait for each other and never deadlock.
FUNCTION = """
CREATE FUNCTION recommendations_new_edition() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO recommendations_catalogedition (id, edition) VALUES (1, gen_random_uuid())
    ON CONFLICT (id) DO UPDATE SET edition = excluded.edition;
    RETURN NULL;
END
$$;
"""
TRIGGER = """
CREATE TRIGGER new_edition BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION recommendations_new_edition();
"""
FIRST = "INSERT INTO recommendations_catalogedition (id, edition) VALUES (1, gen_random_uuid());"


class Migration(migrations.Migration):
    dependencies = [("recommendations", "0006_incremental_model")]

    operations = [
        migrations.CreateModel(
            name="CatalogEdition",
            fields=[
                (
                    "id",
                    models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False),
                ),
                ("edition", models.UUIDField()),
            ],
        ),
        migrations.AddConstraint(
            model_name="catalogedition",
            constraint=models.CheckConstraint(
                condition=django.db.models.Q(id=1), name="one_catalog_edition"
            ),
        ),
        migrations.RunSQL(
            FUNCTION + "".join(TRIGGER.format(table=table) for table in TABLES) + FIRST,
            "".join(f"DROP TRIGGER new_edition ON {table};" for table in TABLES)
            + "DROP FUNCTION recommendations_new_edition();",
        ),
    ]
