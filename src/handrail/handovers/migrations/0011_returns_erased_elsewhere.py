"""When the sender of a return erased what it held of the child."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("handovers", "0010_news_of_erasing"),
    ]

    operations = [
        migrations.AddField(
            model_name="onwardreturn",
            name="erased_on",
            field=models.DateField(help_text="when the sender erased what it held of the child", null=True),
        ),
    ]
