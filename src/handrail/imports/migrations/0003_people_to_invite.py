import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0004_reads"),
        ("imports", "0002_deleted_files"),
    ]

    operations = [
        migrations.AlterField(
            model_name="fileimport",
            name="document",
            field=models.ForeignKey(
                help_text="empty when it has been deleted, or nobody brought one",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="core.document",
            ),
        ),
        migrations.AlterField(
            model_name="fileimport",
            name="kind",
            field=models.CharField(
                choices=[
                    ("register", "Register of schools"),
                    ("starter", "Starter spreadsheet"),
                    ("people", "People to invite"),
                ],
                max_length=8,
            ),
        ),
    ]
