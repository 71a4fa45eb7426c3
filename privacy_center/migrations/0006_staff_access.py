"""Why staff opened a person's data, kept append-only; and what verifications of the ledger found."""

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import privacy_center.models.plain_text

KEPT = """
CREATE TRIGGER append_only_rows BEFORE UPDATE OR DELETE ON privacy_center_staffaccess
    FOR EACH ROW EXECUTE FUNCTION privacy_center_keep();
CREATE TRIGGER append_only_table BEFORE TRUNCATE ON privacy_center_staffaccess
    FOR EACH STATEMENT EXECUTE FUNCTION privacy_center_keep();
"""
FREE = """
DROP TRIGGER append_only_table ON privacy_center_staffaccess;
DROP TRIGGER append_only_rows ON privacy_center_staffaccess;
"""


class Migration(migrations.Migration):
    dependencies = [("privacy_center", "0005_consent_and_ledger_rules")]

    operations = [
        migrations.CreateModel(
            name='LedgerAudit',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('started_at', models.DateTimeField()),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
                ('entries', models.BigIntegerField(default=0, help_text='How many were checked.')),
                ('findings', models.JSONField(default=list, help_text='What is wrong, and where.')),
            ],
            options={'ordering': ['-started_at', '-id']},
        ),
        migrations.CreateModel(
            name='StaffAccess',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('role', models.CharField(help_text='What the person is told of who it was.', max_length=80)),
                ('reason', models.CharField(help_text='The person reads these words, with the time and your role.', max_length=300, validators=[django.core.validators.MinLengthValidator(10), privacy_center.models.plain_text.is_plain_text, privacy_center.models.plain_text.has_words])),
                ('at', models.DateTimeField()),
                ('staff', models.ForeignKey(help_text='Never shown to the person.', on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('subject', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='privacy_center.datasubject')),
            ],
            options={
                'verbose_name_plural': 'staff accesses',
                'ordering': ['-at', '-id'],
                'indexes': [models.Index(fields=['subject', '-at'], name='access_by_subject'), models.Index(fields=['staff', '-at'], name='access_by_staff')],
                'constraints': [models.CheckConstraint(condition=models.Q(('reason__regex', '^\\S.{8,}\\S$')), name='access_has_a_reason')],
            },
        ),
        migrations.RunSQL(KEPT, FREE),
    ]
