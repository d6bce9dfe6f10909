from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("absences", "0002_lives_in"),
    ]

    operations = [
        migrations.AddField(
            model_name="sicknessreturn",
            name="edition",
            field=models.PositiveIntegerField(
                db_default=1,
                default=1,
                help_text="rises when what the law asks for changes: whoever was told is told again",
            ),
        ),
    ]
