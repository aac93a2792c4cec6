
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('posts', '0010_revisions'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Draft',
            fields=[
                ('slot', models.UUIDField(primary_key=True, serialize=False)),
                ('title', models.CharField(max_length=200)),
                ('last_line', models.CharField(max_length=200)),
                ('size', models.PositiveIntegerField()),
                ('content', models.TextField()),
                ('base', models.CharField(max_length=64)),
                ('holder', models.CharField(max_length=36)),
                ('sequence', models.PositiveBigIntegerField()),
                ('saved_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('post', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='drafts', to='posts.post')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='drafts', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(fields=['user', '-saved_at'], name='draft_user_time'), models.Index(fields=['saved_at'], name='draft_time')],
            },
        ),
    ]
