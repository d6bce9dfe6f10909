from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("absences", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="sicknessreturn",
            name="lives_in",
            field=models.CharField(
                blank=True,
                db_default="",
                help_text="the authority where the child lives, where it is another",
                max_length=3,
            ),
        ),
    ]
