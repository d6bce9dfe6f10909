import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0001_initial"),
        ("imports", "0001_initial"),
    ]

    operations = [
        migrations.AlterField(
            model_name="fileimport",
            name="document",
            field=models.ForeignKey(
                help_text="empty when it has been deleted",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="core.document",
            ),
        ),
    ]
