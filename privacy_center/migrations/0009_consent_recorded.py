"""Who said yes as far as it is recorded: the same at every moment that one snapshot is read.

`consent_in_force` asks the clock of the reading transaction as well. A yes whose time is over is on
record as such a few seconds later.
"""

from django.db import migrations

RECORDED = """
CREATE VIEW consent_recorded AS
WITH live AS (
    SELECT DISTINCT ON (purpose) id FROM privacy_center_notice
    WHERE published_at IS NOT NULL ORDER BY purpose, version DESC
)
SELECT state.record_id, state.subject_id, state.purpose
FROM privacy_center_consentstate AS state
JOIN privacy_center_consentrecord AS record ON record.id = state.record_id
JOIN live ON live.id = record.notice_id
WHERE state.decision IN ('given', 'renewed');
"""


class Migration(migrations.Migration):
    dependencies = [("privacy_center", "0008_consents_of")]

    operations = [migrations.RunSQL(RECORDED, "DROP VIEW consent_recorded;")]
