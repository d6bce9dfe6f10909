from django.apps import AppConfig


class ReturnsConfig(AppConfig):
    name = "handrail.returns"
