from django.apps import AppConfig


class AuthorityConfig(AppConfig):
    name = "handrail.authority"

    def ready(self) -> None:
        """Whatever serves pages or works behind them does not start on a text that is asked of nobody there is."""
        from handrail.authority.texts_check import check_texts

        check_texts()
