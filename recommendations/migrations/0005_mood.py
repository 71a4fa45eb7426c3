"""Check-ins, and law 1 for them: each names a live yes to `mood:store`, and goes when that ends."""

import uuid

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Case, Q, Value, When

VALENCES = [
    (-2, "Very heavy"), (-1, "Heavy"), (0, "In between"), (1, "Light"), (2, "Very light"),
]  # fmt: skip
ENERGIES = [(-2, "Worn out"), (-1, "Tired"), (0, "Steady"), (1, "Awake"), (2, "Wide awake")]
MOODS = [
    (1, "heavy and awake"), (2, "heavy and tired"), (3, "tired"), (4, "in between"),
    (5, "light and calm"), (6, "light and awake"),
]  # fmt: skip
MOMENTS = [("before", "Before"), ("after", "After"), ("none", "On its own")]

RULES = """
CREATE FUNCTION recommendations_require_mood_store() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM privacy_center_consentstate AS state
    WHERE state.purpose = 'mood:store'
      AND state.subject_id IN (SELECT DISTINCT subject_id FROM new_rows)
    FOR SHARE;
    IF EXISTS (
        SELECT 1 FROM (SELECT DISTINCT subject_id, consent_id FROM new_rows) AS stored
        WHERE NOT EXISTS (
            SELECT 1 FROM consent_in_force AS consent
            WHERE consent.subject_id = stored.subject_id
              AND consent.purpose = 'mood:store'
              AND (TG_OP = 'UPDATE' OR consent.record_id = stored.consent_id))
    ) THEN
        RAISE EXCEPTION 'no row without a live consent to mood:store'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER require_mood_store_new AFTER INSERT ON recommendations_checkin
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION recommendations_require_mood_store();
CREATE TRIGGER require_mood_store_changed AFTER UPDATE ON recommendations_checkin
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION recommendations_require_mood_store();
CREATE TRIGGER keep_consent BEFORE UPDATE OF subject_id, consent_id ON recommendations_checkin
    FOR EACH ROW
    WHEN ((OLD.subject_id, OLD.consent_id) IS DISTINCT FROM (NEW.subject_id, NEW.consent_id))
    EXECUTE FUNCTION recommendations_keep_consent();

CREATE FUNCTION recommendations_leave_no_mood() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM consent_in_force
        WHERE subject_id = OLD.subject_id AND purpose = 'mood:store'
    ) AND EXISTS (SELECT 1 FROM recommendations_checkin WHERE subject_id = OLD.subject_id)
    THEN
        RAISE EXCEPTION 'mood:store ended while check-ins are still stored'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER leave_no_mood
    AFTER UPDATE OR DELETE ON privacy_center_consentstate
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (OLD.purpose = 'mood:store')
    EXECUTE FUNCTION recommendations_leave_no_mood();

CREATE FUNCTION recommendations_leave_no_mood_in_table() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM recommendations_checkin) THEN
        RAISE EXCEPTION 'consent cannot be emptied while check-ins are still stored'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER leave_no_mood_in_table BEFORE TRUNCATE ON privacy_center_consentstate
    FOR EACH STATEMENT EXECUTE FUNCTION recommendations_leave_no_mood_in_table();
"""

NO_RULES = """
DROP TRIGGER leave_no_mood_in_table ON privacy_center_consentstate;
DROP FUNCTION recommendations_leave_no_mood_in_table();
DROP TRIGGER leave_no_mood ON privacy_center_consentstate;
DROP FUNCTION recommendations_leave_no_mood();
DROP TRIGGER keep_consent ON recommendations_checkin;
DROP TRIGGER require_mood_store_changed ON recommendations_checkin;
DROP TRIGGER require_mood_store_new ON recommendations_checkin;
DROP FUNCTION recommendations_require_mood_store();
"""


class Migration(migrations.Migration):
    dependencies = [("recommendations", "0004_history_and_taste")]

    operations = [
        migrations.CreateModel(
            name="CheckIn",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("subject_id", models.UUIDField()),
                (
                    "consent_id",
                    models.UUIDField(help_text="The record that says this may be stored."),
                ),
                ("moment", models.CharField(choices=MOMENTS, max_length=6)),
                ("valence", models.SmallIntegerField(choices=VALENCES)),
                ("energy", models.SmallIntegerField(choices=ENERGIES)),
                (
                    "mood",
                    models.GeneratedField(
                        db_persist=True,
                        expression=Case(
                            When(energy__gt=0, valence__lt=0, then=Value(1)),
                            When(valence__lt=0, then=Value(2)),
                            When(energy__lt=0, valence=0, then=Value(3)),
                            When(valence=0, then=Value(4)),
                            When(energy__lte=0, then=Value(5)),
                            default=Value(6),
                        ),
                        output_field=models.SmallIntegerField(choices=MOODS),
                    ),
                ),
                (
                    "sealed",
                    models.BinaryField(
                        help_text="Labels and note; unreadable without the person's key."
                    ),
                ),
                ("at", models.DateTimeField()),
                (
                    "practice",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="recommendations.practice",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["subject_id", "-at"], name="check_in_by_subject")],
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(("valence__gte", -2), ("valence__lte", 2)),
                        name="check_in_valence_is_of_five",
                    ),
                    models.CheckConstraint(
                        condition=Q(("energy__gte", -2), ("energy__lte", 2)),
                        name="check_in_energy_is_of_five",
                    ),
                    models.CheckConstraint(
                        condition=Q(
                            Q(("moment", "none"), ("practice", None)),
                            Q(
                                ("moment__in", ["before", "after"]),
                                ("practice__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="check_in_before_or_after_a_practice",
                    ),
                ],
            },
        ),
        migrations.RunSQL(RULES, NO_RULES),
    ]
