"""The model learns and forgets person by person: what waits names whose vector it is about."""

import django.db.models.functions.math
import django.db.models.functions.text
import django.db.models.lookups
from django.db import migrations, models


# Whoever waited to be forgotten goes on waiting; the first run reads everybody anew anyway.
KEEP_WAITING = """
INSERT INTO recommendations_vectorchange (kind, created_at, old, new)
SELECT kind, min(created_at), '', '' FROM recommendations_trainingchange GROUP BY kind
"""


class Migration(migrations.Migration):
    dependencies = [
        ("recommendations", "0005_mood"),
    ]

    operations = [
        migrations.CreateModel(
            name="ModelAudit",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField()),
                ("digest", models.CharField(max_length=64)),
                ("rebuild_digest", models.CharField(max_length=64)),
                ("people", models.PositiveIntegerField()),
                ("seconds", models.FloatField()),
            ],
            options={
                "ordering": ["-at"],
            },
        ),
        migrations.CreateModel(
            name="ModelState",
            fields=[
                (
                    "id",
                    models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False),
                ),
                ("token", models.PositiveBigIntegerField(default=0)),
                (
                    "seen_at",
                    models.DateTimeField(
                        help_text="When its trainer last gave a sign of life.", null=True
                    ),
                ),
                ("batch", models.PositiveBigIntegerField(default=0)),
                ("applied", models.PositiveBigIntegerField(default=0)),
                ("file_name", models.CharField(blank=True, default="", max_length=64)),
                ("file_digest", models.CharField(blank=True, default="", max_length=64)),
                ("gram_digest", models.CharField(blank=True, default="", max_length=64)),
                (
                    "is_quality_accepted",
                    models.BooleanField(
                        default=False,
                        help_text="The next release is published whatever its quality.",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="TrainingVector",
            fields=[
                ("subject_id", models.UUIDField(primary_key=True, serialize=False)),
                ("vector", models.BinaryField()),
            ],
        ),
        migrations.CreateModel(
            name="VectorChange",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("learn", "to learn"),
                            ("forget", "to forget"),
                            ("catalog", "the catalog changed"),
                        ],
                        max_length=7,
                    ),
                ),
                ("subject_id", models.UUIDField(null=True)),
                ("created_at", models.DateTimeField()),
                ("batch", models.PositiveBigIntegerField(null=True)),
                ("old", models.BinaryField(default=b"")),
                ("new", models.BinaryField(default=b"")),
            ],
        ),
        migrations.RunSQL(KEEP_WAITING, migrations.RunSQL.noop),
        migrations.DeleteModel(
            name="TrainingChange",
        ),
        migrations.AddField(
            model_name="release",
            name="held_because",
            field=models.CharField(blank=True, db_default="", default="", max_length=200),
        ),
        migrations.AddField(
            model_name="release",
            name="is_forgetting",
            field=models.BooleanField(
                db_default=False, default=False, help_text="Somebody waited to be out of it."
            ),
        ),
        migrations.AlterField(
            model_name="release",
            name="state",
            field=models.CharField(
                choices=[
                    ("training", "training"),
                    ("active", "active"),
                    ("retired", "retired"),
                    ("discarded", "discarded: consent changed while it was made"),
                    ("lost", "lost: the worker died"),
                    ("failed", "failed"),
                    ("held", "held back"),
                    ("damaged", "damaged on disk"),
                ],
                default="training",
                max_length=9,
            ),
        ),
        migrations.AddConstraint(
            model_name="modelstate",
            constraint=models.CheckConstraint(
                condition=models.Q(("id", 1)), name="one_model_state"
            ),
        ),
        migrations.AddConstraint(
            model_name="modelstate",
            constraint=models.CheckConstraint(
                condition=models.Q(("applied__lte", models.F("batch"))), name="applied_was_taken_up"
            ),
        ),
        migrations.AddConstraint(
            model_name="modelstate",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("file_name", ""), models.Q(("file_digest", ""), _negated=True), _connector="OR"
                ),
                name="state_file_has_a_hash",
            ),
        ),
        migrations.AddConstraint(
            model_name="trainingvector",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    django.db.models.lookups.GreaterThan(
                        django.db.models.functions.text.Length("vector"), 0
                    ),
                    django.db.models.lookups.Exact(
                        django.db.models.functions.math.Mod(
                            django.db.models.functions.text.Length("vector"), 9
                        ),
                        0,
                    ),
                ),
                name="vector_has_entries",
            ),
        ),
        migrations.AddIndex(
            model_name="vectorchange",
            index=models.Index(fields=["kind", "created_at"], name="change_by_kind"),
        ),
        migrations.AddConstraint(
            model_name="vectorchange",
            constraint=models.UniqueConstraint(
                condition=models.Q(("batch", None), ("subject_id__isnull", False)),
                fields=("subject_id",),
                name="one_waiting_change_each",
            ),
        ),
        migrations.AddConstraint(
            model_name="vectorchange",
            constraint=models.UniqueConstraint(
                condition=models.Q(("batch", None), ("subject_id", None)),
                fields=("kind",),
                name="one_waiting_change_of_all",
            ),
        ),
        migrations.AddConstraint(
            model_name="vectorchange",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "catalog"), _negated=True),
                    ("subject_id", None),
                    _connector="OR",
                ),
                name="catalog_is_nobodys",
            ),
        ),
        migrations.AddConstraint(
            model_name="vectorchange",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("batch__isnull", False), models.Q(("new", b""), ("old", b"")), _connector="OR"
                ),
                name="what_waits_says_no_vector",
            ),
        ),
    ]
