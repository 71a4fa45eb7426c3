"""When the state was last built from scratch: an audit refuses what is older."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('recommendations', '0009_release_indexes'),
    ]

    operations = [
        migrations.AddField(
            model_name='modelstate',
            name='built_at',
            field=models.DateTimeField(help_text='When it was last built from scratch.', null=True),
        ),
    ]
