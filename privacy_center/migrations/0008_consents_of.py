"""What somebody has agreed to, by the one view that says so, with a plan that is made only once.

To plan the view anew takes PostgreSQL ten times as long as to read it, and every page asks.
"""

from django.db import migrations

CONSENTS_OF = """
CREATE FUNCTION consents_of(whose uuid) RETURNS TABLE (purpose varchar, record_id uuid)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY SELECT in_force.purpose, in_force.record_id FROM consent_in_force AS in_force
    WHERE in_force.subject_id = whose;
END
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("privacy_center", "0007_openings")]

    operations = [migrations.RunSQL(CONSENTS_OF, "DROP FUNCTION consents_of(uuid);")]
