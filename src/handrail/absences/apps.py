from django.apps import AppConfig


class AbsencesConfig(AppConfig):
    name = "handrail.absences"
