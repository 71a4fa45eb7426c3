"""Timelines look releases and audits up by time."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('recommendations', '0008_served_to'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='modelaudit',
            index=models.Index(fields=['at'], name='audit_by_time'),
        ),
        migrations.AddIndex(
            model_name='release',
            index=models.Index(fields=['started_at'], name='release_by_start'),
        ),
    ]
