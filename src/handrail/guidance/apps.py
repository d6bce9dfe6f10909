from django.apps import AppConfig


class GuidanceConfig(AppConfig):
    name = "handrail.guidance"

    def ready(self) -> None:
        """Read and check the texts when the process starts, and not during somebody's first request."""
        from handrail.guidance.published import editions

        editions()
