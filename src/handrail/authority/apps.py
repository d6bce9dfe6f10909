from django.apps import AppConfig
from django.core import checks


class AuthorityConfig(AppConfig):
    name = "handrail.authority"

    def ready(self) -> None:
        from handrail.authority.texts_check import check_texts

        checks.register(check_texts, "guidance")
