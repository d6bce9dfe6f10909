from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tenants", "0007_hospitals"),
    ]

    operations = [
        migrations.AddField(
            model_name="establishment",
            name="la_ons_code",
            field=models.CharField(
                blank=True,
                db_default="",
                help_text="the authority's nine-character code, such as E10000014",
                max_length=9,
            ),
        ),
    ]
