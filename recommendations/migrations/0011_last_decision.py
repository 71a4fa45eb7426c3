"""A release says up to which decision it has taken in everybody's, in the order of the ledger."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('recommendations', '0010_state_built_at'),
        ('privacy_center', '0009_consent_recorded'),
    ]

    operations = [
        migrations.AddField(
            model_name='release',
            name='last_decision',
            field=models.BigIntegerField(help_text='The ledger entry up to which every decision is taken in.', null=True),
        ),
    ]
