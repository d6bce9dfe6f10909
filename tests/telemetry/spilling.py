"""The product's own settings, with pages that fail at the last moment: what is raised says all that they show."""

from typing import Any

from jinja2 import Environment, Template

from handrail.config.settings import *  # noqa: F403
from handrail.core import jinja

FAIL = "X-Fail"


class Spilling(Template):
    """A page that is whole, and then fails when the request asks it to."""

    def render(self, *args: Any, **facts: Any) -> str:
        page = super().render(*args, **facts)
        request = dict(*args, **facts).get("request")
        if request is not None and FAIL in request.headers:
            raise RuntimeError(page, dict(*args, **facts))
        return page


def environment(**options: Any) -> Environment:
    found = jinja.environment(**options)
    found.template_class = Spilling
    return found


TEMPLATES[0]["OPTIONS"]["environment"] = "telemetry.spilling.environment"  # type: ignore[index]  # noqa: F405
