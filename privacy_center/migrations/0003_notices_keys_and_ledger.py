"""Notices, keys of people, and the ledger's tables; what decisions say of them."""

import django.db.models.deletion
from django.db import migrations, models

# What stands in the way of a longer `decision`, and of filling in the decisions from before, is made
# anew in 0005 (and in the migration of `recommendations` that depends on it).
ASIDE = """
DROP VIEW consent_in_force;
DROP TRIGGER IF EXISTS leave_nothing ON privacy_center_consentstate;
DROP TRIGGER append_only_rows ON privacy_center_consentrecord;
DROP TRIGGER append_only_table ON privacy_center_consentrecord;
DROP FUNCTION privacy_center_refuse_change();
"""
BACK = """
CREATE FUNCTION privacy_center_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'consent records are append-only: % is refused', TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER append_only_rows BEFORE UPDATE OR DELETE ON privacy_center_consentrecord
    FOR EACH ROW EXECUTE FUNCTION privacy_center_refuse_change();
CREATE TRIGGER append_only_table BEFORE TRUNCATE ON privacy_center_consentrecord
    FOR EACH STATEMENT EXECUTE FUNCTION privacy_center_refuse_change();
CREATE VIEW consent_in_force AS
    SELECT record_id, subject_id, purpose, since
    FROM privacy_center_consentstate WHERE decision = 'given';
"""


