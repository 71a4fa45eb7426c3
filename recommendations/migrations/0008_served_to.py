"""What a page is made of for somebody, in one call whose plan a connection makes only once.

To parse and plan the same query anew takes PostgreSQL longer than to answer it.
"""

from django.db import migrations

# By practice: how often it was heard for at least a share of it, how often whole, whether it is a
# favorite, and when it was heard last. What the person left out of their taste does not count.
HABITS_OF = """
CREATE FUNCTION habits_of(whose uuid, heard_from float8, whole_from float8)
RETURNS TABLE (practice_id bigint, heard int, whole int, favorites int, heard_last timestamptz)
LANGUAGE sql STABLE AS $$
    SELECT practice_id, sum(heard)::int, sum(whole)::int, sum(favorite)::int,
           max(at) FILTER (WHERE favorite = 0)
    FROM (
        SELECT practice_id, 1 AS heard, (completion >= whole_from)::int AS whole, 0 AS favorite,
               started_at AS at
        FROM recommendations_listen
        WHERE subject_id = whose AND completion >= heard_from AND NOT is_excluded
        UNION ALL
        SELECT practice_id, 0, 0, 1, created_at
        FROM recommendations_favorite WHERE subject_id = whose AND NOT is_excluded
    ) AS behavior
    GROUP BY practice_id
$$;
"""

# Rows of five kinds. `site` says which edition of the catalog is in force, which release is active,
# and whether somebody has waited to be forgotten since before `overdue`. `consent` is a live yes
# and its record. A check-in says its mood, valence and energy where a habit says how often. Consent
# is read in the same snapshot as what it is for, and without it nothing else of the person is.
SERVED_TO = """
CREATE FUNCTION served_to(
    whose uuid, overdue timestamptz, felt_since timestamptz, felt_until timestamptz,
    heard_from float8, whole_from float8)
RETURNS TABLE (
    part text, purpose varchar, practice_id bigint, heard int, whole int, favorites int,
    own_id uuid, sealed bytea,
    edition uuid, release_id uuid, file_digest varchar, published_at timestamptz, is_overdue bool)
LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
DECLARE
    consent record;
    agreed varchar[];
BEGIN
    RETURN QUERY
    SELECT 'site', NULL::varchar, NULL::bigint, NULL::int, NULL::int, NULL::int,
           NULL::uuid, NULL::bytea,
           catalog.edition, release.id, release.file_digest, release.published_at,
           EXISTS (SELECT FROM recommendations_vectorchange AS change
                   WHERE change.kind = 'forget' AND change.created_at < overdue)
    FROM (SELECT) AS always
    LEFT JOIN recommendations_catalogedition AS catalog ON true
    LEFT JOIN recommendations_release AS release ON release.state = 'active';
    IF whose IS NULL THEN
        RETURN;
    END IF;
    FOR consent IN SELECT * FROM consents_of(whose) LOOP
        part := 'consent';
        purpose := consent.purpose;
        own_id := consent.record_id;
        agreed := agreed || purpose;
        RETURN NEXT;
    END LOOP;
    IF 'listening:store' = ANY (agreed) THEN
        RETURN QUERY
        SELECT 'habit', NULL::varchar, habit.practice_id, habit.heard, habit.whole,
               habit.favorites, NULL::uuid, NULL::bytea,
               NULL::uuid, NULL::uuid, NULL::varchar, NULL::timestamptz, NULL::bool
        FROM habits_of(whose, heard_from, whole_from) AS habit
        ORDER BY habit.heard_last DESC NULLS LAST, habit.practice_id;
    END IF;
    IF 'listening:personalize' = ANY (agreed) THEN
        RETURN QUERY
        SELECT 'hidden', NULL::varchar, hidden.practice_id, NULL::int, NULL::int, NULL::int,
               NULL::uuid, NULL::bytea,
               NULL::uuid, NULL::uuid, NULL::varchar, NULL::timestamptz, NULL::bool
        FROM recommendations_hiddenpractice AS hidden WHERE hidden.subject_id = whose;
    END IF;
    IF 'mood:personalize' = ANY (agreed) THEN
        RETURN QUERY
        SELECT 'check-in', NULL::varchar, NULL::bigint, felt.mood::int, felt.valence::int,
               felt.energy::int, felt.id, felt.sealed,
               NULL::uuid, NULL::uuid, NULL::varchar, NULL::timestamptz, NULL::bool
        FROM recommendations_checkin AS felt
        WHERE felt.subject_id = whose AND felt.at > felt_since AND felt.at <= felt_until
        ORDER BY felt.at DESC, felt.id DESC LIMIT 1;
    END IF;
END
$$;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("recommendations", "0007_catalog_edition"),
        ("privacy_center", "0008_consents_of"),
    ]

    operations = [
        migrations.RunSQL(
            HABITS_OF + SERVED_TO,
            "DROP FUNCTION served_to(uuid, timestamptz, timestamptz, timestamptz, float8, float8);"
            "DROP FUNCTION habits_of(uuid, float8, float8);",
        )
    ]