class Migration(migrations.Migration):
    dependencies = [("privacy_center", "0002_consent_rules")]

    operations = [
        migrations.RunSQL(ASIDE, BACK),
        migrations.CreateModel(
            name='LedgerCheckpoint',
            fields=[
                ('size', models.BigIntegerField(primary_key=True, serialize=False)),
                ('root', models.BinaryField()),
                ('note', models.TextField()),
                ('signed_at', models.DateTimeField()),
            ],
            options={
                'ordering': ['-size'],
            },
        ),
        migrations.CreateModel(
            name='LedgerEntry',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('leaf_hash', models.BinaryField()),
                ('index', models.BigIntegerField(null=True, unique=True)),
            ],
            options={
                'verbose_name_plural': 'ledger entries',
            },
        ),
        migrations.CreateModel(
            name='LedgerKey',
            fields=[
                ('key_id', models.CharField(max_length=8, primary_key=True, serialize=False)),
                ('verifier_key', models.TextField()),
                ('since', models.DateTimeField()),
            ],
            options={
                'ordering': ['-since'],
            },
        ),
        migrations.CreateModel(
            name='LedgerNode',
            fields=[
                ('pk', models.CompositePrimaryKey('level', 'position', blank=True, editable=False, primary_key=True, serialize=False)),
                ('level', models.SmallIntegerField()),
                ('position', models.BigIntegerField()),
                ('hash', models.BinaryField()),
            ],
        ),
        migrations.CreateModel(
            name='Notice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('purpose', models.CharField(choices=[('listening:store', 'listening:store'), ('listening:personalize', 'listening:personalize'), ('listening:train', 'listening:train'), ('mood:store', 'mood:store'), ('mood:personalize', 'mood:personalize'), ('mood:train', 'mood:train'), ('analytics', 'analytics'), ('email', 'email'), ('sale', 'sale')], max_length=32)),
                ('version', models.PositiveIntegerField()),
                ('valid_days', models.PositiveIntegerField(default=730, help_text='How long a yes to this notice holds, in days.')),
                ('processing', models.JSONField(help_text='What is processed, on which legal basis, and for how long (ISO/IEC TS 27560).')),
                ('digest', models.CharField(blank=True, default='', help_text='SHA-256 of the document, once published.', max_length=64)),
                ('published_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'ordering': ['purpose', '-version'],
            },
        ),
        migrations.CreateModel(
            name='NoticeText',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('language', models.CharField(max_length=8)),
                ('title', models.CharField(max_length=80)),
                ('sentence', models.TextField(help_text='What happens, in plain words.', max_length=600)),
                ('statement', models.TextField(help_text='What exactly a person says yes to.', max_length=400)),
            ],
            options={
                'ordering': ['language'],
            },
        ),
        migrations.RemoveConstraint(
            model_name='consentrecord',
            name='consentrecord_decision_is_known',
        ),
        migrations.RemoveConstraint(
            model_name='consentrecord',
            name='consentrecord_sale_is_never_given',
        ),
        migrations.RemoveIndex(
            model_name='consentstate',
            name='consent_given_by_purpose',
        ),
        migrations.AlterField(
            model_name='consentrecord',
            name='wording_digest',
            field=models.CharField(
                blank=True, default='', max_length=64,
                help_text='From before there were notices: SHA-256 of the words decided by.',
            ),
        ),
        migrations.AddField(
            model_name='consentrecord',
            name='commitment',
            field=models.BinaryField(null=True, help_text="HMAC of the record under its opening; without the person's key it names nobody."),
        ),
        migrations.AddField(
            model_name='consentrecord',
            name='language',
            field=models.CharField(default='en', help_text='The language they were shown in.', max_length=8),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='consentrecord',
            name='preset',
            field=models.CharField(blank=True, default='', help_text='The preset chosen, if it was one.', max_length=32),
        ),
        migrations.AddField(
            model_name='consentrecord',
            name='valid_until',
            field=models.DateTimeField(blank=True, help_text='When a yes ends.', null=True),
        ),
        migrations.AddField(
            model_name='consentstate',
            name='valid_until',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='datasubject',
            name='wrapped_key',
            field=models.BinaryField(help_text="The person's own key, wrapped; empty once destroyed.", null=True),
        ),
        migrations.AddField(
            model_name='datasubject',
            name='wrapping_key_id',
            field=models.CharField(blank=True, default='', editable=False, max_length=32),
        ),
        migrations.AlterField(
            model_name='consentrecord',
            name='decision',
            field=models.CharField(choices=[('given', 'Yes'), ('renewed', 'Yes, again'), ('refused', 'No'), ('withdrawn', 'Withdrawn'), ('expired', 'Ended with its time'), ('invalidated', 'Taken back')], max_length=12),
        ),
        migrations.AlterField(
            model_name='consentrecord',
            name='method',
            field=models.CharField(choices=[('welcome', 'when joining'), ('privacy_page', 'on the privacy page'), ('api', 'by an app'), ('gpc', 'by your browser’s signal'), ('expiry', 'by the calendar'), ('import', 'with imported data'), ('demo', 'for the demo')], max_length=12),
        ),
        migrations.AlterField(
            model_name='consentstate',
            name='decision',
            field=models.CharField(choices=[('given', 'Yes'), ('renewed', 'Yes, again'), ('refused', 'No'), ('withdrawn', 'Withdrawn'), ('expired', 'Ended with its time'), ('invalidated', 'Taken back')], max_length=12),
        ),
        migrations.AddIndex(
            model_name='consentstate',
            index=models.Index(condition=models.Q(('decision__in', ('given', 'renewed'))), fields=['purpose', 'subject'], name='consent_given_by_purpose'),
        ),
        migrations.AddIndex(
            model_name='consentstate',
            index=models.Index(condition=models.Q(('valid_until__isnull', False)), fields=['valid_until'], name='consent_by_end'),
        ),
        migrations.AddConstraint(
            model_name='datasubject',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('wrapped_key', None), ('wrapping_key_id', '')), models.Q(('wrapped_key__isnull', False), models.Q(('wrapping_key_id', ''), _negated=True)), _connector='OR'), name='subject_key_names_its_wrapping_key'),
        ),
        migrations.AddField(
            model_name='ledgerentry',
            name='record',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='entry', to='privacy_center.consentrecord'),
        ),
        migrations.AddConstraint(
            model_name='notice',
            constraint=models.UniqueConstraint(fields=('purpose', 'version'), name='notice_version_is_new'),
        ),
        migrations.AddConstraint(
            model_name='notice',
            constraint=models.UniqueConstraint(condition=models.Q(('published_at', None)), fields=('purpose',), name='one_draft_per_purpose'),
        ),
        migrations.AddConstraint(
            model_name='notice',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('digest', ''), ('published_at', None)), models.Q(('published_at__isnull', False), models.Q(('digest', ''), _negated=True)), _connector='OR'), name='published_notice_has_a_digest'),
        ),
        migrations.AddConstraint(
            model_name='notice',
            constraint=models.CheckConstraint(condition=models.Q(('valid_days__gte', 60), ('valid_days__lte', 3650)), name='notice_is_valid_for_days'),
        ),
        migrations.AddField(
            model_name='consentrecord',
            name='notice',
            field=models.ForeignKey(null=True, help_text='The words decided by.', on_delete=django.db.models.deletion.PROTECT, related_name='+', to='privacy_center.notice'),
        ),
        migrations.AddConstraint(
            model_name='consentrecord',
            constraint=models.CheckConstraint(condition=models.Q(('decision__in', ['given', 'renewed', 'refused', 'withdrawn', 'expired', 'invalidated'])), name='consentrecord_decision_is_known'),
        ),
        migrations.AddConstraint(
            model_name='consentrecord',
            constraint=models.CheckConstraint(condition=models.Q(('decision__in', ('given', 'renewed')), ('purpose', 'sale'), _negated=True), name='consentrecord_sale_is_never_given'),
        ),
        migrations.AddField(
            model_name='noticetext',
            name='notice',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='texts', to='privacy_center.notice'),
        ),
        migrations.AddIndex(
            model_name='ledgerentry',
            index=models.Index(condition=models.Q(('index', None)), fields=['id'], name='entry_is_waiting'),
        ),
        migrations.AddConstraint(
            model_name='ledgerentry',
            constraint=models.CheckConstraint(condition=models.Q(('index', None), ('index__gte', 0), _connector='OR'), name='entry_index_is_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='noticetext',
            constraint=models.UniqueConstraint(fields=('notice', 'language'), name='one_text_per_language'),
        ),
    ]
